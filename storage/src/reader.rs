//! Hearing another room: each newer state and each event takes effect once, whatever the order and however
//! often it comes, and one bad fact stops nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::Fault;
use moim_kit::bus::{Entry, Fact, Feed, Log};
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Trace};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::args;
use crate::copies::Copies;
use crate::dead_letter::FAILED;
use crate::gauges;
use crate::inbox::{Arrival, Inbox, code_of};
use crate::outbox::Outbox;
use crate::reconcile;
use crate::spans;

const FIND_POSITION: &str = "SELECT position FROM inbox_position WHERE source = $1";

/// Taken in together; enough to make a commit cheap, few enough to keep other writers waiting briefly.
const BATCH: usize = 100;
const NEAR: u64 = BATCH as u64;
/// A log of which nothing more was taken in for so long has nothing to wait for.
const STANDS_STILL: Duration = Duration::from_secs(1);
const WAIT: Duration = Duration::from_secs(10);
const TRIES: u32 = 5;
/// For what was asked for last to come and to be taken in.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a room does with a fact of another; runs in the transaction that marks it as taken in.
#[async_trait]
pub trait Handler: Send + Sync {
    /// A state of a copied noun; called for versions that are newer than all before it. Versions between
    /// may never come: what must not be missed is told as an event.
    async fn apply(&self, tx: &mut crate::Tx, fact: &Fact) -> Result<(), Fault>;

    /// Nouns whose events are heard.
    fn events(&self) -> &'static [&'static str] {
        &[]
    }

    /// An event of such a noun; takes effect once for each, in any order. When this room also copies the
    /// noun, its copy is at least as new as the event.
    async fn hear(&self, _: &mut crate::Tx, fact: &Fact) -> Result<(), Fault> {
        Err(Fault::internal(format!("nobody hears {}", fact.subject())))
    }
}

/// Follows one log into a room.
pub struct Reader {
    /// Room whose log it is.
    pub source: &'static str,
    /// Its log.
    pub log: Arc<dyn Log>,
    /// Where effects are told in turn.
    pub outbox: Outbox,
    /// Who is told what arrived.
    pub copies: Copies,
    /// What to do.
    pub handler: Arc<dyn Handler>,
}

impl Reader {
    /// Follows the log until guests are to go, and sees to it that nothing stays behind.
    pub fn start(self, tasks: &Tasks) -> Follower {
        let Self { source, log, outbox, copies, handler } = self;
        let patience = Arc::new(Patience { full: outbox.fact_patience(), worn: AtomicU32::new(0) });
        let hearing = Hearing { log, inbox: Inbox { source, outbox, copies, handler }, patience };
        let reconciler = hearing.clone();
        let lagging = hearing.clone();
        let follower = Follower(hearing.clone());
        tasks.supervise("lag", move || gauges::run_lag(lagging.clone()));
        let parting = tasks.parting();
        tasks.supervise_guest("log reader", move || follow(hearing.clone(), parting.clone()));
        tasks.supervise("reconciler", move || reconcile::run(reconciler.clone()));
        follower
    }
}

/// How far a log is followed.
pub struct Follower(Hearing);

impl Follower {
    /// Returns once no more is left than is taken in at once, as it is under load, or nothing comes: what a process that
    /// was killed had been sent comes late, and from a broker that is away nothing does. At the latest at `due`: what
    /// cannot be waited out is better served old than not at all.
    pub async fn caught_up(&self, due: Instant) {
        let (mut least, mut since) = (u64::MAX, Instant::now());
        while Instant::now() < due && since.elapsed() < STANDS_STILL {
            // A consumer that is new is not known yet.
            match timeout_at(due, self.0.lag()).await {
                Ok(Ok(None | Some(0..=NEAR))) => return,
                Ok(Ok(Some(lag))) if lag < least => (least, since) = (lag, Instant::now()),
                _ => {}
            }
            tokio::time::sleep(FIRST_PAUSE).await;
        }
        let source = self.0.inbox.source;
        tracing::warn!(source, "not caught up yet; what is served may be old");
    }
}

/// A log and where its facts go.
#[derive(Clone)]
pub(crate) struct Hearing {
    pub log: Arc<dyn Log>,
    pub inbox: Inbox,
    pub patience: Arc<Patience>,
}

/// How long a fact that finds something unavailable may hold up others: less with each that waited in
/// vain, so that many of them do not add up, and in full again once waiting has helped.
pub(crate) struct Patience {
    full: Duration,
    worn: AtomicU32,
}

impl Patience {
    fn left(&self) -> Duration {
        self.full / (1 << self.worn.load(Ordering::Relaxed).min(16))
    }

    fn wear(&self) {
        self.worn.fetch_add(1, Ordering::Relaxed);
    }

    fn restore(&self) {
        self.worn.store(0, Ordering::Relaxed);
    }
}

impl Hearing {
    pub async fn position(&self) -> Result<i64, Fault> {
        let db = self.inbox.outbox.db();
        let row = db.fetch_optional::<(i64,)>(FIND_POSITION, args![self.inbox.source]).await?;
        Ok(row.unwrap_or_default().0)
    }

    /// How much is still to be taken in; nothing when nobody counts.
    pub async fn lag(&self) -> Result<Option<u64>, Fault> {
        self.log.lag(self.inbox.outbox.consumer(), self.position().await?).await
    }

    /// Takes in a batch; one by one when it fails as a whole.
    pub async fn take(&self, arrivals: &[Arrival]) {
        let culprit = match self.inbox.take(arrivals).await {
            Ok(()) => None,
            Err(trouble) => {
                tracing::warn!(error = %trouble.fault, source = self.inbox.source, "facts not taken in together");
                let counts = !trouble.fault.code().is_retryable();
                Some(trouble.culprit.filter(|_| counts).map(|fact| fact.id))
            }
        };
        if let Some(culprit) = culprit {
            for arrival in arrivals {
                let own = arrival.content.as_ref().ok().map(|fact| fact.id);
                let tries = u32::from(own.is_some() && own == culprit);
                let cause = arrival.content.as_ref().ok().and_then(spans::cause);
                // In the logs alone: it may take as long as the database is away.
                let within = cause.map(Trace::unsent);
                self.take_patiently(arrival, tries).within(within).await;
                self.inbox.copies.arrived_some();
            }
        }
        self.inbox.copies.arrived_some();
    }

    /// Takes in one arrival, trying again with growing pauses; what always fails is put aside after five
    /// tries, what cannot be read at once, what waits for something else once patience has run out, so
    /// that one bad fact does not stop all others.
    async fn take_patiently(&self, arrival: &Arrival, mut tries: u32) {
        let mut pause = FIRST_PAUSE;
        let mut since = Instant::now();
        let mut waited = false;
        while let Err(trouble) = self.inbox.take(std::slice::from_ref(arrival)).await {
            let fault = trouble.fault;
            let code = code_of(&fault);
            if !fault.code().is_retryable() {
                tries += if code == FAILED { 1 } else { TRIES };
            } else if trouble.culprit.is_none() {
                // Our own database is away: no fact is to blame.
                since = Instant::now();
            } else if since.elapsed() >= self.patience.left() {
                self.patience.wear();
                tries = TRIES;
            } else {
                waited = true;
            }
            let own = arrival.content.as_ref().ok();
            if tries >= TRIES
                && let Some(culprit) = trouble.culprit.as_ref().or(own)
            {
                let is_own = own.is_some_and(|fact| fact.id == culprit.id);
                let position = arrival.position.filter(|_| is_own);
                match self.inbox.bury(culprit, code, &fault, position).await {
                    Ok(()) if is_own => return,
                    Ok(()) => {
                        (tries, since) = (0, Instant::now());
                        continue;
                    }
                    Err(error) => tracing::warn!(%error, "the fact could not be put aside yet"),
                }
            }
            tracing::warn!(error = %fault, subject = arrival.subject, "fact not taken in; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if waited {
            self.patience.restore();
        }
    }

    /// One step by position: a page, or a wait for one.
    async fn step(&self) -> Result<(), Fault> {
        let position = self.position().await?;
        let entries = self.log.read(position, u32::try_from(BATCH).unwrap_or(u32::MAX)).await?;
        if entries.is_empty() {
            return self.log.wait(position, WAIT).await;
        }
        let arrivals: Vec<_> = entries.into_iter().map(at_position).collect();
        self.take(&arrivals).await;
        Ok(())
    }

    /// One step of a feed: what was delivered, settled once it is committed; false when nothing came.
    async fn step_by(&self, feed: &mut dyn Feed) -> Result<bool, Fault> {
        let deliveries = feed.next(BATCH, WAIT).await?;
        if deliveries.is_empty() {
            return Ok(false);
        }
        let arrivals: Vec<_> = deliveries
            .iter()
            .map(|it| Arrival {
                position: None,
                subject: it.subject.clone(),
                content: it.content.clone(),
            })
            .collect();
        self.take(&arrivals).await;
        #[cfg(feature = "crash")]
        crate::crash::reach(
            crate::crash::Point::BeforeAck,
            arrivals.iter().filter_map(|arrival| arrival.content.as_ref().ok()),
        );
        feed.settle(&deliveries).await?;
        Ok(true)
    }

    /// Takes in what a feed was still asked for, since nobody else gets it before it is late.
    async fn finish(&self, mut feed: Box<dyn Feed>) {
        // What was just under way was dropped.
        feed.give_back().await;
        feed.finish();
        let rest = async { while let Ok(true) = self.step_by(feed.as_mut()).await {} };
        if timeout(FINISH_WITHIN, rest).await.is_err() {
            tracing::warn!(source = self.inbox.source, "what was delivered last goes back");
        }
        feed.give_back().await;
    }
}

fn at_position(entry: Entry) -> Arrival {
    let subject = entry.fact.subject();
    Arrival { position: Some(entry.position), subject, content: Ok(entry.fact) }
}

async fn follow(hearing: Hearing, parting: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    let mut feed: Option<Box<dyn Feed>> = None;
    loop {
        let step = async {
            if feed.is_none() {
                feed = hearing.log.feed(hearing.inbox.outbox.consumer()).await?;
            }
            match &mut feed {
                Some(feed) => hearing.step_by(feed.as_mut()).await.map(|_| ()),
                None => hearing.step().await,
            }
        };
        // A step that is dropped has taken in all or nothing, and what it had taken is not settled.
        let Some(stepped) = parting.run_until_cancelled(step).await else { break };
        match stepped {
            Ok(()) => pause = FIRST_PAUSE,
            Err(fault) => {
                let source = hearing.inbox.source;
                tracing::warn!(error = %fault, source, "log could not be read; trying again");
                // The broker may have forgotten the consumer: it is opened anew.
                feed = None;
                let _ = parting.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    if let Some(feed) = feed {
        hearing.finish(feed).await;
    }
}
