CREATE TABLE IF NOT EXISTS clone_storm_articles (
    id BIGINT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,
    properties TEXT NOT NULL,
    price BIGINT NOT NULL,
    tier BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS clone_storm_customers (
    name TEXT NOT NULL PRIMARY KEY,
    discount BIGINT NOT NULL,
    tier BIGINT NOT NULL
);
-- One row: which catalogue the other tables have.
CREATE TABLE IF NOT EXISTS clone_storm_version (version BIGINT NOT NULL);
