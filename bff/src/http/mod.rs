//! The GraphQL endpoint over HTTP and WebSocket, around any executable schema.
//!
//! [`router`] makes the routes, [`serve`] accepts connections for them. What the endpoint cannot know,
//! who is asking and what resolvers need, is the [`Edge`]'s.
//!
//! A request goes: connection limits ([`Limits`]) > what its address may ask ([`DoorLimits`]) > method, origin, media types, sizes (`handler`) >
//! parameters (`params`) > [`crate::guard`] > [`Edge::admit`] > the schema, within a deadline
//! (`engine`) > what the specification asks of an answer (`complete`) > one buffer of JSON (`answer`)
//! with the status of the chosen [`Profile`].

mod accept;
mod address;
mod answer;
mod complete;
mod console;
mod cors;
mod door;
mod edge;
mod engine;
mod h2_stream;
mod handler;
mod health;
mod measured;
mod pace;
mod params;
mod pass;
mod places;
mod profile;
mod protect;
mod serve;
mod spans;
mod sse;
mod types;
mod webhook;
mod ws;
mod ws_protocol;
mod ws_session;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, ObjectType, Schema, SubscriptionType};
use axum::Router;
use axum::routing::{any, get};
use moim_kit::task::Tasks;
use moim_kit::wire::Wire;
use moim_proto::payment::v1::payment_service_client::PaymentServiceClient;
use tokio::sync::Semaphore;

pub use console::{Console, Tab};
pub use door::DoorLimits;
pub use edge::{Admitted, Arrival, Asked, Edge, Outcome, Refusal, Via};
pub use health::Readiness;
pub use measured::ROUTES;
pub use pass::StillGood;
pub use profile::{NoSuchProfile, Profile};
pub use serve::{Limits, Peer, serve};
pub use ws::SocketLimits;

use crate::documents::Documents;
use crate::guard::{self, Guard};

/// Every knob of the endpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which statuses answers get.
    pub profile: Profile,
    /// What documents may ask for.
    pub guard: guard::Limits,
    /// Which documents are known beforehand.
    pub documents: Documents,
    /// Time and space of connections; give the same to [`serve`].
    pub limits: Limits,
    /// How often one address may ask.
    pub door: DoorLimits,
    /// What sockets may do.
    pub socket: SocketLimits,
    /// Bytes of a request's body; then 413.
    pub body_bytes: usize,
    /// Bytes of a URL; then 414.
    pub url_bytes: usize,
    /// Bytes of an answer; larger ones become an error.
    pub answer_bytes: usize,
    /// Operations running at once over HTTP; then 503.
    pub in_flight: usize,
    /// For a query to be answered.
    pub query_deadline: Duration,
    /// For a mutation to be answered.
    pub mutation_deadline: Duration,
    /// Refuses every GET that carries no header a browser would ask about first. Without it only
    /// browsers on foreign pages are refused, by their `sec-fetch-site`: npm `graphql-http` audits
    /// with plain GETs.
    pub strict_get: bool,
    /// Origins besides our own whose pages may ask.
    pub origins: Vec<String>,
    /// The page for trying things out, in development.
    pub console: Option<Console>,
    /// Who takes the payment provider's calls; nobody is called without one.
    pub webhooks: Option<PaymentServiceClient<Wire>>,
    /// Routes of others behind the same door.
    pub others: Router,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            guard: guard::Limits::default(),
            documents: Documents::default(),
            limits: Limits::default(),
            door: DoorLimits::default(),
            socket: SocketLimits::default(),
            body_bytes: 128 * 1024,
            url_bytes: 16 * 1024,
            answer_bytes: 1024 * 1024,
            in_flight: 512,
            query_deadline: engine::QUERY_DEADLINE,
            mutation_deadline: engine::MUTATION_DEADLINE,
            strict_get: false,
            origins: Vec::new(),
            console: None,
            webhooks: None,
            others: Router::new(),
        }
    }
}

/// A schema that can be executed and can tell its types.
pub trait Served: Executor {
    /// Its definition in the schema language.
    fn sdl(&self) -> String;
}

impl<Q, M, S> Served for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        Self::sdl(self)
    }
}

/// The routes: `/graphql`, those of others, the console and `/webhooks/payment` when there are such; and
/// `/healthz` and `/readyz`, whose askers are counted by nobody.
pub fn router<X: Served, E: Edge>(
    executor: X,
    edge: E,
    settings: Settings,
    readiness: Readiness,
    tasks: &Tasks,
) -> Router {
    let gauge = health::Gauge { readiness, leaving: tasks.leaving() };
    let console = settings.console.clone().map(console::routes);
    let running = Arc::new(Semaphore::new(settings.in_flight));
    let webhooks = settings.webhooks.clone().map(|payment| {
        let (running, body_within) = (Arc::clone(&running), settings.limits.body);
        webhook::routes(webhook::Hook { payment, running, body_within })
    });
    let engine = Arc::new(engine::Engine {
        types: Arc::new(types::Types::read(&executor.sdl())),
        executor,
        edge,
        guard: Guard::new(settings.guard.clone()),
        running,
        places: places::Places::new(&settings.socket),
        tasks: tasks.clone(),
        settings: settings.clone(),
    });
    let graphql = Router::new().route("/graphql", any(handler::graphql::<X, E>)).with_state(engine);
    let others = [console, webhooks].into_iter().flatten().chain([settings.others.clone()]);
    let behind = door::before(others.fold(graphql, Router::merge), &settings, tasks);
    let ready = Router::new().route("/readyz", get(health::ready)).with_state(gauge);
    // In this order, so that what is nowhere stands behind the door as well.
    let all = Router::new().route("/healthz", get(health::live)).merge(ready).merge(behind);
    measured::requests(all)
}
