//! Messages: what they are made of, which texts they accept, and who may take them away.

use moim_kit::Timestamp;
use moim_kit::id::{ChatMessageId, GatheringId, MemberId};
use moim_kit::text::prose;

use crate::fault::Reason;

const LONGEST_BODY: usize = 2_000;
const LONGEST_CLIENT_ID: usize = 64;

/// What this room knows of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub member: MemberId,
    pub nickname: String,
    pub avatar_url: Option<String>,
}

/// Rights of an active member within a gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Host,
    Manager,
    Member,
}

impl Role {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "HOST",
            Self::Manager => "MANAGER",
            Self::Member => "MEMBER",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Host, Self::Manager, Self::Member].into_iter().find(|role| role.word() == word)
    }
}

/// A line in a gathering's chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: ChatMessageId,
    pub gathering: GatheringId,
    pub sequence: i64,
    pub author: Card,
    pub client_id: String,
    /// Nothing once deleted.
    pub body: Option<String>,
    pub sent_at: Timestamp,
    pub version: i64,
}

/// A message about to be sent; every part of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub gathering: GatheringId,
    pub body: String,
    pub client_id: String,
}

impl Draft {
    /// The message it becomes at its place.
    pub fn sent(self, author: Card, sequence: i64, now: Timestamp) -> Message {
        Message {
            id: ChatMessageId::fresh(),
            gathering: self.gathering,
            sequence,
            author,
            client_id: self.client_id,
            body: Some(self.body),
            sent_at: now,
            version: 1,
        }
    }

    /// Whether a message sent earlier under the same client id is this one; a deleted one says
    /// nothing any more that could differ.
    pub fn is_again(&self, earlier: &Message) -> Result<(), Reason> {
        match &earlier.body {
            Some(body) if *body != self.body => Err(Reason::ClientIdReused),
            _ => Ok(()),
        }
    }
}

impl Message {
    /// The message without its body, or nothing when it has none any more.
    pub fn deleted(&self, caller: MemberId, role: Role) -> Result<Option<Self>, Reason> {
        if caller != self.author.member && role == Role::Member {
            return Err(Reason::NotAllowed);
        }
        let gone = Self { body: None, version: self.version + 1, ..self.clone() };
        Ok(self.body.is_some().then_some(gone))
    }
}

/// What is said: 1 to 2,000 characters once trimmed, all of them to be seen.
pub fn body(text: &str) -> Result<String, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Reason::BodyEmpty);
    }
    let body = prose(text, 1..=usize::MAX).ok_or(Reason::BodyInvalid)?;
    if body.chars().count() > LONGEST_BODY { Err(Reason::BodyTooLong) } else { Ok(body) }
}

/// The sender's own id for a message.
pub fn client_id(text: &str) -> Result<String, Reason> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=LONGEST_CLIENT_ID).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(Reason::ClientIdInvalid)
    }
}

/// The sequence a resuming reader has come to: one that was given out, and not too long ago.
pub fn resumable(sequence: i64, last: i64, limit: u32) -> Result<i64, Reason> {
    if !(1..=last).contains(&sequence) {
        return Err(Reason::CursorInvalid);
    }
    if last - sequence > i64::from(limit) { Err(Reason::CursorExpired) } else { Ok(sequence) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let member = MemberId::fresh();
        let card = Card { member, nickname: "하나".to_owned(), avatar_url: None };
        let (gathering, body) = (GatheringId::fresh(), "안녕하세요".to_owned());
        Draft { gathering, body, client_id: "a".to_owned() }.sent(card, 1, Timestamp::from_us(1))
    }

    #[test]
    fn a_body_is_trimmed_counted_in_characters_and_all_of_it_seen() {
        assert_eq!(body("  하나\r\n둘 ").as_deref(), Ok("하나\n둘"));
        assert!(body(&"가".repeat(2_000)).is_ok());
        assert_eq!(body(&"가".repeat(2_001)), Err(Reason::BodyTooLong));
        assert_eq!(body(" \n "), Err(Reason::BodyEmpty));
        assert_eq!(body("가\u{7}나"), Err(Reason::BodyInvalid));
    }

    #[test]
    fn a_client_id_is_short_visible_ascii() {
        assert!(client_id(&"a".repeat(64)).is_ok());
        for text in ["", "a b", "가", "a\n", &"a".repeat(65)] {
            assert_eq!(client_id(text), Err(Reason::ClientIdInvalid), "{text:?}");
        }
    }

    #[test]
    fn only_its_author_and_who_leads_take_a_message_away_and_once() {
        let message = message();
        let other = MemberId::fresh();
        assert_eq!(message.deleted(other, Role::Member), Err(Reason::NotAllowed));
        assert!(message.deleted(message.author.member, Role::Member).is_ok());
        let gone = message.deleted(other, Role::Manager).unwrap().unwrap();
        assert_eq!((gone.body.clone(), gone.version, gone.sequence), (None, 2, 1));
        assert_eq!(gone.deleted(other, Role::Host), Ok(None));
    }

    #[test]
    fn a_reader_resumes_within_what_was_said_and_not_from_too_long_ago() {
        assert_eq!(resumable(5, 15, 10), Ok(5));
        assert_eq!(resumable(15, 15, 10), Ok(15));
        assert_eq!(resumable(4, 15, 10), Err(Reason::CursorExpired));
        for sequence in [-1, 0, 16, i64::MAX, i64::MIN] {
            assert_eq!(resumable(sequence, 15, 10), Err(Reason::CursorInvalid));
        }
    }
}
