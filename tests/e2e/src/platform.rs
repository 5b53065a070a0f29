//! A platform made of real processes on fresh data, in every shape it is run in.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moim_testbed::{Nats, database};
use tempfile::TempDir;

use crate::client::Client;
use crate::person::Person;
use crate::ports::free_port;
use crate::process::Process;
use crate::program::{crashing_program, program};

const START_WITHIN: Duration = Duration::from_secs(60);
const ROOMS: [&str; 8] =
    ["member", "gathering", "schedule", "payment", "review", "chat", "notification", "search"];
/// Knobs of every process: passwords cost little, slow machines are waited for, and what is popular is compared with
/// nothing before it, whatever the hour.
const KNOBS: [(&str, &str); 6] = [
    ("MOIM_MEMBER__HASHING_MEMORY_KIB", "64"),
    ("MOIM_MEMBER__HASHING_PASSES", "1"),
    ("MOIM_MEMBER__HASHING_QUEUE", "2000"),
    ("MOIM_HOUSE__PATIENCE_MS", "60000"),
    ("MOIM_SCHEDULE__PAY_WAIT_MS", "8000"),
    ("MOIM_SEARCH__POPULAR_WINDOW_MS", "3153600000000"),
];

/// Running processes that are one platform; they end when it is dropped.
pub struct Platform {
    /// The processes; with rooms apart: member, gathering, schedule, payment, review, chat, notification,
    /// search and bff.
    pub processes: Vec<Process>,
    client: Client,
    urls: Vec<String>,
    signed_up: AtomicU32,
    // Dropped after the processes that write into it and speak over it.
    directory: TempDir,
    nats: Option<Nats>,
    database: Option<String>,
    /// What every process of rooms apart was started with.
    knobs: Vec<(String, String)>,
    /// What rooms apart are processes of.
    program: &'static Path,
}

/// Shared by the processes of one platform.
const SECRET: &str = "the rooms of this house";

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
        Self::apart_of(program, more).await
    }

    /// The same of a program that ends itself where `MOIM_CRASH` says.
    pub async fn apart_crashing_with(more: &[(&str, &str)]) -> Option<Self> {
        Self::apart_of(crashing_program, more).await
    }

    async fn apart_of(program: fn() -> &'static Path, more: &[(&str, &str)]) -> Option<Self> {
        let database = database().await?;
        let nats = Nats::start().await?;
        let directory = tempfile::tempdir().unwrap();
        let mut knobs = vec![
            ("MOIM_STORAGE__URL".to_owned(), database.clone()),
            ("MOIM_BUS__URL".to_owned(), nats.url()),
            ("MOIM_HOUSE__SECRET".to_owned(), SECRET.to_owned()),
        ];
        for room in ROOMS {
            let (name, port) = (room.to_uppercase(), free_port());
            knobs.push((format!("MOIM_ROOMS__{name}__LISTEN"), format!("127.0.0.1:{port}")));
            knobs
                .push((format!("MOIM_ROOMS__{name}__ADDRESS"), format!("http://127.0.0.1:{port}")));
        }
        let port = free_port();
        knobs.push(("MOIM_BFF__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let mut all = [&KNOBS[..], more].concat();
        all.extend(knobs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let program = program();
        let start =
            |room| Process::start_program(program, room, directory.path(), &["run", room], &all);
        let processes = ROOMS.into_iter().chain(["bff"]).map(start).collect();
        let urls = vec![format!("http://127.0.0.1:{port}")];
        let mut platform = Self::ready(program, directory, processes, urls).await;
        platform.nats = Some(nats);
        platform.knobs =
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        platform.database = Some(database);
        Some(platform)
    }

    /// Two processes with every room in each, on one PostgreSQL; `None`, said loudly, when there is none.
    pub async fn twins() -> Option<Self> {
        Self::twins_with(&[]).await
    }

    /// The same with more knobs.
    pub async fn twins_with(more: &[(&str, &str)]) -> Option<Self> {
        let database = database().await?;
        let directory = tempfile::tempdir().unwrap();
        let knobs = [("MOIM_STORAGE__URL", database.as_str()), ("MOIM_HOUSE__SECRET", SECRET)];
        let knobs = [&knobs, more].concat();
        let start = |name| whole(name, directory.path(), &knobs);
        let (processes, urls) = ["one", "other"].map(start).into_iter().unzip();
        let mut platform = Self::ready(program(), directory, processes, urls).await;
        platform.database = Some(database);
        Some(platform)
    }

    async fn ready(
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
            database: None,
            knobs: Vec::new(),
            program,
        }
    }

    /// Nobody in particular, at the first endpoint, with nothing seen yet.
    pub fn client(&self) -> Client {
        self.client_at(0)
    }

    /// The same at the endpoint of this number.
    pub fn client_at(&self, endpoint: usize) -> Client {
        self.client.at(self.urls[endpoint].clone()).remembering(crate::Memory::Header)
    }

    /// Where the first endpoint is, such as `http://127.0.0.1:4000`.
    pub fn url(&self) -> &str {
        &self.urls[0]
    }

    /// Where processes keep their files and what they said.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process of a room that runs apart, or of the endpoint: `bff`.
    pub fn room(&mut self, name: &str) -> &mut Process {
        assert!(self.nats.is_some(), "the rooms run together");
        let at = ROOMS.iter().position(|room| *room == name).unwrap_or(ROOMS.len());
        &mut self.processes[at]
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

/// A process with every room, and where its endpoint is.
fn whole(name: &str, directory: &Path, knobs: &[(&str, &str)]) -> (Process, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let data = format!("{name}-data");
    let arguments = ["--no-town", "--data", &data, "--listen", &address];
    let knobs = [&KNOBS, knobs].concat();
    let process = Process::start(name, directory, &arguments, &knobs);
    (process, format!("http://{address}"))
}
