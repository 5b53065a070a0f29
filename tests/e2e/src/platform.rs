//! A platform made of real processes on fresh data, in every shape it is run in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moim_testbed::{Nats, Proxy, Redis, database};
use tempfile::TempDir;

use crate::authority::{Authority, Life};
use crate::client::Client;
use crate::fleet::Place;
use crate::person::Person;
use crate::ports::free_port;
use crate::process::Process;
use crate::program::{crashing_program, program};
use crate::ways::Ways;

pub(crate) const START_WITHIN: Duration = Duration::from_secs(60);
pub(crate) const ROOMS: [&str; 8] =
    ["member", "gathering", "schedule", "payment", "review", "chat", "notification", "search"];
/// Knobs of every process: passwords cost little, slow machines are waited for, what is popular is compared with
/// nothing before it, whatever the hour, everybody at one address may ask as much as all the world, and who stops
/// has been heard soon.
pub(crate) const KNOBS: [(&str, &str); 14] = [
    ("MOIM_MEMBER__HASHING_MEMORY_KIB", "64"),
    ("MOIM_MEMBER__HASHING_PASSES", "1"),
    ("MOIM_MEMBER__HASHING_QUEUE", "2000"),
    ("MOIM_HOUSE__PATIENCE_MS", "60000"),
    ("MOIM_HOUSE__DRAIN_MS", "500"),
    ("MOIM_SCHEDULE__PAY_WAIT_MS", "8000"),
    ("MOIM_SEARCH__POPULAR_WINDOW_MS", "3153600000000"),
    ("MOIM_BFF__REQUESTS_PER_ADDRESS", "0"),
    ("MOIM_BFF__ATTEMPTS_PER_MINUTE", "0"),
    ("MOIM_BFF__MEMBER_POINTS", "1000000000"),
    ("MOIM_BFF__MEMBER_POINTS_PER_SECOND", "1000000000"),
    ("MOIM_BFF__STRANGER_POINTS", "1000000000"),
    ("MOIM_BFF__STRANGER_POINTS_PER_SECOND", "1000000000"),
    ("MOIM_BFF__REQUESTS_PER_ADDRESS_PER_SECOND", "0"),
];

/// Running processes that are one platform; they end when it is dropped.
pub struct Platform {
    /// The processes; with rooms apart: member, gathering, schedule, payment, review, chat, notification,
    /// search and bff.
    pub processes: Vec<Process>,
    pub(crate) client: Client,
    pub(crate) urls: Vec<String>,
    signed_up: AtomicU32,
    // Dropped after the processes that write into it and speak over it.
    directory: TempDir,
    pub(crate) nats: Option<Nats>,
    pub(crate) ways: BTreeMap<&'static str, Proxy>,
    pub(crate) database: Option<String>,
    /// What every process of rooms apart was started with.
    pub(crate) knobs: Vec<(String, String)>,
    /// What the processes of a fleet share, and what each of them is and where.
    pub(crate) redis: Option<Redis>,
    pub(crate) places: Vec<Place>,
    /// What rooms apart are processes of.
    program: &'static Path,
}

/// Shared by the processes of one platform.
pub(crate) const SECRET: &str = "the rooms of this house";

impl Platform {
    /// Every room in one process, on SQLite files.
    pub async fn one_process() -> Self {
        Self::one_process_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn one_process_with(knobs: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (process, url) = whole("moim", directory.path(), knobs);
        Self::ready(program(), directory, vec![process], vec![url]).await
    }

    /// Every room in a process of its own, on PostgreSQL and over NATS; `None`, said loudly, when one of
    /// them is not there.
    pub async fn apart() -> Option<Self> {
        Self::apart_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn apart_with(more: &[(&str, &str)]) -> Option<Self> {
        Self::apart_of(program, more, false).await
    }

    /// The same with a way to be bent from the endpoint to each room, and from the rooms to PostgreSQL and the bus.
    pub async fn apart_over_ways(more: &[(&str, &str)]) -> Option<Self> {
        Self::apart_of(program, more, true).await
    }

    /// The same of a program that ends itself where `MOIM_CRASH` says.
    pub async fn apart_crashing_with(more: &[(&str, &str)]) -> Option<Self> {
        Self::apart_of(crashing_program, more, false).await
    }

    async fn apart_of(
        program: fn() -> &'static Path,
        more: &[(&str, &str)],
        bent: bool,
    ) -> Option<Self> {
        let database = database().await?;
        let nats = Nats::start().await?;
        let directory = tempfile::tempdir().unwrap();
        let mut ways = Ways::default();
        let mut knobs = vec![
            ("MOIM_STORAGE__URL".to_owned(), database.clone()),
            ("MOIM_BUS__URL".to_owned(), nats.url()),
            ("MOIM_HOUSE__SECRET".to_owned(), SECRET.to_owned()),
        ];
        if bent {
            knobs[0].1 = ways.around("postgres", &database).await;
            knobs[1].1 = ways.around("bus", &nats.url()).await;
        }
        let mut asked = Vec::new();
        for room in ROOMS {
            let (name, port) = (room.to_uppercase(), free_port());
            let (listen, address) =
                (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
            knobs.push((format!("MOIM_ROOMS__{name}__LISTEN"), listen));
            let way = if bent { ways.around(room, &address).await } else { address.clone() };
            let name = format!("MOIM_ROOMS__{name}__ADDRESS");
            asked.push((name.clone(), way));
            knobs.push((name, address));
        }
        let port = free_port();
        asked.push(("MOIM_BFF__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let of_rooms = [own(&KNOBS), own(more), knobs].concat();
        let of_endpoint = [&of_rooms[..], &asked].concat();
        let program = program();
        let start = |room: &str| {
            let knobs = if room == "bff" { &of_endpoint } else { &of_rooms };
            let knobs = knobs.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>();
            Process::start_program(program, room, directory.path(), &["run", room], &knobs)
        };
        let processes = ROOMS.into_iter().chain(["bff"]).map(start).collect();
        let urls = vec![format!("http://127.0.0.1:{port}")];
        let mut platform = Self::ready(program, directory, processes, urls).await;
        platform.nats = Some(nats);
        platform.ways = ways.0;
        platform.knobs = of_endpoint;
        platform.database = Some(database);
        Some(platform)
    }

    /// Every room in a process of its own on SQLite, reading each other's facts over gRPC, and each with a
    /// certificate of its own from this authority.
    pub async fn secured(authority: &Authority) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let endpoint = format!("127.0.0.1:{}", free_port());
        let mut knobs = vec![
            ("MOIM_HOUSE__SECRET".to_owned(), SECRET.to_owned()),
            ("MOIM_BFF__LISTEN".to_owned(), endpoint.clone()),
        ];
        for room in ROOMS {
            let (name, address) = (room.to_uppercase(), format!("127.0.0.1:{}", free_port()));
            knobs.push((format!("MOIM_ROOMS__{name}__ADDRESS"), format!("https://{address}")));
            knobs.push((format!("MOIM_ROOMS__{name}__LISTEN"), address));
        }
        let start = |room| {
            let data = format!("{room}-data");
            let files = authority.issue(&directory.path().join(room), &[room], Life::long());
            let all: Vec<_> = (KNOBS.into_iter())
                .chain(knobs.iter().map(|(name, value)| (&**name, &**value)))
                .chain(files.iter().map(|(name, value)| (*name, &**value)))
                .collect();
            Process::start(room, directory.path(), &["run", room, "--data", &data], &all)
        };
        let processes = ROOMS.into_iter().chain(["bff"]).map(start).collect();
        Self::ready(program(), directory, processes, vec![format!("http://{endpoint}")]).await
    }

    /// Two processes with every room in each, on one PostgreSQL; `None`, said loudly, when there is none.
    pub async fn twins() -> Option<Self> {
        Self::twins_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn twins_with(more: &[(&str, &str)]) -> Option<Self> {
        Self::twins_of(more, false).await
    }

    /// The same with a way to PostgreSQL that is to be bent.
    pub async fn twins_over_ways(more: &[(&str, &str)]) -> Option<Self> {
        Self::twins_of(more, true).await
    }

    async fn twins_of(more: &[(&str, &str)], bent: bool) -> Option<Self> {
        let database = database().await?;
        let directory = tempfile::tempdir().unwrap();
        let mut ways = Ways::default();
        let url = if bent { ways.around("postgres", &database).await } else { database.clone() };
        let knobs = [("MOIM_STORAGE__URL", url.as_str()), ("MOIM_HOUSE__SECRET", SECRET)];
        let knobs = [&knobs, more].concat();
        let start = |name| whole(name, directory.path(), &knobs);
        let (processes, urls) = ["one", "other"].map(start).into_iter().unzip();
        let mut platform = Self::ready(program(), directory, processes, urls).await;
        platform.ways = ways.0;
        platform.database = Some(database);
        Some(platform)
    }

    pub(crate) async fn ready(
        program: &'static Path,
        directory: TempDir,
        mut processes: Vec<Process>,
        urls: Vec<String>,
    ) -> Self {
        let first = processes.len() - urls.len();
        for (process, url) in processes[first..].iter_mut().zip(&urls) {
            process.ready_at(url, START_WITHIN).await;
        }
        let client = Client::new(urls[0].clone());
        Self {
            processes,
            client,
            urls,
            signed_up: AtomicU32::new(0),
            directory,
            nats: None,
            ways: BTreeMap::new(),
            database: None,
            knobs: Vec::new(),
            redis: None,
            places: Vec::new(),
            program,
        }
    }

    /// Nobody in particular, at the first endpoint, or at those of a fleet in turn, with nothing seen yet.
    pub fn client(&self) -> Client {
        self.client.remembering(crate::Memory::Header)
    }

    /// The same at the endpoint of this number.
    pub fn client_at(&self, endpoint: usize) -> Client {
        self.client.at(self.urls[endpoint].clone()).remembering(crate::Memory::Header)
    }

    /// Where the first endpoint is, such as `http://127.0.0.1:4000`; of a fleet's, the next.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Where processes keep their files and what they said.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process of a room that runs apart, or of the endpoint: `bff`; of a fleet's, the first.
    pub fn room(&mut self, name: &str) -> &mut Process {
        assert!(self.nats.is_some(), "the rooms run together");
        let in_fleet = self.places.iter().position(|it| it.room == name);
        let apart = || ROOMS.iter().position(|room| *room == name).unwrap_or(ROOMS.len());
        let at = in_fleet.unwrap_or_else(apart);
        &mut self.processes[at]
    }

    /// The way to a room that runs apart over ways, or to `postgres` or the `bus`.
    pub fn way(&self, to: &str) -> &Proxy {
        self.ways.get(to).unwrap_or_else(|| panic!("there is no way to {to}"))
    }

    /// Another process of a room that runs apart, with its files in a directory of this name.
    pub fn another(&self, room: &str, data: &str) -> Process {
        self.another_with(room, data, &[]).0
    }

    /// The same, or another endpoint (`bff`), with more knobs; and where it listens.
    pub fn another_with(&self, room: &str, data: &str, more: &[(&str, &str)]) -> (Process, String) {
        let listen = format!("127.0.0.1:{}", free_port());
        let name = match room {
            "bff" => "MOIM_BFF__LISTEN".to_owned(),
            room => format!("MOIM_ROOMS__{}__LISTEN", room.to_uppercase()),
        };
        let knobs = self.knobs.iter().map(|(it, value)| (&**it, &**value));
        let knobs: Vec<_> =
            knobs.chain([(name.as_str(), listen.as_str())]).chain(more.iter().copied()).collect();
        let (name, arguments) = (format!("another-{room}"), ["run", room, "--data", data]);
        let process =
            Process::start_program(self.program, &name, self.directory(), &arguments, &knobs);
        (process, format!("http://{listen}"))
    }

    /// Another process of the endpoint of rooms apart, with more knobs; answers its number.
    pub async fn another_endpoint(&mut self, more: &[(&str, &str)]) -> usize {
        let number = self.urls.len();
        let listen = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{listen}");
        let knobs = self.knobs.iter().map(|(it, value)| (&**it, &**value));
        let own = [("MOIM_BFF__LISTEN", listen.as_str())];
        let knobs: Vec<_> = knobs.chain(own).chain(more.iter().copied()).collect();
        let name = format!("bff-{number}");
        let mut process = Process::start(&name, self.directory(), &["run", "bff"], &knobs);
        process.ready_at(&url, START_WITHIN).await;
        self.processes.push(process);
        self.urls.push(url);
        number
    }

    /// The database of rooms apart or of twins, a schema for each room.
    pub fn database(&self) -> &str {
        self.database.as_deref().expect("one process is on SQLite")
    }

    /// The bus between rooms that run apart.
    pub fn nats(&mut self) -> &mut Nats {
        self.nats.as_mut().expect("rooms apart hear each other over NATS")
    }

    /// Has a room that runs apart tell everything it keeps once more, as its operator would.
    pub async fn replay(&self, room: &str) {
        let knobs: Vec<_> = self.knobs.iter().map(|(it, value)| (&**it, &**value)).collect();
        let name = format!("replay-{room}");
        let mut replay = Process::start(&name, self.directory(), &["replay", room], &knobs);
        assert!(replay.end_within(START_WITHIN).await.success(), "{}", replay.stderr());
    }

    /// Opens an account under a nickname that nobody has yet.
    pub async fn sign_up(&self, nickname: &str) -> Person {
        let number = self.signed_up.fetch_add(1, Ordering::Relaxed);
        Person::sign_up(&self.client(), nickname, &format!("person{number}@example.com")).await
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Those who ask go before those who are asked, so that nobody complains of the other's end.
        self.processes.iter_mut().rev().for_each(Process::kill);
    }
}

pub(crate) fn own(knobs: &[(&str, &str)]) -> Vec<(String, String)> {
    knobs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A process with every room, and where its endpoint is.
fn whole(name: &str, directory: &Path, knobs: &[(&str, &str)]) -> (Process, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let data = format!("{name}-data");
    let arguments = ["--no-town", "--data", &data, "--listen", &address];
    let knobs = [&KNOBS, knobs].concat();
    let process = Process::start(name, directory, &arguments, &knobs);
    (process, format!("http://{address}"))
}
