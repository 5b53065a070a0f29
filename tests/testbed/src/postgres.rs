//! A real PostgreSQL: the one named by `MOIM_TEST_POSTGRES`, or a child process in a temporary directory.

use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::cluster::Cluster;

/// URL of a fresh, empty database; `None`, said loudly, when there is no PostgreSQL on the machine.
pub async fn database() -> Option<String> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
    let server = SERVER.get_or_init(Server::shared).await.as_ref()?;
    Some(fresh(&server.base).await.1)
}

/// The same on a server of this process alone, whose commits are on the disk before they are answered, as
/// they are where people's data is; for measuring.
pub async fn durable_database() -> Option<String> {
    static SERVER: OnceCell<Option<Server>> = OnceCell::const_new();
    let start = || Server::start(&["fsync=on"]);
    let server = SERVER.get_or_init(start).await.as_ref()?;
    Some(fresh(&server.base).await.1)
}

/// Name and URL of a new database.
pub(crate) async fn fresh(base: &str) -> (String, String) {
    let name = format!("test_{}", Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&format!("{base}/postgres")).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let url = format!("{base}/{name}");
    (name, url)
}

struct Server {
    base: String,
    _running: Option<Cluster>,
}

impl Server {
    #[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
    async fn shared() -> Option<Self> {
        match std::env::var("MOIM_TEST_POSTGRES") {
            Ok(base) => Some(Self { base, _running: None }),
            Err(_) => Self::start(&["fsync=off"]).await,
        }
    }

    async fn start(settings: &[&str]) -> Option<Self> {
        let cluster = Cluster::new(settings).await?;
        Some(Self { base: cluster.base(), _running: Some(cluster) })
    }
}
