//! A real PostgreSQL: the one named by `MOIM_TEST_POSTGRES`, or a child process in a temporary directory.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// URL of a fresh, empty database; `None`, said loudly, when there is no PostgreSQL on the machine.
pub async fn database() -> Option<String> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
    fresh(SERVER.get_or_init(Server::shared).await.as_ref()?).await
}

/// The same on a server of this process alone, whose commits are on the disk before they are answered, as
/// they are where people's data is; for measuring.
pub async fn durable_database() -> Option<String> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
    let start = || Server::start(Durability::Kept);
    fresh(SERVER.get_or_init(start).await.as_ref()?).await
}

async fn fresh(server: &Server) -> Option<String> {
    let name = format!("test_{}", Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    Some(server.url(&name))
}

/// Whether a commit survives the machine.
#[derive(Clone, Copy)]
enum Durability {
    Kept,
    Waived,
}

impl Durability {
    fn setting(self) -> &'static str {
        match self {
            Self::Kept => "fsync=on",
            Self::Waived => "fsync=off",
        }
    }
}

struct Server {
    base: String,
    _running: Option<Running>,
}

/// A shell that holds the server: it ends the server and removes its directory once our end of its
/// standard input is gone, so that a test process leaves nothing behind however it ends.
struct Running {
    _keeper: Child,
}

const KEEPER: &str = r#"directory=$1; shift; "$@" & server=$!
cat >/dev/null
kill -INT "$server"; wait "$server"; rm -rf "$directory""#;

impl Server {
    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    #[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
    async fn shared() -> Option<Self> {
        match std::env::var("MOIM_TEST_POSTGRES") {
            Ok(base) => Some(Self { base, _running: None }),
            Err(_) => Self::start(Durability::Waived).await,
        }
    }

    #[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
    async fn start(durability: Durability) -> Option<Self> {
        let Some(bin) = binaries() else {
            assert!(std::env::var("MOIM_TEST_ALL").is_err(), "PostgreSQL is not installed");
            eprintln!("LEFT OUT: PostgreSQL is not installed; this test ran on SQLite only.");
            return None;
        };
        let directory = tempfile::Builder::new().prefix("moim-postgres-").tempdir().unwrap().keep();
        let data = directory.join("data");
        let owner = owner();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        let made = command(&bin.join("initdb"), owner)
            .args([
                "--no-sync",
                "--no-locale",
                "--encoding=UTF8",
                "--auth=trust",
                "--username=moim",
            ])
            .arg(&data)
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let keeper = command(Path::new("/bin/sh"), owner)
            .args(["-c", KEEPER, "keeper"])
            .arg(&directory)
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", durability.setting()])
            .args(["-c", "max_connections=400", "-c", "unix_socket_directories="])
            .args(["-c", &format!("port={port}")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let running = Running { _keeper: keeper };
        let server =
            Self { base: format!("postgres://moim@127.0.0.1:{port}"), _running: Some(running) };
        for _ in 0..600 {
            if PgConnection::connect(&server.url("postgres")).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL did not start");
    }
}

/// PostgreSQL refuses to run as root; Debian's package brings a user for it.
fn owner() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    let root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let ids = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    root.then_some(ids)
}

fn command(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    versions.sort();
    versions.pop()
}
