//! Calls of the payment provider, passed on to a payment room written by a test.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::async_trait::async_trait;
use moim_bff::http::{Limits, Settings};
use moim_kit::wire;
use moim_kit::{Code, Fault};
use moim_proto::payment::v1 as proto;
use moim_proto::payment::v1::payment_service_client::PaymentServiceClient;
use moim_proto::payment::v1::payment_service_server::{PaymentService, PaymentServiceServer};
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::stand::{Stand, Told, read_to_end, told};

const ID: &str = "tosspayments-webhook-transmission-id";

/// Answers every webhook alike and keeps what came.
#[derive(Clone, Default)]
struct Room {
    fault: Option<Fault>,
    taken: Arc<Mutex<Vec<(MetadataMap, proto::TakeWebhookRequest)>>>,
}

macro_rules! room {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        #[async_trait]
        impl PaymentService for Room {
            $(async fn $method(&self, _: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                Err(Status::unimplemented(""))
            })*

            async fn take_webhook(
                &self,
                request: Request<proto::TakeWebhookRequest>,
            ) -> Result<Response<proto::TakeWebhookResponse>, Status> {
                let (metadata, _, message) = request.into_parts();
                self.taken.lock().push((metadata, message));
                match &self.fault {
                    Some(fault) => Err(fault.clone().into()),
                    None => Ok(Response::new(proto::TakeWebhookResponse {})),
                }
            }
        }
    };
}

room! {
    get_wallet(GetWalletRequest) -> GetWalletResponse;
    list_entries(ListEntriesRequest) -> ListEntriesResponse;
    batch_get_entries(BatchGetEntriesRequest) -> BatchGetEntriesResponse;
    batch_get_orders(BatchGetOrdersRequest) -> BatchGetOrdersResponse;
    top_up(TopUpRequest) -> TopUpResponse;
}

impl Room {
    fn failing(code: Code, reason: &'static str) -> Self {
        Self { fault: Some(Fault::new(code, reason, "A word for people.")), ..Self::default() }
    }

    async fn stand(&self, settings: Settings) -> Stand {
        let wire = wire::local(PaymentServiceServer::new(self.clone()));
        let webhooks = Some(PaymentServiceClient::new(wire));
        Stand::open(Settings { webhooks, ..settings }).await
    }

    fn only(&self) -> (MetadataMap, proto::TakeWebhookRequest) {
        let mut taken = self.taken.lock();
        assert_eq!(taken.len(), 1);
        taken.remove(0)
    }
}

fn post(stand: &Stand) -> reqwest::RequestBuilder {
    reqwest::Client::new().post(stand.url("/webhooks/payment"))
}

/// A status, and nothing else that could be read or kept.
fn assert_bare(told: &Told, status: u16) {
    assert_eq!(told.status, status);
    assert_eq!(told.body, "");
    assert_eq!(told.header("cache-control"), "no-store");
    assert_eq!(told.header("x-content-type-options"), "nosniff");
    let foreign = told.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(foreign, None);
    assert!(!told.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_webhook_reaches_the_payment_room_byte_for_byte() {
    let room = Room::default();
    let stand = room.stand(Settings::default()).await;
    let body = b"{ \"a\" :\xff\x00 1}\n".to_vec();
    let request =
        post(&stand).body(body.clone()).header("TossPayments-Webhook-Transmission-Id", "7");
    let request = request.header("tosspayments-webhook-signature", "v1:a,v1:b");
    let request = request.header("authorization", "Bearer good").header("cookie", "a=b");
    assert_bare(&told(request.header("x-other", "1")).await, 200);
    let (metadata, message) = room.only();
    assert_eq!(message.body, body);
    let expected = [(ID, "7"), ("tosspayments-webhook-signature", "v1:a,v1:b")];
    let expected: HashMap<_, _> =
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(message.headers, expected);
    assert!(metadata.get("authorization").is_none(), "nobody's token goes along");
    assert!(metadata.get("grpc-timeout").is_some(), "it has a deadline");
}

#[tokio::test]
async fn a_refused_one_is_forbidden_and_told_no_more() {
    let room = Room::failing(Code::Forbidden, "WEBHOOK_REFUSED");
    let stand = room.stand(Settings::default()).await;
    assert_bare(&told(post(&stand).body("{}")).await, 403);
}

#[tokio::test]
async fn one_that_cannot_be_taken_now_is_to_come_again() {
    for (code, status, retry) in [
        (Code::Unavailable, 503, "30"),
        (Code::Conflict, 503, "30"),
        (Code::DeadlineExceeded, 503, "30"),
        (Code::Internal, 500, ""),
    ] {
        let stand = Room::failing(code, "SOMETHING").stand(Settings::default()).await;
        let told = told(post(&stand).body("{}")).await;
        assert_bare(&told, status);
        assert_eq!(told.header("retry-after"), retry, "{code:?}");
    }
}

#[tokio::test]
async fn it_counts_among_the_requests_that_run() {
    let room = Room::default();
    let stand = room.stand(Settings { in_flight: 0, ..Settings::default() }).await;
    let told = told(post(&stand).body("{}")).await;
    assert_bare(&told, 503);
    assert_eq!(told.header("retry-after"), "30");
    assert!(room.taken.lock().is_empty());
}

#[tokio::test]
async fn only_posts_are_taken_and_no_page_is_let_in() {
    let room = Room::default();
    let listed = "https://moim.example".to_owned();
    let stand = room.stand(Settings { origins: vec![listed.clone()], ..Settings::default() }).await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new().request(method, stand.url("/webhooks/payment"));
        let request = request.header("access-control-request-method", "POST");
        let told = told(request.header("origin", &listed)).await;
        assert_bare(&told, 405);
        assert_eq!(told.header("allow"), "POST");
    }
    assert!(room.taken.lock().is_empty());
    assert_bare(&told(post(&stand).body("{}").header("origin", listed)).await, 200);
}

#[tokio::test]
async fn a_body_has_64_kib_and_its_time() {
    let room = Room::default();
    let limits = Limits { body: Duration::from_millis(200), ..Limits::default() };
    let stand = room.stand(Settings { limits, ..Settings::default() }).await;
    assert_bare(&told(post(&stand).body(vec![b' '; 64 * 1024 + 1])).await, 413);
    assert!(room.taken.lock().is_empty());
    assert_bare(&told(post(&stand).body(vec![b' '; 64 * 1024])).await, 200);
    assert_eq!(room.only().1.body.len(), 64 * 1024);
    let mut slow = stand.tcp().await;
    let head = "POST /webhooks/payment HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(room.taken.lock().is_empty());
}

#[tokio::test]
async fn few_and_small_headers_go_along() {
    let room = Room::default();
    let stand = room.stand(Settings::default()).await;
    let mut request = post(&stand).body("{}");
    for number in 0..40 {
        request = request.header(format!("tosspayments-webhook-{number}"), "1");
    }
    assert_bare(&told(request).await, 200);
    assert_eq!(room.only().1.headers.len(), 16);
    let request = post(&stand).body("{}").header("tosspayments-webhook-a", "a".repeat(1024));
    let request = request.header("tosspayments-webhook-b", "b".repeat(1025));
    let request =
        request.header("tosspayments-webhook-c", "1").header("tosspayments-webhook-c", "2");
    let request = request.header("tosspayments-webhook-d", &b"\xff"[..]).header(ID, "1");
    assert_bare(&told(request).await, 200);
    let mut names: Vec<_> = room.only().1.headers.into_keys().collect();
    names.sort();
    assert_eq!(names, ["tosspayments-webhook-a", ID]);
}

#[tokio::test]
async fn without_a_payment_room_there_is_no_such_place() {
    let stand = Stand::open(Settings::default()).await;
    assert_eq!(told(post(&stand).body("{}")).await.status, 404);
}
