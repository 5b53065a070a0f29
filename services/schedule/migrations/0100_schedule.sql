-- What is kept of each member, newest version wins.
CREATE TABLE card (
    member_id  TEXT   NOT NULL PRIMARY KEY,
    nickname   TEXT   NOT NULL,
    avatar_url TEXT,
    version    BIGINT NOT NULL
);

-- What is kept of each gathering: that it exists, and its title for calendars.
CREATE TABLE gathering_copy (
    id      TEXT   NOT NULL PRIMARY KEY,
    title   TEXT   NOT NULL,
    version BIGINT NOT NULL
);

-- Who belongs to which gathering, and with what rights.
CREATE TABLE roster (
    gathering_id TEXT   NOT NULL,
    member_id    TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (gathering_id, member_id)
);

-- Meetups. The counts are the truth about seats: a seat is taken by counting it here.
CREATE TABLE schedule (
    id              TEXT    NOT NULL PRIMARY KEY,
    gathering_id    TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    place           TEXT    NOT NULL,
    starts_at_us    BIGINT  NOT NULL,
    ends_at_us      BIGINT  NOT NULL,
    time_zone       TEXT    NOT NULL,
    capacity        BIGINT  NOT NULL,
    going_count     BIGINT  NOT NULL,
    waitlist_count  BIGINT  NOT NULL,
    next_ticket     BIGINT  NOT NULL,
    closed          BOOLEAN NOT NULL,
    cancelled_at_us BIGINT,
    cancel_reason   TEXT,
    sequence        BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    created_at_us   BIGINT  NOT NULL,
    CONSTRAINT schedule_full CHECK (going_count BETWEEN 0 AND capacity),
    CONSTRAINT schedule_line CHECK (waitlist_count >= 0)
);
CREATE INDEX schedule_soonest ON schedule (gathering_id, starts_at_us, id);

-- Places and places in line. Tickets number arrivals at a schedule; the line is served by them.
CREATE TABLE attendance (
    id            TEXT   NOT NULL PRIMARY KEY,
    schedule_id   TEXT   NOT NULL REFERENCES schedule (id),
    member_id     TEXT   NOT NULL REFERENCES card (member_id),
    state         TEXT   NOT NULL,
    ticket        BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    CONSTRAINT already_attending UNIQUE (schedule_id, member_id)
);
CREATE INDEX attendance_line ON attendance (schedule_id, state, ticket, id);
CREATE INDEX attendance_member ON attendance (member_id, state, schedule_id);

-- Keys made at the first start, shared by every process of this room.
CREATE TABLE secret (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
