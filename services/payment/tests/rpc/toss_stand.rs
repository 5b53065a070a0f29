//! A stand-in that speaks the wire format of Toss Payments over HTTP, and what can go wrong with it.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

/// The secret key it accepts.
pub const SECRET_KEY: &str = "test_sk_a_key_of_the_tests";

/// What is wrong with the next answer; what was asked is done first, unless it is refused.
#[derive(Clone, Debug)]
pub enum Trick {
    /// Status and code, before anything is done.
    Refuse(u16, &'static str),
    /// Any status, with nothing that can be read.
    Status(u16),
    Hang,
    Torn,
    Huge,
    /// To this address.
    Redirect(String),
    /// Instead of what the body would be.
    Says(Value),
}

/// One payment.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub order: String,
    pub amount_krw: i64,
    pub status: &'static str,
    /// What its card is refused with.
    pub refused_with: Option<&'static str>,
}

/// What was asked, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub call: String,
    pub idempotency_key: String,
}

#[derive(Default)]
struct Book {
    checkouts: HashMap<String, Checkout>,
    answered: HashMap<(String, String), (Bytes, StatusCode, Value)>,
    tricks: VecDeque<Trick>,
    asked: Vec<Asked>,
    /// How often money was taken and given back.
    taken: usize,
    given_back: usize,
}

/// The stand-in; it stands until it is dropped with its runtime.
#[derive(Clone)]
pub struct TossStand {
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

impl TossStand {
    #[allow(clippy::disallowed_methods, reason = "it ends with its test")]
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stand = Self { address: listener.local_addr().unwrap(), book: Arc::default() };
        let router = Router::new()
            .route("/v1/payments/confirm", post(confirm))
            .route("/v1/payments/orders/{order}", get(find_by_order))
            .route("/v1/payments/{key}", get(find))
            .route("/v1/payments/{key}/cancel", post(cancel))
            .with_state(stand.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        stand
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A payer went through the checkout; it is to be confirmed now.
    pub fn check_out(&self, payment_key: &str, order: &str, amount_krw: i64) {
        let checkout = Checkout {
            order: order.to_owned(),
            amount_krw,
            status: "IN_PROGRESS",
            refused_with: None,
        };
        self.book().checkouts.insert(payment_key.to_owned(), checkout);
    }

    /// Changes a payment behind the back of its shop.
    pub fn alter(&self, payment_key: &str, change: impl FnOnce(&mut Checkout)) {
        change(self.book().checkouts.get_mut(payment_key).expect("a payment"));
    }

    /// Spoils the next answer that has not been spoiled yet.
    pub fn play(&self, trick: Trick) {
        self.book().tricks.push_back(trick);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.book().asked.clone()
    }

    pub fn taken(&self) -> usize {
        self.book().taken
    }

    pub fn given_back(&self) -> usize {
        self.book().given_back
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Checks what every request must carry, notes it, and answers it as it was before or anew.
    async fn answer(
        &self,
        headers: &HeaderMap,
        call: String,
        body: Option<Bytes>,
        act: impl FnOnce(&mut Book) -> (StatusCode, Value),
    ) -> Response {
        let text = |name| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let expected = format!("Basic {}", STANDARD.encode(format!("{SECRET_KEY}:")));
        if text("authorization") != expected {
            return refusal(401, "UNAUTHORIZED_KEY");
        }
        let idempotency_key = text("idempotency-key").to_owned();
        if body.is_some() {
            let fits = (1..=300).contains(&idempotency_key.len());
            let is_json = text("content-type") == "application/json";
            if !fits || !is_json {
                return refusal(400, "INVALID_IDEMPOTENCY_KEY");
            }
        }
        let (trick, (status, said)) = {
            let mut book = self.book();
            let asked = Asked { call: call.clone(), idempotency_key: idempotency_key.clone() };
            book.asked.push(asked);
            let trick = book.tricks.pop_front();
            if let Some(Trick::Refuse(status, code)) = trick {
                return refusal(status, code);
            }
            let key = (call, idempotency_key);
            let before = body.as_ref().and_then(|_| book.answered.get(&key)).cloned();
            let answer = match before {
                Some((sent, ..)) if Some(&sent) != body.as_ref() => {
                    panic!("one idempotency key for two requests")
                }
                Some((_, status, said)) => (status, said),
                None => act(&mut book),
            };
            if let Some(body) = body {
                book.answered.insert(key, (body, answer.0, answer.1.clone()));
            }
            (trick, answer)
        };
        let text = said.to_string();
        match trick {
            None | Some(Trick::Refuse(..)) => (status, text).into_response(),
            Some(Trick::Says(said)) => (status, said.to_string()).into_response(),
            Some(Trick::Status(status)) => {
                (StatusCode::from_u16(status).unwrap(), "<html>").into_response()
            }
            Some(Trick::Redirect(to)) => {
                (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
            }
            Some(Trick::Hang) => std::future::pending().await,
            Some(Trick::Huge) => {
                let padding = " ".repeat(1024 * 1024);
                (status, text + &padding).into_response()
            }
            Some(Trick::Torn) => {
                let half = text[..text.len() / 2].to_owned();
                let torn = Err(std::io::Error::other("torn"));
                let chunks = futures::stream::iter([Ok(half), torn]);
                (status, Body::from_stream(chunks)).into_response()
            }
        }
    }
}

fn refused(status: u16, code: &str) -> (StatusCode, Value) {
    let said = json!({ "code": code, "message": "사람을 위한 문장입니다." });
    (StatusCode::from_u16(status).unwrap(), said)
}

fn refusal(status: u16, code: &str) -> Response {
    let (status, said) = refused(status, code);
    (status, said.to_string()).into_response()
}

/// As Toss tells of a payment; most of its fields are left out.
fn told(payment_key: &str, checkout: &Checkout) -> Value {
    json!({
        "mId": "tosspayments",
        "version": "2022-11-16",
        "paymentKey": payment_key,
        "orderId": checkout.order,
        "status": checkout.status,
        "currency": "KRW",
        "totalAmount": checkout.amount_krw,
        "method": "카드",
        "card": { "number": "12345678****000*", "amount": checkout.amount_krw },
    })
}

async fn confirm(State(stand): State<TossStand>, headers: HeaderMap, body: Bytes) -> Response {
    let sent: Value = serde_json::from_slice(&body).unwrap();
    let call = "POST confirm".to_owned();
    let act = |book: &mut Book| {
        let key = sent["paymentKey"].as_str().unwrap();
        let Some(checkout) = book.checkouts.get_mut(key) else {
            return refused(404, "NOT_FOUND_PAYMENT");
        };
        if sent["orderId"] != checkout.order.as_str() {
            return refused(404, "NOT_FOUND_PAYMENT_SESSION");
        }
        if sent["amount"] != checkout.amount_krw {
            return refused(400, "INVALID_REQUEST");
        }
        if checkout.status != "IN_PROGRESS" {
            return refused(400, "ALREADY_PROCESSED_PAYMENT");
        }
        if let Some(code) = checkout.refused_with {
            checkout.status = "ABORTED";
            return refused(403, code);
        }
        checkout.status = "DONE";
        let said = told(key, checkout);
        book.taken += 1;
        (StatusCode::OK, said)
    };
    stand.answer(&headers, call, Some(body.clone()), act).await
}

async fn find(
    State(stand): State<TossStand>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    let act = |book: &mut Book| match book.checkouts.get(&key) {
        Some(checkout) => (StatusCode::OK, told(&key, checkout)),
        None => refused(404, "NOT_FOUND_PAYMENT"),
    };
    stand.answer(&headers, format!("GET {key}"), None, act).await
}

async fn find_by_order(
    State(stand): State<TossStand>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Response {
    let act = |book: &mut Book| match book.checkouts.iter().find(|(_, it)| it.order == order) {
        Some((key, checkout)) => (StatusCode::OK, told(key, checkout)),
        None => refused(404, "NOT_FOUND_PAYMENT"),
    };
    stand.answer(&headers, format!("GET orders/{order}"), None, act).await
}

async fn cancel(
    State(stand): State<TossStand>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let sent: Value = serde_json::from_slice(&body).unwrap();
    let call = format!("POST {key}/cancel");
    let act = |book: &mut Book| {
        if sent["cancelReason"].as_str().is_none_or(str::is_empty) {
            return refused(400, "INVALID_REQUEST");
        }
        let Some(checkout) = book.checkouts.get_mut(&key) else {
            return refused(404, "NOT_FOUND_PAYMENT");
        };
        match checkout.status {
            "CANCELED" => refused(400, "ALREADY_CANCELED_PAYMENT"),
            "DONE" | "PARTIAL_CANCELED" => {
                checkout.status = "CANCELED";
                let said = told(&key, checkout);
                book.given_back += 1;
                (StatusCode::OK, said)
            }
            _ => refused(403, "NOT_CANCELABLE_PAYMENT"),
        }
    };
    stand.answer(&headers, call, Some(body.clone()), act).await
}

/// A webhook about a payment.
pub fn status_changed(payment_key: &str, order: &str, status: &str) -> Vec<u8> {
    let data = json!({ "paymentKey": payment_key, "orderId": order, "status": status });
    let event = json!({
        "eventType": "PAYMENT_STATUS_CHANGED",
        "createdAt": "2026-11-27T09:00:00.000000",
        "data": data,
    });
    event.to_string().into_bytes()
}

/// The headers of a webhook; signed with each of the secrets.
pub fn webhook_headers(
    id: &str,
    time: &str,
    body: &[u8],
    secrets: &[&str],
) -> HashMap<String, String> {
    let header =
        |name: &str, value: &str| (format!("tosspayments-webhook-{name}"), value.to_owned());
    let mut headers = HashMap::from([
        header("transmission-id", id),
        header("transmission-time", time),
        header("transmission-retried-count", "0"),
    ]);
    if !secrets.is_empty() {
        let signatures: Vec<_> =
            secrets.iter().map(|secret| signature(secret, body, time)).collect();
        headers.extend([header("signature", &signatures.join(","))]);
    }
    headers
}

fn signature(secret: &str, body: &[u8], time: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.update(format!(":{time}").as_bytes());
    format!("v1:{}", STANDARD.encode(mac.finalize().into_bytes()))
}
