//! The room of notes: its state, its writes, and a reader that copies notes of another such room.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::bus::{Entry, Fact, Log};
use moim_kit::task::Tasks;
use moim_kit::{Code, Fault};
use moim_storage::{Config, Copies, Ground, Handler, Reader, Row, Tx, args};
use moim_testbed::Bed;
use prost::Message;
use sqlx::migrate::Migrator;
use uuid::Uuid;

pub static MIGRATIONS: Migrator = sqlx::migrate!("tests/migrations");

/// The noun that is told and copied.
pub const NOTE: &str = "note";

const BUMP: &str = "
INSERT INTO note (id, sort_key, title, version) VALUES ($1, 0, $2, 1)
ON CONFLICT (id) DO UPDATE SET version = note.version + 1
RETURNING version";
const COPY: &str = "
INSERT INTO note_copy (id, title, version) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, version = excluded.version";
const HEARD: &str = "
INSERT INTO heard (place, event_id, note_id, version)
VALUES ((SELECT COUNT(*) FROM heard), $1, $2, $3)";
const EFFECT: &str = "
INSERT INTO effect (place, note_id, version)
VALUES ((SELECT COUNT(*) FROM effect), $1, $2)";

/// A process of the room, on a machine that may be busy with much else.
pub async fn stand(bed: &Bed) -> Ground {
    open(bed, &patient(bed)).await.unwrap()
}

/// Time enough for anything.
pub fn patient(bed: &Bed) -> Config {
    Config {
        acquire_timeout_ms: 60_000,
        lock_timeout_ms: 60_000,
        statement_timeout_ms: 60_000,
        ..bed.storage.clone()
    }
}

pub async fn open(bed: &Bed, storage: &Config) -> Result<Ground, Fault> {
    Ground::open(storage, bed.data(), "note", &MIGRATIONS, bed.base()).await
}

/// What is told of a note.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct State {
    #[prost(string, tag = "1")]
    pub title: String,
}

pub fn state(title: impl Into<String>) -> State {
    State { title: title.into() }
}

/// Makes a note or its next version, and tells it; answers the version.
pub async fn bump(tx: &mut Tx, id: Uuid, ground: &Ground) -> Result<i64, Fault> {
    let title = format!("note {id}");
    let row = tx.fetch_optional::<(i64,)>(BUMP, args![id, &title]).await?;
    let (version,) = row.unwrap();
    tx.tell(NOTE, id, version, &state(format!("{title} {version}")), "", ground.clock.now());
    Ok(version)
}

/// Begins as often as it takes: SQLite lets two processes write in turns, and a turn may be long in coming.
pub async fn begin(ground: &Ground) -> Tx {
    loop {
        match ground.outbox.begin().await.map_err(Fault::from) {
            Ok(tx) => return tx,
            Err(fault) if fault.code().is_retryable() => {}
            Err(fault) => panic!("{fault}"),
        }
    }
}

/// Copies notes; fails as often as it is told to when it meets the poisoned one.
#[derive(Default)]
pub struct Copier {
    pub poison: Mutex<Option<(Uuid, i64)>>,
    pub failures_left: AtomicU32,
    pub failed: AtomicU32,
    pub tells: bool,
    /// While set, no event can be heard.
    pub deaf: AtomicBool,
    /// The code of a failure; a defect when there is none.
    pub code: Mutex<Option<Code>>,
}

#[async_trait]
impl Handler for Copier {
    async fn apply(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let title = State::decode(fact.payload.clone()).map_err(Fault::internal)?.title;
        tx.execute(COPY, args![fact.aggregate, title.as_str(), fact.version]).await?;
        tx.execute(EFFECT, args![fact.aggregate, fact.version]).await?;
        if self.tells {
            tx.tell("echo", fact.aggregate, fact.version, &state(title), "", fact.at);
        }
        self.fail_if_poisoned(fact)
    }

    fn events(&self) -> &'static [&'static str] {
        &[NOTE]
    }

    async fn hear(&self, tx: &mut Tx, fact: &Fact) -> Result<(), Fault> {
        let args = args![fact.id, fact.aggregate, fact.version];
        tx.execute(HEARD, args).await?;
        if self.deaf.load(Ordering::SeqCst) {
            return Err(Fault::internal("deaf"));
        }
        Ok(())
    }
}

impl Copier {
    fn fail_if_poisoned(&self, fact: &Fact) -> Result<(), Fault> {
        let poisoned = *self.poison.lock().unwrap() == Some((fact.aggregate, fact.version));
        if poisoned && self.failures_left.load(Ordering::SeqCst) > 0 {
            self.failures_left.fetch_sub(1, Ordering::SeqCst);
            self.failed.fetch_add(1, Ordering::SeqCst);
            let code = self.code.lock().unwrap().unwrap_or(Code::Internal);
            return Err(Fault::new(code, "POISONED", "poisoned"));
        }
        Ok(())
    }
}

/// Follows a log with this handler; answers the copies it fills.
pub fn follow(ground: &Ground, log: Arc<dyn Log>, handler: Arc<Copier>, tasks: &Tasks) -> Copies {
    let copies = ground.copies(&[NOTE]);
    let outbox = ground.outbox.clone();
    Reader { source: NOTE, log, outbox, copies: copies.clone(), handler }.start(tasks);
    copies
}

/// The copies: id, title, version.
pub async fn copied(ground: &Ground) -> Vec<(Uuid, String, i64)> {
    let rows = "SELECT id, title, version FROM note_copy ORDER BY id";
    let rows: Vec<(String, String, i64)> = ground.db.fetch_all(rows, args![]).await.unwrap();
    rows.into_iter().map(|(id, title, version)| (id.parse().unwrap(), title, version)).collect()
}

/// Every effect, in order: id and version.
pub async fn effects(ground: &Ground) -> Vec<(Uuid, i64)> {
    let rows = "SELECT note_id, version FROM effect ORDER BY place";
    let rows: Vec<(String, i64)> = ground.db.fetch_all(rows, args![]).await.unwrap();
    rows.into_iter().map(|(id, version)| (id.parse().unwrap(), version)).collect()
}

/// The single number that a query answers.
pub async fn number(ground: &Ground, sql: &str) -> i64 {
    one::<(i64,)>(ground, sql).await.0
}

async fn one<R: Row>(ground: &Ground, sql: &str) -> R {
    ground.db.fetch_optional(sql, args![]).await.unwrap().unwrap()
}

/// Returns once the reader has gone as far as `position`.
pub async fn read_up_to(ground: &Ground, position: i64) {
    const SQL: &str = "SELECT COALESCE(MAX(position), 0) FROM inbox_position";
    until(async || number(ground, SQL).await >= position).await;
}

/// Everything a room has told so far, once it is at least `count` facts.
pub async fn told(ground: &Ground, count: usize) -> Vec<Entry> {
    until(async || ground.outbox.read(0, 10_000).await.unwrap().len() >= count).await;
    ground.outbox.read(0, 10_000).await.unwrap()
}

/// Asks again until it is so; fails when it never is.
pub async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    let asked = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it never came to be");
}
