-- Facts are of two kinds now, state and event, and may be followed live by a topic. The table is made anew
-- because its uniqueness takes the kind in; rows written without one are states.
CREATE TABLE outbox_of_kinds (
    id            TEXT   NOT NULL PRIMARY KEY,
    noun          TEXT   NOT NULL,
    aggregate_id  TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    payload       BYTEA  NOT NULL,
    trace         TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    position      BIGINT,
    kind          TEXT   NOT NULL DEFAULT 'state',
    topic         TEXT,
    CONSTRAINT outbox_told UNIQUE (noun, kind, aggregate_id, version),
    CONSTRAINT outbox_place UNIQUE (position),
    CONSTRAINT outbox_kind CHECK (kind IN ('state', 'event'))
);
INSERT INTO outbox_of_kinds (id, noun, aggregate_id, version, payload, trace, created_at_us, position)
SELECT id, noun, aggregate_id, version, payload, trace, created_at_us, position FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_of_kinds RENAME TO outbox;
CREATE INDEX outbox_unpublished ON outbox (version, id) WHERE position IS NULL;
