-- Books. Each variant has a table of its own, with the same rows: one table's index would serve them all.
CREATE TABLE IF NOT EXISTS missing_index_slow (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS missing_index_fast (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS missing_index_fast_lower_title ON missing_index_fast (lower(title));

-- Of the wrong fix.
CREATE TABLE IF NOT EXISTS missing_index_plain (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS missing_index_plain_title ON missing_index_plain (title);

-- Made anew, so that it has the indexes that yours.sql makes now, and no others.
DROP TABLE IF EXISTS missing_index_yours;
CREATE TABLE missing_index_yours (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL);

