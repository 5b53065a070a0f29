//! Copies of schedules and attendances: who is to be reminded of what.

use moim_kit::id::{AttendanceId, MemberId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args};
use uuid::Uuid;

use super::{Store, own_id, own_uuid};
use crate::rules::Meetup;

const KEEP_SCHEDULE: &str = "
INSERT INTO schedule_copy
    (id, title, starts_at_us, time_zone, cancelled, start_set_at_us, reminded)
VALUES ($1, $2, $3, $4, $5, $6, FALSE)
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, time_zone = excluded.time_zone, cancelled = excluded.cancelled,
    reminded = schedule_copy.reminded AND schedule_copy.starts_at_us = excluded.starts_at_us,
    start_set_at_us = CASE WHEN schedule_copy.starts_at_us = excluded.starts_at_us
        THEN schedule_copy.start_set_at_us ELSE excluded.start_set_at_us END,
    starts_at_us = excluded.starts_at_us";
const KEEP_ATTENDANCE: &str = "
INSERT INTO attendance_copy (id, schedule_id, member_id, going, since_us)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET
    since_us = CASE WHEN attendance_copy.going AND excluded.going
        THEN attendance_copy.since_us ELSE excluded.since_us END,
    going = excluded.going";
const REMIND_AGAIN: &str = "
UPDATE schedule_copy SET reminded = FALSE WHERE id = $1 AND reminded AND starts_at_us >= $2";
const LIST_DUE: &str = "
SELECT id FROM schedule_copy
WHERE NOT reminded AND NOT cancelled AND starts_at_us > $1 AND starts_at_us <= $2
  AND start_set_at_us <= starts_at_us - $3
ORDER BY starts_at_us, id LIMIT 100";
// Of two processes one waits for the other here and then finds nothing to do.
const CLAIM: &str = "
UPDATE schedule_copy SET reminded = TRUE
WHERE id = $1 AND NOT reminded AND NOT cancelled AND starts_at_us > $2 AND starts_at_us <= $3
RETURNING title, starts_at_us, time_zone";
const LIST_GOING: &str = "
SELECT member_id, since_us FROM attendance_copy WHERE schedule_id = $1 AND going";

impl Store {
    /// Keeps a schedule; `at` is when it came to be so.
    pub async fn keep_schedule(
        &self,
        tx: &mut Tx,
        meetup: &Meetup,
        cancelled: bool,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Meetup { id, title, starts_at, time_zone } = meetup;
        let args = args![*id, title, *starts_at, time_zone, cancelled, at];
        tx.execute(KEEP_SCHEDULE, args).await?;
        Ok(())
    }

    /// Keeps whether a member goes; who had the seat when the reminder was due, but is heard of
    /// only after it was sent, is reminded yet.
    pub async fn keep_attendance(
        &self,
        tx: &mut Tx,
        id: AttendanceId,
        (schedule, member): (Uuid, MemberId),
        going: bool,
        (at, lead_us): (Timestamp, i64),
    ) -> Result<(), Fault> {
        tx.execute(KEEP_ATTENDANCE, args![id, schedule, member, going, at]).await?;
        if going {
            let first = at.us().saturating_add(lead_us);
            tx.execute(REMIND_AGAIN, args![schedule, first]).await?;
        }
        Ok(())
    }

    /// Schedules whose reminder is due: they start within `lead_us`, and their start was known before.
    pub async fn list_due(&self, now: Timestamp, lead_us: i64) -> Result<Vec<Uuid>, Fault> {
        let args = args![now, now.us().saturating_add(lead_us), lead_us];
        let rows: Vec<(String,)> = self.outbox.db().fetch_all(LIST_DUE, args).await?;
        rows.iter().map(|(id,)| own_uuid(id)).collect()
    }

    /// Takes the reminder of a schedule upon this transaction; nothing when another did.
    pub async fn claim(
        &self,
        tx: &mut Tx,
        id: Uuid,
        now: Timestamp,
        lead_us: i64,
    ) -> Result<Option<Meetup>, Fault> {
        let args = args![id, now, now.us().saturating_add(lead_us)];
        let row: Option<(String, i64, String)> = tx.fetch_optional(CLAIM, args).await?;
        Ok(row.map(|(title, starts_at, time_zone)| Meetup {
            id,
            title,
            starts_at: Timestamp::from_us(starts_at),
            time_zone,
        }))
    }

    /// Everybody who goes to a schedule, and since when.
    pub async fn list_going(
        &self,
        tx: &mut Tx,
        schedule: Uuid,
    ) -> Result<Vec<(MemberId, Timestamp)>, Fault> {
        let rows: Vec<(String, i64)> = tx.fetch_all(LIST_GOING, args![schedule]).await?;
        rows.iter().map(|(id, since)| Ok((own_id(id)?, Timestamp::from_us(*since)))).collect()
    }
}
