//! Idempotency keys: the key is stored in the same transaction as the work it names.

use moim_kit::seen::{Mark, Seen};
use moim_kit::{Call, Code, Fault, Timestamp};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::args;
use crate::tx::Tx;

const CLAIM: &str = "
INSERT INTO idempotency (member_id, operation, key, request_hash, created_at_us)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (member_id, operation, key) DO NOTHING";
const FIND: &str = "
SELECT request_hash, response, seen FROM idempotency
WHERE member_id = $1 AND operation = $2 AND key = $3";
const STORE: &str = "
UPDATE idempotency SET response = $4, seen = $5 WHERE member_id = $1 AND operation = $2 AND key = $3";

/// A key claimed within a transaction; nothing when the call carries none.
#[derive(Debug)]
pub struct Idempotency {
    claim: Option<Claim>,
}

#[derive(Debug)]
struct Claim {
    member: String,
    operation: &'static str,
    key: String,
}

/// What claiming a key found.
#[derive(Debug)]
pub enum Replay<R> {
    /// The work is still to be done.
    Fresh(Idempotency),
    /// It was done before: this was the answer, and what it had written.
    Done(R, Vec<Mark>),
}

#[derive(sqlx::FromRow)]
struct Stored {
    request_hash: String,
    response: Option<Vec<u8>>,
    seen: Option<String>,
}

impl Idempotency {
    /// Claims the key of a call for `operation`; with other input than before it is refused.
    /// A second call at the same time waits for the first in the database.
    pub async fn claim<Q: Message, R: Message + Default>(
        tx: &mut Tx,
        call: &Call,
        operation: &'static str,
        request: &Q,
        now: Timestamp,
    ) -> Result<Replay<R>, Fault> {
        let Some(key) = call.idempotency_key() else {
            return Ok(Replay::Fresh(Self { claim: None }));
        };
        let member = call.viewer().map(|id| id.to_string()).unwrap_or_default();
        let hash = hex(&Sha256::digest(request.encode_to_vec()));
        let args = args![&member, operation, key, &hash, now];
        if tx.execute(CLAIM, args).await? == 1 {
            let claim = Claim { member, operation, key: key.to_owned() };
            return Ok(Replay::Fresh(Self { claim: Some(claim) }));
        }
        let stored: Option<Stored> =
            tx.fetch_optional(FIND, args![&member, operation, key]).await?;
        match stored {
            Some(stored) if stored.request_hash != hash => Err(reused()),
            Some(Stored { response: Some(response), seen, .. }) => {
                let written = seen.map(|text| Seen::decode_text(&text)).unwrap_or_default();
                R::decode(response.as_slice())
                    .map(|response| Replay::Done(response, written.marks().to_vec()))
                    .map_err(Fault::internal)
            }
            _ => Err(Fault::new(Code::Conflict, "CONFLICT", "The first try is still under way.")
                .in_korean("첫 요청이 아직 처리 중입니다.")),
        }
    }

    /// Keeps the answer for the next time, with what the transaction has told so far: whoever lost
    /// the first answer must see its writes all the same.
    pub async fn store(self, tx: &mut Tx, response: &impl Message) -> Result<(), Fault> {
        if let Some(Claim { member, operation, key }) = self.claim {
            let mut seen = Seen::default();
            seen.merge(tx.marks());
            let args = args![member, operation, key, response.encode_to_vec(), seen.encode_text()];
            tx.execute(STORE, args).await?;
        }
        Ok(())
    }
}

fn reused() -> Fault {
    Fault::new(
        Code::IdempotencyKeyReused,
        "IDEMPOTENCY_KEY_REUSED",
        "This key was used with other input.",
    )
    .in_korean("이 멱등 키는 다른 입력에 쓰였습니다.")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
