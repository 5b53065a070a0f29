-- What is kept of each member, newest version wins.
CREATE TABLE card (
    member_id  TEXT   NOT NULL PRIMARY KEY,
    nickname   TEXT   NOT NULL,
    avatar_url TEXT,
    version    BIGINT NOT NULL
);

-- Standing groups. Full is not kept: it is member_count against capacity.
CREATE TABLE gathering (
    id             TEXT    NOT NULL PRIMARY KEY,
    host_id        TEXT    NOT NULL REFERENCES card (member_id),
    title          TEXT    NOT NULL,
    description    TEXT    NOT NULL,
    category       TEXT    NOT NULL,
    region_code    TEXT    NOT NULL,
    image_url      TEXT,
    join_policy    TEXT    NOT NULL,
    closed         BOOLEAN NOT NULL,
    capacity       BIGINT  NOT NULL,
    member_count   BIGINT  NOT NULL,
    activity_at_us BIGINT  NOT NULL,
    created_at_us  BIGINT  NOT NULL,
    version        BIGINT  NOT NULL,
    CONSTRAINT capacity_too_small CHECK (member_count BETWEEN 0 AND capacity)
);
CREATE INDEX gathering_active ON gathering (activity_at_us, id);
CREATE INDEX gathering_newest ON gathering (created_at_us, id);
CREATE INDEX gathering_popular ON gathering (member_count, id);
CREATE INDEX gathering_category ON gathering (category, activity_at_us, id);
CREATE INDEX gathering_region ON gathering (region_code, activity_at_us, id);
CREATE INDEX gathering_host ON gathering (host_id);

-- A member's standing in a gathering; one row for ever, whatever becomes of it.
CREATE TABLE membership (
    id            TEXT   NOT NULL PRIMARY KEY,
    gathering_id  TEXT   NOT NULL REFERENCES gathering (id),
    member_id     TEXT   NOT NULL REFERENCES card (member_id),
    role          TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    message       TEXT,
    joined_at_us  BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    CONSTRAINT already_joined UNIQUE (gathering_id, member_id),
    CONSTRAINT host_stays CHECK (role <> 'HOST' OR status = 'ACTIVE')
);
CREATE UNIQUE INDEX membership_host ON membership (gathering_id) WHERE role = 'HOST';
CREATE INDEX membership_roster ON membership (gathering_id, status, joined_at_us, id);
CREATE INDEX membership_member ON membership (member_id, updated_at_us, id);
