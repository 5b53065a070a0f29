//! One test's databases, house services and callers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::id::MemberId;
use moim_kit::serve::Room;
use moim_kit::shared::{Memory, Near, Shared};
use moim_kit::task::Tasks;
use moim_kit::token::Verifier;
use moim_kit::trace::Trace;
use moim_kit::wire::{self, Wire};
use moim_kit::{Base, Call, Clock};
use moim_storage::{Config, Ground};
use sqlx::migrate::Migrator;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::{Signer, database};

/// A fresh place to stand a room on; everything in it goes when it is dropped.
pub struct Bed {
    /// Where rooms of this test keep their data.
    pub storage: Config,
    /// The house's clock.
    pub clock: Clock,
    /// The house's tasks.
    pub tasks: Tasks,
    /// Trusts [`Bed::signer`].
    pub verifier: Arc<Verifier>,
    /// What replicas share.
    pub shared: Arc<dyn Shared>,
    /// Signs tokens.
    pub signer: Arc<Signer>,
    directory: TempDir,
}

impl Bed {
    /// On SQLite files in a temporary directory.
    pub fn sqlite() -> Self {
        Self::on(Config::default())
    }

    /// On a fresh PostgreSQL database, when there is a PostgreSQL.
    pub async fn postgres() -> Option<Self> {
        let url = database().await?;
        Some(Self::on(Config { url, ..Config::default() }))
    }

    fn on(storage: Config) -> Self {
        let clock = Clock::system();
        let signer = Arc::new(Signer::default());
        let verifier = Arc::new(Verifier::new(clock.clone()));
        verifier.set_source(signer.clone());
        let directory = tempfile::tempdir().unwrap();
        let shared = Arc::new(Memory::default());
        Self { storage, clock, tasks: Tasks::new(), verifier, shared, signer, directory }
    }

    /// Where SQLite files are.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// What all rooms of a process are built on.
    pub fn base(&self) -> Base {
        Base {
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            verifier: self.verifier.clone(),
            shared: self.shared.clone(),
            near: Arc::new(Near::over_memory(self.shared.clone())),
        }
    }

    /// What a room is built on. Asked twice, it is as two processes on one database.
    pub async fn ground(&self, room: &'static str, migrations: &'static Migrator) -> Ground {
        Ground::open(&self.storage, self.data(), room, migrations, self.base()).await.unwrap()
    }

    /// Puts a room behind a real socket and answers the wire to it.
    pub async fn serve(&self, room: &Room) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder().add_routes(room.routes.clone());
        let token = self.tasks.token();
        self.tasks.spawn("test server", async move {
            let stopped = token.cancelled_owned();
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        wire::remote(&address).unwrap()
    }

    /// A call by a signed-in member.
    pub fn call(&self, member: MemberId) -> Call {
        let (caller, token) = self.signer.token(member, self.clock.now());
        self.anonymous().by(caller, token)
    }

    /// A call by nobody.
    pub fn anonymous(&self) -> Call {
        Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}
