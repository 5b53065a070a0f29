//! Global ids: opaque to clients, a noun's tag and a UUID inside.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moim_kit::Id;
use moim_kit::id::{
    Attendance, ChatMessage, Gathering, Member, Membership, Notification, Noun, Order, Review,
    Schedule, WalletEntry,
};
use uuid::Uuid;

/// A noun with a place in the graph.
pub trait Tagged: Noun {
    /// First byte of its global ids; never given to another noun.
    const TAG: u8;
}

const VIEWER_TAG: u8 = 2;
const REGION_TAG: u8 = 7;

macro_rules! tags {
    ($($noun:ident $tag:literal)*) => { $(impl Tagged for $noun { const TAG: u8 = $tag; })* };
}

tags! {
    Member 1 Gathering 3 Membership 4 Schedule 5 Attendance 6 Review 8 ChatMessage 9 Notification 10
    Order 11 WalletEntry 12
}

/// What a global id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// A member.
    Member(Id<Member>),
    /// A member as only they see themselves.
    Viewer(Id<Member>),
    /// A gathering.
    Gathering(Id<Gathering>),
    /// A membership.
    Membership(Id<Membership>),
    /// A schedule.
    Schedule(Id<Schedule>),
    /// An attendance.
    Attendance(Id<Attendance>),
    /// A review.
    Review(Id<Review>),
    /// A message of a gathering's chat.
    ChatMessage(Id<ChatMessage>),
    /// A notification.
    Notification(Id<Notification>),
    /// The payment for a seat.
    Order(Id<Order>),
    /// A line of a wallet's ledger.
    WalletEntry(Id<WalletEntry>),
}

impl Global {
    /// Reads an id of any noun; `None` for what never was an id.
    pub fn decode(id: &ID) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).ok()?;
        let (tag, rest) = bytes.split_first()?;
        let uuid = Uuid::from_slice(rest).ok()?;
        Some(match *tag {
            Member::TAG => Self::Member(Id::from_uuid(uuid)),
            VIEWER_TAG => Self::Viewer(Id::from_uuid(uuid)),
            Gathering::TAG => Self::Gathering(Id::from_uuid(uuid)),
            Membership::TAG => Self::Membership(Id::from_uuid(uuid)),
            Schedule::TAG => Self::Schedule(Id::from_uuid(uuid)),
            Attendance::TAG => Self::Attendance(Id::from_uuid(uuid)),
            Review::TAG => Self::Review(Id::from_uuid(uuid)),
            ChatMessage::TAG => Self::ChatMessage(Id::from_uuid(uuid)),
            Notification::TAG => Self::Notification(Id::from_uuid(uuid)),
            Order::TAG => Self::Order(Id::from_uuid(uuid)),
            WalletEntry::TAG => Self::WalletEntry(Id::from_uuid(uuid)),
            _ => return None,
        })
    }
}

/// The global id of a thing.
pub fn encode<N: Tagged>(id: Id<N>) -> ID {
    encode_bytes(N::TAG, id.uuid().as_bytes())
}

/// The global id of a viewer.
pub fn encode_viewer(member: Id<Member>) -> ID {
    encode_bytes(VIEWER_TAG, member.uuid().as_bytes())
}

/// The global id of a region.
pub fn encode_region(code: &str) -> ID {
    encode_bytes(REGION_TAG, code.as_bytes())
}

/// Reads an id of one noun as the services spell it. An id of another noun, or what never was an
/// id, becomes the nil id, which nothing has: it answers as any missing thing does.
pub fn decode<N: Tagged>(id: &ID) -> String {
    let uuid = URL_SAFE_NO_PAD
        .decode(id.as_str())
        .ok()
        .filter(|bytes| bytes.first() == Some(&N::TAG))
        .and_then(|bytes| Uuid::from_slice(&bytes[1..]).ok());
    uuid.unwrap_or_default().to_string()
}

/// The code of a region's id; empty for what is none, which no region has.
pub fn decode_region(id: &ID) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).unwrap_or_default();
    match bytes.split_first() {
        Some((&REGION_TAG, code)) => String::from_utf8(code.to_vec()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn encode_bytes(tag: u8, bytes: &[u8]) -> ID {
    let mut all = Vec::with_capacity(1 + bytes.len());
    all.push(tag);
    all.extend_from_slice(bytes);
    ID(URL_SAFE_NO_PAD.encode(all))
}

#[cfg(test)]
mod tests {
    use moim_kit::id::{GatheringId, MemberId};

    use super::*;

    #[test]
    fn an_id_names_its_noun_and_only_that() {
        let id = GatheringId::fresh();
        let global = encode(id);
        assert_eq!(Global::decode(&global), Some(Global::Gathering(id)));
        assert_eq!(decode::<Gathering>(&global), id.to_string());
        assert_eq!(decode::<Member>(&global), Uuid::nil().to_string());
    }

    #[test]
    fn a_viewer_is_not_the_member_of_the_same_number() {
        let id = MemberId::fresh();
        assert_ne!(encode(id), encode_viewer(id));
        assert_eq!(Global::decode(&encode_viewer(id)), Some(Global::Viewer(id)));
    }

    #[test]
    fn what_never_was_an_id_names_nothing() {
        for text in ["", "x", "AAAA", "%%%%", "한글"] {
            assert_eq!(Global::decode(&ID(text.to_owned())), None);
            assert_eq!(decode_region(&ID(text.to_owned())), "");
        }
        assert_eq!(decode_region(&encode_region("11440")), "11440");
    }
}
