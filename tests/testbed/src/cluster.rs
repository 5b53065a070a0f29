//! A PostgreSQL of this process: made anew or copied from another, and ended with it, however it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use crate::keeper::free_port;

/// One server and its directory; dropped, both go.
pub(crate) struct Cluster {
    port: u16,
    words: ChildStdin,
    ends: BufReader<ChildStdout>,
    _keeper: Child,
}

/// It ends the server and removes its directory once our end of its standard input is gone, so that a test process
/// leaves nothing behind however it ends. Told a signal it sends that and says when the server has ended; told to
/// start, it starts the server again.
const KEEPER: &str = r#"directory=$1; shift
"$@" >/dev/null 2>&1 & server=$!
while read -r word; do
    case "$word" in
    START) "$@" >/dev/null 2>&1 & server=$! ;;
    *) kill -s "$word" "$server"; wait "$server"; echo ended ;;
    esac
done
kill -s QUIT "$server" 2>/dev/null; wait "$server"; rm -rf "$directory""#;

impl Cluster {
    /// A new server with settings; `None`, said loudly, when there is no PostgreSQL on the machine.
    pub async fn new(settings: &[&str]) -> Option<Self> {
        Self::with_files(settings, &[]).await
    }

    /// The same with files of its own beside its data, which only it may read.
    pub async fn with_files(settings: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        let bin = installed()?;
        let directory = directory();
        let data = directory.join("data");
        let made = command(&bin.join("initdb"))
            .args(["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust"])
            .arg("--username=moim")
            .arg(&data)
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        for (name, content) in files {
            let file = data.join(name);
            fs::write(&file, content).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((uid, gid)) = owner() {
                chown(&file, Some(uid), Some(gid)).unwrap();
            }
        }
        Some(Self::start_in(&directory, settings).await)
    }

    /// A standby that streams from this server.
    pub async fn standby(&self, settings: &[&str]) -> Self {
        let bin = installed().unwrap();
        let directory = directory();
        let copied = command(&bin.join("pg_basebackup"))
            .args(["-h", "127.0.0.1", "-U", "moim", "-p", &self.port.to_string()])
            .args(["--checkpoint=fast", "--wal-method=stream", "--no-sync"])
            .args(["--write-recovery-conf", "-D"])
            .arg(directory.join("data"))
            .status();
        assert!(copied.unwrap().success(), "pg_basebackup failed");
        Self::start_in(&directory, settings).await
    }

    async fn start_in(directory: &Path, settings: &[&str]) -> Self {
        let port = free_port();
        let mut shell = command(Path::new("/bin/sh"));
        shell.args(["-c", KEEPER, "keeper"]).arg(directory);
        shell.arg(installed().unwrap().join("postgres")).arg("-D");
        shell.arg(directory.join("data"));
        let always = ["listen_addresses=127.0.0.1", "max_connections=400"];
        for setting in always.iter().chain(settings) {
            shell.args(["-c", setting]);
        }
        shell.args(["-c", "unix_socket_directories=", "-c", &format!("port={port}")]);
        let mut keeper = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let words = keeper.stdin.take().unwrap();
        let ends = BufReader::new(keeper.stdout.take().unwrap());
        let cluster = Self { port, words, ends, _keeper: keeper };
        cluster.answers().await;
        cluster
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How its databases are reached: the URL before a database's name.
    pub fn base(&self) -> String {
        format!("postgres://moim@127.0.0.1:{}", self.port)
    }

    /// Waits until it answers.
    pub async fn answers(&self) {
        let url = format!("{}/postgres", self.base());
        for _ in 0..1_200 {
            if PgConnection::connect(&url).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL did not start");
    }

    /// Ends the server by a signal, `INT` in order and `QUIT` as a crash would, and waits for its end.
    pub fn end(&mut self, signal: &str) {
        writeln!(self.words, "{signal}").unwrap();
        let mut ended = String::new();
        self.ends.read_line(&mut ended).unwrap();
        assert_eq!(ended.trim_end(), "ended");
    }

    /// Starts the server again after its end.
    pub async fn start(&mut self) {
        writeln!(self.words, "START").unwrap();
        self.answers().await;
    }
}

/// A directory of the server's own, which its keeper removes.
fn directory() -> PathBuf {
    let made = tempfile::Builder::new().prefix("moim-postgres-").tempdir().unwrap().keep();
    if let Some((uid, gid)) = owner() {
        chown(&made, Some(uid), Some(gid)).unwrap();
    }
    made
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

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = owner() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Where PostgreSQL's programs are; `None`, said loudly, when there are none.
#[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
fn installed() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    versions.sort();
    let newest = versions.pop();
    if newest.is_none() {
        assert!(std::env::var("MOIM_TEST_ALL").is_err(), "PostgreSQL is not installed");
        eprintln!("LEFT OUT: PostgreSQL is not installed; this test ran on SQLite only.");
    }
    newest
}
