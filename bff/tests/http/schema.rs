//! The tiny schema.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_graphql::{Context, Error, ErrorExtensions, Interface, Object, Schema, Subscription};
use futures::stream::{self, Stream, StreamExt};

pub type Tiny = Schema<Query, Mutation, Feed>;

/// What resolvers did, seen from outside.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    pub bumps: Arc<AtomicU32>,
    pub started: Arc<AtomicU32>,
    pub dropped: Arc<AtomicU32>,
}

/// Counts when it is dropped, however that comes about.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub fn tiny(deeds: Deeds) -> Tiny {
    Schema::build(Query, Mutation, Feed).data(deeds).finish()
}

/// Who the edge let in.
#[derive(Clone, Debug)]
pub struct Caller(pub String);

pub struct Query;
pub struct Mutation;
pub struct Feed;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn caller(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Caller>().0.clone()
    }

    async fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }

    async fn sold_out(&self) -> Result<Option<String>, Error> {
        Err(full())
    }

    async fn careless(&self) -> Result<Option<String>, Error> {
        Err(Error::new("password of the database: hunter2"))
    }

    async fn careless_and_needed(&self) -> Result<String, Error> {
        Err(Error::new("password of the database: hunter2"))
    }

    async fn unlisted(&self) -> Result<Option<String>, Error> {
        Err(Error::new("password: hunter2").extend_with(|_, e| {
            e.set("code", "DATABASE_PASSWORD");
            e.set("detail", "hunter2");
        }))
    }

    async fn wordy(&self) -> Result<Option<String>, Error> {
        Err(Error::new("가".repeat(1_000)).extend_with(|_, e| e.set("code", "FULL")))
    }

    async fn panics(&self) -> i32 {
        let nothing: Vec<i32> = Vec::new();
        nothing[0]
    }

    async fn text(&self, bytes: usize) -> String {
        "x".repeat(bytes)
    }

    async fn room(&self) -> Option<Room> {
        Some(Room(1))
    }

    async fn needed_room(&self) -> Room {
        Room(1)
    }

    async fn rooms(&self) -> Option<Vec<Room>> {
        Some(vec![Room(2), Room(1)])
    }

    async fn maybe_rooms(&self) -> Vec<Option<Room>> {
        vec![Some(Room(1)), None, Some(Room(2))]
    }

    async fn places(&self) -> Vec<Option<Place>> {
        vec![Some(Room(1).into()), Some(Hall.into())]
    }

    async fn for_ever(&self, ctx: &Context<'_>) -> i32 {
        let deeds = ctx.data_unchecked::<Deeds>();
        let _dropped = Dropped(deeds.dropped.clone());
        deeds.started.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn after_ms(&self, ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }
}

pub struct Room(i32);
pub struct Hall;

#[derive(Interface)]
#[graphql(field(name = "id", ty = "i32"))]
pub enum Place {
    Room(Room),
    Hall(Hall),
}

fn full() -> Error {
    Error::new("No seat is left.").extend_with(|_, e| e.set("code", "FULL"))
}

#[Object]
impl Room {
    async fn id(&self) -> i32 {
        self.0
    }

    /// Known only later.
    async fn late(&self) -> i32 {
        tokio::task::yield_now().await;
        self.0
    }

    async fn seats(&self) -> Result<Option<i32>, Error> {
        Err(full())
    }

    /// Fails in the first room.
    async fn host(&self) -> Result<i32, Error> {
        if self.0 == 1 { Err(full()) } else { Ok(self.0) }
    }

    async fn neighbour(&self) -> Room {
        Room(self.0)
    }
}

#[Object]
impl Hall {
    async fn id(&self) -> i32 {
        9
    }

    async fn desk(&self) -> Result<Option<i32>, Error> {
        Err(full())
    }
}

#[Object]
impl Mutation {
    async fn bump(&self, ctx: &Context<'_>) -> u32 {
        ctx.data_unchecked::<Deeds>().bumps.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[Subscription]
impl Feed {
    /// Counts, then ends.
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    /// Says one thing and then nothing more.
    async fn quiet(&self, ctx: &Context<'_>) -> impl Stream<Item = i32> {
        let deeds = ctx.data_unchecked::<Deeds>();
        deeds.started.fetch_add(1, Ordering::SeqCst);
        let dropped = Dropped(deeds.dropped.clone());
        stream::iter([1]).chain(stream::pending()).map(move |n| {
            let _kept = &dropped;
            n
        })
    }

    /// Large, for ever, as fast as it is taken.
    async fn flood(&self, ctx: &Context<'_>) -> impl Stream<Item = String> {
        let dropped = Dropped(ctx.data_unchecked::<Deeds>().dropped.clone());
        stream::repeat_with(move || {
            let _kept = &dropped;
            "x".repeat(16 * 1_024)
        })
    }

    async fn forbidden(&self) -> Result<stream::Empty<i32>, Error> {
        Err(Error::new("Not yours.").extend_with(|_, e| e.set("code", "FORBIDDEN")))
    }
}
