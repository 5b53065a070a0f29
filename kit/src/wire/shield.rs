//! The shield around a wire: what stands between a caller and a room in trouble, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use opentelemetry::KeyValue;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{ServiceExt as _, service_fn};

use super::answer::{Whole, failure};
use super::breaker::Breaker;
use super::bulkhead::{Bulkhead, Shed};
use super::class::Class;
use super::config::Config;
use super::context::{Again, NotSent};
use super::flight::{Flights, Key};
use super::retry::{Failed, Retries};
use super::stream::Watched;
use super::verdict::{self, Verdict};
use super::window::Outcome;
use super::{BoxFuture, Wire};
use crate::call::{Call, out_of_time};
use crate::fault::{self, Fault, pushback};
use crate::metrics::{self, Catalogue, calls};
use crate::trace::{self, Span};

/// The answer must travel back, too.
const WAY_BACK: Duration = Duration::from_millis(20);
/// A call given less than this part of its usual time says nothing of the room when it fails to end in it:
/// another room has spent the rest.
const FAIR_PART: u32 = 10;
/// When places are taken, they come free again soon.
const AFTER_SHED: Duration = Duration::from_millis(250);

/// The same room, behind a shield.
pub fn shielded(room: &'static str, config: &Config, wire: Wire) -> Wire {
    let lane = |class, timeout| Lane {
        breaker: Breaker::new(room, class, &config.breaker, timeout),
        bulkhead: Bulkhead::new(room, config, class),
        timeout,
        slow_after: config.breaker.slow_after(timeout),
        usual_us: AtomicU64::new(0),
        labels: metrics::calling(room, class.name()),
    };
    let shield = Arc::new(Shield {
        wire,
        flights: Flights::default(),
        retries: Retries::new(room, config),
        reads: lane(Class::Read, config.read_timeout()),
        writes: lane(Class::Write, config.write_timeout()),
    });
    Wire::new(service_fn(move |request| shield.clone().ask(request).map(Ok)))
}

#[derive(Debug)]
struct Shield {
    wire: Wire,
    flights: Flights,
    retries: Retries,
    reads: Lane,
    writes: Lane,
}

/// What calls of one class have among themselves, so that a line of writers costs no reader its place.
#[derive(Debug)]
struct Lane {
    breaker: Arc<Breaker>,
    bulkhead: Arc<Bulkhead>,
    timeout: Duration,
    slow_after: Duration,
    /// How long a good call takes.
    usual_us: AtomicU64,
    labels: [KeyValue; 2],
}

/// One request, all of it, so that it can be sent again.
#[derive(Debug)]
struct Ask {
    call: Call,
    class: Class,
    parts: Parts,
    body: Bytes,
}

/// What became of one attempt.
enum Tried {
    /// The room answered, or cannot be asked again.
    Ended(Whole),
    /// It failed in a way that may pass.
    Failed { whole: Whole, unsent: bool, pushback: Option<Option<Duration>> },
}

impl Shield {
    /// One request from the outside in.
    async fn ask(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let class = Class::of(request.uri().path());
        if class == Class::Stream {
            return self.open(request).await;
        }
        let ask = match Ask::read(request, class).await {
            Ok(ask) => ask,
            Err(status) => return status.into_http(),
        };
        let _waiting = ask.call.waiting();
        // 1. Who asks the same shares the answer: outermost, for what is not asked needs nothing below.
        if class == Class::Read && ask.has_its_time(self.reads.timeout) {
            return self.share(ask).await;
        }
        let _writing = (class == Class::Write).then(|| self.flights.writing());
        self.repeat(ask).await.into_response()
    }

    async fn share(self: Arc<Self>, ask: Ask) -> Response<Body> {
        let call = ask.call.clone();
        let path = ask.parts.uri.path_and_query().cloned();
        let mut waits = None;
        let key = ask.key(self.flights.writes());
        let shield = self.clone();
        let begin =
            move || -> BoxFuture<Whole> { Box::pin(async move { shield.repeat(ask).await }) };
        let (flight, joined) = self.flights.join(key, begin);
        if joined {
            // The bill names what was asked, however it was answered.
            if let Some(path) = path {
                call.charge(path.path());
                let mut span = trace::rpc::call(call.trace(), trace::Kind::Client, path.path());
                span.record(|it| it.event("shared", vec![]));
                waits = Some(span);
            }
            count(|catalogue| catalogue.calls_shared.add(1, &self.reads.labels));
        }
        let whole = match timeout_at(call.deadline(), flight).await {
            Ok(whole) => Whole::clone(&whole),
            Err(_) => Whole::of(out_of_time()),
        };
        if let Some(mut span) = waits {
            span.record(|it| trace::rpc::answered(it, whole.failure().as_ref()));
        }
        whole.into_response()
    }

    /// 2. Asks again what may be asked again: outside the breaker, which must see every attempt.
    async fn repeat(&self, mut ask: Ask) -> Whole {
        let path = ask.parts.uri.path();
        let mut span = trace::rpc::call(ask.call.trace(), trace::Kind::Client, path);
        ask.call = ask.call.in_trace(span.trace());
        let whole = self.repeat_within(&ask, &mut span).await;
        span.record(|it| trace::rpc::answered(it, whole.failure().as_ref()));
        whole
    }

    async fn repeat_within(&self, ask: &Ask, span: &mut Span) -> Whole {
        let lane = self.lane(ask.class);
        let repeatable = ask.class == Class::Read || ask.call.idempotency_key().is_some();
        if repeatable {
            self.retries.deposit();
        }
        let (mut attempts, mut all_unsent) = (0, true);
        loop {
            let tried = self.attempt(lane, ask, attempts > 0, span).await;
            let (whole, unsent, pushback) = match tried {
                Tried::Ended(whole) => return whole,
                Tried::Failed { whole, unsent, pushback } => (whole, unsent, pushback),
            };
            attempts += 1;
            all_unsent &= unsent;
            let failed = Failed { attempts, unsent: all_unsent, pushback };
            let Some(pause) = self.retries.pause(failed).filter(|_| repeatable) else {
                return whole;
            };
            let due = Instant::now() + pause + lane.usual() + WAY_BACK;
            // A breaker that is not closed has found the room out of order; the budget is asked last,
            // for asking spends it.
            if due >= ask.call.deadline() || !lane.breaker.is_closed() || !self.retries.withdraw() {
                return whole;
            }
            count(|catalogue| catalogue.calls_repeated.add(1, &lane.labels));
            span.record(|it| it.event("again", vec![]));
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, lane: &Lane, ask: &Ask, again: bool, span: &mut Span) -> Tried {
        let now = Instant::now();
        let due = ask.due(now, lane.timeout);
        if due <= now {
            return Tried::Ended(Whole::of(out_of_time()));
        }
        // 3. The breaker: outside the places, so that a room that is not asked keeps nobody waiting.
        let pass = match lane.breaker.enter() {
            Ok(pass) => pass,
            Err(wait) => {
                count(|catalogue| catalogue.calls_refused.add(1, &lane.labels));
                span.record(|it| it.event("refused by breaker", vec![]));
                return Tried::Ended(Whole::of(resting(wait).into()));
            }
        };
        // 4. A place: inside the breaker, which learns nothing from who is turned away here.
        let place = match lane.bulkhead.enter(due).await {
            Ok(place) => place,
            Err(Shed) => {
                count(|catalogue| catalogue.calls_shed.add(1, &lane.labels));
                span.record(|it| it.event("shed", vec![]));
                return Tried::Ended(Whole::of(busy().into()));
            }
        };
        let began = Instant::now();
        // 5. The deadline, then the addresses and the connection: a call that is late must come back to the
        // breaker as late, not vanish from it.
        let response = self.send(ask.request(due, again)).await;
        let unsent = response.extensions().get::<NotSent>().is_some();
        let whole = Whole::read(response).await;
        let took = began.elapsed();
        let failure = whole.failure();
        let code = failure.as_ref().map_or(Code::Ok, Status::code);
        calls::asked(ask.parts.uri.path(), took, code);
        let Some(status) = failure else {
            lane.note(took);
            let slow = took >= lane.slow_after;
            pass.record(Outcome { failed: false, slow });
            place.leave(slow);
            return Tried::Ended(whole);
        };
        let (verdict, passing) = verdict::of(&status);
        let late = status.code() == Code::DeadlineExceeded;
        let unfair = late && due - began < lane.timeout / FAIR_PART;
        if verdict != Verdict::Ignored && !unfair {
            let failed = verdict == Verdict::Failure;
            pass.record(Outcome { failed, slow: took >= lane.slow_after });
            place.leave(failed && verdict::is_overload(status.code()));
        }
        if passing {
            Tried::Failed { whole, unsent, pushback: pushback(&status) }
        } else {
            Tried::Ended(whole)
        }
    }

    /// A stream is let through and has a place while it begins; it may last, so how long says nothing.
    async fn open(&self, request: Request<Body>) -> Response<Body> {
        let lane = &self.reads;
        let pass = match lane.breaker.enter() {
            Ok(pass) => pass,
            Err(wait) => {
                count(|catalogue| catalogue.calls_refused.add(1, &lane.labels));
                return Status::from(resting(wait)).into_http();
            }
        };
        let due = Instant::now() + lane.timeout;
        let Ok(place) = lane.bulkhead.enter(due).await else {
            count(|catalogue| catalogue.calls_shed.add(1, &lane.labels));
            return Status::from(busy()).into_http();
        };
        let response = self.send(request).await;
        drop(place);
        // An answer without a status yet has begun well; how it ends is told by its trailers.
        let ended = response.headers().contains_key(Status::GRPC_STATUS);
        let status = if ended { failure(response.headers()) } else { None };
        match status.map(|status| verdict::of(&status).0) {
            Some(Verdict::Ignored) => drop(pass),
            Some(verdict) => {
                pass.record(Outcome { failed: verdict == Verdict::Failure, slow: false });
            }
            None => {
                pass.record(Outcome { failed: false, slow: false });
                let breaker = lane.breaker.clone();
                return response.map(|body| Body::new(Watched::new(body, breaker)));
            }
        }
        response
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        match self.wire.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn lane(&self, class: Class) -> &Lane {
        if class == Class::Write { &self.writes } else { &self.reads }
    }
}

impl Lane {
    fn usual(&self) -> Duration {
        Duration::from_micros(self.usual_us.load(Ordering::Relaxed))
    }

    /// An average that forgets; two at once may lose one, which does not matter.
    fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.usual_us.load(Ordering::Relaxed);
        self.usual_us.store(before - before / 8 + took / 8, Ordering::Relaxed);
    }
}

impl Ask {
    async fn read(request: Request<Body>, class: Class) -> Result<Self, Status> {
        let (mut parts, body) = request.into_parts();
        let call = Call::take_from(&mut parts.extensions);
        let read = timeout_at(call.deadline(), body.collect()).await;
        let body = read.map_err(|_| out_of_time())??.to_bytes();
        // Whatever else is only in memory goes no further anyway.
        parts.extensions.clear();
        Ok(Self { call, class, parts, body })
    }

    /// When the answer must be there.
    fn due(&self, now: Instant, timeout: Duration) -> Instant {
        let ends = self.call.deadline();
        (now + timeout).min(ends.checked_sub(WAY_BACK).unwrap_or(ends))
    }

    /// True when it would not end before others that join it.
    fn has_its_time(&self, timeout: Duration) -> bool {
        let now = Instant::now();
        self.due(now, timeout) == now + timeout
    }

    fn request(&self, due: Instant, again: bool) -> Request<Body> {
        let mut request =
            Request::from_parts(self.parts.clone(), Body::new(Full::new(self.body.clone())));
        request.extensions_mut().insert(self.call.clone().until(due));
        if again {
            request.extensions_mut().insert(Again);
        }
        request
    }

    fn key(&self, writes: u64) -> Key {
        let unknown = || http::uri::PathAndQuery::from_static("/");
        Key {
            method: self.parts.uri.path_and_query().cloned().unwrap_or_else(unknown),
            body: self.body.clone(),
            token: self.call.token(),
            seen: self.call.seen_after(),
            headers: self.parts.headers.clone(),
            writes,
        }
    }
}

fn resting(wait: Duration) -> Fault {
    Fault::new(fault::Code::Unavailable, "ROOM_RESTING", "Not available right now.")
        .in_korean("지금은 이용하실 수 없습니다. 잠시 후 다시 시도해 주세요.")
        .after(wait)
}

fn busy() -> Fault {
    Fault::new(fault::Code::Unavailable, "ROOM_BUSY", "Too many are asking right now.")
        .in_korean("지금은 요청이 많습니다. 잠시 후 다시 시도해 주세요.")
        .after(AFTER_SHED)
}

fn count(add: impl FnOnce(&Catalogue)) {
    if let Some(catalogue) = metrics::catalogue() {
        add(catalogue);
    }
}
