-- The newest state of what can be found; the index is made from it, in the order of sequence.
CREATE TABLE document (
    kind         TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    version      BIGINT  NOT NULL,
    sequence     BIGINT  NOT NULL,
    gone         BOOLEAN NOT NULL,
    title        TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    place        TEXT    NOT NULL,
    gathering_id TEXT,
    category     BIGINT,
    region_code  TEXT,
    region_name  TEXT    NOT NULL,
    starts_at_us BIGINT,
    ends_at_us   BIGINT,
    fee_krw      BIGINT,
    openness     BIGINT  NOT NULL,
    size         BIGINT  NOT NULL,
    fresh_at_us  BIGINT  NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX document_in_order ON document (sequence, kind, id);
CREATE INDEX document_of_gathering ON document (gathering_id);

-- What people search for, as it was counted last.
CREATE TABLE popular (
    id       BIGINT NOT NULL PRIMARY KEY,
    snapshot TEXT   NOT NULL
);
