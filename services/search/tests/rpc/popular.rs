//! What is popular: counted by all replicas together, and by each alone while the others are out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::id::GatheringId;
use moim_kit::shared::{Allowance, Lost, Memory, Shared, Spent, Vote};
use moim_kit::task::Tasks;
use moim_testbed::Bed;

use crate::world::{World, open, waits};

const TITLE: &str = "주말 등산 독서 수영 모임";

/// A replica, where there is something to be found.
async fn replica(shared: &Arc<dyn Shared>) -> World {
    let mut bed = Bed::sqlite();
    bed.shared = shared.clone();
    let world = World::on(bed).await;
    world.gathering(GatheringId::fresh(), 1, TITLE, "11440");
    world.finds("등산", 1).await;
    world
}

async fn vote(world: &World, query: &str, voters: &[&str]) {
    for voter in voters {
        world.search(query, voter).await.unwrap();
    }
}

/// What replicas share, until it cannot be reached, or does not answer.
#[derive(Debug, Default)]
struct Fragile {
    memory: Memory,
    state: AtomicU8,
}

const FINE: u8 = 0;
const LOST: u8 = 1;
const SILENT: u8 = 2;

impl Fragile {
    fn becomes(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
    }

    async fn reach(&self) -> Result<(), Lost> {
        match self.state.load(Ordering::SeqCst) {
            FINE => Ok(()),
            LOST => Err(Lost("as the test wants it".to_owned())),
            _ => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Shared for Fragile {
    async fn spend(&self, bucket: &str, points: u64, rule: Allowance) -> Result<Spent, Lost> {
        self.reach().await?;
        self.memory.spend(bucket, points, rule).await
    }

    async fn vote(&self, vote: Vote<'_>) -> Result<bool, Lost> {
        self.reach().await?;
        self.memory.vote(vote).await
    }

    async fn best(&self, board: &str, count: usize) -> Result<Vec<(String, f64)>, Lost> {
        self.reach().await?;
        self.memory.best(board, count).await
    }

    async fn values(&self, keys: &[String]) -> Result<Vec<Option<bytes::Bytes>>, Lost> {
        self.reach().await?;
        self.memory.values(keys).await
    }

    async fn keep(&self, key: &str, value: bytes::Bytes, time: Duration) -> Result<(), Lost> {
        self.reach().await?;
        self.memory.keep(key, value, time).await
    }

    async fn forget(&self, keys: &[String]) -> Result<(), Lost> {
        self.reach().await?;
        self.memory.forget(keys).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_count_together_and_a_person_once() {
    let shared: Arc<dyn Shared> = Arc::new(Memory::default());
    let (one, other) = (replica(&shared).await, replica(&shared).await);
    vote(&one, "등산", &["a", "b"]).await;
    vote(&other, "등산", &["b"]).await;
    vote(&one, "주말", &["a"]).await;
    vote(&other, "주말", &["b", "c"]).await;
    vote(&other, "독서", &["c"]).await;
    for world in [&one, &other] {
        world.shows(&["주말", "등산", "독서"]).await;
        waits(Some("주말".to_owned()), async || world.completions("주").await.into_iter().next())
            .await;
    }
    // One that comes later knows it all.
    replica(&shared).await.shows(&["주말", "등산", "독서"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_is_what_was_searched_or_found_however_it_was_typed() {
    let world = World::new().await;
    for title in ["느린 독서 모임", "주말 등산 모임", "하모니카 부는 공원", "목동 배드민턴"]
    {
        world.gathering(GatheringId::fresh(), 1, title, "11440");
    }
    world.finds("모임", 2).await;
    world.finds("배드민턴", 1).await;
    // Reading and hiking begin alike, and what stands nowhere is no term.
    vote(&world, "ㄷㅅㅁㅇ", &["a", "b", "c", "d"]).await;
    vote(&world, "등산 우주비행 모임", &["a", "b"]).await;
    // Mistyped, spaced in two ways.
    vote(&world, "독셔모임", &["a", "b", "c"]).await;
    vote(&world, "독서모임", &["d", "e"]).await;
    vote(&world, "독서 모임", &["a", "f"]).await;
    // On the other layout.
    vote(&world, "qoemalsxjs", &["a", "b", "c"]).await;
    vote(&world, "배드민턴", &["d"]).await;
    // By initial consonants that mean one thing here, and half typed.
    vote(&world, "ㅎㅁㄴㅋ", &["a", "b"]).await;
    vote(&world, "하모니ㅋ", &["c"]).await;
    vote(&world, "주말", &["a", "a"]).await;
    world.shows(&["독서모임", "배드민턴", "하모니카", "주말"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_others_a_replica_counts_alone_and_tells_them_later() {
    let fragile = Arc::new(Fragile::default());
    let shared: Arc<dyn Shared> = fragile.clone();
    let (one, other) = (replica(&shared).await, replica(&shared).await);
    vote(&one, "등산", &["a", "b"]).await;
    other.shows(&["등산"]).await;
    for (state, query, voters) in
        [(LOST, "독서", &["a", "b", "c", "d"][..]), (SILENT, "수영", &["a", "b", "c"])]
    {
        fragile.becomes(state);
        vote(&one, query, voters).await;
        vote(&other, "주말", &["d"]).await;
    }
    one.shows(&["독서", "수영", "등산"]).await;
    other.shows(&["등산", "주말"]).await;
    fragile.becomes(FINE);
    for world in [&one, &other] {
        world.shows(&["독서", "수영", "등산", "주말"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgot_everything_leaves_what_each_replica_saw() {
    let world = World::new().await;
    world.gathering(GatheringId::fresh(), 1, TITLE, "11440");
    world.finds("등산", 1).await;
    vote(&world, "등산", &["a", "b"]).await;
    vote(&world, "독서", &["a"]).await;
    world.shows(&["등산", "독서"]).await;
    // Kept within moments, for it is the first vote in a while; a process that begins anew shares nothing yet.
    let World { bed: before, log, client } = world;
    drop(client);
    let snapshot = async || {
        let ground = before.ground("search", &moim_search::MIGRATIONS).await;
        let row: Option<(String,)> = ground
            .db
            .fetch_optional("SELECT snapshot FROM popular WHERE id = 1", moim_storage::args![])
            .await
            .unwrap();
        row.is_some_and(|it| it.0.contains("등산"))
    };
    waits(true, snapshot).await;
    assert!(before.tasks.stop(Duration::from_secs(10)).await);
    let mut bed = before;
    bed.tasks = Tasks::new();
    bed.shared = Arc::new(Memory::default());
    let client = open(&bed, log.clone()).await;
    let world = World { bed, client, log };
    world.shows(&["등산", "독서"]).await;
    vote(&world, "독서", &["b", "c"]).await;
    world.shows(&["독서", "등산"]).await;
}
