//! Starting and stopping: what the program says, what it refuses, and what it keeps.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moim_e2e::{Client, Person, Process, Value, free_port, json};
use tempfile::TempDir;

const END_WITHIN: Duration = Duration::from_secs(15);
const START_WITHIN: Duration = Duration::from_secs(60);
const SECRET: &str = "the rooms of this house";
const CHEAP: [(&str, &str); 2] =
    [("MOIM_MEMBER__HASHING_MEMORY_KIB", "64"), ("MOIM_MEMBER__HASHING_PASSES", "1")];

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Runs the program to its end: whether it succeeded, its output and its complaints.
    async fn run(&self, arguments: &[&str], knobs: &[(&str, &str)]) -> (bool, String, String) {
        let mut process = Process::start("moim", self.path(), arguments, knobs);
        let status = process.end_within(END_WITHIN).await;
        assert!(status.code().is_some(), "it was ended by a signal: {status}");
        (status.success(), process.stdout(), process.stderr())
    }

    /// Starts every room without a town; the second start finds what the first left.
    async fn start(&self, name: &str) -> (Process, Client) {
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = ["--no-town", "--data", "data", "--listen", &address];
        let mut process = Process::start(name, self.path(), &arguments, &CHEAP);
        let url = format!("http://{address}");
        process.ready_at(&url, START_WITHIN).await;
        (process, Client::new(url))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[tokio::test]
async fn it_says_what_it_can_do() {
    let place = Place::new();
    let (good, said, _) = place.run(&["--help"], &[]).await;
    assert!(good);
    for word in [
        "run",
        "migrate",
        "healthy",
        "wiring",
        "schema",
        "config",
        "search",
        "town",
        "--data",
        "--listen",
        "--no-town",
        "--config",
    ] {
        assert!(said.contains(word), "{word} is not in\n{said}");
    }
    let (good, said, _) = place.run(&["run", "--help"], &[]).await;
    assert!(good);
    let rooms = "member gathering schedule payment review chat notification search bff";
    for room in rooms.split(' ') {
        assert!(said.contains(room), "{room} is not in\n{said}");
    }
    let (good, said, _) = place.run(&["--version"], &[]).await;
    assert!(good && said.starts_with("moim "), "{said}");
}

#[tokio::test]
async fn databases_are_migrated_as_a_step_of_its_own() {
    let place = Place::new();
    for _ in 0..2 {
        let (good, said, complaints) = place.run(&["--data", "data", "migrate"], &[]).await;
        assert!(good, "{complaints}");
        assert!(said.contains("The database of the schedule room is up to date."), "{said}");
    }
    assert!(place.path().join("data/schedule.db").exists());
    let (good, _, complaints) = place.run(&["--data", "data", "migrate", "search"], &[]).await;
    assert!(!good && complaints.contains("the search room has no database"), "{complaints}");
}

#[tokio::test]
async fn it_prints_the_schema_that_stands_in_the_repository() {
    let (good, said, complaints) = Place::new().run(&["schema"], &[]).await;
    assert!(good, "{complaints}");
    let exported = std::fs::read_to_string(repository().join("schema.graphql")).unwrap();
    assert!(said == exported, "schema.graphql is not what `moim schema` prints");
}

#[tokio::test]
async fn it_prints_its_configuration_with_secrets_covered() {
    let place = Place::new();
    let knobs = [
        ("MOIM_HOUSE__SECRET", SECRET),
        ("MOIM_STORAGE__URL", "postgres://moim:hunter2@db.example/moim"),
        ("MOIM_TELEMETRY__OTLP_URL", "http://moim:hunter2@collector.example:4317"),
        ("MOIM_SCHEDULE__CALENDAR_KEY", "a key for calendars"),
        ("MOIM_BFF__LISTEN", "127.0.0.1:4321"),
    ];
    let (good, said, complaints) = place.run(&["config"], &knobs).await;
    assert!(good, "{complaints}");
    let config: toml::Table = said.parse().unwrap();
    assert_eq!(config["bff"]["listen"].as_str(), Some("127.0.0.1:4321"));
    assert!(said.contains("db.example"));
    for secret in [SECRET, "hunter2", "a key for calendars"] {
        assert!(!said.contains(secret), "`{secret}` is shown in\n{said}");
    }

    // The defaults as printed are a configuration file that changes nothing.
    let (_, defaults, _) = place.run(&["config"], &[]).await;
    place.write("moim.toml", &defaults);
    let (good, again, complaints) = place.run(&["config", "--config", "moim.toml"], &[]).await;
    assert!(good, "{complaints}");
    assert_eq!(again, defaults);
}

#[tokio::test]
async fn whatever_it_cannot_start_with_it_says_in_one_sentence() {
    let place = Place::new();
    place.write("broken.toml", "[bff\nlisten = ");
    place.write("unknown.toml", "[bff]\nlisten_at = \"127.0.0.1:4000\"\n");
    place.write("stranger.toml", "[kitchen]\nknives = 3\n");
    place.write("kind.toml", "[house]\ntown = \"perhaps\"\n");
    place.write("address.toml", "[bff]\nlisten = \"here\"\n");
    place.write("file", "not a directory");
    std::fs::create_dir(place.path().join("spoilt")).unwrap();
    place.write("spoilt/member.db", &"not a database ".repeat(500));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let free = format!("127.0.0.1:{}", free_port());
    let database = format!("postgres://moim@127.0.0.1:{}/moim", free_port());

    type Knobs<'a> = &'a [(&'a str, &'a str)];
    let starts: &[(&[&str], Knobs, &str)] = &[
        (&["--config", "nowhere.toml"], &[], "nowhere.toml"),
        (&["--config", "broken.toml"], &[], "configuration"),
        (&["--config", "unknown.toml"], &[], "listen_at"),
        (&["--config", "stranger.toml"], &[], "kitchen"),
        (&["--config", "kind.toml"], &[], "town"),
        (&["--config", "address.toml"], &[], "listen"),
        (&["config", "--config", "broken.toml"], &[], "configuration"),
        (&[], &[("MOIM_BFF__LISTEN_AT", "127.0.0.1:4000")], "listen_at"),
        (&[], &[("MOIM_BFF__DEPTH", "deep")], "depth"),
        (&[], &[("MOIM_BFF__PROFILE", "baroque")], "profile"),
        (&[], &[("MOIM_BFF__PUBLIC_URL", "here")], "public_url"),
        (&[], &[("MOIM_TELEMETRY__FILTER", "info=nonsense=x")], "filter"),
        (&[], &[("MOIM_TELEMETRY__OTLP_URL", "collector:4317")], "telemetry.otlp_url"),
        (&[], &[("MOIM_MEMBER__HASHING_THREADS", "0")], "hashing_threads"),
        (&[], &[("MOIM_MEMBER__SIGNING_KEY_FILE", "nowhere.pem")], "nowhere.pem"),
        (&[], &[("MOIM_SCHEDULE__CALENDAR_KEY", "short")], "16"),
        (&[], &[("MOIM_STORAGE__URL", "kitchen://table")], "storage.url"),
        (&[], &[("MOIM_STORAGE__URL", &database)], "member"),
        (&["--data", "file"], &[], "member"),
        (&["--data", "spoilt"], &[], "member"),
        (&["--listen", &taken], &[], &taken),
        (&["run", "member"], &[], "secret"),
        (&["run", "member"], &[("MOIM_HOUSE__SECRET", "short")], "secret"),
        (
            &["run", "bff"],
            &[
                ("MOIM_HOUSE__SECRET", SECRET),
                ("MOIM_HOUSE__PATIENCE_MS", "500"),
                ("MOIM_ROOMS__MEMBER__ADDRESS", &nobody),
            ],
            "member",
        ),
        (
            &["run", "bff"],
            &[("MOIM_HOUSE__SECRET", SECRET), ("MOIM_ROOMS__MEMBER__ADDRESS", "next door")],
            "rooms.member.address",
        ),
        (
            &["run", "member"],
            &[("MOIM_HOUSE__SECRET", SECRET), ("MOIM_ROOMS__MEMBER__LISTEN", &taken)],
            &taken,
        ),
    ];
    let mut breaches = Vec::new();
    for (arguments, knobs, named) in starts {
        let mut all = arguments.to_vec();
        all.push("--no-town");
        for pair in [["--listen", &free], ["--data", "data"]] {
            if !arguments.contains(&pair[0]) {
                all.extend(pair);
            }
        }
        let (good, _, complaints) = place.run(&all, knobs).await;
        let wrong = [
            (good, "it started and ended well"),
            (complaints.trim().lines().count() != 1, "it is not one sentence"),
            (!complaints.starts_with("moim: "), "it does not say who speaks"),
            (
                !complaints.to_lowercase().contains(&named.to_lowercase()),
                "what is wrong is not named",
            ),
            (complaints.contains("panicked"), "it panicked"),
        ];
        for (_, what) in wrong.iter().filter(|(is_so, _)| *is_so) {
            breaches.push(format!("{what}: {arguments:?} {knobs:?} ({named}):\n{complaints}"));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_explained() {
    let place = Place::new();
    for (arguments, named) in [
        (["--listen", "here"], "here"),
        (["run", "kitchen"], "kitchen"),
        (["cook", "dinner"], "cook"),
    ] {
        let (good, said, complaints) = place.run(&arguments, &[]).await;
        assert!(!good && said.is_empty(), "{said}");
        assert!(complaints.contains(named) && complaints.contains("--help"), "{complaints}");
        assert!(!complaints.contains("panicked"), "{complaints}");
    }
}

async fn inhabit(client: &Client) -> (Person, String) {
    let host = Person::sign_up(client, "host", "host@example.com").await;
    let gathering = host.create_gathering(json!({ "title": "남을 모임" })).await;
    (host, gathering)
}

async fn title(client: &Client, gathering: &str) -> Value {
    let ask = "query($id: ID!) { node(id: $id) { ... on Gathering { title } } }";
    client.data(ask, json!({ "id": gathering })).await["node"]["title"].clone()
}

#[tokio::test]
async fn ctrl_c_and_a_supervisor_end_it_cleanly_and_the_next_start_finds_everything() {
    let place = Place::new();
    let (mut process, client) = place.start("first").await;
    let (host, gathering) = inhabit(&client).await;
    // Somebody holds a connection open and says nothing.
    let idle = tokio::net::TcpStream::connect(client.url().strip_prefix("http://").unwrap()).await;
    let socket = client.url().replace("http:", "ws:") + "/graphql";
    let socket = tokio_tungstenite::connect_async(socket).await.map(|(socket, _)| socket);
    process.interrupt();
    let status = process.end_within(END_WITHIN).await;
    assert_eq!(status.code(), Some(0), "{}", process.stderr());
    assert!(!process.stderr().contains("panicked"), "{}", process.stderr());
    drop((idle, socket));

    let (mut process, client) = place.start("second").await;
    assert_eq!(title(&client, &gathering).await, "남을 모임");
    let host = host.through(&client);
    let host = host.log_in().await;
    host.data("{ viewer { email } }", json!({})).await;
    process.terminate();
    assert_eq!(process.end_within(END_WITHIN).await.code(), Some(0), "{}", process.stderr());
}

#[tokio::test]
async fn an_operator_is_told_how_a_query_is_understood() {
    let place = Place::new();
    let explain = ["search", "explain", "남을모임", "--data", "data"];
    let (good, _, complaints) = place.run(&explain, &[]).await;
    assert!(!good && complaints.contains("there is no index"), "{complaints}");
    let (_process, client) = place.start("first").await;
    inhabit(&client).await;
    moim_e2e::eventually(async || {
        let (good, said, complaints) = place.run(&explain, &[]).await;
        if good && said.contains("남을 모임") { Ok(()) } else { Err((said, complaints)) }
    })
    .await;
}

#[tokio::test]
async fn what_was_answered_outlives_a_crash() {
    let place = Place::new();
    let (mut process, client) = place.start("first").await;
    let (host, gathering) = inhabit(&client).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    process.kill();

    let (_process, client) = place.start("second").await;
    assert_eq!(title(&client, &gathering).await, "남을 모임");
    // The session survives too: the key that signs tokens is kept.
    let host = host.through(&client);
    assert_eq!(host.attend(&schedule).await["state"], "GOING");
}

#[tokio::test]
async fn a_room_that_is_asked_to_stop_while_it_waits_for_others_stops() {
    let place = Place::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let knobs = [
        ("MOIM_HOUSE__SECRET", SECRET),
        ("MOIM_HOUSE__PATIENCE_MS", "600000"),
        ("MOIM_ROOMS__MEMBER__LISTEN", listen.as_str()),
        ("MOIM_ROOMS__GATHERING__ADDRESS", nobody.as_str()),
    ];
    let mut process = Process::start("member", place.path(), &["run", "member"], &knobs);
    // It listens once it is past its own start.
    moim_e2e::eventually(async || tokio::net::TcpStream::connect(&listen).await).await;
    process.interrupt();
    assert_eq!(process.end_within(END_WITHIN).await.code(), Some(0), "{}", process.stderr());
}
