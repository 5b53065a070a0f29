//! How often one address may ask at all, told before anything of a request is read but its headers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use moim_kit::task::Tasks;
use tokio::time::sleep;
use tower_governor::governor::GovernorConfigBuilder;
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use super::Settings;
use super::address::{self, Address};
use super::answer::Reply;
use super::cors;
use super::edge::Refusal;
use super::profile::{MediaType, Profile};
use super::serve::Peer;

/// Between looks at which addresses have been quiet for long enough to be forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(5);

/// What an address may do.
#[derive(Clone, Debug)]
pub struct DoorLimits {
    /// Proxies of ours in front, each of which adds to `x-forwarded-for`.
    pub proxies: usize,
    /// Requests of one address at once; 0 for any number.
    pub burst: u32,
    /// Requests of one address each second in the long run; 0 for any number.
    pub per_second: u32,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self { proxies: 0, burst: 1_000, per_second: 200 }
    }
}

/// Puts a door before routes.
pub(super) fn before(router: Router, settings: &Settings, tasks: &Tasks) -> Router {
    let DoorLimits { proxies, burst, per_second } = settings.door;
    let mut config = GovernorConfigBuilder::default().key_extractor(ByAddress);
    let pause_ns = 1_000_000_000_u64.checked_div(per_second.into()).unwrap_or_default();
    let governed = match config.per_nanosecond(pause_ns).burst_size(burst).finish() {
        Some(config) => {
            let limiter = Arc::clone(config.limiter());
            tasks.supervise("addresses at the door", move || {
                let limiter = Arc::clone(&limiter);
                async move {
                    loop {
                        sleep(FORGET_EVERY).await;
                        limiter.retain_recent();
                        limiter.shrink_to_fit();
                    }
                }
            });
            let profile = settings.profile;
            let layer =
                GovernorLayer::new(config).error_handler(move |error| refuse(&error, profile));
            router.layer(layer)
        }
        // Either is 0.
        None => router,
    };
    let entrance = Arc::new(Entrance { proxies, origins: settings.origins.clone() });
    governed.layer(from_fn_with_state(entrance, enter))
}

struct Entrance {
    proxies: usize,
    origins: Vec<String>,
}

/// An answer of the door's own, which is still to be let through to a listed origin.
#[derive(Clone, Copy)]
struct Refused;

async fn enter(
    State(entrance): State<Arc<Entrance>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    if let Some(address) = address::counted(peer, request.headers(), entrance.proxies) {
        request.extensions_mut().insert(address);
    }
    let (parts, body) = request.into_parts();
    let origin = cors::judge(&parts, &entrance.origins).ok().flatten();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if response.extensions_mut().remove::<Refused>().is_some() {
        cors::mark(&mut response, origin);
    }
    response
}

fn refuse(error: &GovernorError, profile: Profile) -> Response {
    let seconds = match error {
        // Rounded down, so that a client would come a moment too early.
        GovernorError::TooManyRequests { wait_time, .. } => wait_time.saturating_add(1),
        _ => 1,
    };
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let refusal = Refusal::rate_limited("Too many requests came from this address.", seconds);
    let mut response: Response<Body> =
        Reply::from(refusal).into_http(profile, MediaType::Json, usize::MAX);
    response.extensions_mut().insert(Refused);
    response
}

#[derive(Clone, Copy, Debug)]
struct ByAddress;

impl KeyExtractor for ByAddress {
    type Key = IpAddr;

    fn name(&self) -> &'static str {
        "address"
    }

    fn extract<T>(&self, request: &http::Request<T>) -> Result<IpAddr, GovernorError> {
        // What came by no network counts together.
        let address = request.extensions().get::<Address>();
        Ok(address.map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.0))
    }
}
