//! A real Redis as a child process that keeps nothing on disk: started again, it is empty.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::keeper::{Keeper, free_port, installed, listens};

/// After which one that says nothing is taken to be frozen.
const SILENCE: Duration = Duration::from_millis(200);

/// A Redis in memory, which a test may kill, freeze, empty and start again; it ends when it is dropped.
pub struct Redis {
    program: PathBuf,
    port: u16,
    // Ended before its directory goes.
    keeper: Option<Keeper>,
    directory: TempDir,
}

impl Redis {
    /// Starts one on a free port; `None`, said loudly, when Redis is not installed.
    pub async fn start() -> Option<Self> {
        let mut server = Self::reserve()?;
        server.start_again().await;
        Some(server)
    }

    /// One that is yet to be started, at an address that is known already.
    pub fn reserve() -> Option<Self> {
        let program = installed("redis-server")?;
        let directory = tempfile::Builder::new().prefix("moim-redis-").tempdir().unwrap();
        Some(Self { program, port: free_port(), keeper: None, directory })
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it once more, on the same port and empty.
    pub async fn start_again(&mut self) {
        assert!(self.keeper.is_none(), "it still runs");
        let (number, place) = (self.port.to_string(), self.directory.path().as_os_str());
        let arguments =
            ["--bind", "127.0.0.1", "--port", &number, "--save", "", "--appendonly", "no"];
        let mut arguments = arguments.map(OsStr::new).to_vec();
        arguments.extend([OsStr::new("--dir"), place]);
        self.keeper = Some(Keeper::start(&self.program, &arguments));
        listens(self.port).await;
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        self.keeper.take().unwrap().end("KILL");
    }

    /// Stops it where it stands: connections stay open, and nothing answers.
    pub async fn freeze(&mut self) {
        self.keeper.as_mut().unwrap().send("STOP");
        while timeout(SILENCE, self.ask("PING")).await.is_ok() {}
    }

    /// Lets it go on.
    pub async fn thaw(&mut self) {
        self.keeper.as_mut().unwrap().send("CONT");
        while timeout(SILENCE, self.ask("PING")).await.is_err() {}
    }

    /// Takes away everything it knows while it runs.
    pub async fn flush(&self) {
        assert_eq!(self.ask("FLUSHALL").await, "+OK");
    }

    /// The first line of its answer to a command.
    pub async fn ask(&self, command: &str) -> String {
        let mut stream = self.send(command).await;
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        answer.trim_end().to_owned()
    }

    /// Its answer to a command that is answered with a text of many lines.
    pub async fn tell(&self, command: &str) -> String {
        let mut stream = self.send(command).await;
        let mut size = String::new();
        stream.read_line(&mut size).await.unwrap();
        let mut text = vec![0; size.trim_end().trim_start_matches('$').parse().unwrap()];
        stream.read_exact(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    }

    async fn send(&self, command: &str) -> BufReader<TcpStream> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        stream
    }
}
