//! The GraphQL endpoint in front of the services: one schema, batched calls, no data of its own.

mod budget;
mod calendar;
mod config;
pub mod documents;
mod gate;
pub mod guard;
pub mod http;
mod last_known;
pub mod live;
pub mod loader;
pub mod schema;
mod seal;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::Base;
use tokio::net::TcpListener;

pub use config::{BadConfig, Config, Mode};
pub use live::LiveWires;
pub use upstream::{Upstream, Wires};

use crate::http::{Readiness, Settings};
use crate::last_known::LastKnown;

/// Why the endpoint did not open, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A knob is wrong.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// What may be asked cannot be told.
    #[error(transparent)]
    Documents(#[from] documents::BadManifest),
    /// The address is taken, not ours, or needs rights.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

/// Listens and answers until the tasks are told to stop; tells the address it listens on. Under
/// `secret` seen tokens are sealed.
pub async fn open(
    config: &Config,
    upstream: Upstream,
    live: LiveWires,
    readiness: Readiness,
    secret: &[u8],
    base: Base,
) -> Result<SocketAddr, OpenError> {
    let Base { clock, tasks, verifier, shared, near } = base;
    let mut settings = Settings {
        webhooks: Some(upstream.payment.clone()),
        others: calendar::routes(upstream.clone()),
        ..config.settings()?
    };
    let listen = |error| OpenError::Listen(config.listen, error);
    let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let public_url: Arc<str> = config.public_url(address).into();
    let development = config.is_development();
    let seal = seal::Seal::new(secret);
    let budgets = budget::Budgets::new(shared, config.allowances());
    let stale_for = Duration::from_millis(config.stale_for_ms);
    let remembering = if stale_for.is_zero() {
        upstream.clone()
    } else {
        upstream.clone().remembering(LastKnown::new(near, clock.clone(), stale_for, &tasks))
    };
    let live = live::Live::new(live, &upstream, &tasks);
    let gate =
        gate::Gate::new(verifier, clock, remembering, public_url, seal, budgets, development);
    let limits = settings.limits.clone();
    let schema = schema::build(development, live);
    let known = config.documents();
    settings.documents = documents::open(&known, &settings.guard, schema.clone(), &tasks).await?;
    let router = http::router(schema, gate, settings, readiness, &tasks);
    tasks.spawn("http server", http::serve(listener, router, limits, tasks.clone()));
    Ok(address)
}
