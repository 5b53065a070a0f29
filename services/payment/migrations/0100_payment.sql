-- Prepaid money of members. What is spendable is the balance less what is held for running orders.
CREATE TABLE wallet (
    member_id     TEXT   NOT NULL PRIMARY KEY,
    balance_krw   BIGINT NOT NULL,
    held_krw      BIGINT NOT NULL,
    -- Number of the newest entry.
    last_sequence BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    CONSTRAINT insufficient_balance CHECK (0 <= held_krw AND held_krw <= balance_krw)
);

-- One move of money; each step of an order or of a top-up is journaled once.
CREATE TABLE journal (
    id            TEXT   NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL,
    subject_id    TEXT   NOT NULL,
    created_at_us BIGINT NOT NULL,
    CONSTRAINT journal_once UNIQUE (subject_id, kind)
);

-- The lines of journals: those of one journal sum to zero. Never changed, only countered. Only wallets have a
-- running balance; the provider and each schedule's escrow are the sums of their lines, so that no row is hot.
CREATE TABLE entry (
    id                TEXT   NOT NULL PRIMARY KEY,
    journal_id        TEXT   NOT NULL REFERENCES journal (id),
    account           TEXT   NOT NULL,
    owner_id          TEXT   NOT NULL,
    amount_krw        BIGINT NOT NULL,
    balance_after_krw BIGINT,
    sequence          BIGINT,
    created_at_us     BIGINT NOT NULL,
    CONSTRAINT entry_of_something CHECK (amount_krw <> 0),
    CONSTRAINT entry_sequence UNIQUE (account, owner_id, sequence)
);
CREATE INDEX entry_journal ON entry (journal_id);

-- Paid seats. What the schedule room said last stands in phase, refund and expires_at_us; what the money did in
-- state. revision counts every write, version every state that was told.
CREATE TABLE seat_order (
    id             TEXT    NOT NULL PRIMARY KEY,
    attendance_id  TEXT    NOT NULL,
    schedule_id    TEXT    NOT NULL,
    schedule_title TEXT    NOT NULL,
    member_id      TEXT    NOT NULL,
    amount_krw     BIGINT  NOT NULL,
    phase          TEXT    NOT NULL,
    refund         BOOLEAN NOT NULL,
    expires_at_us  BIGINT  NOT NULL,
    state          TEXT    NOT NULL,
    failure        TEXT,
    shortfall_krw  BIGINT  NOT NULL,
    trace          TEXT    NOT NULL,
    version        BIGINT  NOT NULL,
    revision       BIGINT  NOT NULL,
    tries          BIGINT  NOT NULL,
    -- When it is to be looked at; nothing is to be done while there is none.
    due_at_us      BIGINT,
    created_at_us  BIGINT  NOT NULL,
    updated_at_us  BIGINT  NOT NULL
);
CREATE INDEX seat_order_due ON seat_order (due_at_us);

-- Money set aside for orders; it is no entry, for it has not moved.
CREATE TABLE hold (
    order_id      TEXT   NOT NULL PRIMARY KEY REFERENCES seat_order (id),
    member_id     TEXT   NOT NULL,
    amount_krw    BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    updated_at_us BIGINT NOT NULL
);
CREATE INDEX hold_member ON hold (member_id, state);

-- Money on its way in. The key of the call is the order id at the provider, so it names one payment for
-- everybody: nobody is credited with what another paid.
CREATE TABLE top_up (
    id              TEXT   NOT NULL PRIMARY KEY,
    member_id       TEXT   NOT NULL,
    key             TEXT   NOT NULL,
    amount_krw      BIGINT NOT NULL,
    payment_key     TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    failure         TEXT,
    -- The answer once it is paid, the same for ever.
    spendable_krw   BIGINT,
    held_krw        BIGINT,
    tries           BIGINT NOT NULL,
    next_look_at_us BIGINT,
    requested_at_us BIGINT NOT NULL,
    CONSTRAINT top_up_key UNIQUE (key)
);
CREATE INDEX top_up_due ON top_up (next_look_at_us);
CREATE INDEX top_up_member ON top_up (member_id, state);

-- Messages of the provider that were heard.
CREATE TABLE webhook (
    id         TEXT   NOT NULL PRIMARY KEY,
    seen_at_us BIGINT NOT NULL
);
CREATE INDEX webhook_oldest ON webhook (seen_at_us);
