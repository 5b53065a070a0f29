-- What a seat costs, and until when it is refunded. Held seats are counted beside those taken.
ALTER TABLE schedule ADD COLUMN fee_krw BIGINT NOT NULL DEFAULT 0;
ALTER TABLE schedule ADD COLUMN refundable_until_us BIGINT;
ALTER TABLE schedule ADD COLUMN held_count BIGINT NOT NULL DEFAULT 0
    CONSTRAINT schedule_held CHECK (held_count >= 0 AND going_count + held_count <= capacity);

-- The order that pays for a place, whether the line pays by itself, and until when a seat is held.
ALTER TABLE attendance ADD COLUMN order_id TEXT;
ALTER TABLE attendance ADD COLUMN auto_pay BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE attendance ADD COLUMN hold_expires_at_us BIGINT;
CREATE INDEX attendance_hold ON attendance (hold_expires_at_us) WHERE hold_expires_at_us IS NOT NULL;

-- This room's side of each order.
CREATE TABLE seat (
    order_id      TEXT    NOT NULL PRIMARY KEY,
    attendance_id TEXT    NOT NULL REFERENCES attendance (id),
    schedule_id   TEXT    NOT NULL REFERENCES schedule (id),
    gathering_id  TEXT    NOT NULL,
    member_id     TEXT    NOT NULL,
    amount_krw    BIGINT  NOT NULL,
    phase         TEXT    NOT NULL,
    expires_at_us BIGINT  NOT NULL,
    refund        BOOLEAN NOT NULL,
    failure       TEXT,
    shortfall_krw BIGINT  NOT NULL,
    version       BIGINT  NOT NULL,
    updated_at_us BIGINT  NOT NULL
);
CREATE INDEX seat_schedule ON seat (schedule_id, phase);
-- Nobody has two seats that may still cost money at one schedule.
CREATE UNIQUE INDEX seat_live ON seat (attendance_id) WHERE phase IN ('WAITING', 'HELD', 'GRANTED');
