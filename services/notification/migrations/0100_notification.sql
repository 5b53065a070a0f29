-- One per member: the last number given out, and how far the old ones were swept. Its row lock is held until the
-- commit, so that numbers become visible in order and without gaps.
CREATE TABLE mailbox (
    member_id     TEXT   NOT NULL PRIMARY KEY,
    last_sequence BIGINT NOT NULL,
    unread_count  BIGINT NOT NULL,
    swept_up_to   BIGINT NOT NULL,
    CONSTRAINT mailbox_unread CHECK (unread_count BETWEEN 0 AND last_sequence)
);

-- What a member should know; the cause makes it exist once, however often the cause is heard of.
CREATE TABLE notification (
    id            TEXT   NOT NULL PRIMARY KEY,
    member_id     TEXT   NOT NULL REFERENCES mailbox (member_id),
    sequence      BIGINT NOT NULL,
    cause         TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    text          TEXT   NOT NULL,
    korean_text   TEXT   NOT NULL,
    subject_noun  TEXT   NOT NULL,
    subject_id    TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    read_at_us    BIGINT,
    CONSTRAINT notification_place UNIQUE (member_id, sequence),
    CONSTRAINT notification_once UNIQUE (member_id, cause)
);
CREATE INDEX notification_unread ON notification (member_id, sequence) WHERE read_at_us IS NULL;
CREATE INDEX notification_created ON notification (created_at_us);

-- What is kept of each schedule for its reminder. A new start is to be reminded of again.
CREATE TABLE schedule_copy (
    id              TEXT    NOT NULL PRIMARY KEY,
    title           TEXT    NOT NULL,
    starts_at_us    BIGINT  NOT NULL,
    time_zone       TEXT    NOT NULL,
    cancelled       BOOLEAN NOT NULL,
    start_set_at_us BIGINT  NOT NULL,
    reminded        BOOLEAN NOT NULL
);
CREATE INDEX schedule_copy_due ON schedule_copy (starts_at_us) WHERE NOT reminded AND NOT cancelled;

-- Who goes to what, and since when.
CREATE TABLE attendance_copy (
    id          TEXT    NOT NULL PRIMARY KEY,
    schedule_id TEXT    NOT NULL,
    member_id   TEXT    NOT NULL,
    going       BOOLEAN NOT NULL,
    since_us    BIGINT  NOT NULL
);
CREATE INDEX attendance_copy_going ON attendance_copy (schedule_id) WHERE going;
