-- Events that have taken effect here; a repetition finds itself.
CREATE TABLE inbox_event (
    event_id TEXT   NOT NULL PRIMARY KEY,
    at_us    BIGINT NOT NULL
);
CREATE INDEX inbox_event_at ON inbox_event (at_us);

-- Events that came before the state they belong to, or behind one that failed.
CREATE TABLE inbox_parked (
    id            TEXT   NOT NULL PRIMARY KEY,
    source        TEXT   NOT NULL,
    noun          TEXT   NOT NULL,
    aggregate_id  TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    payload       BYTEA  NOT NULL,
    trace         TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    topic         TEXT
);
CREATE INDEX inbox_parked_aggregate ON inbox_parked (aggregate_id, noun, version);

-- Facts that could not take effect, and messages that are none; code says why.
CREATE TABLE dead_letter (
    id            TEXT   NOT NULL PRIMARY KEY,
    source        TEXT   NOT NULL,
    code          TEXT   NOT NULL,
    error         TEXT   NOT NULL,
    tries         BIGINT NOT NULL,
    died_at_us    BIGINT NOT NULL,
    kind          TEXT   NOT NULL,
    noun          TEXT   NOT NULL,
    aggregate_id  TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    payload       BYTEA  NOT NULL,
    trace         TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    topic         TEXT
);
CREATE INDEX dead_letter_aggregate ON dead_letter (aggregate_id, noun);

-- How far this room's outbox has been told to the broker, and what the broker looked like then.
CREATE TABLE bus_cursor (
    id       BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    epoch    BIGINT NOT NULL,
    identity TEXT   NOT NULL,
    states   BIGINT NOT NULL,
    events   BIGINT NOT NULL,
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL
);
INSERT INTO bus_cursor (id, position, epoch, identity, states, events, holder, until_us)
VALUES (1, 0, 0, '', 0, 0, '', 0);
