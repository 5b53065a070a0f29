//! What is measured: a whole house in this process, and four doors to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use clap::ValueEnum;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use moim::house::ROOMS;
use moim::town::{self, ACCOUNTS, PASSWORD};
use moim::{Config, House, Plan};
use moim_bff::Upstream;
use moim_bff::http::{Limits, Readiness, serve};
use moim_kit::id::SessionId;
use moim_kit::shared::Opened;
use moim_kit::task::Tasks;
use moim_kit::token::{KeySource, PublicKey, Verifier};
use moim_kit::{Base, Clock, Fault, Timestamp, telemetry};
use moim_proto::member::v1::ListSigningKeysRequest;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::canned::canned;
use crate::floor;
use crate::loops::{Order, Pace};
use crate::query::{Asked, Query};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// The platform's endpoint.
    Graphql,
    /// The same by hand.
    Floor,
}

/// What stands behind whoever answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backing {
    /// The rooms, on SQLite.
    Rooms,
    /// What the rooms answered once, from memory.
    Memory,
}

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// Who answers.
    pub side: Side,
    /// What stands behind.
    pub backing: Backing,
}

/// A house that stands, with a town in it, and somebody signed in.
pub struct Site {
    house: House,
    tasks: Tasks,
    addresses: Vec<(Door, SocketAddr)>,
    token: String,
}

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const STOP_WITHIN: Duration = Duration::from_secs(10);

impl Site {
    /// Fills an empty house with its town.
    pub async fn fill(data: &Path) -> anyhow::Result<()> {
        ensure!(town::fill_if_empty(&config(data)).await?, "the town was there already");
        Ok(())
    }

    /// Opens a house that was filled, opens the doors, and signs in.
    pub async fn open(data: &Path) -> anyhow::Result<Self> {
        let config = config(data);
        telemetry::init(&config.telemetry)?;
        let house = House::open(&config, Plan::of(ROOMS)).await?;
        let endpoint = house.endpoint.context("the house has no endpoint")?;

        let tasks = Tasks::new();
        let verifier = Arc::new(Verifier::new(house.clock.clone()));
        verifier.set_source(Arc::new(Keys(house.upstream.clone())));
        let memory = canned(&house.upstream);
        let Opened { shared, near, .. } = Opened::alone();
        let rest = Base {
            clock: house.clock.clone(),
            tasks: tasks.clone(),
            verifier: verifier.clone(),
            shared,
            near,
        };
        let ready = Readiness::new(|| Box::pin(async { Ok(()) }));
        let canned_endpoint =
            moim_bff::open(&config.bff, memory.clone(), house.live.clone(), ready, b"load", rest)
                .await?;
        let limits = config.bff.settings()?.limits;
        let by_hand = |upstream: Upstream| {
            by_hand(verifier.clone(), house.clock.clone(), upstream, limits.clone(), &tasks)
        };
        let addresses = vec![
            (Door { side: Side::Graphql, backing: Backing::Rooms }, endpoint),
            (Door { side: Side::Graphql, backing: Backing::Memory }, canned_endpoint),
            (
                Door { side: Side::Floor, backing: Backing::Rooms },
                by_hand(house.upstream.clone()).await?,
            ),
            (Door { side: Side::Floor, backing: Backing::Memory }, by_hand(memory).await?),
        ];
        let mut site = Self { house, tasks, addresses, token: String::new() };
        site.sign_in().await?;
        Ok(site)
    }

    /// What every door answers to a query, once it is sure that they all answer the same bytes.
    pub async fn answer(&self, query: &Query) -> anyhow::Result<Vec<u8>> {
        let mut first: Option<Vec<u8>> = None;
        for (door, _) in &self.addresses {
            let answer = self.send(*door, asked(*door, query)).await?;
            let parsed: Value = serde_json::from_slice(&answer)
                .with_context(|| format!("{door:?} did not answer {} in JSON", query.name))?;
            ensure!(
                parsed["data"].is_object(),
                "{door:?} does not answer {}: {parsed}",
                query.name
            );
            let first = first.get_or_insert_with(|| answer.clone());
            ensure!(
                *first == answer,
                "{} is answered in two ways:\n{}\n{}",
                query.name,
                String::from_utf8_lossy(first),
                String::from_utf8_lossy(&answer),
            );
        }
        first.context("there is no door")
    }

    /// An order for the load generator.
    pub fn order(&self, door: Door, query: &Query, answer_bytes: usize, pace: Pace) -> Order {
        let (method, path, body) = asked(door, query);
        Order {
            address: self.address(door),
            method: method.to_string(),
            path,
            body,
            token: self.token.clone(),
            answer_bytes,
            pace,
            connections: 1,
            warm_up: Duration::ZERO,
            window: Duration::ZERO,
        }
    }

    /// Closes the doors and the house.
    pub async fn close(self) {
        self.tasks.stop(STOP_WITHIN).await;
        self.house.close(STOP_WITHIN).await;
    }

    fn address(&self, door: Door) -> SocketAddr {
        let found = self.addresses.iter().find(|(it, _)| *it == door);
        found.map_or(ANYWHERE, |(_, address)| *address)
    }

    async fn sign_in(&mut self) -> anyhow::Result<()> {
        let (email, _) = ACCOUNTS[1];
        let body = json!({
            "query": "mutation($input: AuthLogInInput!) { authLogIn(input: $input) \
                { tokens { accessToken } userErrors { message } } }",
            "variables": { "input": { "email": email, "password": PASSWORD } },
        });
        let door = Door { side: Side::Graphql, backing: Backing::Rooms };
        let asked = (Method::POST, "/graphql".to_owned(), body.to_string());
        let answer: Value = serde_json::from_slice(&self.send(door, asked).await?)?;
        let token = answer["data"]["authLogIn"]["tokens"]["accessToken"].as_str();
        self.token = token.with_context(|| format!("nobody could sign in: {answer}"))?.to_owned();
        Ok(())
    }

    async fn send(&self, door: Door, (method, path, body): Asked) -> anyhow::Result<Vec<u8>> {
        let stream = TcpStream::connect(self.address(door)).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        self.tasks.spawn("connection", async {
            // Whoever waits for an answer is told as well.
            let _ = connection.await;
        });
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json");
        if !self.token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let answer = sender.send_request(request.body(Full::<bytes::Bytes>::from(body))?).await?;
        Ok(answer.into_body().collect().await?.to_bytes().to_vec())
    }
}

fn config(data: &Path) -> Config {
    let mut config = Config::default();
    config.house.data = data.to_owned();
    config.bff.listen = ANYWHERE;
    config.bff.mode = moim_bff::Mode::Production;
    // Four levels of connections are eleven levels of fields.
    config.bff.depth = config.bff.depth.max(11);
    // What is measured is the work, not who is sent away.
    config.bff.requests_per_address = 0;
    config.bff.attempts_per_minute = 0;
    config.bff.member_points = 0;
    config.bff.stranger_points = 0;
    // One token for the whole run.
    config.member.access_token_s = 24 * 3_600;
    config
}

fn asked(door: Door, query: &Query) -> Asked {
    match door.side {
        Side::Graphql => query.through_graphql(),
        Side::Floor => query.by_hand(),
    }
}

/// Listens with the endpoint's own loop, so that connections cost both sides the same.
async fn by_hand(
    verifier: Arc<Verifier>,
    clock: Clock,
    upstream: Upstream,
    limits: Limits,
    tasks: &Tasks,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(ANYWHERE).await?;
    let address = listener.local_addr()?;
    let router = floor::router(verifier, clock, upstream);
    tasks.spawn("floor", serve(listener, router, limits, tasks.clone()));
    Ok(address)
}

/// Signing keys as the member room publishes them; nobody logs out while figures are taken.
struct Keys(Upstream);

#[async_trait]
impl KeySource for Keys {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let answer = self.0.member.clone().list_signing_keys(ListSigningKeysRequest {}).await?;
        let keys = answer.into_inner().keys.into_iter();
        Ok(keys.map(|key| PublicKey { kid: key.kid, bytes: key.public_key.to_vec() }).collect())
    }

    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        Ok(Vec::new())
    }
}
