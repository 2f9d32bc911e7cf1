CREATE TABLE IF NOT EXISTS join_storm_rooms (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    topic TEXT NOT NULL,
    host TEXT NOT NULL,
    language TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    is_for_guests BOOLEAN NOT NULL,
    least_age BIGINT NOT NULL,
    longest_nickname BIGINT NOT NULL,
    banned_nickname TEXT NOT NULL,
    least_level BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS join_storm_guests (
    room TEXT NOT NULL REFERENCES join_storm_rooms (name),
    user_id BIGINT NOT NULL,
    nickname TEXT NOT NULL,
    PRIMARY KEY (room, user_id)
);
