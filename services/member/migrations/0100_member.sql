-- People. What everybody may see of them and, beside it, what only they and the log-in may.
CREATE TABLE member (
    id            TEXT   NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL,
    email         TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    nickname      TEXT   NOT NULL,
    -- The nickname in lower case: two that differ by case only are one.
    nickname_key  TEXT   NOT NULL,
    avatar_url    TEXT,
    bio           TEXT,
    joined_at_us  BIGINT NOT NULL,
    CONSTRAINT email_taken UNIQUE (email),
    CONSTRAINT nickname_taken UNIQUE (nickname_key)
);

-- Who hides whom.
CREATE TABLE block (
    member_id     TEXT   NOT NULL REFERENCES member (id),
    blocked_id    TEXT   NOT NULL REFERENCES member (id),
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (member_id, blocked_id)
);

-- A log-in on one device: a family of refresh tokens that follow from each other.
CREATE TABLE session (
    id              TEXT   NOT NULL PRIMARY KEY,
    member_id       TEXT   NOT NULL REFERENCES member (id),
    -- Each token's successor is derived with it, so that no token need be stored.
    secret          BYTEA  NOT NULL,
    opened_at_us    BIGINT NOT NULL,
    last_used_at_us BIGINT NOT NULL,
    expires_at_us   BIGINT NOT NULL,
    revoked_at_us   BIGINT
);
CREATE INDEX session_member ON session (member_id);
CREATE INDEX session_expires ON session (expires_at_us);
CREATE INDEX session_revoked ON session (revoked_at_us) WHERE revoked_at_us IS NOT NULL;

-- Refresh tokens by the SHA-256 of their text; spent ones stay, to be recognised when they come again.
CREATE TABLE refresh_token (
    hash          BYTEA  NOT NULL PRIMARY KEY,
    session_id    TEXT   NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    created_at_us BIGINT NOT NULL,
    used_at_us    BIGINT
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

-- Failed log-ins by the SHA-256 of the address tried, whether it has an account or not.
CREATE TABLE log_in_failure (
    account  TEXT   NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    since_us BIGINT NOT NULL
);
CREATE INDEX log_in_failure_since ON log_in_failure (since_us);

-- Seeds of the keys that sign access tokens; the highest generation signs, all of them verify.
CREATE TABLE signing_key (
    generation    BIGINT NOT NULL PRIMARY KEY,
    kid           TEXT   NOT NULL,
    seed          BYTEA  NOT NULL,
    created_at_us BIGINT NOT NULL,
    CONSTRAINT signing_key_kid UNIQUE (kid)
);
