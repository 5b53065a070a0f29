//! Reading attendances, with the cards of their members and their places in line.

use std::collections::HashMap;

use moim_kit::id::{AttendanceId, MemberId, ScheduleId};
use moim_kit::page::PageSpec;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args};

use super::Store;
use super::rows::{ShownRow, all, shown_columns};
use crate::attendance::{Shown, State};

/// The tables that [`shown_columns`] come from.
macro_rules! shown_tables {
    () => {
        " FROM attendance AS a JOIN schedule AS s ON s.id = a.schedule_id \
          JOIN card AS c ON c.member_id = a.member_id "
    };
}

const FIND: &str = concat!("SELECT ", shown_columns!(), shown_tables!(), "WHERE a.id = $1");
const FIND_MANY: &str =
    concat!("SELECT ", shown_columns!(), shown_tables!(), "WHERE a.id IN ({ids})");
const FIND_OWN: &str = concat!(
    "SELECT ",
    shown_columns!(),
    shown_tables!(),
    "WHERE a.member_id = $1 AND a.schedule_id IN ({ids})"
);

const FIRST_COME: Keyset = Keyset { key: "ticket", id: "id", descending: false };
const SOONEST: Keyset = Keyset { key: "s.starts_at_us", id: "a.id", descending: false };

impl Store {
    /// An attendance as this transaction sees it.
    pub async fn find_shown(&self, tx: &mut Tx, id: AttendanceId) -> Result<Option<Shown>, Fault> {
        let row: Option<ShownRow> = tx.fetch_optional(FIND, args![id]).await?;
        row.map(Shown::try_from).transpose()
    }

    /// A member's own attendance at a schedule, as this transaction sees it.
    pub async fn find_own_shown(
        &self,
        tx: &mut Tx,
        schedule: ScheduleId,
        member: MemberId,
    ) -> Result<Option<Shown>, Fault> {
        let rows: Vec<ShownRow> = tx.fetch_in(FIND_OWN, args![member], args![schedule]).await?;
        rows.into_iter().next().map(Shown::try_from).transpose()
    }

    /// Attendances by id, those that exist.
    pub async fn list_shown(
        &self,
        view: &View,
        ids: Vec<AttendanceId>,
    ) -> Result<Vec<Shown>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in::<ShownRow>(FIND_MANY, vec![], list).await?)
    }

    /// A member's own attendances at several schedules, in any state.
    pub async fn list_own(
        &self,
        view: &View,
        member: MemberId,
        schedules: Vec<ScheduleId>,
    ) -> Result<HashMap<ScheduleId, Shown>, Fault> {
        let list = schedules.into_iter().map(Arg::from).collect();
        let rows: Vec<ShownRow> = view.fetch_in(FIND_OWN, args![member], list).await?;
        let own = all::<_, Shown>(rows)?.into_iter();
        Ok(own.map(|shown| (shown.attendance.schedule_id, shown)).collect())
    }

    /// One page of each schedule's attendances in a state, first come first; rows come in the order
    /// of travel, one more than asked where there are more.
    pub async fn list_attendances_of(
        &self,
        view: &View,
        schedules: Vec<ScheduleId>,
        state: State,
        page: &PageSpec,
    ) -> Result<HashMap<ScheduleId, Vec<Shown>>, Fault> {
        let mut args = args![state.word(), page.fetch()];
        let condition = FIRST_COME.condition(page, &mut args);
        // Positions in line are counted for the rows of the page only.
        let sql = format!(
            "SELECT {columns} {tables} JOIN (
                SELECT id, ROW_NUMBER() OVER (PARTITION BY schedule_id ORDER BY {order}) AS nth
                FROM attendance
                WHERE schedule_id IN ({{ids}}) AND state = $1 AND {condition}
             ) AS ranked ON ranked.id = a.id
             WHERE ranked.nth <= $2 ORDER BY a.schedule_id, ranked.nth",
            columns = shown_columns!(),
            tables = shown_tables!(),
            order = FIRST_COME.order(page),
        );
        let list = schedules.into_iter().map(Arg::from).collect();
        let rows: Vec<ShownRow> = view.fetch_in(&sql, args, list).await?;
        let mut lists: HashMap<_, Vec<_>> = HashMap::new();
        for shown in all::<_, Shown>(rows)? {
            lists.entry(shown.attendance.schedule_id).or_default().push(shown);
        }
        Ok(lists)
    }

    /// Everything a member goes to, went to, missed or waits for, soonest first.
    pub async fn list_attendances_by(
        &self,
        view: &View,
        member: MemberId,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        page: &PageSpec,
    ) -> Result<Vec<Shown>, Fault> {
        let mut args = args![member, from, until, page.fetch()];
        let condition = SOONEST.condition(page, &mut args);
        let sql = format!(
            "SELECT {columns} {tables}
             WHERE a.member_id = $1 AND a.state <> 'WITHDRAWN'
               AND (CAST($2 AS BIGINT) IS NULL OR s.ends_at_us > CAST($2 AS BIGINT))
               AND (CAST($3 AS BIGINT) IS NULL OR s.starts_at_us < CAST($3 AS BIGINT))
               AND {condition}
             ORDER BY {order} LIMIT $4",
            columns = shown_columns!(),
            tables = shown_tables!(),
            order = SOONEST.order(page),
        );
        all(view.fetch_all::<ShownRow>(&sql, args).await?)
    }
}
