//! A fact on the broker: its fields in one message, signed under the house's secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use prost::Message as _;
use sha2::Sha256;
use uuid::Uuid;

use super::{Fact, Kind, Refusal};
use crate::clock::Timestamp;

/// Signs what this house tells, so that it knows its own facts from anybody else's.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// The same fields as `moim.fact.v1.Fact`, which belongs to rooms.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Envelope {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    noun: String,
    #[prost(string, tag = "3")]
    aggregate_id: String,
    #[prost(int64, tag = "4")]
    version: i64,
    #[prost(bytes = "bytes", tag = "5")]
    payload: Bytes,
    #[prost(string, tag = "6")]
    trace: String,
    #[prost(int64, tag = "7")]
    at_us: i64,
    #[prost(int32, tag = "8")]
    kind: i32,
    #[prost(string, tag = "9")]
    topic: String,
}

const STATE: i32 = 1;
const EVENT: i32 = 2;

impl Seal {
    /// The seal of a house.
    pub fn new(secret: &str) -> Self {
        // A key of its own, so that no signature made for another purpose with the secret fits here.
        let mac = Hmac::new_from_slice(format!("moim fact {secret}").as_bytes());
        Self(mac.unwrap_or_else(|_| unreachable!("HMAC takes keys of any length")))
    }

    /// Signs the bytes of a message.
    pub fn sign(&self, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(body);
        BASE64.encode(mac.finalize().into_bytes())
    }

    fn knows(&self, body: &[u8], signature: Option<&str>) -> bool {
        let Some(given) = signature.and_then(|text| BASE64.decode(text).ok()) else { return false };
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_slice(&given).is_ok()
    }

    /// Opens a message that came under a subject.
    pub(super) fn open(
        &self,
        subject: &str,
        body: &Bytes,
        signature: Option<&str>,
        nouns: &[&str],
    ) -> Result<Fact, Refusal> {
        if !self.knows(body, signature) {
            return Err(Refusal::Foreign);
        }
        let fact = read(body.clone()).ok_or(Refusal::Undecodable)?;
        let is_ours = nouns.contains(&fact.noun.as_str()) && fact.subject() == subject;
        is_ours.then_some(fact).ok_or(Refusal::Foreign)
    }
}

/// The bytes of a fact.
pub(super) fn wrap(fact: &Fact) -> Bytes {
    let envelope = Envelope {
        id: fact.id.to_string(),
        noun: fact.noun.clone(),
        aggregate_id: fact.aggregate.to_string(),
        version: fact.version,
        payload: fact.payload.clone(),
        trace: fact.trace.clone(),
        at_us: fact.at.us(),
        kind: match fact.kind {
            Kind::State => STATE,
            Kind::Event => EVENT,
        },
        topic: fact.topic.map(|topic| topic.to_string()).unwrap_or_default(),
    };
    envelope.encode_to_vec().into()
}

fn read(body: Bytes) -> Option<Fact> {
    let envelope = Envelope::decode(body).ok()?;
    let uuid = |text: &str| text.parse::<Uuid>().ok();
    Some(Fact {
        id: uuid(&envelope.id)?,
        kind: match envelope.kind {
            STATE => Kind::State,
            EVENT => Kind::Event,
            _ => return None,
        },
        aggregate: uuid(&envelope.aggregate_id)?,
        topic: if envelope.topic.is_empty() { None } else { Some(uuid(&envelope.topic)?) },
        noun: envelope.noun,
        version: envelope.version,
        payload: envelope.payload,
        trace: envelope.trace,
        at: Timestamp::from_us(envelope.at_us),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact() -> Fact {
        Fact {
            id: Uuid::now_v7(),
            kind: Kind::Event,
            noun: "note".to_owned(),
            aggregate: Uuid::now_v7(),
            version: 3,
            payload: Bytes::from_static(b"payload"),
            trace: "trace".to_owned(),
            at: Timestamp::from_us(5),
            topic: Some(Uuid::now_v7()),
        }
    }

    #[test]
    fn a_fact_comes_out_as_it_went_in() {
        let (seal, fact) = (Seal::new("secret"), fact());
        let body = wrap(&fact);
        let signature = seal.sign(&body);
        assert_eq!(seal.open(&fact.subject(), &body, Some(&signature), &["note"]), Ok(fact));
    }

    #[test]
    fn what_nobody_of_the_house_told_is_foreign() {
        let (seal, fact) = (Seal::new("secret"), fact());
        let (body, subject) = (wrap(&fact), fact.subject());
        let own = seal.sign(&body);
        let other = Seal::new("another").sign(&body);
        for (subject, signature, nouns) in [
            (subject.as_str(), None, ["note"]),
            (subject.as_str(), Some(other.as_str()), ["note"]),
            (subject.as_str(), Some(own.as_str()), ["other"]),
            ("moim.note.v1.event.elsewhere", Some(own.as_str()), ["note"]),
        ] {
            let opened = seal.open(subject, &body, signature, &nouns);
            assert_eq!(opened, Err(Refusal::Foreign), "{subject} {nouns:?}");
        }
    }

    #[test]
    fn what_is_signed_and_yet_no_fact_is_undecodable() {
        let (seal, body) = (Seal::new("secret"), Bytes::from_static(b"\xff\xff"));
        let signature = seal.sign(&body);
        let opened = seal.open("moim.note.v1.state.x", &body, Some(&signature), &["note"]);
        assert_eq!(opened, Err(Refusal::Undecodable));
    }
}
