//! Votes on their way: a search drops one into a queue, and a task counts it here and with the other replicas.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use moim_kit::shared::{Lost, Shared, Vote};
use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use crate::analysis::Analyzer;
use crate::ballot::{Ballot, Rules, Sums};
use crate::model::PopularTerm;
use crate::popular::Popular;
use crate::store::Store;

/// Votes that wait to be counted; those beyond are not.
const MOST_WAITING: usize = 1_024;
/// Votes that are told to the others before these are asked again.
const AT_ONCE: usize = 256;
/// The others are asked so often, and what is popular is shown anew.
const EVERY: Duration = Duration::from_secs(1);
/// What was counted is kept so often, and soon after the first vote.
const KEPT_EVERY: Duration = Duration::from_secs(30);
/// No answer by then is none.
const PATIENCE: Duration = Duration::from_secs(2);
/// Out of reach, the others are left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// Terms that are read from a board; behind these nobody looks.
const READ: usize = 500;
/// Terms that are shown.
pub const MOST_POPULAR: usize = 50;

/// The count of votes, here and with the other replicas. These may be lost: then it goes on with what is known
/// here, and tells them later.
pub struct Votes {
    rules: Rules,
    popular: Mutex<Popular>,
    shown: ArcSwap<Vec<PopularTerm>>,
    cast: mpsc::Sender<Ballot>,
    queue: tokio::sync::Mutex<mpsc::Receiver<Ballot>>,
    analyzer: Arc<Analyzer>,
    shared: Arc<dyn Shared>,
    store: Store,
    clock: Clock,
}

/// What the task goes by.
struct Pace {
    show: Instant,
    keep: Instant,
    /// Since the count was kept.
    counted: bool,
    left_alone: Option<Instant>,
}

impl Votes {
    /// With what was counted before.
    pub async fn open(
        rules: Rules,
        analyzer: Arc<Analyzer>,
        store: Store,
        shared: Arc<dyn Shared>,
        clock: Clock,
    ) -> Result<Arc<Self>, Fault> {
        let counted = store.find_popular().await?.unwrap_or_default();
        let mut popular = Popular::restore(rules, counted.as_bytes(), &analyzer.abusive);
        let shown = ArcSwap::from_pointee(popular.best(MOST_POPULAR, clock.now()));
        let (cast, queue) = mpsc::channel(MOST_WAITING);
        let (popular, queue) = (Mutex::new(popular), tokio::sync::Mutex::new(queue));
        Ok(Arc::new(Self { rules, popular, shown, cast, queue, analyzer, shared, store, clock }))
    }

    /// Counts votes for as long as the house stands.
    pub fn start(self: &Arc<Self>, tasks: &Tasks) {
        let votes = self.clone();
        tasks.supervise("votes", move || {
            let votes = votes.clone();
            async move { votes.count().await }
        });
    }

    /// Somebody has searched for something and found it. Waits for nothing: with too many at once a vote is lost.
    pub fn cast(&self, term: &str, voter: &str) {
        if !voter.is_empty() {
            let (term, voter) = (term.to_owned(), voter.to_owned());
            let _ = self.cast.try_send(Ballot { term, voter, at_us: self.clock.now().us() });
        }
    }

    /// The most popular terms, best first.
    pub fn best(&self, count: usize) -> Vec<PopularTerm> {
        self.shown.load().iter().take(count).cloned().collect()
    }

    /// How popular terms are, for completions.
    pub fn weights(&self) -> Vec<(String, f64)> {
        let (popular, now) = (self.popular.lock(), self.clock.now());
        popular.weights(now).collect()
    }

    async fn count(&self) {
        let mut queue = self.queue.lock().await;
        let mut ballots = Vec::new();
        let now = Instant::now();
        let mut pace = Pace { show: now, keep: now, counted: false, left_alone: None };
        loop {
            if timeout_at(pace.show, queue.recv_many(&mut ballots, AT_ONCE)).await.is_ok() {
                let mut popular = self.popular.lock();
                for ballot in ballots.drain(..) {
                    pace.counted |= popular.vote(ballot, &self.analyzer.abusive);
                }
            }
            let due = Instant::now() >= pace.show;
            if pace.left_alone.is_none_or(|until| Instant::now() >= until) {
                let outcome = self.meet_others(due).await;
                self.note(&mut pace, outcome);
            }
            if due {
                self.show();
                self.keep(&mut pace).await;
                pace.show = Instant::now() + EVERY;
            }
        }
    }

    /// Whether the others can be reached is told when that changes.
    fn note(&self, pace: &mut Pace, outcome: Result<(), Lost>) {
        match outcome {
            Ok(()) if pace.left_alone.take().is_some() => {
                tracing::info!("popular terms are counted with the other replicas again");
            }
            Ok(()) => {}
            Err(lost) => {
                if pace.left_alone.replace(Instant::now() + LEFT_ALONE).is_none() {
                    tracing::warn!(error = %lost, "popular terms are counted here alone for a while");
                }
            }
        }
    }

    async fn meet_others(&self, ask: bool) -> Result<(), Lost> {
        for _ in 0..AT_ONCE {
            let Some(ballot) = self.popular.lock().untold().cloned() else { break };
            self.tell(&ballot).await?;
            // Nobody else takes votes from the front.
            self.popular.lock().told();
        }
        if ask { self.ask().await } else { Ok(()) }
    }

    async fn tell(&self, ballot: &Ballot) -> Result<(), Lost> {
        let told = self.rules.told(ballot);
        let window = Duration::from_micros(self.rules.window_us.unsigned_abs());
        let entry = ballot.entry();
        let vote = Vote {
            board: &told.board,
            entry: &entry,
            voter: &ballot.voter,
            window: told.window,
            // Clocks differ, and what could not be told at once comes late.
            window_ends_in: window * 2,
            weight: told.weight,
            most_entries: self.rules.most_terms as u64,
        };
        within(self.shared.vote(vote)).await?;
        let spelled = Vote { board: &told.spellings, entry: &ballot.term, ..vote };
        within(self.shared.vote(spelled)).await.map(drop)
    }

    async fn ask(&self) -> Result<(), Lost> {
        let now = self.clock.now();
        let mut counted = Vec::new();
        for board in self.rules.boards(now) {
            let terms = within(self.shared.best(&board.name(), READ)).await?;
            let spellings = within(self.shared.best(&board.spellings(), READ)).await?;
            counted.push(Sums { board, terms, spellings });
        }
        self.popular.lock().learn(&counted, now, &self.analyzer.abusive);
        // All compare with what the first of them found when the period began.
        let key = self.rules.places_key(now);
        let kept = within(self.shared.values(std::slice::from_ref(&key))).await?;
        let kept = kept.into_iter().next().flatten();
        match kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(places) => self.popular.lock().compare_with(places, now),
            None => {
                let places = serde_json::to_vec(&self.popular.lock().places()).unwrap_or_default();
                let period = Duration::from_micros(self.rules.period_us.unsigned_abs());
                within(self.shared.keep(&key, places.into(), period * 2)).await?;
            }
        }
        Ok(())
    }

    fn show(&self) {
        let best = self.popular.lock().best(MOST_POPULAR, self.clock.now());
        self.shown.store(Arc::new(best));
    }

    async fn keep(&self, pace: &mut Pace) {
        if !pace.counted || Instant::now() < pace.keep {
            return;
        }
        pace.keep = Instant::now() + KEPT_EVERY;
        let snapshot = self.popular.lock().snapshot();
        match self.store.keep_popular(&String::from_utf8_lossy(&snapshot)).await {
            Ok(()) => pace.counted = false,
            Err(fault) => {
                tracing::warn!(error = %fault, "popular terms could not be kept; later again");
            }
        }
    }
}

async fn within<T>(asked: impl Future<Output = Result<T, Lost>>) -> Result<T, Lost> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(Lost(format!("no answer within {PATIENCE:?}"))),
    }
}
