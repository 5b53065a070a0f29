-- A room of the test's own: notes it owns, and copies of notes that another room owns.
CREATE TABLE note (
    id       TEXT   NOT NULL PRIMARY KEY,
    sort_key BIGINT NOT NULL,
    title    TEXT   NOT NULL,
    version  BIGINT NOT NULL,
    CONSTRAINT note_title_unique UNIQUE (title),
    CONSTRAINT note_title_not_empty CHECK (title <> '')
);

CREATE TABLE note_copy (
    id      TEXT   NOT NULL PRIMARY KEY,
    title   TEXT   NOT NULL,
    version BIGINT NOT NULL
);

-- Every effect there ever was, in order.
CREATE TABLE effect (
    place   BIGINT NOT NULL,
    note_id TEXT   NOT NULL,
    version BIGINT NOT NULL
);

-- Every event that was heard, in order; one heard twice stands here twice.
CREATE TABLE heard (
    place    BIGINT NOT NULL,
    event_id TEXT   NOT NULL,
    note_id  TEXT   NOT NULL,
    version  BIGINT NOT NULL
);

-- One column of each kind, all but the first allowed to be empty.
CREATE TABLE kind (
    id     TEXT  NOT NULL PRIMARY KEY,
    words  TEXT,
    number BIGINT,
    truth  BOOLEAN,
    bytes  BYTEA
);
