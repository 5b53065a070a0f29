//! A room next door and a room over the network behave alike: the same assertions hold for both.
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use moim_kit::seen::{Mark, Position, Seen};
use moim_kit::serve::{Gate, Guarded};
use moim_kit::token::{KeySource, PublicKey, Verifier};
use moim_kit::trace::Trace;
use moim_kit::wire::{self, Wire};
use moim_kit::{Call, Caller, Clock, Code, Fault, Timestamp};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::{Service, ServiceExt as _};
use uuid::Uuid;

/// Answers every call with a status that tells what reached it.
#[derive(Clone)]
struct Probe;

impl NamedService for Probe {
    const NAME: &'static str = "moim.test.Probe";
}

impl Service<Request<Body>> for Probe {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let leaked = request.extensions().get::<OnlyHere>().is_some();
        let call = request.extensions().get::<Call>().cloned().unwrap();
        Box::pin(async move {
            let status = match method.as_str() {
                "Panic" => panic!("as asked"),
                "Slow" => {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    Status::ok("too late")
                }
                "Refuse" => Fault::new(Code::Full, "SEATS_GONE", "No seat is left.").at("x").into(),
                _ => Status::ok(format!(
                    "trace={} key={:?} seen={} leaked={leaked}",
                    call.trace().trace_id(),
                    call.idempotency_key(),
                    call.seen().marks().len(),
                )),
            };
            Ok(status.into_http())
        })
    }
}

/// In memory only: must not reach a neighbour that it could not reach over the network.
#[derive(Clone)]
struct OnlyHere;

struct NoKeys;

#[async_trait]
impl KeySource for NoKeys {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        Ok(Vec::new())
    }

    async fn revocations(&self) -> Result<Vec<(moim_kit::id::SessionId, Timestamp)>, Fault> {
        Ok(Vec::new())
    }
}

/// Says that members are behind and all else has arrived.
struct MembersBehind;

#[async_trait]
impl Gate for MembersBehind {
    async fn arrived(&self, marks: &[Mark]) -> Result<(), Fault> {
        match marks.iter().any(|mark| mark.noun == "member") {
            true => Err(Fault::new(Code::Unavailable, "COPY_BEHIND", "Not yet.")),
            false => Ok(()),
        }
    }

    async fn position(&self) -> Option<Position> {
        Some(Position::new("probe", 1, 7, Clock::system().now()))
    }
}

async fn everywhere() -> [(&'static str, Wire); 4] {
    let verifier = Arc::new(Verifier::new(Clock::system()));
    verifier.set_source(Arc::new(NoKeys));
    let guarded = Guarded::new(Probe, verifier, Arc::new(MembersBehind));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = tonic::service::Routes::new(guarded.clone());
    #[allow(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(
        Server::builder().add_routes(routes).serve_with_incoming(TcpIncoming::from(listener)),
    );
    let (near, far) = (wire::local(guarded), wire::remote(&address).unwrap());
    let shielded = |wire: &Wire| wire::shielded("probe", &wire::Config::default(), wire.clone());
    [
        ("next door, shielded", shielded(&near)),
        ("over the network, shielded", shielded(&far)),
        ("next door", near),
        ("over the network", far),
    ]
}

fn call() -> Call {
    Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20))
}

async fn ask(wire: &Wire, call: &Call, method: &str) -> Status {
    let mut request = Request::post(format!("http://room/moim.test.Probe/{method}"))
        .header("content-type", "application/grpc")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(call.clone());
    request.extensions_mut().insert(OnlyHere);
    let answer = wire.clone().oneshot(request).await.unwrap();
    Status::from_header_map(answer.headers()).unwrap()
}

fn seen(noun: &str) -> Seen {
    let mut seen = Seen::default();
    seen.merge([Mark::new(noun, Uuid::now_v7(), 1, Clock::system().now())]);
    seen
}

#[tokio::test]
async fn what_travels_with_a_call_arrives_and_what_is_only_in_memory_does_not() {
    for (place, wire) in everywhere().await {
        let call = call().keyed(Some("k-1")).having_seen(seen("gathering"));
        let told = ask(&wire, &call, "Tell").await;
        let trace = call.trace().trace_id();
        assert_eq!(
            told.message(),
            format!("trace={trace} key=Some(\"k-1\") seen=1 leaked=false"),
            "{place}"
        );
        assert_eq!(call.bill(), ["/moim.test.Probe/Tell"], "{place}");
    }
}

#[tokio::test]
async fn a_fault_keeps_its_code_reason_and_field() {
    for (place, wire) in everywhere().await {
        let fault = Fault::from(ask(&wire, &call(), "Refuse").await);
        assert_eq!(fault.code(), Code::Full, "{place}");
        assert_eq!((fault.reason(), fault.field()), ("SEATS_GONE", Some("x")), "{place}");
    }
}

#[tokio::test]
async fn a_panic_stays_in_its_call_and_tells_the_caller_nothing() {
    for (place, wire) in everywhere().await {
        let status = ask(&wire, &call(), "Panic").await;
        assert_eq!(status.code(), tonic::Code::Internal, "{place}");
        assert!(!format!("{status:?}").contains("as asked"), "{place}");
        assert_eq!(ask(&wire, &call(), "Tell").await.code(), tonic::Code::Ok, "{place}");
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_one_that_is_over_is_not_made() {
    for (place, wire) in everywhere().await {
        let soon = call().until(Instant::now() + Duration::from_millis(100));
        let status = ask(&wire, &soon, "Slow").await;
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{place}");
        let over = call().until(Instant::now());
        let status = ask(&wire, &over, "Tell").await;
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{place}");
        assert!(over.bill().is_empty(), "{place}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_and_a_copy_that_is_behind_stop_a_call_before_its_handler() {
    let caller = Caller {
        member: moim_kit::id::MemberId::fresh(),
        session: moim_kit::id::SessionId::fresh(),
    };
    for (place, wire) in everywhere().await {
        let forged = call().by(caller, "not.a.token");
        let status = ask(&wire, &forged, "Panic").await;
        assert_eq!(status.code(), tonic::Code::Unauthenticated, "{place}");
        let ahead = call().having_seen(seen("member"));
        let fault = Fault::from(ask(&wire, &ahead, "Panic").await);
        assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "COPY_BEHIND"), "{place}");
    }
}

#[tokio::test]
async fn who_may_have_written_is_told_how_far_the_database_is_whatever_the_answer() {
    for (place, wire) in everywhere().await {
        for (method, told) in [("Tell", true), ("Refuse", true), ("Get", false)] {
            let call = call();
            ask(&wire, &call, method).await;
            let seen = call.seen_after();
            let offset = seen.position("probe").map(|position| position.offset);
            assert_eq!(offset, told.then_some(7), "{place}: {method}");
            assert_eq!(call.has_written(), told, "{place}: {method}");
        }
    }
}
