//! Who is asking: verifies the token, takes up what the client has seen, and starts the operation's scope.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Name, Value};
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moim_kit::seen;
use moim_kit::token::Verifier;
use moim_kit::trace::{self, Trace};
use moim_kit::{Call, Clock, Code, Fault, metrics};
use tokio::time::Instant;

use crate::budget::{Budgets, Charge, Refused, Whose};
use crate::guard::EdgeCode;
use crate::http::{Admitted, Arrival, Asked, Edge, Outcome, Refusal, StillGood, Via};
use crate::last_known::Stale;
use crate::schema::{Charged, Scope, Voter};
use crate::seal::Seal;
use crate::upstream::Upstream;

const SEEN: HeaderName = HeaderName::from_static(seen::HEADER);
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
/// Asks for the calls an operation made, in development.
const BILL: HeaderName = HeaderName::from_static("x-moim-bill");
const SEEN_COOKIE: &str = "moim-seen";
const SEEN_COOKIE_SECONDS: u32 = 60;
/// For an operation that names no deadline of its own.
const DEADLINE: Duration = Duration::from_secs(10);

/// Lets operations of people and of strangers in.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    verifier: Arc<Verifier>,
    clock: Clock,
    upstream: Upstream,
    public_url: Arc<str>,
    seal: Seal,
    budgets: Budgets,
    development: bool,
}

impl Gate {
    /// A gate in front of the rooms.
    pub fn new(
        verifier: Arc<Verifier>,
        clock: Clock,
        upstream: Upstream,
        public_url: Arc<str>,
        seal: Seal,
        budgets: Budgets,
        development: bool,
    ) -> Self {
        let inner = Inner { verifier, clock, upstream, public_url, seal, budgets, development };
        Self { inner: Arc::new(inner) }
    }
}

impl Edge for Gate {
    async fn admit(&self, arrival: Arrival<'_>) -> Result<Admitted, Refusal> {
        let Inner { verifier, clock, upstream, public_url, seal, budgets, development } =
            &*self.inner;
        let headers = arrival.headers;
        let sent = || Trace::continued(text(headers, &HeaderName::from_static(trace::HEADER)));
        let trace = trace::current().unwrap_or_else(sent);
        let now = clock.now();
        let deadline = arrival.operation.and_then(|operation| operation.deadline);
        let mut seen = sealed(headers).map(|text| seal.open(text)).unwrap_or_default();
        seen.expire(now);
        let mut call = Call::new(trace, deadline.unwrap_or_else(|| Instant::now() + DEADLINE))
            .having_seen(seen);
        let (mut expires_at, mut name, mut still_good) = (None, None, None);
        if let Some(token) = text(headers, &AUTHORIZATION) {
            let token: Arc<str> = bearer(token).ok_or_else(not_good)?.into();
            let (caller, until) = verifier.verify_until(&token).await.map_err(refuse)?;
            let left = u64::try_from(until.us() - now.us()).unwrap_or_default();
            expires_at = Some(Instant::now() + Duration::from_micros(left));
            name = Some(Arc::from(caller.member.to_string()));
            let (verifier, session) = (Arc::clone(verifier), caller.session);
            let good: StillGood = Arc::new(move || verifier.is_good(session));
            still_good = Some(good);
            call = call.by(caller, token);
        }
        let korean = reads_korean(headers);
        let charge = match arrival.operation {
            Some(asked) => charge(budgets, &call, &arrival, asked, korean).await?,
            None => None,
        };
        let upstream = match arrival.operation {
            Some(operation) if operation.kind == OperationType::Query => upstream.clone(),
            _ => upstream.clone().forgetting(),
        };
        let scope = Scope::new(call.clone(), korean, public_url.clone(), upstream);
        let stale = scope.stale().clone();
        let mut data = Data::default();
        data.insert(scope);
        if let Some(charge) = charge {
            data.insert(Charged { charge, at: now });
        }
        let address = || arrival.address.map(|address| address.to_string());
        let whom = call.viewer().map(|member| member.to_string()).or_else(address);
        data.insert(Voter(whom.map(|whom| seal.pseudonym(&whom)).unwrap_or_default()));
        let bill = *development && headers.contains_key(BILL);
        let secure = public_url.starts_with("https:");
        let seal = seal.clone();
        let mut admitted = Admitted::with(data).finally(move |outcome| {
            finish(&call, &seal, outcome, bill, secure);
            if let Some(charge) = charge {
                outcome.extensions.insert("cost".to_owned(), told(&charge));
            }
            tell_stale(&stale, outcome);
            outcome.waited = call.waited();
        });
        admitted.expires_at = expires_at;
        admitted.caller = name;
        admitted.still_good = still_good;
        admitted.trace_id = Some(trace.trace_id());
        Ok(admitted)
    }
}

/// Takes what an operation costs, and the tries to get in that it makes, from whoever asks.
async fn charge(
    budgets: &Budgets,
    call: &Call,
    arrival: &Arrival<'_>,
    asked: &Asked,
    korean: bool,
) -> Result<Option<Charge>, Refusal> {
    let whose = match (call.viewer(), arrival.address) {
        (Some(member_id), _) => Whose::Member(member_id),
        (None, Some(address)) => Whose::Address(address),
        (None, None) => Whose::Nobody,
    };
    let charge = budgets.charge(whose, asked.cost).await;
    let charge = charge.map_err(|refused| too_much(&refused, &POINTS, korean))?;
    let attempt = budgets.attempt(arrival.address, asked.attempts).await;
    attempt.map_err(|refused| too_much(&refused, &ATTEMPTS, korean))?;
    Ok(charge)
}

/// What is said of a bucket that does not hold enough, in English and in Korean.
struct Words {
    /// It will again.
    later: [&'static str; 2],
    /// It never will.
    never: [&'static str; 2],
}

const POINTS: Words = Words {
    later: [
        "Too much was asked in too little time.",
        "짧은 시간에 너무 많이 요청하셨습니다. 잠시 후 다시 시도해 주세요.",
    ],
    never: [
        "The operation costs more than you may ever ask for at once; ask for less, or sign in.",
        "한 번에 요청할 수 있는 양을 넘었습니다. 나누어 요청하시거나 로그인해 주세요.",
    ],
};

const ATTEMPTS: Words = Words {
    later: [
        "Too many log-ins or sign-ups were tried from this address.",
        "로그인 또는 가입 시도가 너무 많습니다. 잠시 후 다시 시도해 주세요.",
    ],
    never: [
        "Too many log-ins or sign-ups at once.",
        "한 번에 너무 많은 로그인 또는 가입을 시도하셨습니다.",
    ],
};

fn too_much(refused: &Refused, words: &Words, korean: bool) -> Refusal {
    let in_language = |words: [&'static str; 2]| words[usize::from(korean)];
    let mut refusal = match refused.wait {
        Some(wait) => {
            let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                EdgeCode::RateLimited,
                in_language(words.later),
            )
            // Rounded down it would be a moment too early.
            .after_ms(ms.saturating_add(1))
        }
        None => {
            let (status, code) = (StatusCode::BAD_REQUEST, EdgeCode::TooComplex);
            Refusal::new(status, code, in_language(words.never))
        }
    };
    refusal.extensions.insert("cost".to_owned(), told(&refused.charge));
    refusal
}

/// A charge as `extensions.cost` tells it.
fn told(charge: &Charge) -> Value {
    let reset_ms = u64::try_from(charge.full_in.as_millis()).unwrap_or(u64::MAX);
    let entries = [
        ("requested", charge.requested),
        ("limit", charge.limit),
        ("left", charge.left),
        ("resetMs", reset_ms),
    ];
    Value::Object(entries.map(|(name, value)| (Name::new(name), Value::from(value))).into())
}

/// Hands the client what it has seen, and where to look should it complain.
fn finish(call: &Call, seal: &Seal, outcome: &mut Outcome, bill: bool, secure: bool) {
    let mut header = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            outcome.headers.insert(name, value);
        }
    };
    header(TRACE_ID, &call.trace().trace_id());
    if call.has_written() {
        let seen = seal.seal(&call.seen_after());
        header(SEEN, &seen);
        let secure = if secure { "; Secure" } else { "" };
        header(
            SET_COOKIE,
            &format!(
                "{SEEN_COOKIE}={seen}; Max-Age={SEEN_COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"
            ),
        );
        if outcome.via == Via::WebSocket {
            outcome.extensions.insert("seen".to_owned(), Value::from(seen));
        }
    }
    if bill {
        let calls = call.bill().into_iter().map(Value::from).collect();
        outcome.extensions.insert("bill".to_owned(), Value::List(calls));
    }
}

/// Says which services are shown as they were, and how old what is oldest is.
fn tell_stale(stale: &Stale, outcome: &mut Outcome) {
    let noted = stale.noted();
    if noted.is_empty() {
        return;
    }
    let told = noted.into_iter().map(|(service, age)| {
        if let Some(catalogue) = metrics::catalogue() {
            catalogue.answers_stale.add(1, &[metrics::room(service)]);
        }
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let told = [("service", Value::from(service)), ("ageMs", Value::from(age))];
        Value::Object(told.map(|(name, value)| (Name::new(name), value)).into_iter().collect())
    });
    outcome.extensions.insert("stale".to_owned(), Value::List(told.collect()));
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// The token of a `Bearer` credential (RFC 6750), whose scheme may be written in any case.
fn bearer(credential: &str) -> Option<&str> {
    let (scheme, token) = credential.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The seen token, by header or by cookie, as the client sent it.
fn sealed(headers: &HeaderMap) -> Option<&str> {
    let cookie = || {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(SEEN_COOKIE)?.strip_prefix('='))
    };
    text(headers, &SEEN).or_else(cookie)
}

/// True when Korean is the first language asked for (RFC 9110, 12.5.4).
fn reads_korean(headers: &HeaderMap) -> bool {
    text(headers, &ACCEPT_LANGUAGE)
        .is_some_and(|languages| languages.trim_start().to_ascii_lowercase().starts_with("ko"))
}

fn not_good() -> Refusal {
    Refusal::unauthenticated("The access token is not good; refresh it or sign in.")
}

fn refuse(fault: Fault) -> Refusal {
    if fault.code() == Code::Unauthenticated {
        return not_good();
    }
    tracing::warn!(error = %fault, "a token could not be verified");
    Refusal::unavailable("Tokens cannot be verified right now.", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_credential_is_a_token() {
        assert_eq!(bearer("bearer abc"), Some("abc"));
        for credential in ["", "abc", "Basic abc", "Bearer ", "Bearer"] {
            assert_eq!(bearer(credential), None, "{credential}");
        }
    }

    #[test]
    fn what_was_seen_comes_by_header_or_by_cookie() {
        for (name, value) in [(SEEN, "token"), (COOKIE, "a=b; moim-seen=token")] {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(sealed(&headers), Some("token"));
        }
        assert_eq!(sealed(&HeaderMap::new()), None);
    }
}
