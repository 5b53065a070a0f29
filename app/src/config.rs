//! The configuration of a whole house, room by room.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Every knob there is; `config.default.toml` tells them all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What all rooms share.
    pub house: House,
    /// Logs, and what is sent to a collector.
    pub telemetry: moim_kit::telemetry::Config,
    /// Certificates between rooms that run apart.
    pub tls: moim_kit::tls::Config,
    /// How rooms hear each other.
    pub bus: moim_kit::bus::Config,
    /// What replicas share.
    pub shared: moim_kit::shared::Config,
    /// Databases.
    pub storage: moim_storage::Config,
    /// What stands between a caller and a room in trouble.
    pub shield: moim_kit::wire::Config,
    /// Where rooms are when they run apart.
    pub rooms: Rooms,
    /// The GraphQL endpoint.
    pub bff: moim_bff::Config,
    /// Accounts and sessions.
    pub member: moim_member::Config,
    /// Gatherings and memberships.
    pub gathering: moim_gathering::Config,
    /// Schedules and seats.
    pub schedule: moim_schedule::Config,
    /// What attendees thought of schedules.
    pub review: moim_review::Config,
    /// What members say to each other.
    pub chat: moim_chat::Config,
    /// Wallets and orders.
    pub payment: moim_payment::Config,
    /// Notifications.
    pub notification: moim_notification::Config,
    /// Finding what people mean.
    pub search: moim_search::Config,
}

/// What all rooms of a house share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct House {
    /// Directory of SQLite files.
    pub data: PathBuf,
    /// Shared by all processes of a house: with it rooms read each other's facts over the network,
    /// and the endpoint seals seen tokens.
    pub secret: String,
    /// Fill an empty house with a small town when every room runs in one process.
    pub town: bool,
    /// How long a process waits at its start for rooms in other processes, milliseconds.
    pub patience_ms: u64,
    /// How long a process that was asked to stop (SIGTERM) says that it goes and still does all it is asked, milliseconds.
    pub drain_ms: u64,
    /// How long the last known list of revoked sessions is trusted when nobody can be asked, milliseconds.
    pub revocations_good_for_ms: u64,
    /// Rooms that run apart describe their contracts to whoever asks by gRPC reflection.
    pub reflection: bool,
}

impl Default for House {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            secret: String::new(),
            town: true,
            patience_ms: 10_000,
            drain_ms: 5_000,
            revocations_good_for_ms: 60_000,
            reflection: false,
        }
    }
}

/// Where rooms are when they run apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rooms {
    /// The member room.
    pub member: Place,
    /// The gathering room.
    pub gathering: Place,
    /// The schedule room.
    pub schedule: Place,
    /// The review room.
    pub review: Place,
    /// The chat room.
    pub chat: Place,
    /// The notification room.
    pub notification: Place,
    /// The payment room.
    pub payment: Place,
    /// The search room.
    pub search: Place,
    /// What a room takes at its socket.
    pub limits: Limits,
}

/// What a room takes at its socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections open at once; more are turned away.
    pub connections: usize,
    /// Calls at once over all connections; more are turned away.
    pub calls: usize,
    /// Calls of one connection at once; more wait.
    pub calls_per_connection: usize,
    /// For such a call to wait, milliseconds; then it is turned away.
    pub call_wait_ms: u64,
    /// For a call to be answered, milliseconds, however long its caller would wait.
    pub call_timeout_ms: u64,
    /// For a connection to begin, handshake and greeting each, milliseconds.
    pub greeting_timeout_ms: u64,
    /// Where rooms show certificates a connection is closed after so long, milliseconds.
    pub connection_age_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            calls: 256,
            calls_per_connection: 64,
            call_wait_ms: 2_000,
            call_timeout_ms: 15_000,
            greeting_timeout_ms: 5_000,
            connection_age_ms: 1_800_000,
        }
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            member: Place::at(5001),
            gathering: Place::at(5002),
            schedule: Place::at(5003),
            review: Place::at(5004),
            chat: Place::at(5005),
            notification: Place::at(5006),
            payment: Place::at(5007),
            search: Place::at(5008),
            limits: Limits::default(),
        }
    }
}

/// A room that runs apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Where it listens for gRPC when it runs in this process and others do not.
    pub listen: SocketAddr,
    /// How others reach it; several with commas between.
    pub address: String,
}

impl Place {
    fn at(port: u16) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            address: format!("http://127.0.0.1:{port}"),
        }
    }
}

impl Config {
    /// Directory of the search room's index.
    pub fn index(&self) -> PathBuf {
        self.house.data.join("search")
    }

    /// As TOML, with secrets covered.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut shown = self.clone();
        let secrets = [&mut shown.house.secret, &mut shown.schedule.calendar_key];
        for secret in secrets.into_iter().chain(shown.payment.secrets()) {
            if !secret.is_empty() {
                *secret = "********".to_owned();
            }
        }
        let telemetry = &mut shown.telemetry.otlp_url;
        for url in [&mut shown.storage.url, &mut shown.bus.url, &mut shown.shared.url, telemetry] {
            *url = url.split(',').map(covered).collect::<Vec<_>>().join(",");
        }
        toml::to_string_pretty(&shown)
    }
}

/// A URL without its password, or without the token that stands alone in its place.
fn covered(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:********@{place}"),
        None if scheme == "nats" => format!("{scheme}://********@{place}"),
        None => url.to_owned(),
    }
}
