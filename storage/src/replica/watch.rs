//! Following one replica: where it is, whether it may be read from, and saying so once when that changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tokio::time::{Instant, sleep, timeout};

use super::place::Place;
use super::{Replica, Why};
use crate::measured::Measured;

/// What the name of a server is: a name that leads to several shows different ones.
macro_rules! server {
    () => {
        "COALESCE(host(inet_server_addr()), '') || ' ' || COALESCE(inet_server_port(), 0) || ' ' ||
         CAST(pg_postmaster_start_time() AS TEXT)"
    };
}
const SERVER: &str = concat!("SELECT ", server!());
const LOOK: &str = concat!(
    "SELECT pg_is_in_recovery(), CAST(COALESCE(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0) AS BIGINT),
        (SELECT COALESCE(MAX(id), 0) FROM timeline), ",
    server!()
);

/// How often the replica is looked at while nobody waits for it, and while somebody does.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOK_AGAIN: Duration = Duration::from_millis(4);
/// A replica that takes longer to say where it is has nothing to read from.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);
const RETRY: Duration = Duration::from_millis(500);

/// What a look at the replica shows.
struct Look {
    follows: bool,
    place: Place,
    server: String,
}

impl Replica {
    /// Follows the replica for as long as the house stands.
    pub(super) async fn follow(self: Arc<Self>) {
        let options = self.options.clone();
        loop {
            let why = match timeout(CONNECTS_WITHIN, options.connect()).await {
                Ok(Ok(connection)) => self.look_on(connection).await,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no connection in time".to_owned(),
            };
            self.pass_over(Why::Down, Some(why));
            sleep(RETRY).await;
        }
    }

    /// Looks again and again; answers why that ended.
    async fn look_on(&self, mut connection: PgConnection) -> String {
        let mut server = None;
        loop {
            let look = match timeout(ANSWERS_WITHIN, look(&mut connection)).await {
                Ok(Ok(look)) => look,
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "no answer in time".to_owned(),
            };
            let server = server.get_or_insert_with(|| look.server.clone());
            if *server != look.server {
                // Something between here and there changed to another one.
                return "another server answers".to_owned();
            }
            self.judge(look);
            let many = self.waiting.load(Ordering::Acquire);
            let pause = if many > 0 { LOOK_AGAIN } else { LOOK_EVERY };
            if timeout(pause, self.demand.notified()).await.is_ok() && many > 0 {
                sleep(LOOK_AGAIN).await;
            }
        }
    }

    fn judge(&self, look: Look) {
        let Look { follows, place, server } = look;
        if !follows {
            return self.pass_over(Why::Promoted, None);
        }
        let as_of = {
            let mut depth = self.depth.lock();
            depth.looked = Some((Instant::now(), place));
            if depth.diverged {
                drop(depth);
                return self.pass_over(Why::Diverged, None);
            }
            depth.soundings.reached(place)
        };
        let young = |as_of: Instant| as_of.elapsed() <= self.max_lag;
        if !as_of.is_some_and(young) {
            return self.pass_over(Why::Behind, None);
        }
        self.state.send_modify(|state| {
            state.place = place;
            if let Err(why) = state.pool {
                tracing::info!(room = self.room, was = why.word(), "the replica is read from");
                state.pool = Ok(self.pool(server));
            }
        });
    }

    /// Reads go to the primary from now on.
    fn pass_over(&self, why: Why, error: Option<String>) {
        self.state.send_if_modified(|state| {
            let before = std::mem::replace(&mut state.pool, Err(why));
            if before.as_ref().err() == Some(&why) {
                return false;
            }
            let error = error.unwrap_or_default();
            tracing::warn!(
                room = self.room,
                why = why.word(),
                error,
                "the replica is not read from; the primary is"
            );
            if let Ok(pool) = before {
                // What is under way there ends at once; the future itself only says farewell.
                drop(pool.close());
            }
            true
        });
    }

    /// Connections to this very server: its place says nothing of another's.
    fn pool(&self, server: String) -> PgPool {
        let pool = PgPoolOptions::new()
            .max_connections(self.max_connections)
            .acquire_timeout(self.acquire_timeout)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let server = server.clone();
                Box::pin(async move {
                    let reached = sqlx::query_scalar::<_, String>(SERVER);
                    if reached.fetch_one(connection).await? == server {
                        return Ok(());
                    }
                    let told = "storage.replica_url leads to more than one server";
                    Err(sqlx::Error::Protocol(told.to_owned()))
                })
            })
            .connect_lazy_with(self.options.clone());
        Measured::postgres(self.room).connections(&pool);
        pool
    }
}

async fn look(connection: &mut PgConnection) -> Result<Look, sqlx::Error> {
    let (follows, lsn, timeline, server) =
        sqlx::query_as::<_, (bool, i64, i64, String)>(LOOK).fetch_one(connection).await?;
    let timeline = u32::try_from(timeline).unwrap_or_default();
    let lsn = u64::try_from(lsn).unwrap_or_default();
    Ok(Look { follows, place: Place { timeline, lsn }, server })
}
