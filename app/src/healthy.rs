//! `moim healthy`: asks a room where it listens how it is, as a probe that needs nothing but the program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use moim_kit::tls::Tls;
use moim_kit::trace::Trace;
use moim_kit::{Call, Clock, wire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::config::{Config, Place};
use crate::socket::LIVE;

/// Shorter than a probe waits, so that the sentence is still told.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);
/// Of an answer about health, which is a line.
const MOST_BYTES: u64 = 4_096;

/// Why a room that answers is not well; nothing when it is.
type Complaint = Option<String>;

/// Succeeds, with a sentence, when the room may be sent work, or with `alive` when its process works.
pub async fn ask(config: &Config, room: &str, alive: bool) -> anyhow::Result<String> {
    let listen = place(config, room).map_or(config.bff.listen, |place| place.listen);
    let address = reachable(listen);
    let asked = async {
        match room {
            "bff" => over_http(address, if alive { "/healthz" } else { "/readyz" }).await,
            _ => over_grpc(config, room, address, if alive { LIVE } else { "" }).await,
        }
    };
    let told = timeout(ANSWER_WITHIN, asked).await;
    let told = told.unwrap_or_else(|_| Err(anyhow!("it took too long")));
    let wanted = if alive { "alive" } else { "ready" };
    match told.with_context(|| format!("the {room} room does not answer at {address}"))? {
        None => Ok(format!("The {room} room is {wanted}.\n")),
        Some(why) => bail!("the {room} room is not {wanted}: {why}"),
    }
}

/// Where the room is when it runs apart; nothing for the endpoint.
fn place<'a>(config: &'a Config, room: &str) -> Option<&'a Place> {
    let rooms = &config.rooms;
    match room {
        "member" => Some(&rooms.member),
        "gathering" => Some(&rooms.gathering),
        "schedule" => Some(&rooms.schedule),
        "review" => Some(&rooms.review),
        "chat" => Some(&rooms.chat),
        "notification" => Some(&rooms.notification),
        "payment" => Some(&rooms.payment),
        "search" => Some(&rooms.search),
        _ => None,
    }
}

/// Who listens on every address is asked on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn over_grpc(
    config: &Config,
    room: &str,
    address: SocketAddr,
    service: &str,
) -> anyhow::Result<Complaint> {
    let tls = Tls::open(&config.tls, Clock::system()).await;
    let tls = tls.context("the configuration is wrong: tls")?;
    // Its own certificate: a room may call itself.
    let to = tls.as_ref().map(|tls| tls.to(room)).transpose()?;
    let scheme = if to.is_some() { "https" } else { "http" };
    let wire = wire::remote_to(&format!("{scheme}://{address}"), to.as_ref())?;
    let call = Call::new(Trace::fresh(), Instant::now() + ANSWER_WITHIN);
    let question = call.request(HealthCheckRequest { service: service.to_owned() });
    let answer = HealthClient::new(wire).check(question).await;
    let answer = answer.map_err(|status| anyhow!("{}", status.message()))?.into_inner();
    let well = answer.status() == ServingStatus::Serving;
    Ok((!well).then(|| "its database does not answer".to_owned()))
}

async fn over_http(address: SocketAddr, path: &str) -> anyhow::Result<Complaint> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    ensure!(head.starts_with("HTTP/1.1 "), "what answers there does not speak HTTP");
    Ok((status != "200").then(|| body.trim().to_owned()))
}
