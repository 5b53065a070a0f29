//! A room behind a socket, for rooms in other processes: gRPC with health, limits and a clean stop.

mod accept;
mod door;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moim_kit::metrics::{self, KeyValue};
use moim_kit::serve::Room;
use moim_kit::task::Tasks;
use moim_kit::tls::Tls;
use moim_proto::FILE_DESCRIPTOR_SET;
use moim_storage::Db;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::config::Config;
use crate::{facts, live};
use door::Door;

const KEEP_ALIVE: Duration = Duration::from_secs(5);
const HEALTH_EVERY: Duration = Duration::from_secs(2);
/// For those who were let in just before the stop.
const LET_IN_LAST: Duration = Duration::from_millis(100);
/// The name under which gRPC health tells whether the process works, whatever its database does.
pub(crate) const LIVE: &str = "live";
/// Requests of one connection at once.
const STREAMS: u32 = 100;
/// A token of 4 KiB, a seen token of 2 KiB, and the rest.
const HEADER_BYTES: u32 = 16 * 1024;
/// Streams that a peer has given up before they were looked at; then it is told to go away.
const GIVEN_UP: usize = 20;
/// Streams ended here because of errors of the peer; then it is told to go away. tonic sets no limit unless asked.
const FAILED: usize = 100;

/// What a room's socket shares with the house.
pub struct Ground<'a> {
    /// Knobs.
    pub config: &'a Config,
    /// Knows whether the room can work.
    pub db: Db,
    /// Known to rooms of this house.
    pub secret: Arc<str>,
    /// What the room shows and asks for, when rooms show certificates.
    pub tls: Option<Arc<Tls>>,
    /// Stop together.
    pub tasks: &'a Tasks,
}

/// Listens for other rooms until the tasks are told to stop.
pub async fn open(room: &Room, listen: SocketAddr, ground: Ground<'_>) -> anyhow::Result<()> {
    let Ground { config, db, secret, tls, tasks } = ground;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the {} room cannot listen on {listen}", room.name))?;
    let (reporter, health) = tonic_health::server::health_reporter();
    let mut routes = room
        .routes
        .clone()
        .add_service(facts::server(room.log.clone(), secret.clone(), tasks))
        .add_service(live::server(room.log.clone(), secret, tasks))
        .add_service(health);
    if config.house.reflection {
        routes = reflecting(routes)?;
    }
    let leaving = tasks.leaving();
    tasks.supervise("health", move || {
        let (reporter, db, leaving) = (reporter.clone(), db.clone(), leaving.clone());
        async move {
            reporter.set_service_status(LIVE, ServingStatus::Serving).await;
            loop {
                let status = match db.ping().await {
                    Ok(()) if !leaving.is_cancelled() => ServingStatus::Serving,
                    _ => ServingStatus::NotServing,
                };
                reporter.set_service_status("", status).await;
                tokio::select! {
                    () = leaving.cancelled(), if status == ServingStatus::Serving => {}
                    () = sleep(HEALTH_EVERY) => {}
                }
            }
        }
    });
    let (limits, name) = (&config.rooms.limits, room.name);
    // What tonic is told of sockets holds only for those it opens itself, and its time limit would end those who
    // wait for facts: the door keeps it.
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(GIVEN_UP))
        .http2_max_local_error_reset_streams(Some(FAILED))
        .max_concurrent_streams(STREAMS)
        .layer(Door::new(name, limits, tasks.leaving()));
    if tls.is_some() {
        server = server.max_connection_age(Duration::from_millis(limits.connection_age_ms));
    }
    let server = server.add_routes(routes.prepare());
    let guests = accept::guests(listener, name, tls, limits, tasks);
    let stopping = tasks.token();
    let stopped = async move {
        stopping.cancelled().await;
        // Those let in last are taken over first.
        sleep(LET_IN_LAST).await;
    };
    tasks.spawn("room socket", async move {
        if let Err(error) = server.serve_with_incoming_shutdown(guests, stopped).await {
            tracing::error!(%error, room = name, "the room's socket failed");
        }
    });
    Ok(())
}

/// Both versions, for tools know one or the other.
fn reflecting(routes: Routes) -> anyhow::Result<Routes> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
    Ok(routes.add_service(v1).add_service(v1alpha))
}

/// Counts what was too much, or not for whoever asked.
fn turned_away(room: &'static str, why: &'static str) {
    tracing::debug!(room, why, "turned away");
    if let Some(catalogue) = metrics::catalogue() {
        catalogue.turned_away.add(1, &[metrics::room(room), KeyValue::new("why", why)]);
    }
}
