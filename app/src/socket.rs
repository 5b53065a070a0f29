//! A room behind a socket, for rooms in other processes: gRPC with health, limits and a clean stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use moim_kit::serve::Room;
use moim_kit::task::Tasks;
use moim_storage::Db;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::{facts, live};

const KEEP_ALIVE: Duration = Duration::from_secs(5);
const HEALTH_EVERY: Duration = Duration::from_secs(2);

/// Listens for other rooms until the tasks are told to stop.
pub async fn open(
    room: &Room,
    db: Db,
    listen: SocketAddr,
    secret: Arc<str>,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the {} room cannot listen on {listen}", room.name))?;
    let (reporter, health) = tonic_health::server::health_reporter();
    let routes = room
        .routes
        .clone()
        .add_service(facts::server(room.log.clone(), secret.clone()))
        .add_service(live::server(room.log.clone(), secret, tasks))
        .add_service(health)
        .prepare();
    tasks.supervise("health", move || {
        let (reporter, db) = (reporter.clone(), db.clone());
        async move {
            loop {
                let status = match db.ping().await {
                    Ok(()) => tonic_health::ServingStatus::Serving,
                    Err(_) => tonic_health::ServingStatus::NotServing,
                };
                reporter.set_service_status("", status).await;
                tokio::time::sleep(HEALTH_EVERY).await;
            }
        }
    });
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_concurrent_streams(100)
        .http2_max_pending_accept_reset_streams(Some(20))
        .add_routes(routes);
    let stopped = tasks.token().cancelled_owned();
    let name = room.name;
    tasks.spawn("room socket", async move {
        // What tonic is told of sockets holds only for those it opens itself.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        if let Err(error) = server.serve_with_incoming_shutdown(incoming, stopped).await {
            tracing::error!(%error, room = name, "the room's socket failed");
        }
    });
    Ok(())
}
