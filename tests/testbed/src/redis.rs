//! A real Redis as a child process that keeps nothing on disk.

use std::ffi::OsStr;

use tempfile::TempDir;

use crate::keeper::{Keeper, free_port, installed, listens};

/// A Redis in memory; it ends when it is dropped.
pub struct Redis {
    port: u16,
    // Ended before its directory goes.
    _keeper: Keeper,
    _directory: TempDir,
}

impl Redis {
    /// Starts one on a free port; `None`, said loudly, when Redis is not installed.
    pub async fn start() -> Option<Self> {
        let program = installed("redis-server")?;
        let directory = tempfile::Builder::new().prefix("moim-redis-").tempdir().unwrap();
        let port = free_port();
        let (number, place) = (port.to_string(), directory.path().as_os_str());
        let arguments =
            ["--bind", "127.0.0.1", "--port", &number, "--save", "", "--appendonly", "no"];
        let mut arguments = arguments.map(OsStr::new).to_vec();
        arguments.extend([OsStr::new("--dir"), place]);
        let keeper = Keeper::start(&program, &arguments);
        listens(port).await;
        Some(Self { port, _keeper: keeper, _directory: directory })
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
