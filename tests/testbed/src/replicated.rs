//! A PostgreSQL and a replica that streams from it, both child processes.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::cluster::Cluster;
use crate::postgres::fresh;

/// Enough log for a replica that was away, and quick to be back.
const SETTINGS: &[&str] =
    &["fsync=off", "wal_keep_size=512MB", "wal_retrieve_retry_interval=100ms", "hot_standby=on"];

/// A primary and its replica; dropped, both go.
pub struct Replicated {
    primary: Cluster,
    replica: Cluster,
    second: Option<Cluster>,
}

/// A primary with a streaming replica; `None`, said loudly, when there is no PostgreSQL on the machine.
pub async fn replicated() -> Option<Replicated> {
    let primary = Cluster::new(SETTINGS).await?;
    let replica = primary.standby(SETTINGS).await;
    Some(Replicated { primary, replica, second: None })
}

impl Replicated {
    /// A fresh, empty database: its URL at the primary and at the replica, which has it already.
    pub async fn database(&self) -> (String, String) {
        let (name, url) = fresh(&self.primary.base()).await;
        self.caught_up().await;
        (url, format!("{}/{name}", self.replica.base()))
    }

    /// Where the primary listens.
    pub fn primary_port(&self) -> u16 {
        self.primary.port()
    }

    /// Where the replica listens.
    pub fn replica_port(&self) -> u16 {
        self.replica.port()
    }

    /// The replica shows nothing new from here on, but goes on answering.
    pub async fn pause_replay(&self) {
        self.ask_replica("SELECT pg_wal_replay_pause()::text").await;
        for _ in 0..1_200 {
            if self.ask_replica("SELECT pg_get_wal_replay_pause_state()").await == "paused" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("replay did not pause");
    }

    /// The replica goes on from where it was paused.
    pub async fn resume_replay(&self) {
        self.ask_replica("SELECT pg_wal_replay_resume()::text").await;
    }

    /// Waits until the replica shows all that the primary has written by now.
    pub async fn caught_up(&self) {
        let now = self.ask_primary("SELECT pg_current_wal_lsn()::text").await;
        let there = format!("SELECT (pg_last_wal_replay_lsn() >= '{now}'::pg_lsn)::text");
        for _ in 0..2_400 {
            if self.ask_replica(&there).await == "true" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the replica did not catch up");
    }

    /// A second replica, which follows the primary whatever the first does; where it listens.
    pub async fn start_second(&mut self) -> u16 {
        self.second.insert(self.primary.standby(SETTINGS).await).port()
    }

    /// Makes the replica a primary of its own, on a timeline of its own.
    pub async fn promote_replica(&self) {
        assert_eq!(self.ask_replica("SELECT pg_promote()::text").await, "true");
    }

    /// Ends the replica as a crash would.
    pub fn kill_replica(&mut self) {
        self.replica.end("QUIT");
    }

    /// Starts the replica again, and waits until it answers.
    pub async fn start_replica(&mut self) {
        self.replica.start().await;
    }

    /// Ends the primary as a crash would.
    pub fn kill_primary(&mut self) {
        self.primary.end("QUIT");
    }

    /// Starts the primary again, and waits until it answers.
    pub async fn start_primary(&mut self) {
        self.primary.start().await;
    }

    /// Text that a question to the primary answers.
    pub async fn ask_primary(&self, sql: &str) -> String {
        ask(&self.primary, sql).await
    }

    /// Text that a question to the replica answers.
    pub async fn ask_replica(&self, sql: &str) -> String {
        ask(&self.replica, sql).await
    }
}

async fn ask(cluster: &Cluster, sql: &str) -> String {
    let url = format!("{}/postgres", cluster.base());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::query_scalar::<_, Option<String>>(sql)
        .fetch_one(&mut connection)
        .await
        .unwrap()
        .unwrap_or_default()
}
