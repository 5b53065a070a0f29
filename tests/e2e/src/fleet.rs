//! A fleet: two processes of every room and two endpoints, of which any may be replaced while the others go on.

use std::time::Duration;

use moim_testbed::{Nats, Redis, database};
use tokio::time::{sleep, timeout};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::Client;
use crate::platform::{KNOBS, Platform, ROOMS, SECRET, START_WITHIN, own};
use crate::ports::free_port;
use crate::process::Process;
use crate::program::program;

/// Has tests that are for rooms in several processes run on a fleet.
const FLEET: &str = "MOIM_TEST_FLEET";
/// Processes of each room, and endpoints.
const COPIES: usize = 2;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a process of a fleet is, and where.
#[derive(Clone, Debug)]
pub struct Place {
    /// Room, or `bff`.
    pub room: &'static str,
    /// Where it listens, such as `http://127.0.0.1:4000`.
    pub url: String,
    /// Its name in files, such as `member-1`.
    name: String,
}

impl Place {
    fn new(room: &'static str, copy: usize) -> Self {
        let url = format!("http://127.0.0.1:{}", free_port());
        Self { room, url, name: format!("{room}-{copy}") }
    }

    fn listen(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

impl Platform {
    /// Rooms in several processes: one of each, or a fleet where `MOIM_TEST_FLEET` is set.
    pub async fn several() -> Option<Self> {
        Self::several_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn several_with(more: &[(&str, &str)]) -> Option<Self> {
        match std::env::var_os(FLEET) {
            Some(_) => Self::fleet_with(more).await,
            None => Self::apart_with(more).await,
        }
    }

    /// Two processes of every room and two endpoints, on PostgreSQL, NATS and Redis, whose clients ask both in turn;
    /// `None`, said loudly, when one of these is not there.
    pub async fn fleet_with(more: &[(&str, &str)]) -> Option<Self> {
        let (database, nats, redis) =
            (database().await?, Nats::start().await?, Redis::start().await?);
        let directory = tempfile::tempdir().unwrap();
        let copies = |room| (1..=COPIES).map(move |copy| Place::new(room, copy));
        let places: Vec<_> = ROOMS.into_iter().chain(["bff"]).flat_map(copies).collect();
        let mut knobs = own(&KNOBS);
        // Each process plays the provider: webhooks of one are to be heard by the other.
        knobs.push(("MOIM_PAYMENT__SANDBOX_SECRET".to_owned(), SECRET.to_owned()));
        knobs.extend(own(more));
        knobs.push(("MOIM_STORAGE__URL".to_owned(), database.clone()));
        knobs.push(("MOIM_BUS__URL".to_owned(), nats.url()));
        knobs.push(("MOIM_SHARED__URL".to_owned(), redis.url()));
        knobs.push(("MOIM_HOUSE__SECRET".to_owned(), SECRET.to_owned()));
        for room in ROOMS {
            let urls: Vec<_> =
                places.iter().filter(|it| it.room == room).map(|it| it.url.as_str()).collect();
            knobs.push((format!("MOIM_ROOMS__{}__ADDRESS", room.to_uppercase()), urls.join(",")));
        }
        let start = |place: &Place| {
            let listen = match place.room {
                "bff" => "MOIM_BFF__LISTEN".to_owned(),
                room => format!("MOIM_ROOMS__{}__LISTEN", room.to_uppercase()),
            };
            let mut knobs: Vec<_> = knobs.iter().map(|(it, value)| (&**it, &**value)).collect();
            knobs.push((&listen, place.listen()));
            let data = format!("{}-data", place.name);
            let arguments = ["run", place.room, "--data", &data];
            Process::start_program(program(), &place.name, directory.path(), &arguments, &knobs)
        };
        let processes: Vec<_> = places.iter().map(start).collect();
        let urls = places.iter().filter(|it| it.room == "bff").map(|it| it.url.clone());
        let urls: Vec<_> = urls.collect();
        let mut platform = Self::ready(program(), directory, processes, urls).await;
        platform.client = Client::among(platform.urls.clone());
        (platform.nats, platform.redis) = (Some(nats), Some(redis));
        (platform.places, platform.knobs, platform.database) = (places, knobs, Some(database));
        for number in 0..platform.places.len() {
            platform.stands(number).await;
        }
        Some(platform)
    }

    /// True for a fleet: what is told of one process of a room says nothing of the other.
    pub fn is_fleet(&self) -> bool {
        !self.places.is_empty()
    }

    /// What the process of this number in a fleet is.
    pub fn place(&self, number: usize) -> &Place {
        &self.places[number]
    }

    /// Waits until the process of this number in a fleet may be sent work, as whoever replaces processes does.
    pub async fn stands(&mut self, number: usize) {
        let (place, process) = (self.places[number].clone(), &mut self.processes[number]);
        if place.room == "bff" {
            return process.ready_at(&place.url, START_WITHIN).await;
        }
        let asking = async {
            while !serves(&place.url).await {
                let ended = process.ended();
                assert!(
                    ended.is_none(),
                    "{} ended at its start:\n{}",
                    place.name,
                    process.stderr()
                );
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(START_WITHIN, asking).await.is_err() {
            panic!("{} does not serve", place.name);
        }
    }

    /// What everybody in a fleet shares.
    pub fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("only a fleet has a Redis")
    }
}

/// What a room's process says of itself.
async fn serves(url: &str) -> bool {
    let endpoint = tonic::transport::Endpoint::from_shared(url.to_owned()).unwrap();
    let Ok(channel) = endpoint.connect_timeout(Duration::from_secs(1)).connect().await else {
        return false;
    };
    let asked = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    asked.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
}
