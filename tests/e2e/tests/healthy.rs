//! What probes and networks are told by the program itself: how a room is, and which rooms call which.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use moim_e2e::{Authority, Life, Mode, Process, Proxy, Value, eventually, free_port};
use moim_testbed::database;
use tempfile::TempDir;

const END_WITHIN: Duration = Duration::from_secs(30);
const SECRET: &str = "the rooms of this house";

type Knobs = Vec<(&'static str, String)>;

/// Runs the program to its end: whether it succeeded, and the one sentence it says.
async fn told(directory: &Path, arguments: &[&str], knobs: &Knobs) -> (bool, String) {
    let knobs: Vec<_> = knobs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::start("asked", directory, arguments, &knobs);
    let status = process.end_within(END_WITHIN).await;
    assert!(status.code().is_some(), "it was ended by a signal: {status}");
    let said = process.stdout() + &process.stderr();
    assert_eq!(said.trim().lines().count(), 1, "it is not one sentence: {said}");
    (status.success(), said)
}

/// A member room alone, and how it is asked how it is.
struct Room {
    process: Process,
    knobs: Knobs,
    directory: TempDir,
}

impl Room {
    fn start(more: Knobs) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more)
    }

    fn start_in(directory: TempDir, more: Knobs) -> Self {
        let mut knobs = more;
        // On every address, as in a container.
        knobs.push(("MOIM_ROOMS__MEMBER__LISTEN", format!("0.0.0.0:{}", free_port())));
        knobs.push(("MOIM_HOUSE__SECRET", SECRET.to_owned()));
        let all: Vec<_> = knobs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let process = Process::start("member", directory.path(), &["run", "member"], &all);
        Self { process, knobs, directory }
    }

    async fn is(&self, arguments: &[&str]) -> (bool, String) {
        told(self.directory.path(), &[&["healthy", "member"], arguments].concat(), &self.knobs)
            .await
    }

    async fn becomes(&self, arguments: &[&str], wanted: bool) -> String {
        eventually(async || {
            let (well, said) = self.is(arguments).await;
            if well == wanted { Ok(said) } else { Err(said) }
        })
        .await
    }
}

#[tokio::test]
async fn a_room_that_lost_its_database_lives_and_is_not_to_be_sent_work() {
    let Some(url) = database().await else { return };
    let target = url.split(['/', '@']).nth(3).unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let way = Proxy::open(listen, target.parse().unwrap()).await;
    let url = url.replacen(target, &way.address().to_string(), 1);
    let room = Room::start(vec![("MOIM_STORAGE__URL", url)]);
    assert_eq!(room.becomes(&[], true).await, "The member room is ready.\n");
    way.set(Mode::Refuse);
    let said = room.becomes(&[], false).await;
    assert!(said.starts_with("moim: ") && said.contains("its database does not answer"), "{said}");
    assert_eq!(room.is(&["--alive"]).await, (true, "The member room is alive.\n".to_owned()));
    way.set(Mode::Pass);
    room.becomes(&[], true).await;
}

#[tokio::test]
async fn a_room_that_shows_certificates_is_asked_with_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let papers =
        Authority::new().issue(&directory.path().join("papers"), &["member"], Life::long());
    let mut knobs: Knobs = papers.into();
    for room in ["GATHERING", "SCHEDULE", "PAYMENT", "REVIEW", "CHAT", "NOTIFICATION", "SEARCH"] {
        // It calls none of them, and still wants to know that they would show certificates.
        let knob: &'static str = format!("MOIM_ROOMS__{room}__ADDRESS").leak();
        knobs.push((knob, "https://127.0.0.1:1".to_owned()));
    }
    let mut room = Room::start_in(directory, knobs);
    room.becomes(&[], true).await;
    room.becomes(&["--alive"], true).await;
    room.knobs.retain(|(name, _)| !name.starts_with("MOIM_TLS__"));
    let (well, said) = room.is(&["--alive"]).await;
    assert!(!well && said.contains("the member room does not answer at 127.0.0.1:"), "{said}");
    assert!(room.process.ended().is_none());
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_not_well_and_one_that_is_not_there_neither() {
    let directory = tempfile::tempdir().unwrap();
    let listen = format!("0.0.0.0:{}", free_port());
    let knobs: Knobs = vec![("MOIM_BFF__LISTEN", listen.clone())];
    let ask = async |arguments: &[&str]| {
        told(directory.path(), &[&["healthy", "bff"], arguments].concat(), &knobs).await
    };
    let (well, said) = ask(&[]).await;
    assert!(!well && said.contains("the bff room does not answer at 127.0.0.1:"), "{said}");

    let arguments = ["--no-town", "--data", "data", "--listen", &listen];
    let process = Process::start("whole", directory.path(), &arguments, &[]);
    eventually(async || {
        let (well, said) = ask(&[]).await;
        if well { Ok(()) } else { Err(said) }
    })
    .await;
    assert_eq!(ask(&["--alive"]).await, (true, "The bff room is alive.\n".to_owned()));
    process.freeze();
    for arguments in [&["--alive"][..], &[]] {
        let (well, said) = ask(arguments).await;
        assert!(!well && said.contains("it took too long"), "{said}");
    }
    process.thaw();
}

#[tokio::test]
async fn who_calls_whom_is_told_as_json() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Process::start("wiring", directory.path(), &["wiring"], &[]);
    assert!(process.end_within(END_WITHIN).await.success(), "{}", process.stderr());
    let told: Value = serde_json::from_str(&process.stdout()).unwrap();
    let told: BTreeMap<&str, BTreeSet<&str>> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let callers = it["callers"].as_array().unwrap().iter();
            (it["room"].as_str().unwrap(), callers.map(|it| it.as_str().unwrap()).collect())
        })
        .collect();
    assert_eq!(told["bff"], BTreeSet::new());
    assert_eq!(told["search"], BTreeSet::from(["bff"]));
    assert_eq!(told["payment"], BTreeSet::from(["bff", "schedule", "notification"]));
    // All ask it about tokens.
    let others = told.keys().copied().filter(|room| *room != "member");
    assert_eq!(told["member"], others.collect::<BTreeSet<_>>());
}
