//! A server as a child process that ends with its test, however the test ends.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

/// A shell that holds a server; dropped, it kills it.
pub(crate) struct Keeper(Option<Child>);

/// It ends the server once our end of its standard input is gone, so that a test process leaves nothing
/// behind even when it is killed. Told a word, it sends that signal, and goes on after those that end nothing.
const KEEPER: &str = r#""$@" & server=$!
while read -r signal || signal=KILL; do
    kill -s "$signal" "$server"
    case "$signal" in STOP | CONT) ;; *) break ;; esac
done
wait "$server""#;

impl Keeper {
    /// Starts a program with arguments.
    pub fn start(program: &Path, arguments: &[&OsStr]) -> Self {
        let child = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(Some(child.unwrap()))
    }

    /// Sends a signal that does not end the server: `STOP` or `CONT`.
    pub fn send(&mut self, signal: &str) {
        use std::io::Write as _;
        let input = self.0.as_mut().and_then(|keeper| keeper.stdin.as_mut());
        writeln!(input.unwrap(), "{signal}").unwrap();
    }

    /// Ends the server with a signal and waits for its end.
    pub fn end(&mut self, signal: &str) {
        use std::io::Write as _;
        let Some(mut keeper) = self.0.take() else { return };
        if let Some(mut input) = keeper.stdin.take() {
            let _ = writeln!(input, "{signal}");
        }
        let _ = keeper.wait();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end("KILL");
    }
}

/// Where a server's program is; `None`, said loudly, when it is not installed.
#[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&places).collect();
    directories.push(Path::new("/usr/sbin").to_owned());
    let found =
        directories.into_iter().map(|directory| directory.join(name)).find(|it| it.exists());
    if found.is_none() {
        assert!(std::env::var("MOIM_TEST_ALL").is_err(), "{name} is not installed");
        eprintln!("LEFT OUT: {name} is not installed; this test did not run with it.");
    }
    found
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens on a port.
pub(crate) async fn listens(port: u16) {
    for _ in 0..1_000 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody listens on {port}");
}
