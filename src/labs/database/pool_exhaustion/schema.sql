CREATE TABLE IF NOT EXISTS pool_exhaustion_saves (
    player_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    level BIGINT NOT NULL,
    best BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (player_id, slot)
);
