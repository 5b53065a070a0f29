//! Toss Payments over HTTP: three calls within limits of time and size, and its refusals sorted by what to do.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use moim_kit::Fault;
use rustls::crypto::ring;
use serde::Deserialize;
use serde_json::{Number, Value, json};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::fault::Reason;
use crate::provider::Charge;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// A payment is a few kilobytes.
const ANSWER_BYTES: usize = 128 * 1024;
const CONNECT: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS: usize = 8;

/// A payment as Toss keeps it, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    pub payment_key: String,
    pub order_id: String,
    pub status: String,
    total_amount: Number,
    #[serde(default)]
    currency: Option<String>,
}

impl Payment {
    /// The whole sum, when it is a sum of won.
    pub fn amount_krw(&self) -> Option<i64> {
        if self.currency.as_deref().is_some_and(|currency| currency != "KRW") {
            return None;
        }
        // Some answers spell whole won as 1000.0.
        self.total_amount.as_i64().or_else(|| {
            let amount = self.total_amount.as_f64()?;
            let whole = amount.fract() == 0.0 && (0.0..1e15).contains(&amount);
            whole.then_some(amount as i64)
        })
    }
}

/// What a refusal asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This payment will never be made.
    Declined,
    /// There is no such payment.
    Absent,
    /// It was decided before: see how.
    Settled,
    /// Trying again helps.
    Later,
    /// Our keys or contract are at fault; nothing works until an operator acts.
    Misconfigured,
    /// Not in the list: see what became of the payment.
    Unlisted,
}

const DECLINED: &[&str] = &[
    "BELOW_MINIMUM_AMOUNT",
    "EXCEED_MAX_AMOUNT",
    "EXCEED_MAX_AUTH_COUNT",
    "EXCEED_MAX_CARD_INSTALLMENT_PLAN",
    "EXCEED_MAX_DAILY_PAYMENT_COUNT",
    "EXCEED_MAX_MONTHLY_PAYMENT_AMOUNT",
    "EXCEED_MAX_ONE_DAY_AMOUNT",
    "EXCEED_MAX_ONE_DAY_WITHDRAW_AMOUNT",
    "EXCEED_MAX_ONE_TIME_WITHDRAW_AMOUNT",
    "EXCEED_MAX_PAYMENT_AMOUNT",
    "FDS_ERROR",
    "INVALID_ACCOUNT_INFO_RE_REGISTER",
    "INVALID_CARD_EXPIRATION",
    "INVALID_CARD_INSTALLMENT_PLAN",
    "INVALID_CARD_LOST_OR_STOLEN",
    "INVALID_CARD_NUMBER",
    "INVALID_PASSWORD",
    "INVALID_REJECT_CARD",
    "INVALID_STOPPED_CARD",
    "NOT_ALLOWED_POINT_USE",
    "NOT_SUPPORTED_INSTALLMENT_PLAN_CARD_OR_MERCHANT",
    "NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN",
    "REJECT_ACCOUNT_PAYMENT",
    "REJECT_CARD_COMPANY",
    "REJECT_CARD_PAYMENT",
    "REJECT_TOSSPAY_INVALID_ACCOUNT",
    "RESTRICTED_TRANSFER_ACCOUNT",
];
const ABSENT: &[&str] = &["NOT_FOUND", "NOT_FOUND_PAYMENT", "NOT_FOUND_PAYMENT_SESSION"];
const SETTLED: &[&str] = &[
    "ALREADY_CANCELED_PAYMENT",
    "ALREADY_COMPLETED_PAYMENT",
    "ALREADY_PROCESSED_PAYMENT",
    "ALREADY_REFUND_PAYMENT",
    "DUPLICATED_ORDER_ID",
    "DUPLICATED_REQUEST",
];
const LATER: &[&str] = &[
    "ALREADY_PROCESSING_REQUEST",
    "CARD_PROCESSING_ERROR",
    "FORBIDDEN_CONSECUTIVE_REQUEST",
    "IDEMPOTENT_REQUEST_PROCESSING",
    "NOT_AVAILABLE_BANK",
    "NOT_AVAILABLE_PAYMENT",
    "PROVIDER_ERROR",
];
const MISCONFIGURED: &[&str] = &[
    "API_VERSION_UPDATE_NEEDED",
    "INCORRECT_BASIC_AUTH_FORMAT",
    "INVALID_API_KEY",
    "INVALID_AUTHORIZE_AUTH",
    "INVALID_IDEMPOTENCY_KEY",
    "INVALID_UNREGISTERED_SUBMALL",
    "NOT_FOUND_TERMINAL_ID",
    "NOT_REGISTERED_BUSINESS",
    "UNAUTHORIZED_KEY",
];

/// A refusal with its code, which is a word of capitals or nothing; its text is for people and is left behind.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: String,
}

impl Refusal {
    /// By the code; by the status only where that is beyond doubt.
    pub fn meaning(&self) -> Meaning {
        let is_in = |codes: &[&str]| codes.contains(&self.code.as_str());
        match self.status.as_u16() {
            401 => Meaning::Misconfigured,
            _ if is_in(MISCONFIGURED) => Meaning::Misconfigured,
            _ if is_in(LATER) => Meaning::Later,
            _ if is_in(SETTLED) => Meaning::Settled,
            _ if is_in(ABSENT) => Meaning::Absent,
            _ if is_in(DECLINED) => Meaning::Declined,
            _ => Meaning::Unlisted,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

/// What came back whole and in time.
pub enum Answer {
    Payment(Payment),
    Refused(Refusal),
}

/// Speaks with Toss; follows no redirect and no proxy, so the key goes nowhere else.
pub struct Api {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    authorization: HeaderValue,
    timeout: Duration,
}

impl Api {
    pub fn try_new(url: &str, secret_key: &str, timeout: Duration) -> Result<Self, Fault> {
        let base = base(url)?;
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if secret_key.is_empty() || !secret_key.bytes().all(fits) {
            return Err(Fault::internal("payment.toss.secret_key is missing or not a key"));
        }
        let encoded = STANDARD.encode(format!("{secret_key}:"));
        let mut authorization = HeaderValue::try_from(format!("Basic {encoded}"))
            .map_err(|_| Fault::internal("payment.toss.secret_key is not a key"))?;
        authorization.set_sensitive(true);
        Ok(Self { client: client(timeout)?, base, authorization, timeout })
    }

    /// When what is asked from now on must be answered.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    pub async fn confirm(
        &self,
        charge: &Charge,
        key: &str,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let body = json!({
            "paymentKey": charge.payment_key,
            "orderId": charge.order,
            "amount": charge.amount_krw,
        });
        self.ask(Method::POST, "confirm", Some((key, body)), deadline).await
    }

    pub async fn find(&self, payment_key: &str, deadline: Instant) -> Result<Answer, Fault> {
        self.ask(Method::GET, payment_key, None, deadline).await
    }

    pub async fn cancel(
        &self,
        payment_key: &str,
        reason: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let body = json!({ "cancelReason": reason });
        self.ask(Method::POST, &format!("{payment_key}/cancel"), Some((key, body)), deadline).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        sent: Option<(&str, Value)>,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/payments/{path}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json");
        let mut body = Bytes::new();
        if let Some((key, json)) = sent {
            request = request.header(IDEMPOTENCY_KEY, key).header(CONTENT_TYPE, "application/json");
            body = Bytes::from(json.to_string());
        }
        let request = request.body(Full::new(body)).map_err(Fault::internal)?;
        match timeout_at(deadline, self.exchange(request)).await {
            Ok(Ok((status, body))) => answer(status, &body),
            Ok(Err(error)) => Err(Fault::from(Reason::ProviderUnavailable).because(error)),
            Err(elapsed) => Err(Fault::from(Reason::ProviderUnavailable).because(elapsed)),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await?;
        Ok((status, body.to_bytes()))
    }
}

fn base(url: &str) -> Result<String, Fault> {
    let bad = || Fault::internal("payment.toss.url must be an https address");
    let parsed = Url::parse(url).map_err(|_| bad())?;
    let here = match parsed.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => return Err(bad()),
    };
    let plain = !parsed.username().is_empty()
        || parsed.password().is_some()
        || parsed.query().is_some()
        || parsed.fragment().is_some();
    // The secret key is in every request: it may not cross a network in the open.
    let safe = parsed.scheme() == "https" || (parsed.scheme() == "http" && here);
    if plain || !safe {
        return Err(bad());
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

fn client(timeout: Duration) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, Fault> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timeout.min(CONNECT)));
    let https = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(Arc::new(ring::default_provider()))
        .map_err(|error| Fault::internal(format!("no root certificates on this machine: {error}")))?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(https))
}

/// A payment or a refusal; anything else is as good as no answer.
fn answer(status: StatusCode, body: &[u8]) -> Result<Answer, Fault> {
    let none = |what: String| Err(Fault::from(Reason::ProviderUnavailable).because(what));
    if status.is_success() {
        return match serde_json::from_slice(body) {
            Ok(payment) => Ok(Answer::Payment(payment)),
            Err(error) => none(format!("no payment in the answer: {:?}", error.classify())),
        };
    }
    let passing = matches!(status.as_u16(), 408 | 425 | 429);
    if !status.is_client_error() || passing {
        return none(format!("status {}", status.as_u16()));
    }
    #[derive(Deserialize)]
    struct Refused {
        code: String,
    }
    let code = serde_json::from_slice::<Refused>(body).map(|refused| refused.code);
    let is_code = |code: &String| {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        (1..=64).contains(&code.len()) && code.bytes().all(fits)
    };
    match code.ok().filter(is_code) {
        Some(code) => Ok(Answer::Refused(Refusal { status, code })),
        None if status == StatusCode::UNAUTHORIZED => {
            Ok(Answer::Refused(Refusal { status, code: String::new() }))
        }
        None => none(format!("status {} without a code", status.as_u16())),
    }
}
