//! A real NATS server as a child process, which a test may stop, crash, start again and rob of its memory.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// A NATS server with JetStream; it ends and its files go when it is dropped.
pub struct Nats {
    port: u16,
    keeper: Option<Child>,
    directory: TempDir,
}

/// A shell that holds the server and ends it once our end of its standard input is gone, so that a test
/// process leaves nothing behind however it ends. Told a word, it ends it with that signal.
const KEEPER: &str = r#""$@" & server=$!
read -r signal || signal=KILL
kill -s "$signal" "$server"; wait "$server""#;

impl Nats {
    /// Starts one on a free port; `None`, said loudly, when NATS is not installed.
    #[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
    pub async fn start() -> Option<Self> {
        if program().is_none() {
            assert!(std::env::var("MOIM_TEST_ALL").is_err(), "nats-server is not installed");
            eprintln!("LEFT OUT: nats-server is not installed; this test did not run over NATS.");
            return None;
        }
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("moim-nats-").tempdir().unwrap();
        let mut server = Self { port, keeper: None, directory };
        server.start_again().await;
        Some(server)
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it once more, on the same port and with what is left of its files.
    pub async fn start_again(&mut self) {
        assert!(self.keeper.is_none(), "it still runs");
        let server = program().expect("nats-server was there before");
        let keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(server)
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream"])
            .arg("--store_dir")
            .arg(self.directory.path().join("store"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.keeper = Some(keeper.unwrap());
        for _ in 0..1_000 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("NATS did not start");
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(&mut self) {
        self.end("TERM");
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Takes away everything it remembers; it must not be running.
    pub fn wipe(&self) {
        assert!(self.keeper.is_none(), "it still runs");
        fs::remove_dir_all(self.directory.path().join("store")).unwrap();
    }

    fn end(&mut self, signal: &str) {
        use std::io::Write as _;
        let Some(mut keeper) = self.keeper.take() else { return };
        if let Some(mut input) = keeper.stdin.take() {
            let _ = writeln!(input, "{signal}");
        }
        let _ = keeper.wait();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

fn program() -> Option<PathBuf> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&places).collect();
    directories.push(Path::new("/usr/sbin").to_owned());
    directories.into_iter().map(|directory| directory.join("nats-server")).find(|it| it.exists())
}
