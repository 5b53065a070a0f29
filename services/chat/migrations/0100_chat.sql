-- What is kept of each member, newest version wins.
CREATE TABLE card (
    member_id  TEXT   NOT NULL PRIMARY KEY,
    nickname   TEXT   NOT NULL,
    avatar_url TEXT,
    version    BIGINT NOT NULL
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

-- The last sequence given out in each gathering; its row lock makes messages become visible in order.
CREATE TABLE chat (
    gathering_id  TEXT   NOT NULL PRIMARY KEY,
    last_sequence BIGINT NOT NULL
);

-- What was said; a deleted message keeps its place without its body.
CREATE TABLE message (
    id           TEXT   NOT NULL PRIMARY KEY,
    gathering_id TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    author_id    TEXT   NOT NULL REFERENCES card (member_id),
    client_id    TEXT   NOT NULL,
    body         TEXT,
    sent_at_us   BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    CONSTRAINT message_order UNIQUE (gathering_id, sequence),
    CONSTRAINT client_id_reused UNIQUE (gathering_id, author_id, client_id)
);
