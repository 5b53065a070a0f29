//! Reading and writing schedules.

use std::collections::HashMap;

use moim_kit::id::{GatheringId, ScheduleId};
use moim_kit::page::PageSpec;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args};

use super::Store;
use super::rows::{ScheduleRow, all, schedule_columns};
use crate::fault::Reason;
use crate::model::Schedule;

const FIND: &str = concat!("SELECT ", schedule_columns!(), " FROM schedule WHERE id = $1");
const FIND_MANY: &str =
    concat!("SELECT ", schedule_columns!(), " FROM schedule WHERE id IN ({ids})");
// Writing a row to itself locks it on both databases.
const LOCK: &str =
    concat!("UPDATE schedule SET version = version WHERE id = $1 RETURNING ", schedule_columns!());
const INSERT: &str = concat!(
    "INSERT INTO schedule (",
    schedule_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21)"
);
const UPDATE: &str = "
UPDATE schedule SET title = $3, description = $4, place = $5, starts_at_us = $6, ends_at_us = $7,
    capacity = $8, going_count = $9, waitlist_count = $10, closed = $11, cancelled_at_us = $12,
    cancel_reason = $13, sequence = $14, fee_krw = $15, refundable_until_us = $16, held_count = $17,
    version = version + 1
WHERE id = $1 AND version = $2";

const SOONEST: Keyset = Keyset { key: "starts_at_us", id: "id", descending: false };

impl Store {
    /// A schedule as this transaction sees it, unlocked.
    pub async fn find_schedule(&self, tx: &mut Tx, id: ScheduleId) -> Result<Schedule, Fault> {
        let row: Option<ScheduleRow> = tx.fetch_optional(FIND, args![id]).await?;
        row.ok_or(Reason::ScheduleNotFound)?.try_into()
    }

    /// A schedule that nobody else changes until this transaction ends.
    pub async fn lock_schedule(&self, tx: &mut Tx, id: ScheduleId) -> Result<Schedule, Fault> {
        let row: Option<ScheduleRow> = tx.fetch_optional(LOCK, args![id]).await?;
        row.ok_or(Reason::ScheduleNotFound)?.try_into()
    }

    /// Schedules by id, those that exist.
    pub async fn list_schedules(
        &self,
        view: &View,
        ids: Vec<ScheduleId>,
    ) -> Result<Vec<Schedule>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in::<ScheduleRow>(FIND_MANY, vec![], list).await?)
    }

    /// One page of each gathering's schedules that end after `from` and start before `until`; rows
    /// come in the order of travel, one more than asked where there are more.
    pub async fn list_schedules_of(
        &self,
        view: &View,
        gatherings: Vec<GatheringId>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        page: &PageSpec,
    ) -> Result<HashMap<GatheringId, Vec<Schedule>>, Fault> {
        let mut args = args![from, until, page.fetch()];
        let condition = SOONEST.condition(page, &mut args);
        let sql = format!(
            "SELECT {columns} FROM (
                SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY gathering_id ORDER BY {order}) AS nth
                FROM schedule
                WHERE gathering_id IN ({{ids}})
                  AND (CAST($1 AS BIGINT) IS NULL OR ends_at_us > CAST($1 AS BIGINT))
                  AND (CAST($2 AS BIGINT) IS NULL OR starts_at_us < CAST($2 AS BIGINT))
                  AND {condition}
             ) AS ranked WHERE nth <= $3 ORDER BY gathering_id, nth",
            columns = schedule_columns!(),
            order = SOONEST.order(page),
        );
        let list = gatherings.into_iter().map(Arg::from).collect();
        let rows: Vec<ScheduleRow> = view.fetch_in(&sql, args, list).await?;
        let mut lists: HashMap<_, Vec<_>> = HashMap::new();
        for schedule in all::<_, Schedule>(rows)? {
            lists.entry(schedule.gathering_id).or_default().push(schedule);
        }
        Ok(lists)
    }

    pub async fn insert_schedule(&self, tx: &mut Tx, new: &Schedule) -> Result<(), Fault> {
        let args = args![
            new.id,
            new.gathering_id,
            &new.title,
            &new.description,
            &new.place,
            new.starts_at,
            new.ends_at,
            &new.time_zone,
            new.capacity,
            new.going_count,
            new.waitlist_count,
            new.next_ticket,
            new.closed,
            new.cancelled_at,
            new.cancel_reason.as_deref(),
            new.sequence,
            new.version,
            new.created_at,
            new.fee_krw,
            new.refundable_until,
            new.held_count,
        ];
        tx.execute(INSERT, args).await?;
        Ok(())
    }

    /// Writes a locked schedule as its next version.
    pub(super) async fn update_schedule(
        &self,
        tx: &mut Tx,
        mut new: Schedule,
    ) -> Result<Schedule, Fault> {
        let args = args![
            new.id,
            new.version,
            &new.title,
            &new.description,
            &new.place,
            new.starts_at,
            new.ends_at,
            new.capacity,
            new.going_count,
            new.waitlist_count,
            new.closed,
            new.cancelled_at,
            new.cancel_reason.as_deref(),
            new.sequence,
            new.fee_krw,
            new.refundable_until,
            new.held_count,
        ];
        if tx.execute(UPDATE, args).await? != 1 {
            return Err(Fault::internal("a locked schedule changed"));
        }
        new.version += 1;
        Ok(new)
    }
}
