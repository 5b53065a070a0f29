//! Ids typed by noun: a member's id cannot be passed where a gathering's is wanted.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

use crate::fault::{Code, Fault};

/// A noun that has ids.
pub trait Noun: 'static {
    /// Its name in subjects, tables and log fields.
    const NAME: &'static str;
}

macro_rules! nouns {
    ($($(#[$doc:meta])* $marker:ident $name:literal $alias:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $marker {}
            impl Noun for $marker {
                const NAME: &'static str = $name;
            }
            #[doc = concat!("Id of a ", $name, ".")]
            pub type $alias = Id<$marker>;
        )*
    };
}

nouns! {
    /// A person.
    Member "member" MemberId;
    /// A log-in of a member on one device.
    Session "session" SessionId;
    /// A standing group.
    Gathering "gathering" GatheringId;
    /// A member's standing in a gathering.
    Membership "membership" MembershipId;
    /// A meetup with seats.
    Schedule "schedule" ScheduleId;
    /// A member's place at a schedule.
    Attendance "attendance" AttendanceId;
    /// The payment for a seat.
    Order "order" OrderId;
    /// Money on its way into a wallet.
    TopUp "top_up" TopUpId;
    /// A line of a wallet's ledger.
    WalletEntry "wallet_entry" WalletEntryId;
    /// An attendee's opinion of a schedule.
    Review "review" ReviewId;
    /// A line in a gathering's chat.
    ChatMessage "chat_message" ChatMessageId;
    /// Something a member should know.
    Notification "notification" NotificationId;
}

/// Id of one thing of a noun: a UUIDv7 (RFC 9562), written with hyphens.
pub struct Id<N>(Uuid, PhantomData<fn() -> N>);

impl<N: Noun> Id<N> {
    /// A fresh id.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7(), PhantomData)
    }

    /// From a UUID known to name this noun.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// Parses what came from outside; refuses with `ID_INVALID` naming `field`.
    pub fn parse(text: &str, field: &'static str) -> Result<Self, Fault> {
        text.parse().map_err(|_| {
            Fault::new(Code::Invalid, "ID_INVALID", "This is not an id.")
                .in_korean("아이디의 형식이 아닙니다.")
                .at(field)
        })
    }
}

impl<N> Clone for Id<N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<N> Copy for Id<N> {}
impl<N> PartialEq for Id<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<N> Eq for Id<N> {}
impl<N> PartialOrd for Id<N> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<N> Ord for Id<N> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<N> Hash for Id<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<N: Noun> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", N::NAME, self.0)
    }
}
impl<N> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<N: Noun> FromStr for Id<N> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self::from_uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        let id = MemberId::fresh();
        assert_eq!(id.to_string().parse::<MemberId>().ok(), Some(id));
    }

    #[test]
    fn what_is_no_id_is_refused_with_its_field() {
        let fault = GatheringId::parse("nonsense", "gatheringId").unwrap_err();
        assert_eq!(fault.code(), Code::Invalid);
        assert_eq!(fault.field(), Some("gatheringId"));
    }
}
