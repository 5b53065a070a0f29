//! Toss Payments as the provider: what its answers mean for a charge.
//!
//! From its documentation at docs.tosspayments.com: calls and states of a payment in "코어 API", refusals in
//! "에러 코드", the key and `Idempotency-Key` in "인증 및 기타 헤더 설정". Money is taken in two steps, the second of
//! which, `confirm`, is ours alone; without it a payment expires by itself within half an hour.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::fault::Reason;
use crate::provider::{Charge, Charged, Notice, PaymentProvider};
use crate::toss_api::{Answer, Api, Meaning, Payment, Refusal};
use crate::toss_webhook;

/// Shown to the payer and in the provider's console.
const CANCEL_REASON: &str = "지갑 충전이 완료되지 않아 취소되었습니다.";

/// How to reach Toss Payments, and as whom.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where its API is; `https`, or `http` on this machine.
    pub url: String,
    /// The shop's secret key, `test_…` or `live_…`.
    pub secret_key: String,
    /// Key that webhooks are signed with; when set, one without a good signature is refused. Toss Payments
    /// signs no webhook about a payment, so against it this stays empty: see `toss_webhook`.
    pub webhook_secret: String,
    /// Longest wait for what one call asks of it, milliseconds; from 100 to 60,000.
    pub timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "https://api.tosspayments.com".to_owned(),
            secret_key: String::new(),
            webhook_secret: String::new(),
            timeout_ms: 7_000,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let covered = |secret: &str| if secret.is_empty() { "" } else { "********" };
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("secret_key", &covered(&self.secret_key))
            .field("webhook_secret", &covered(&self.webhook_secret))
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

/// Takes money through Toss Payments.
pub struct Toss {
    api: Api,
    webhook_secret: String,
}

impl fmt::Debug for Toss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toss").finish_non_exhaustive()
    }
}

/// True for what Toss Payments takes as an order id.
pub fn is_order(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
    (6..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// True for what may be a payment key. It becomes part of an address, so nothing in it may lead elsewhere.
pub fn is_payment_key(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.~".contains(&byte);
    (1..=200).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(fits)
}

/// What there is under a charge's payment key.
enum Found {
    Payment(Payment),
    /// Nothing, or a payment for another order: this charge never took money.
    Nothing,
}

impl Toss {
    /// Checks the configuration; asks nobody.
    pub fn try_new(config: &Config) -> Result<Self, Fault> {
        if !(100..=60_000).contains(&config.timeout_ms) {
            return Err(Fault::internal("payment.toss.timeout_ms must be from 100 to 60000"));
        }
        let timeout = Duration::from_millis(config.timeout_ms);
        let api = Api::try_new(&config.url, &config.secret_key, timeout)?;
        Ok(Self { api, webhook_secret: config.webhook_secret.clone() })
    }

    /// Asks by the payment key, for it names one payment: an order may have been paid at several checkouts.
    async fn look(&self, charge: &Charge, deadline: Instant) -> Result<Found, Fault> {
        match self.api.find(&charge.payment_key, deadline).await? {
            Answer::Payment(payment) if payment.payment_key != charge.payment_key => {
                Err(defect(charge, "another payment came back than was asked for"))
            }
            Answer::Payment(payment) if payment.order_id == charge.order => {
                Ok(Found::Payment(payment))
            }
            Answer::Payment(_) => {
                tracing::warn!(top_up = %charge.top_up, "the payment key belongs to another order");
                Ok(Found::Nothing)
            }
            Answer::Refused(refusal) => match refusal.meaning() {
                Meaning::Absent => Ok(Found::Nothing),
                Meaning::Misconfigured => Err(misconfigured(&refusal)),
                _ => Err(unavailable(&refusal)),
            },
        }
    }

    async fn cancel_payment(
        &self,
        charge: &Charge,
        payment: &Payment,
        deadline: Instant,
    ) -> Result<Charged, Fault> {
        // Under a repeated key even a passing failure would be repeated, for 15 days. A whole cancellation
        // takes effect once whatever the key, and a look at the payment comes before each.
        let key = format!("{}-cancel-{}", charge.top_up, Uuid::new_v4());
        let refusal =
            match self.api.cancel(&payment.payment_key, CANCEL_REASON, &key, deadline).await? {
                Answer::Payment(payment) if is_of(charge, &payment) => return Ok(ended(&payment)),
                Answer::Payment(_) => {
                    return Err(defect(charge, "another payment was cancelled than was asked for"));
                }
                Answer::Refused(refusal) => refusal,
            };
        match refusal.meaning() {
            Meaning::Misconfigured => Err(misconfigured(&refusal)),
            Meaning::Later => Err(unavailable(&refusal)),
            _ => match self.look(charge, deadline).await? {
                Found::Payment(payment) => {
                    let charged = ended(&payment);
                    if charged == Charged::Unknown {
                        tracing::warn!(top_up = %charge.top_up, %refusal, "a cancellation was refused");
                    }
                    Ok(charged)
                }
                Found::Nothing => Ok(Charged::Declined),
            },
        }
    }
}

#[async_trait]
impl PaymentProvider for Toss {
    async fn confirm(&self, charge: &Charge) -> Result<Charged, Fault> {
        if !is_sendable(charge) {
            return Ok(Charged::Declined);
        }
        let deadline = self.api.deadline();
        // The top-up is ours and unique; the order is the member's word, and two may say the same.
        let key = format!("{}-confirm", charge.top_up);
        let refusal = match self.api.confirm(charge, &key, deadline).await? {
            Answer::Payment(payment) if is_of(charge, &payment) => {
                return verdict(charge, &payment);
            }
            Answer::Payment(_) => {
                return Err(defect(charge, "another payment was confirmed than was asked for"));
            }
            Answer::Refused(refusal) => refusal,
        };
        match refusal.meaning() {
            Meaning::Declined | Meaning::Absent => {
                tracing::info!(top_up = %charge.top_up, %refusal, "a payment was declined");
                Ok(Charged::Declined)
            }
            Meaning::Misconfigured => Err(misconfigured(&refusal)),
            Meaning::Later => Err(unavailable(&refusal)),
            Meaning::Settled | Meaning::Unlisted => {
                if refusal.meaning() == Meaning::Unlisted {
                    tracing::warn!(top_up = %charge.top_up, %refusal, "an unexpected refusal");
                }
                match self.look(charge, deadline).await? {
                    Found::Payment(payment) => verdict(charge, &payment),
                    Found::Nothing => Ok(Charged::Declined),
                }
            }
        }
    }

    async fn find(&self, charge: &Charge) -> Result<Charged, Fault> {
        if !is_sendable(charge) {
            return Ok(Charged::Declined);
        }
        match self.look(charge, self.api.deadline()).await? {
            Found::Payment(payment) => verdict(charge, &payment),
            Found::Nothing => Ok(Charged::Unknown),
        }
    }

    async fn cancel(&self, charge: &Charge) -> Result<Charged, Fault> {
        if !is_sendable(charge) {
            return Ok(Charged::Declined);
        }
        let deadline = self.api.deadline();
        // The key is the client's word: a payment is given back only once it is seen to be of this order.
        match self.look(charge, deadline).await? {
            Found::Nothing => Ok(Charged::Declined),
            Found::Payment(payment) => match payment.status.as_str() {
                "DONE" | "PARTIAL_CANCELED" | "WAITING_FOR_DEPOSIT" => {
                    self.cancel_payment(charge, &payment, deadline).await
                }
                _ => Ok(ended(&payment)),
            },
        }
    }

    fn read_webhook(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notice>, Fault> {
        toss_webhook::read(&self.webhook_secret, headers, body, now)
    }
}

/// What could not be sent was never asked for, so it takes no money.
fn is_sendable(charge: &Charge) -> bool {
    let sendable = is_order(&charge.order) && is_payment_key(&charge.payment_key);
    if !sendable {
        tracing::warn!(top_up = %charge.top_up, "a charge with an unfit order id or payment key");
    }
    sendable
}

fn is_of(charge: &Charge, payment: &Payment) -> bool {
    payment.order_id == charge.order && payment.payment_key == charge.payment_key
}

/// What a payment of this charge means for it; only the whole sum counts as paid.
fn verdict(charge: &Charge, payment: &Payment) -> Result<Charged, Fault> {
    match payment.status.as_str() {
        "DONE" if payment.amount_krw() == Some(charge.amount_krw) => {
            Ok(Charged::Paid { amount_krw: charge.amount_krw })
        }
        "DONE" => Err(defect(charge, "another amount was paid than was asked for")),
        "PARTIAL_CANCELED" => Err(defect(charge, "a part of the payment was given back")),
        _ => Ok(ended(payment)),
    }
}

/// How a payment ended without money kept; unknown when it did not, or not yet.
fn ended(payment: &Payment) -> Charged {
    match payment.status.as_str() {
        "CANCELED" => Charged::Cancelled,
        "ABORTED" | "EXPIRED" => Charged::Declined,
        "READY" | "IN_PROGRESS" | "WAITING_FOR_DEPOSIT" | "DONE" | "PARTIAL_CANCELED" => {
            Charged::Unknown
        }
        _ => {
            tracing::warn!("a payment is in a state that nobody here knows");
            Charged::Unknown
        }
    }
}

fn defect(charge: &Charge, what: &'static str) -> Fault {
    tracing::error!(top_up = %charge.top_up, what, "a payment is not as it should be");
    Fault::internal(what)
}

fn misconfigured(refusal: &Refusal) -> Fault {
    tracing::error!(%refusal, "the payment provider does not accept this shop's settings");
    Fault::internal(format!("the payment provider refused us: {refusal}"))
}

fn unavailable(refusal: &Refusal) -> Fault {
    Fault::from(Reason::ProviderUnavailable).because(refusal.to_string())
}
