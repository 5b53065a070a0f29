//! Notifications: what one is made of, and whose cursors lead where.

use std::collections::BTreeSet;

use moim_kit::Timestamp;
use moim_kit::id::{MemberId, NotificationId};
use moim_kit::page::Cursor;
use uuid::Uuid;

use crate::fault::Reason;

/// Tags the cursors of a member's notifications, in pages and streams alike.
pub const LIST: u8 = moim_kit::page::NOTIFICATIONS;

macro_rules! kinds {
    ($($kind:ident $word:literal,)*) => {
        /// Why a notification was sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// As the database spells it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// Reads what [`Kind::word`] wrote.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    MembershipRequested "MEMBERSHIP_REQUESTED",
    MembershipDecided "MEMBERSHIP_DECIDED",
    MembershipChanged "MEMBERSHIP_CHANGED",
    ScheduleCreated "SCHEDULE_CREATED",
    ScheduleChanged "SCHEDULE_CHANGED",
    ScheduleCancelled "SCHEDULE_CANCELLED",
    ScheduleReminder "SCHEDULE_REMINDER",
    SeatGranted "SEAT_GRANTED",
    SeatOffered "SEAT_OFFERED",
    OrderChanged "ORDER_CHANGED",
    ReviewReceived "REVIEW_RECEIVED",
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub noun: String,
    pub id: Uuid,
}

/// One text for everybody who should know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub kind: Kind,
    pub text: String,
    pub korean_text: String,
    pub subject: Subject,
    /// In the order of their ids, which is the order their mailboxes are locked in.
    pub audience: BTreeSet<MemberId>,
}

/// A notification as it is kept for one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub id: NotificationId,
    pub member: MemberId,
    pub sequence: i64,
    pub kind: Kind,
    pub text: String,
    pub korean_text: String,
    pub subject: Subject,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

impl Notification {
    /// Its place in its member's list.
    pub fn cursor(&self) -> Cursor {
        Cursor { key: self.sequence, id: self.member.uuid() }
    }
}

/// How far a member's numbers go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub last: i64,
    pub swept_up_to: i64,
    pub unread: i64,
}

impl Extent {
    /// Refuses a cursor that this member never got.
    pub fn require_own(&self, cursor: Cursor, member: MemberId) -> Result<i64, Reason> {
        let own = cursor.id == member.uuid() && (0..=self.last).contains(&cursor.key);
        if own { Ok(cursor.key) } else { Err(Reason::CursorInvalid) }
    }

    /// As [`Extent::require_own`], and what follows it must still be kept.
    pub fn require_kept(&self, cursor: Cursor, member: MemberId) -> Result<i64, Reason> {
        let after = self.require_own(cursor, member)?;
        if after < self.swept_up_to { Err(Reason::CursorExpired) } else { Ok(after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_from_the_last_that_was_swept_to_the_newest() {
        let member = MemberId::fresh();
        let extent = Extent { last: 9, swept_up_to: 4, unread: 0 };
        for (key, expected) in [
            (-1, Err(Reason::CursorInvalid)),
            (0, Err(Reason::CursorExpired)),
            (3, Err(Reason::CursorExpired)),
            (4, Ok(4)),
            (9, Ok(9)),
            (10, Err(Reason::CursorInvalid)),
        ] {
            let cursor = Cursor { key, id: member.uuid() };
            assert_eq!(extent.require_kept(cursor, member), expected, "{key}");
            let foreign = extent.require_kept(cursor, MemberId::fresh());
            assert_eq!(foreign, Err(Reason::CursorInvalid));
        }
    }
}
