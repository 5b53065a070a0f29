//! Where calls that only read are answered: from the replica when it is as far as the caller has seen.

use std::sync::Arc;
use std::time::Duration;

use moim_kit::Call;
use moim_kit::id::MemberId;
use moim_kit::seen::{Mark, Position, Seen};
use moim_storage::{Config, Ground, Reads, View, args};
use moim_testbed::{Bed, Mode, Proxy, Replicated, ScriptedLog, replicated};
use uuid::Uuid;

use crate::note::{NOTE, begin, bump, copied, follow, open, patient, state, until};

/// A room on a primary and its replica, which is read from by now.
struct Stage {
    pair: Replicated,
    bed: Bed,
    ground: Ground,
    reads: Reads,
    way: Proxy,
}

async fn stage(change: impl Fn(&mut Config)) -> Option<Stage> {
    let pair = replicated().await?;
    let (url, replica_url) = pair.database().await;
    let mut bed = Bed::sqlite();
    let way = Proxy::open(address(0), address(pair.replica_port())).await;
    let replica_url = at_port(&replica_url, pair.replica_port(), way.address().port());
    bed.storage = Config { url, replica_url, replica_wait_ms: 200, ..patient(&bed) };
    change(&mut bed.storage);
    let ground = open(&bed, &bed.storage).await.unwrap();
    let reads = ground.reads(&[NOTE]);
    let stage = Stage { pair, bed, ground, reads, way };
    stage.well().await;
    Some(stage)
}

/// The same URL, but for the port.
fn at_port(url: &str, port: u16, other: u16) -> String {
    url.replace(&format!(":{port}/"), &format!(":{other}/"))
}

fn address(port: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], port).into()
}

impl Stage {
    /// A reading call of somebody who has seen this.
    fn call(&self, seen: Seen) -> Call {
        self.bed.call(MemberId::fresh()).only_reading().having_seen(seen)
    }

    /// The same of somebody who has seen nothing.
    fn stranger(&self) -> Call {
        self.call(Seen::default())
    }

    /// The same of somebody who was answered just now by a call that may have written.
    async fn writer(&self) -> Call {
        self.call(position(self.ground.open_gate().position().await.unwrap()))
    }

    async fn is_replica(&self, call: &Call) -> bool {
        follows(&self.reads.of(call).await).await
    }

    /// Waits until the replica is read from.
    async fn well(&self) {
        until(async || self.is_replica(&self.stranger()).await).await;
    }

    async fn unwell(&self) {
        until(async || !self.is_replica(&self.stranger()).await).await;
    }

    async fn write(&self, note: Uuid) {
        let mut tx = begin(&self.ground).await;
        bump(&mut tx, note, &self.ground).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn position(at: Position) -> Seen {
    let mut seen = Seen::default();
    seen.reach(at);
    seen
}

fn marked(marks: impl IntoIterator<Item = Mark>) -> Seen {
    let mut seen = Seen::default();
    seen.merge(marks);
    seen
}

/// Asks the server that a view reads from what it is.
async fn follows(view: &View) -> bool {
    let row = view.fetch_optional::<(bool,)>("SELECT pg_is_in_recovery()", args![]).await;
    row.unwrap().unwrap().0
}

/// How many notes a view shows.
async fn notes(view: &View) -> i64 {
    let row = view.fetch_optional::<(i64,)>("SELECT COUNT(*) FROM note", args![]).await;
    row.unwrap().unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wrote_is_shown_it_and_others_read_the_replica() {
    let Some(stage) = stage(|_| {}).await else { return };
    stage.pair.pause_replay().await;
    stage.write(Uuid::now_v7()).await;

    let (writer, stranger) = (stage.writer().await, stage.stranger());
    let own = stage.reads.of(&writer).await;
    assert_eq!((follows(&own).await, notes(&own).await), (false, 1));
    let others = stage.reads.of(&stranger).await;
    assert_eq!((follows(&others).await, notes(&others).await), (true, 0));

    stage.pair.resume_replay().await;
    until(async || stage.is_replica(&writer).await).await;
    assert_eq!(notes(&stage.reads.of(&writer).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_nearly_there_is_waited_for() {
    let Some(stage) = stage(|storage| storage.replica_wait_ms = 60_000).await else { return };
    for round in 1..=20 {
        stage.write(Uuid::now_v7()).await;
        let view = stage.reads.of(&stage.writer().await).await;
        assert_eq!((follows(&view).await, notes(&view).await), (true, round));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_in_vain_do_not_add_up() {
    let Some(stage) = stage(|storage| storage.replica_wait_ms = 1_000).await else { return };
    stage.pair.pause_replay().await;
    stage.write(Uuid::now_v7()).await;
    let writer = stage.writer().await;
    let reads = async {
        for _ in 0..200 {
            assert!(!stage.is_replica(&writer).await);
        }
    };
    tokio::time::timeout(Duration::from_secs(100), reads).await.expect("each read waited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_a_copy_reads_where_it_has_arrived() {
    let Some(stage) = stage(|_| {}).await else { return };
    let (log, note) = (ScriptedLog::new(), Uuid::now_v7());
    follow(&stage.ground, log.clone(), Arc::default(), &stage.bed.tasks);
    stage.pair.pause_replay().await;
    log.push(NOTE, note, 1, &state("one"));
    until(async || copied(&stage.ground).await.len() == 1).await;

    let at = stage.bed.clock.now();
    let seen = stage.call(marked([Mark::new(NOTE, note, 1, at)]));
    assert!(!stage.is_replica(&seen).await, "the copy has not come to the replica");
    let other = stage.call(marked([Mark::new("other", note, 1, at)]));
    assert!(stage.is_replica(&other).await, "this room keeps no copies of that");
    stage.pair.resume_replay().await;
    until(async || stage.is_replica(&seen).await).await;
    let newer = stage.call(marked([Mark::new(NOTE, note, 2, at)]));
    assert!(!stage.is_replica(&newer).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_write_or_wants_all_there_is_reads_the_primary() {
    let Some(stage) = stage(|_| {}).await else { return };
    let deciding = stage.bed.call(MemberId::fresh());
    assert!(!stage.is_replica(&deciding).await);
    assert!(!stage.is_replica(&stage.stranger().wanting_all()).await);
    assert!(!follows(&stage.reads.primary()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_answered_from_the_primary_and_harms_nobody_else() {
    let Some(stage) = stage(|_| {}).await else { return };
    let at = stage.bed.clock.now();
    for (era, offset) in [(1, u64::MAX), (u32::MAX, 0), (u32::MAX, u64::MAX)] {
        let seen = position(Position::new(NOTE, era, offset, at));
        assert!(!stage.is_replica(&stage.call(seen)).await);
        assert!(stage.is_replica(&stage.stranger()).await);
    }
    let elsewhere = position(Position::new("elsewhere", 1, u64::MAX, at));
    assert!(stage.is_replica(&stage.call(elsewhere)).await, "that is another room's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_dies_is_left_in_the_middle_of_a_call_and_returned_to() {
    let Some(mut stage) = stage(|_| {}).await else { return };
    stage.write(Uuid::now_v7()).await;
    stage.pair.caught_up().await;
    let begun = stage.reads.of(&stage.stranger()).await;
    assert!(follows(&begun).await);
    stage.pair.kill_replica();
    assert_eq!((notes(&begun).await, follows(&begun).await), (1, false));
    assert_eq!(notes(&stage.reads.of(&stage.stranger()).await).await, 1);
    stage.unwell().await;
    stage.pair.start_replica().await;
    stage.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_falls_silent_holds_nobody_up_for_long() {
    let Some(stage) = stage(|_| {}).await else { return };
    stage.write(Uuid::now_v7()).await;
    stage.pair.caught_up().await;
    let begun = stage.reads.of(&stage.stranger()).await;
    assert!(follows(&begun).await);
    stage.way.set(Mode::Hang);
    assert_eq!((notes(&begun).await, follows(&begun).await), (1, false));
    stage.unwell().await;
    stage.way.set(Mode::Pass);
    stage.well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_too_far_behind_is_not_read_by_anybody() {
    let Some(stage) = stage(|storage| storage.replica_max_lag_ms = 3_000).await else { return };
    stage.pair.pause_replay().await;
    stage.write(Uuid::now_v7()).await;
    stage.unwell().await;
    stage.pair.resume_replay().await;
    stage.well().await;
    assert_eq!(notes(&stage.reads.of(&stage.stranger()).await).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_promoted_is_one_no_more() {
    let Some(stage) = stage(|_| {}).await else { return };
    stage.pair.promote_replica().await;
    stage.write(Uuid::now_v7()).await;
    // Neither follows anybody by now: only what is written tells the primary from it.
    until(async || notes(&stage.reads.of(&stage.stranger()).await).await == 1).await;
    for _ in 0..20 {
        assert_eq!(notes(&stage.reads.of(&stage.stranger()).await).await, 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_did_not_follow_a_promotion_is_not_read_however_far_it_is() {
    let Some(mut stage) = stage(|_| {}).await else { return };
    let (old, new) = (stage.bed.storage.url.clone(), stage.pair.replica_port());
    let second = stage.pair.start_second().await;
    stage.pair.promote_replica().await;
    // The old primary goes on, alone with the second replica, and is soon ahead of the new one.
    for _ in 0..50 {
        stage.write(Uuid::now_v7()).await;
    }
    let port = stage.pair.primary_port();
    let [url, replica_url] = [new, second].map(|other| at_port(&old, port, other));
    let storage = Config { url, replica_url, ..stage.bed.storage.clone() };
    stage.ground = open(&stage.bed, &storage).await.unwrap();
    stage.reads = stage.ground.reads(&[NOTE]);
    stage.write(Uuid::now_v7()).await;
    for _ in 0..40 {
        let view = stage.reads.of(&stage.stranger()).await;
        assert_eq!((follows(&view).await, notes(&view).await), (false, 1));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_primary_is_down_the_replica_goes_on_answering() {
    let Some(mut stage) = stage(|_| {}).await else { return };
    stage.write(Uuid::now_v7()).await;
    stage.pair.caught_up().await;
    let writer = stage.writer().await;
    until(async || stage.is_replica(&writer).await).await;
    stage.pair.kill_primary();
    for call in [writer, stage.stranger()] {
        let view = stage.reads.of(&call).await;
        assert_eq!((follows(&view).await, notes(&view).await), (true, 1));
    }
    let lost = stage.ground.open_gate().position().await.unwrap();
    assert_eq!(lost.offset, u64::MAX, "nobody knows how far that is");
}

#[tokio::test]
async fn a_replica_of_nothing_is_refused_in_one_sentence() {
    let bed = Bed::sqlite();
    let pg = "postgres://nobody@127.0.0.1:1/none".to_owned();
    let replica = Config { replica_url: pg.clone(), ..Config::default() };
    let wrong = [
        replica.clone(),
        Config { url: pg.clone(), replica_url: "replica".to_owned(), ..Config::default() },
        Config { url: pg, replica_max_lag_ms: 60_000, ..replica },
    ];
    for storage in wrong {
        let fault = open(&bed, &storage).await.err().unwrap();
        assert_eq!(fault.reason(), "CONFIG_INVALID");
        assert!(fault.to_string().contains("storage.replica_"), "{fault}");
    }
}
