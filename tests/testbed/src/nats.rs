//! A real NATS server as a child process, which a test may stop, crash, start again and rob of its memory.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::keeper::{Keeper, free_port, installed, listens};

/// A NATS server with JetStream; it ends and its files go when it is dropped.
pub struct Nats {
    program: PathBuf,
    port: u16,
    keeper: Option<Keeper>,
    directory: TempDir,
}

impl Nats {
    /// Starts one on a free port; `None`, said loudly, when NATS is not installed.
    pub async fn start() -> Option<Self> {
        let program = installed("nats-server")?;
        let directory = tempfile::Builder::new().prefix("moim-nats-").tempdir().unwrap();
        let mut server = Self { program, port: free_port(), keeper: None, directory };
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
        let (port, store) = (self.port.to_string(), self.directory.path().join("store"));
        let arguments = ["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir"];
        let mut arguments = arguments.map(OsStr::new).to_vec();
        arguments.push(store.as_os_str());
        self.keeper = Some(Keeper::start(&self.program, &arguments));
        listens(self.port).await;
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
        if let Some(mut keeper) = self.keeper.take() {
            keeper.end(signal);
        }
    }
}
