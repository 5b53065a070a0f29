//! A provider that takes no money and does what the payment key says, so that every way a payment can go is played.
//!
//! It keeps nothing: whatever is asked, by whichever process, the answer follows from the charge and the clock.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use moim_kit::{Clock, Code, Fault, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

use crate::fault::Reason;
use crate::provider::{Charge, Charged, Notice, PaymentProvider};

/// How far a webhook's time may be from ours.
const TOLERANCE: Duration = Duration::from_secs(300);
/// How long a provider that never answers holds a call that nobody ends.
const HANGS: Duration = Duration::from_secs(60);

/// A webhook as it comes over HTTP: header names in small letters, and the body.
pub type Webhook = (HashMap<String, String>, Vec<u8>);

/// What the webhooks of the sandbox say.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
}

/// What a payment key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Pays,
    Declined,
    /// Paid so long after it was requested; nobody is told.
    Late(Duration),
    /// Paid, and told twice.
    Twice,
    Never,
    /// Paid, but the answer does not arrive.
    Lost,
    Refunded,
}

impl Script {
    fn of(payment_key: &str) -> Self {
        let late = |key: &str| {
            let ms = key.strip_prefix("sandbox-late-")?.parse().ok()?;
            Some(Self::Late(Duration::from_millis(ms)))
        };
        match payment_key {
            "" | "sandbox" => Self::Pays,
            "sandbox-twice" => Self::Twice,
            "sandbox-never" => Self::Never,
            "sandbox-lost" => Self::Lost,
            "sandbox-refunded" => Self::Refunded,
            other => late(other).unwrap_or(Self::Declined),
        }
    }
}

/// The sandbox.
pub struct Sandbox {
    secret: Vec<u8>,
    clock: Clock,
    webhooks: Sender<Webhook>,
}

impl Sandbox {
    /// Signs its webhooks with a secret and sends them where they are heard like anybody's.
    pub fn new(secret: &str, clock: Clock, webhooks: Sender<Webhook>) -> Self {
        let secret = match secret {
            "" => [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat(),
            given => given.as_bytes().to_vec(),
        };
        Self { secret, clock, webhooks }
    }

    fn paid_by_now(&self, charge: &Charge, after: Duration) -> Charged {
        if self.clock.now() >= charge.requested_at.after(after) {
            return paid(charge);
        }
        Charged::Unknown
    }

    fn tell_twice(&self, charge: &Charge) {
        let body = Body { order: Some(charge.order.clone()) };
        let Ok(body) = serde_json::to_vec(&body) else { return };
        let (id, at) = (Uuid::now_v7().to_string(), self.clock.now().seconds().to_string());
        let Ok(signature) = self.sign(&id, &at, &body) else { return };
        let headers = HashMap::from([
            ("webhook-id".to_owned(), id),
            ("webhook-timestamp".to_owned(), at),
            ("webhook-signature".to_owned(), format!("v1,{signature}")),
        ]);
        for _ in 0..2 {
            if self.webhooks.try_send((headers.clone(), body.clone())).is_err() {
                tracing::debug!("too many webhooks of the sandbox at once");
            }
        }
    }

    fn sign(&self, id: &str, at: &str, body: &[u8]) -> Result<String, Fault> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).map_err(Fault::internal)?;
        mac.update(format!("{id}.{at}.").as_bytes());
        mac.update(body);
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

fn paid(charge: &Charge) -> Charged {
    Charged::Paid { amount_krw: charge.amount_krw }
}

fn silent() -> Fault {
    Fault::new(Code::Unavailable, "PROVIDER_UNAVAILABLE", "The sandbox does not answer.")
}

#[async_trait]
impl PaymentProvider for Sandbox {
    async fn confirm(&self, charge: &Charge) -> Result<Charged, Fault> {
        let hang = || async {
            tokio::time::sleep(HANGS).await;
            Err(silent())
        };
        match Script::of(&charge.payment_key) {
            Script::Pays => Ok(paid(charge)),
            Script::Declined => Ok(Charged::Declined),
            Script::Late(after) => match self.paid_by_now(charge, after) {
                Charged::Unknown => hang().await,
                charged => Ok(charged),
            },
            Script::Twice => {
                self.tell_twice(charge);
                Ok(paid(charge))
            }
            Script::Never => hang().await,
            Script::Lost => Err(silent()),
            Script::Refunded => Ok(Charged::Cancelled),
        }
    }

    async fn find(&self, charge: &Charge) -> Result<Charged, Fault> {
        Ok(match Script::of(&charge.payment_key) {
            Script::Pays | Script::Twice | Script::Lost => paid(charge),
            Script::Declined => Charged::Declined,
            Script::Late(after) => self.paid_by_now(charge, after),
            Script::Never => Charged::Unknown,
            Script::Refunded => Charged::Cancelled,
        })
    }

    async fn cancel(&self, charge: &Charge) -> Result<Charged, Fault> {
        Ok(match Script::of(&charge.payment_key) {
            Script::Declined | Script::Never => Charged::Declined,
            _ => Charged::Cancelled,
        })
    }

    fn read_webhook(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notice>, Fault> {
        let header = |name| headers.get(name).ok_or(Reason::WebhookRefused);
        let (id, at) = (header("webhook-id")?, header("webhook-timestamp")?);
        let signature = header("webhook-signature")?;
        let expected = format!("v1,{}", self.sign(id, at, body)?);
        if !bool::from(signature.as_bytes().ct_eq(expected.as_bytes())) {
            return Err(Reason::WebhookRefused.into());
        }
        let seconds: i64 = at.parse().map_err(|_| Reason::WebhookRefused)?;
        let sent = Timestamp::from_us(seconds.saturating_mul(1_000_000));
        if sent < now.before(TOLERANCE) || sent > now.after(TOLERANCE) {
            return Err(Reason::WebhookRefused.into());
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| Reason::WebhookRefused)?;
        Ok(body.order.map(|order| Notice { id: id.clone(), order }))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_webhook_is_read_only_as_it_was_signed_and_while_it_is_young() {
        let (webhooks, _heard) = channel(1);
        let sandbox = Sandbox::new("secret", Clock::system(), webhooks);
        let now = Timestamp::from_us(1_000_000_000_000_000);
        let body = br#"{"order":"o-1"}"#;
        let at = now.seconds().to_string();
        let signature = format!("v1,{}", sandbox.sign("m-1", &at, body).unwrap());
        let sent = |id: &str, at: &str, signature: &str| {
            HashMap::from([
                ("webhook-id".to_owned(), id.to_owned()),
                ("webhook-timestamp".to_owned(), at.to_owned()),
                ("webhook-signature".to_owned(), signature.to_owned()),
            ])
        };
        let good = sent("m-1", &at, &signature);
        let read = sandbox.read_webhook(&good, body, now).unwrap();
        assert_eq!(read, Some(Notice { id: "m-1".to_owned(), order: "o-1".to_owned() }));
        let refused = |headers: &HashMap<String, String>, body: &[u8], now| {
            sandbox.read_webhook(headers, body, now).unwrap_err().reason() == "WEBHOOK_REFUSED"
        };
        assert!(refused(&good, br#"{"order":"o-2"}"#, now));
        assert!(refused(&sent("m-2", &at, &signature), body, now));
        assert!(refused(&sent("m-1", "1", &signature), body, now));
        assert!(refused(&sent("m-1", &at, "v1,"), body, now));
        assert!(refused(&HashMap::new(), body, now));
        assert!(refused(&good, body, now.after(TOLERANCE * 2)));
        assert!(refused(&good, body, now.before(TOLERANCE * 2)));
    }

    #[test]
    fn an_unknown_payment_key_pays_nothing() {
        for key in ["x", "sandbox-late-", "sandbox-late-x", "sandboxx"] {
            assert_eq!(Script::of(key), Script::Declined);
        }
        assert_eq!(Script::of("sandbox-late-5"), Script::Late(Duration::from_millis(5)));
    }
}
