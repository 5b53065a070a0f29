//! What travels with every call: who asks, until when, in which trace, and what they have seen.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::{Extensions, Request, Response, Status};

use crate::fault::{Code, Fault};
use crate::id::{MemberId, SessionId};
use crate::metrics::{self, Waiting, Waits};
use crate::seen::{self, Mark, Position, Seen};
use crate::trace::{self, Trace};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SEEN: HeaderName = HeaderName::from_static(seen::METADATA);
const TRACEPARENT: HeaderName = HeaderName::from_static(trace::HEADER);

/// How long a call may take when its caller did not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A signed-in person, as a verified token names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub member: MemberId,
    /// In which session.
    pub session: SessionId,
}

/// One request as it goes from room to room; cheap to clone, clones share what was collected.
#[derive(Clone, Debug)]
pub struct Call {
    caller: Option<Caller>,
    token: Option<Arc<str>>,
    deadline: Instant,
    trace: Trace,
    idempotency_key: Option<Arc<str>>,
    seen: Seen,
    only_reads: bool,
    collected: Arc<Mutex<Collected>>,
    /// None while nobody wants to know.
    waits: Option<Waits>,
}

#[derive(Debug, Default)]
struct Collected {
    written: Seen,
    bill: Vec<String>,
}

impl Call {
    /// A call by nobody in particular, with a deadline.
    pub fn new(trace: Trace, deadline: Instant) -> Self {
        Self {
            caller: None,
            token: None,
            deadline,
            trace,
            idempotency_key: None,
            seen: Seen::default(),
            only_reads: false,
            collected: Arc::default(),
            waits: metrics::catalogue().map(|_| Waits::default()),
        }
    }

    /// Speaks for a verified caller; the token goes along, for each room verifies it itself.
    #[must_use]
    pub fn by(mut self, caller: Caller, token: impl Into<Arc<str>>) -> Self {
        self.caller = Some(caller);
        self.token = Some(token.into());
        self
    }

    /// What the client has seen so far.
    #[must_use]
    pub fn having_seen(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    /// The same call, content only with what is there now: what it asks about has just happened.
    #[must_use]
    pub fn wanting_all(mut self) -> Self {
        self.seen = self.seen.wanting_all();
        self
    }

    /// The same call of a method that changes nothing; the callee's side says so.
    #[must_use]
    pub fn only_reading(mut self) -> Self {
        self.only_reads = true;
        self
    }

    /// The same call under an idempotency key of one mutation.
    #[must_use]
    pub fn keyed(mut self, key: Option<&str>) -> Self {
        self.idempotency_key = key.map(Into::into);
        self
    }

    /// The same call with another deadline.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = deadline;
        self
    }

    /// Another call for the same asker, in a trace of its own, with nothing collected yet: what lasts
    /// for hours makes one for each thing it does.
    #[must_use]
    pub fn afresh(&self, deadline: Instant) -> Self {
        Self {
            caller: self.caller,
            token: self.token.clone(),
            seen: self.seen.clone(),
            ..Self::new(Trace::fresh(), deadline)
        }
    }

    /// Takes a request apart into what travels with it and its message.
    pub fn take<T>(request: Request<T>) -> (Self, T) {
        let (_, mut extensions, message) = request.into_parts();
        (Self::take_from(&mut extensions), message)
    }

    /// The call that travels with a request, or one of its own.
    pub(crate) fn take_from(extensions: &mut Extensions) -> Self {
        let alone = || Self::new(Trace::fresh(), Instant::now() + DEFAULT_TIMEOUT);
        extensions.remove().unwrap_or_else(alone)
    }

    /// A request to another room within this call.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(self.clone());
        request
    }

    /// Who asks, when signed in.
    pub fn caller(&self) -> Option<Caller> {
        self.caller
    }

    /// Id of who asks, when signed in.
    pub fn viewer(&self) -> Option<MemberId> {
        self.caller.map(|caller| caller.member)
    }

    /// Who asks; refuses when nobody is signed in.
    pub fn require_caller(&self) -> Result<Caller, Fault> {
        self.caller.ok_or_else(Fault::unauthenticated)
    }

    /// When the answer is no longer wanted.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The trace this call belongs to.
    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// The same call as another span of its trace sees it.
    #[must_use]
    pub fn in_trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// Key that makes a retry of this mutation safe.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// What the client has seen before this call.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Everything the client has seen once it has this call's answer.
    pub fn seen_after(&self) -> Seen {
        let mut seen = self.seen.clone();
        seen.absorb(self.collected.lock().written.clone());
        seen
    }

    /// True when this call wrote something.
    pub fn has_written(&self) -> bool {
        !self.collected.lock().written.is_empty()
    }

    /// True when the method called changes nothing.
    pub fn only_reads(&self) -> bool {
        self.only_reads
    }

    /// The calls made on behalf of this one, as `/package.Service/Method`, in order.
    pub fn bill(&self) -> Vec<String> {
        self.collected.lock().bill.clone()
    }

    /// Time in which a call on behalf of this one was in flight; none while nobody wants to know.
    pub fn waited(&self) -> Duration {
        self.waits.as_ref().map(Waits::total).unwrap_or_default()
    }

    /// Notes that a call on behalf of this one is in flight.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        self.waits.as_ref().map(Waits::begin)
    }

    /// Reads what a caller sent in headers; the token is taken but not yet verified.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let timeout = timeout_in(headers)
            .map_or(DEFAULT_TIMEOUT, |timeout| timeout.min(Duration::from_secs(60)));
        let trace = text(&TRACEPARENT).and_then(|text| text.parse().ok());
        let mut call = Self::new(trace.unwrap_or_else(Trace::fresh), Instant::now() + timeout);
        call.token = text(&http::header::AUTHORIZATION)
            .map(|value| value.strip_prefix("Bearer ").unwrap_or(value).into());
        call.idempotency_key = text(&IDEMPOTENCY_KEY).map(Into::into);
        call.seen = text(&SEEN).map(Seen::decode_text).unwrap_or_default();
        call
    }

    /// Writes what the callee must know into headers; refuses when there is no time left, or when
    /// something could only be sent by losing it.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) -> Result<(), Status> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(out_of_time());
        }
        check_key(self.idempotency_key())?;
        let mut unfit = None;
        let mut set = |name: HeaderName, text: &str| match HeaderValue::from_str(text) {
            Ok(value) => {
                headers.insert(name, value);
            }
            Err(error) => unfit = Some(error),
        };
        set(GRPC_TIMEOUT, &format_timeout(left));
        set(TRACEPARENT, &self.trace.to_string());
        if let Some(token) = &self.token {
            set(http::header::AUTHORIZATION, &format!("Bearer {token}"));
        }
        if let Some(key) = &self.idempotency_key {
            set(IDEMPOTENCY_KEY, key);
        }
        let seen = self.seen_after();
        if !seen.is_empty() {
            set(SEEN, &seen.encode_text());
        }
        unfit.map_or(Ok(()), |error| Err(Fault::internal(error).into()))
    }

    pub(crate) fn token(&self) -> Option<Arc<str>> {
        self.token.clone()
    }

    pub(crate) fn set_caller(&mut self, caller: Option<Caller>) {
        self.caller = caller;
    }

    pub(crate) fn charge(&self, path: &str) {
        self.collected.lock().bill.push(path.to_owned());
    }

    /// Collects what an answer says was written.
    pub(crate) fn note_written(&self, headers: &HeaderMap) {
        if let Some(text) = headers.get(&SEEN).and_then(|value| value.to_str().ok()) {
            self.collected.lock().written.absorb(Seen::decode_text(text));
        }
    }
}

/// Refuses a key that could not be kept or sent whole.
pub fn check_key(key: Option<&str>) -> Result<(), Fault> {
    let fits = |key: &str| {
        (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if key.is_none_or(fits) {
        return Ok(());
    }
    Err(Fault::new(
        Code::Invalid,
        "IDEMPOTENCY_KEY_INVALID",
        "An idempotency key has 1 to 128 visible ASCII characters.",
    )
    .in_korean("멱등 키는 보이는 ASCII 문자 1자에서 128자까지입니다."))
}

/// An answer that tells what it wrote.
pub fn respond<T>(message: T, written: Vec<Mark>) -> Response<T> {
    let mut response = Response::new(message);
    let mut seen = Seen::default();
    seen.merge(written);
    if !seen.is_empty()
        && let Ok(value) = seen.encode_text().parse()
    {
        response.metadata_mut().insert(seen::METADATA, value);
    }
    response
}

/// Adds to the headers of an answer, a refusal too, how far the room's database is.
pub(crate) fn tell_position(headers: &mut HeaderMap, position: Position) {
    let told = headers.get(&SEEN).and_then(|value| value.to_str().ok());
    let mut seen = told.map(Seen::decode_text).unwrap_or_default();
    seen.reach(position);
    if let Ok(value) = HeaderValue::from_str(&seen.encode_text()) {
        headers.insert(SEEN, value);
    }
}

/// What becomes of a call whose deadline has passed.
pub fn out_of_time() -> Status {
    Status::deadline_exceeded("the deadline passed")
}

/// How long the caller waits, as headers say.
pub(crate) fn timeout_in(headers: &HeaderMap) -> Option<Duration> {
    headers.get(&GRPC_TIMEOUT)?.to_str().ok().and_then(parse_timeout)
}

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn format_timeout(left: Duration) -> String {
    let us = left.as_micros();
    if us < 100_000_000 {
        format!("{us}u")
    } else {
        format!("{}m", left.as_millis().min(99_999_999))
    }
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_call_survives_the_wire() {
        let caller = Caller { member: MemberId::fresh(), session: SessionId::fresh() };
        let mut seen = Seen::default();
        seen.merge([Mark::new("member", Uuid::now_v7(), 3, Timestamp::from_us(5))]);
        let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(2))
            .by(caller, "token")
            .having_seen(seen.clone())
            .keyed(Some("k"));
        let mut headers = HeaderMap::new();
        call.write_headers(&mut headers).unwrap();
        let got = Call::from_headers(&headers);
        assert_eq!(got.trace().trace_id(), call.trace().trace_id());
        assert_eq!(got.token().as_deref(), Some("token"));
        assert_eq!(got.idempotency_key(), Some("k"));
        assert_eq!(got.seen(), &seen);
        assert!(got.caller().is_none(), "a token proves nothing before it is verified");
        assert!(got.deadline() <= call.deadline() + Duration::from_millis(500));
    }

    #[test]
    fn a_key_that_could_not_be_sent_whole_is_refused() {
        assert!(check_key(None).is_ok() && check_key(Some("5f0c-1")).is_ok());
        for key in ["", "한글", "a\nb", "a b", &"k".repeat(129)] {
            let call = Call::new(Trace::fresh(), Instant::now() + DEFAULT_TIMEOUT).keyed(Some(key));
            assert!(call.write_headers(&mut HeaderMap::new()).is_err(), "{key}");
        }
    }

    #[test]
    fn timeouts_follow_the_grpc_form() {
        assert_eq!(parse_timeout("1500u"), Some(Duration::from_micros(1_500)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        for text in ["", "S", "1", "123456789S", "1x", "-1S", "한"] {
            assert_eq!(parse_timeout(text), None, "{text}");
        }
        assert_eq!(format_timeout(Duration::from_secs(200)), "200000m");
    }
}
