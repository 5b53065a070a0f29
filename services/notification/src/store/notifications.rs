//! Reading a member's notifications, by number.

use moim_kit::Fault;
use moim_kit::id::{MemberId, NotificationId};
use moim_kit::page::{Direction, PageOf, PageSpec};
use moim_storage::{Arg, Tx, View, args};

use super::{NotificationRow, Store, all, columns};
use crate::model::Notification;

const FIND_MANY: &str =
    concat!("SELECT ", columns!(), " FROM notification WHERE member_id = $1 AND id IN ({ids})");
const FIND: &str =
    concat!("SELECT ", columns!(), " FROM notification WHERE member_id = $1 AND id = $2");
const AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM notification WHERE member_id = $1 AND sequence > $2 AND sequence <= $3
     ORDER BY sequence LIMIT $4"
);

impl Store {
    /// A member's own notifications by id, those that exist.
    pub async fn find_own(
        &self,
        view: &View,
        member: MemberId,
        ids: Vec<NotificationId>,
    ) -> Result<Vec<Notification>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in::<NotificationRow>(FIND_MANY, args![member], list).await?)
    }

    /// One of them, as a transaction sees it.
    pub async fn find_one(
        &self,
        tx: &mut Tx,
        member: MemberId,
        id: NotificationId,
    ) -> Result<Option<Notification>, Fault> {
        let row: Option<NotificationRow> = tx.fetch_optional(FIND, args![member, id]).await?;
        row.map(Notification::try_from).transpose()
    }

    /// A page of a member's notifications, newest first.
    pub async fn list(
        &self,
        view: &View,
        member: MemberId,
        unread_only: bool,
        page: &PageSpec,
    ) -> Result<PageOf<Notification>, Fault> {
        // One member's numbers are distinct: they need no id to break ties.
        let (sign, way) = match page.direction {
            Direction::Forward => ("<", "DESC"),
            Direction::Backward => (">", "ASC"),
        };
        let mut args = args![member, page.fetch()];
        let mut conditions = String::new();
        if unread_only {
            conditions.push_str(" AND read_at_us IS NULL");
        }
        if let Some(cursor) = page.cursor {
            args.push(cursor.key.into());
            conditions.push_str(&format!(" AND sequence {sign} $3"));
        }
        let sql = format!(
            "SELECT {} FROM notification WHERE member_id = $1{conditions}
             ORDER BY sequence {way} LIMIT $2",
            columns!()
        );
        let rows: Vec<NotificationRow> = view.fetch_all(&sql, args).await?;
        Ok(page.page(all(rows)?, Notification::cursor))
    }

    /// What follows a number, up to another, oldest first.
    pub async fn list_after(
        &self,
        view: &View,
        member: MemberId,
        after: i64,
        up_to: i64,
        limit: i64,
    ) -> Result<Vec<Notification>, Fault> {
        let args = args![member, after, up_to, limit];
        all(view.fetch_all::<NotificationRow>(AFTER, args).await?)
    }
}
