//! Every knob of the endpoint; times are milliseconds, sizes are bytes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use moim_kit::shared::Allowance;
use serde::{Deserialize, Serialize};

use crate::budget::Allowances;
use crate::documents::{self, Policy};
use crate::guard;
use crate::http::{Console, DoorLimits, Limits, Profile, Settings, SocketLimits, Tab};

/// What a first visitor of the console finds opened.
const TABS: [&str; 2] =
    [include_str!("console/gatherings.graphql"), include_str!("console/sign_in.graphql")];

/// Whether people are building against the endpoint or using it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Development when listening on this machine alone, production otherwise.
    Auto,
    /// Console, introspection, suggestions and the bill are on.
    Development,
    /// They are off.
    Production,
}

/// Configuration of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Address as clients know it, without a slash at its end; empty: `http://` and `listen`.
    pub public_url: String,
    /// Who it is for.
    pub mode: Mode,
    /// Reading of GraphQL over HTTP: `audit` or `2026-09`.
    pub profile: String,
    /// Origins besides our own whose pages may ask.
    pub origins: Vec<String>,
    /// Refuses a GET that carries no header a browser would ask about first.
    pub strict_get: bool,
    /// Directory to serve the console's scripts from; empty: a public CDN, with integrity hashes.
    pub console_assets: String,
    /// What may be asked: `off`, `allow` or `require`.
    pub documents: Policy,
    /// Lists of documents as clients' builds write them.
    pub documents_files: Vec<String>,
    /// Between looks at whether these lists have changed.
    pub documents_poll_ms: u64,
    /// Bytes of documents remembered by their hash because they were sent once; 0: none.
    pub persisted_queries_bytes: u64,
    /// For a query to be answered.
    pub query_deadline_ms: u64,
    /// For a mutation to be answered.
    pub mutation_deadline_ms: u64,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout_ms: u64,
    /// From the headers to the end of the body.
    pub body_timeout_ms: u64,
    /// Between requests of a connection.
    pub idle_timeout_ms: u64,
    /// For requests in flight to end once the program stops.
    pub stop_timeout_ms: u64,
    /// Largest body of a request.
    pub body_bytes: usize,
    /// Largest answer.
    pub answer_bytes: usize,
    /// Connections open at once.
    pub connections: usize,
    /// Operations running at once over HTTP.
    pub in_flight: usize,
    /// For `connection_init` to come and be answered on a socket; then 4408.
    pub socket_init_timeout_ms: u64,
    /// Between pings to a socket.
    pub socket_ping_ms: u64,
    /// Without a sign of life from a socket; then 1001.
    pub socket_dead_ms: u64,
    /// For a socket or stream to take a message; then it is a slow consumer, 4499.
    pub socket_send_timeout_ms: u64,
    /// For a closed socket to say so.
    pub socket_close_timeout_ms: u64,
    /// Between looks at whether the token of a socket or stream is still good; then 4403.
    pub socket_recheck_ms: u64,
    /// Between signs of life on a stream (text/event-stream) that has nothing to say.
    pub stream_keep_alive_ms: u64,
    /// Over which sockets and streams are told to go once the program stops.
    pub stop_spread_ms: u64,
    /// Largest message or frame from a socket; then 1009.
    pub socket_message_bytes: usize,
    /// Longest id of an operation on a socket; then 4400.
    pub socket_id_bytes: usize,
    /// Operations of one socket at once; the next gets an error.
    pub socket_operations: usize,
    /// Messages from a socket at once; then 4429.
    pub socket_burst: u32,
    /// Messages a second from a socket in the long run; then 4429.
    pub socket_per_second: u32,
    /// Sockets and streams open at once; then 503.
    pub sockets: usize,
    /// Sockets and streams of one member at once; then 1013, or 429 for a stream.
    pub sockets_per_member: usize,
    /// Sockets and streams of one address without a token at once; then 429.
    pub sockets_per_address: usize,
    /// Deepest level of fields, fragments opened.
    pub depth: u32,
    /// Most points an operation may cost.
    pub cost: u64,
    /// Proxies in front that add to X-Forwarded-For; 0: the connection's address counts.
    pub proxies: usize,
    /// Requests of one address at once; 0: any number.
    pub requests_per_address: u32,
    /// Requests of one address each second in the long run; 0: any number.
    pub requests_per_address_per_second: u32,
    /// Points of a member; 0: without end.
    pub member_points: u32,
    /// Points that a member gets back each second; 0: without end.
    pub member_points_per_second: u32,
    /// Points of the strangers of one address; 0: without end.
    pub stranger_points: u32,
    /// Points that the strangers of one address get back each second; 0: without end.
    pub stranger_points_per_second: u32,
    /// Log-ins and sign-ups tried from one address in a minute; 0: any number.
    pub attempts_per_minute: u32,
    /// How old an answer of a room may be that stands in for one it does not give; 0: none does.
    pub stale_for_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Settings::default();
        let known = documents::Settings::default();
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4000)),
            public_url: String::new(),
            mode: Mode::Auto,
            profile: settings.profile.to_string(),
            origins: settings.origins,
            strict_get: settings.strict_get,
            console_assets: String::new(),
            documents: known.policy,
            documents_files: Vec::new(),
            documents_poll_ms: ms(known.poll),
            persisted_queries_bytes: known.sent_once_bytes,
            query_deadline_ms: ms(settings.query_deadline),
            mutation_deadline_ms: ms(settings.mutation_deadline),
            header_timeout_ms: ms(settings.limits.header),
            body_timeout_ms: ms(settings.limits.body),
            idle_timeout_ms: ms(settings.limits.idle),
            stop_timeout_ms: ms(settings.limits.stop),
            body_bytes: settings.body_bytes,
            answer_bytes: settings.answer_bytes,
            connections: settings.limits.connections,
            in_flight: settings.in_flight,
            socket_init_timeout_ms: ms(settings.socket.init),
            socket_ping_ms: ms(settings.socket.ping),
            socket_dead_ms: ms(settings.socket.dead),
            socket_send_timeout_ms: ms(settings.socket.send),
            socket_close_timeout_ms: ms(settings.socket.close),
            socket_recheck_ms: ms(settings.socket.recheck),
            stream_keep_alive_ms: ms(settings.socket.keep_alive),
            stop_spread_ms: ms(settings.socket.stop_spread),
            socket_message_bytes: settings.socket.message_bytes,
            socket_id_bytes: settings.socket.id_bytes,
            socket_operations: settings.socket.operations,
            socket_burst: settings.socket.burst,
            socket_per_second: settings.socket.per_second,
            sockets: settings.socket.sockets,
            sockets_per_member: settings.socket.per_member,
            sockets_per_address: settings.socket.per_address,
            depth: settings.guard.depth,
            cost: settings.guard.cost,
            proxies: settings.door.proxies,
            requests_per_address: settings.door.burst,
            requests_per_address_per_second: settings.door.per_second,
            member_points: 5_000,
            member_points_per_second: 500,
            stranger_points: 1_000,
            stranger_points_per_second: 50,
            attempts_per_minute: 30,
            stale_for_ms: 300_000,
        }
    }
}

/// A value that the endpoint cannot start with, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong: bff.{knob}: {why}")]
pub struct BadConfig {
    knob: &'static str,
    why: String,
}

impl Config {
    /// True when people are building against it.
    pub fn is_development(&self) -> bool {
        match self.mode {
            Mode::Auto => self.listen.ip().is_loopback(),
            Mode::Development => true,
            Mode::Production => false,
        }
    }

    /// Address as clients know it.
    pub fn public_url(&self, listening: SocketAddr) -> String {
        if self.public_url.is_empty() {
            format!("http://{listening}")
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Which documents are known beforehand.
    pub fn documents(&self) -> documents::Settings {
        documents::Settings {
            policy: self.documents,
            files: self.documents_files.iter().map(PathBuf::from).collect(),
            poll: Duration::from_millis(self.documents_poll_ms),
            sent_once_bytes: self.persisted_queries_bytes,
        }
    }

    fn console(&self) -> Console {
        let assets = (!self.console_assets.is_empty()).then(|| PathBuf::from(&self.console_assets));
        let tab = |query: &str| Tab { query: query.to_owned(), ..Tab::default() };
        Console { assets, tabs: TABS.map(tab).into() }
    }

    fn socket(&self) -> SocketLimits {
        SocketLimits {
            init: Duration::from_millis(self.socket_init_timeout_ms),
            ping: Duration::from_millis(self.socket_ping_ms),
            dead: Duration::from_millis(self.socket_dead_ms),
            send: Duration::from_millis(self.socket_send_timeout_ms),
            close: Duration::from_millis(self.socket_close_timeout_ms),
            recheck: Duration::from_millis(self.socket_recheck_ms),
            keep_alive: Duration::from_millis(self.stream_keep_alive_ms),
            stop_spread: Duration::from_millis(self.stop_spread_ms),
            message_bytes: self.socket_message_bytes,
            id_bytes: self.socket_id_bytes,
            operations: self.socket_operations,
            burst: self.socket_burst,
            per_second: self.socket_per_second,
            sockets: self.sockets,
            per_member: self.sockets_per_member,
            per_address: self.sockets_per_address,
        }
    }

    pub(crate) fn allowances(&self) -> Allowances {
        let allowance = |points: u32, per_second: f64| {
            let ends = points > 0 && per_second > 0.0;
            ends.then_some(Allowance { capacity: points.into(), per_second })
        };
        let tries = self.attempts_per_minute;
        Allowances {
            member: allowance(self.member_points, self.member_points_per_second.into()),
            stranger: allowance(self.stranger_points, self.stranger_points_per_second.into()),
            attempts: allowance(tries, f64::from(tries) / 60.0),
        }
    }

    /// For sockets and streams to go once they are told to, each at a time of its own, with the answers under way.
    pub fn guests_within(&self) -> Duration {
        Duration::from_millis(self.stop_spread_ms + self.stop_timeout_ms)
    }

    /// As the transport takes it.
    pub fn settings(&self) -> Result<Settings, BadConfig> {
        let bad = |knob, why: &dyn std::fmt::Display| BadConfig { knob, why: why.to_string() };
        let profile = Profile::from_str(&self.profile).map_err(|error| bad("profile", &error))?;
        if !self.public_url.is_empty() {
            url::Url::parse(&self.public_url).map_err(|error| bad("public_url", &error))?;
        }
        if self.documents != Policy::Off && self.documents_files.is_empty() {
            return Err(bad("documents_files", &"no file is named, and documents go by a list"));
        }
        let defaults = Settings::default();
        Ok(Settings {
            profile,
            guard: guard::Limits {
                depth: self.depth,
                cost: self.cost,
                introspection: self.is_development(),
                known_directives: vec!["skip", "include", "idempotent"],
                alone: vec!["authSignUp", "authLogIn", "authRefresh"],
                attempts: vec!["authSignUp", "authLogIn"],
                list_sizes: vec![("regions", 230), ("nodes", 100), ("popularSearches", 10)],
                ..defaults.guard
            },
            limits: Limits {
                header: Duration::from_millis(self.header_timeout_ms),
                body: Duration::from_millis(self.body_timeout_ms),
                idle: Duration::from_millis(self.idle_timeout_ms),
                stop: Duration::from_millis(self.stop_timeout_ms),
                connections: self.connections,
                ..defaults.limits
            },
            door: DoorLimits {
                proxies: self.proxies,
                burst: self.requests_per_address,
                per_second: self.requests_per_address_per_second,
            },
            socket: self.socket(),
            body_bytes: self.body_bytes,
            answer_bytes: self.answer_bytes,
            in_flight: self.in_flight,
            query_deadline: Duration::from_millis(self.query_deadline_ms),
            mutation_deadline: Duration::from_millis(self.mutation_deadline_ms),
            strict_get: self.strict_get,
            origins: self.origins.clone(),
            console: self.is_development().then(|| self.console()),
            ..defaults
        })
    }
}
