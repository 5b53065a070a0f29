//! What the room keeps, in SQL; every statement about it stands here.

mod copies;
mod mailboxes;
mod notifications;

use moim_kit::id::{Id, Noun};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Outbox, Tx};
use uuid::Uuid;

use crate::model::{Kind, Notification, Subject};

/// The room's tables.
#[derive(Clone)]
pub struct Store {
    outbox: Outbox,
}

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Fault> {
        Ok(self.outbox.begin().await?)
    }
}

/// Columns of [`NotificationRow`].
macro_rules! columns {
    () => {
        "id, member_id, sequence, kind, text, korean_text, subject_noun, subject_id, \
         created_at_us, read_at_us"
    };
}
use columns;

#[derive(sqlx::FromRow)]
struct NotificationRow {
    id: String,
    member_id: String,
    sequence: i64,
    kind: String,
    text: String,
    korean_text: String,
    subject_noun: String,
    subject_id: String,
    created_at_us: i64,
    read_at_us: Option<i64>,
}

impl TryFrom<NotificationRow> for Notification {
    type Error = Fault;

    fn try_from(row: NotificationRow) -> Result<Self, Fault> {
        let kind = Kind::from_word(&row.kind)
            .ok_or_else(|| Fault::internal(format!("unknown kind {:?}", row.kind)))?;
        Ok(Self {
            id: own_id(&row.id)?,
            member: own_id(&row.member_id)?,
            sequence: row.sequence,
            kind,
            text: row.text,
            korean_text: row.korean_text,
            subject: Subject { noun: row.subject_noun, id: own_uuid(&row.subject_id)? },
            created_at: Timestamp::from_us(row.created_at_us),
            read_at: row.read_at_us.map(Timestamp::from_us),
        })
    }
}

fn all(rows: Vec<NotificationRow>) -> Result<Vec<Notification>, Fault> {
    rows.into_iter().map(Notification::try_from).collect()
}

/// An id that this room wrote itself.
fn own_id<N: Noun>(text: &str) -> Result<Id<N>, Fault> {
    text.parse().map_err(Fault::internal)
}

fn own_uuid(text: &str) -> Result<Uuid, Fault> {
    text.parse().map_err(Fault::internal)
}
