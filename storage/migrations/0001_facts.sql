-- What this room tells. A row without a position has not been published yet.
CREATE TABLE outbox (
    id            TEXT   NOT NULL PRIMARY KEY,
    noun          TEXT   NOT NULL,
    aggregate_id  TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    payload       BYTEA  NOT NULL,
    trace         TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    position      BIGINT,
    CONSTRAINT outbox_version UNIQUE (noun, aggregate_id, version),
    CONSTRAINT outbox_position UNIQUE (position)
);
CREATE INDEX outbox_unpublished ON outbox (version, id) WHERE position IS NULL;

-- The last position given out; its row lock makes positions visible in order.
CREATE TABLE outbox_head (
    id       BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
INSERT INTO outbox_head (id, position) VALUES (1, 0);

-- Inbox: the newest version of each aggregate of another room that has taken effect here.
CREATE TABLE inbox (
    noun         TEXT   NOT NULL,
    aggregate_id TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (noun, aggregate_id)
);

-- How far each other room's log has been read.
CREATE TABLE inbox_position (
    source   TEXT   NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);

-- Answers kept so that a retried mutation gets the first one again.
CREATE TABLE idempotency (
    member_id     TEXT   NOT NULL,
    operation     TEXT   NOT NULL,
    key           TEXT   NOT NULL,
    request_hash  TEXT   NOT NULL,
    response      BYTEA,
    -- What the answer had written, as a seen token.
    seen          TEXT,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (member_id, operation, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at_us);
