//! Where calls that only read are answered: from the replica when it is as far as the caller has seen, else from the
//! primary.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moim_kit::Call;
use moim_kit::metrics::{self, KeyValue};
use sqlx::postgres::PgPool;

use crate::args::Arg;
use crate::error::Error;
use crate::measured::Measured;
use crate::pool::Db;
use crate::query::{Row, Statement};
use crate::replica::{Replica, Why};

/// Chooses for each call of a room where it reads; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    room: &'static str,
    primary: Db,
    replica: Option<Arc<Replica>>,
    copied: &'static [&'static str],
}

impl Reads {
    pub(crate) fn new(
        room: &'static str,
        primary: Db,
        replica: Option<Arc<Replica>>,
        copied: &'static [&'static str],
    ) -> Self {
        Self { room, primary, replica, copied }
    }

    /// What a call reads, which shows everything that its caller has written or been answered. A call that may
    /// write decides by what is so now: it is shown the primary, whoever asks.
    pub async fn of(&self, call: &Call) -> View {
        let Some(replica) = self.replica.as_ref().filter(|_| call.only_reads()) else {
            return self.primary();
        };
        match replica.fit(call, self.copied).await {
            Ok(pool) => {
                if let Some(catalogue) = metrics::catalogue() {
                    catalogue.replica_reads.add(1, &[metrics::room(self.room)]);
                }
                let (room, replica, lost) = (self.room, replica.clone(), AtomicBool::new(false));
                let followed = Some(Followed { room, replica, pool, lost });
                View { primary: self.primary.clone(), followed }
            }
            Err(why) => {
                passed_over(self.room, why);
                self.primary()
            }
        }
    }

    /// What is so now: for whoever decides by it, or must miss nothing.
    pub fn primary(&self) -> View {
        View::primary(self.primary.clone())
    }
}

/// A room's database as one call reads it. There is no way to write through it.
#[derive(Debug)]
pub struct View {
    primary: Db,
    followed: Option<Followed>,
}

#[derive(Debug)]
struct Followed {
    room: &'static str,
    replica: Arc<Replica>,
    pool: PgPool,
    /// It failed: what is left to read is read from the primary.
    lost: AtomicBool,
}

impl Followed {
    /// The replica as a database like any other.
    fn db(&self) -> Db {
        Db::Postgres(self.pool.clone(), Measured::postgres(self.room))
    }
}

impl View {
    pub(crate) fn primary(primary: Db) -> Self {
        Self { primary, followed: None }
    }

    /// Rows of a query.
    pub async fn fetch_all<R: Row>(&self, sql: &str, args: Vec<Arg>) -> Result<Vec<R>, Error> {
        self.all(sql, Statement::new(sql, args)).await
    }

    /// Rows of a query with a list in the place of `{ids}`, numbered after the other values.
    pub async fn fetch_in<R: Row>(
        &self,
        sql: &str,
        args: Vec<Arg>,
        list: Vec<Arg>,
    ) -> Result<Vec<R>, Error> {
        if list.is_empty() {
            return Ok(Vec::new());
        }
        self.all(sql, Statement::with_list(sql, args, list)).await
    }

    /// The first row of a query, if there is one.
    pub async fn fetch_optional<R: Row>(
        &self,
        sql: &str,
        args: Vec<Arg>,
    ) -> Result<Option<R>, Error> {
        let statement = Statement::new(sql, args);
        if let Some(followed) = self.followed() {
            let db = followed.db();
            if let Some(row) = self.tried(followed, db.first(sql, statement.clone())).await {
                return Ok(row);
            }
        }
        self.primary.first(sql, statement).await
    }

    async fn all<R: Row>(&self, sql: &str, statement: Statement) -> Result<Vec<R>, Error> {
        if let Some(followed) = self.followed() {
            let db = followed.db();
            if let Some(rows) = self.tried(followed, db.all(sql, statement.clone())).await {
                return Ok(rows);
            }
        }
        self.primary.all(sql, statement).await
    }

    fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref().filter(|followed| !followed.lost.load(Ordering::Relaxed))
    }

    /// What the replica answers; nothing when it fails, or is given up while it is asked. Whatever a failure
    /// says, the primary is asked the same, and has the last word.
    async fn tried<T>(
        &self,
        followed: &Followed,
        read: impl Future<Output = Result<T, Error>>,
    ) -> Option<T> {
        match followed.pool.close_event().do_until(read).await {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => tracing::debug!(%error, "a read failed at the replica"),
            Err(_) => {}
        }
        followed.lost.store(true, Ordering::Relaxed);
        followed.replica.complain();
        passed_over(followed.room, Why::Failed);
        None
    }
}

fn passed_over(room: &'static str, why: Why) {
    if let Some(catalogue) = metrics::catalogue() {
        catalogue.primary_reads.add(1, &[metrics::room(room), KeyValue::new("why", why.word())]);
    }
}
