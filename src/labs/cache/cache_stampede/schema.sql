-- Votes for todos, one for each voter.
CREATE TABLE IF NOT EXISTS cache_stampede_votes (
    todo_id BIGINT NOT NULL,
    voter BIGINT NOT NULL,
    PRIMARY KEY (voter, todo_id)
);
