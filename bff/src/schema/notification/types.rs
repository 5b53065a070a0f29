//! Notifications; nothing here costs a call but the subject.

use async_graphql::{ID, SimpleObject};
use moim_kit::id::NotificationId;
use moim_kit::{Fault, Id};
use moim_proto::notification::v1 as proto;

use super::enums::NotificationKind;
use crate::schema::global_id::{Global, encode};
use crate::schema::scalar::DateTime;

/// Something the viewer should know.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Notification {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Why it was sent.
    pub kind: NotificationKind,
    /// When it happened.
    pub created_at: DateTime,
    /// When the viewer had seen it; null while unread.
    pub read_at: Option<DateTime>,
    #[graphql(skip)]
    pub english: String,
    #[graphql(skip)]
    pub korean: String,
    /// What it is about, when that is a noun known here.
    #[graphql(skip)]
    pub about: Option<Global>,
}

impl TryFrom<proto::Notification> for Notification {
    type Error = Fault;

    fn try_from(notification: proto::Notification) -> Result<Self, Fault> {
        let id: NotificationId = notification.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(id),
            kind: notification.kind.try_into()?,
            created_at: DateTime::from_us(notification.created_at_us),
            read_at: notification.read_at_us.map(DateTime::from_us),
            english: notification.text,
            korean: notification.korean_text,
            about: notification.subject.and_then(about),
        })
    }
}

/// A subject of a noun that came later is shown as gone.
fn about(subject: proto::Subject) -> Option<Global> {
    let uuid = subject.id.parse().ok()?;
    Some(match subject.noun.as_str() {
        "membership" => Global::Membership(Id::from_uuid(uuid)),
        "gathering" => Global::Gathering(Id::from_uuid(uuid)),
        "schedule" => Global::Schedule(Id::from_uuid(uuid)),
        "attendance" => Global::Attendance(Id::from_uuid(uuid)),
        "order" => Global::Order(Id::from_uuid(uuid)),
        "review" => Global::Review(Id::from_uuid(uuid)),
        _ => return None,
    })
}
