-- What is kept of each member, newest version wins.
CREATE TABLE card (
    member_id  TEXT   NOT NULL PRIMARY KEY,
    nickname   TEXT   NOT NULL,
    avatar_url TEXT,
    version    BIGINT NOT NULL
);

-- Who hosts which gathering.
CREATE TABLE gathering_copy (
    id      TEXT NOT NULL PRIMARY KEY,
    host_id TEXT NOT NULL
);

-- When schedules end, and what they are called.
CREATE TABLE schedule_copy (
    id           TEXT   NOT NULL PRIMARY KEY,
    gathering_id TEXT   NOT NULL,
    title        TEXT   NOT NULL,
    ends_at_us   BIGINT NOT NULL
);

-- Who was there.
CREATE TABLE attendance_copy (
    id          TEXT    NOT NULL PRIMARY KEY,
    schedule_id TEXT    NOT NULL,
    member_id   TEXT    NOT NULL,
    attended    BOOLEAN NOT NULL
);
CREATE INDEX attendance_copy_of ON attendance_copy (schedule_id, member_id);

-- One opinion per attendance; a deleted one stays as a row and may be written again.
CREATE TABLE review (
    id            TEXT    NOT NULL PRIMARY KEY,
    schedule_id   TEXT    NOT NULL,
    gathering_id  TEXT    NOT NULL,
    author_id     TEXT    NOT NULL REFERENCES card (member_id),
    rating        BIGINT  NOT NULL,
    body          TEXT    NOT NULL,
    deleted       BOOLEAN NOT NULL,
    created_at_us BIGINT  NOT NULL,
    updated_at_us BIGINT  NOT NULL,
    version       BIGINT  NOT NULL,
    CONSTRAINT review_twice UNIQUE (schedule_id, author_id),
    CONSTRAINT rating_invalid CHECK (rating BETWEEN 1 AND 5)
);
CREATE INDEX review_of_gathering ON review (gathering_id, created_at_us, id);
CREATE INDEX review_of_schedule ON review (schedule_id, created_at_us, id);

-- All reviews of a gathering that stand; its row is locked while one of them changes.
CREATE TABLE rating (
    gathering_id TEXT   NOT NULL PRIMARY KEY,
    review_count BIGINT NOT NULL,
    rating_sum   BIGINT NOT NULL,
    version      BIGINT NOT NULL
);
