-- Articles, and the shelf of each reader: the articles that they keep, as a list in JSON.
CREATE TABLE IF NOT EXISTS statement_churn_articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, is_news BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS statement_churn_shelves (reader INTEGER PRIMARY KEY, articles TEXT NOT NULL);
