//! Follows what has changed into the index, and keeps completions at hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use moim_kit::Fault;
use moim_kit::task::Tasks;
use tokio::sync::Notify;

use crate::analysis::Analyzer;
use crate::index::{self, Claim, Opened, Shelf};
use crate::store::{Change, Mark, Store};
use crate::suggest::Suggestions;
use crate::vocabulary::Vocabulary;
use crate::votes::Votes;

/// Rows that are indexed at once, and how many at most before a commit.
const PAGE: i64 = 500;
const MOST_UNCOMMITTED: usize = 10_000;
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// Completions are renewed once in as long as so many commits may take.
const COMMITS_A_TIDY: u32 = 60;
/// Titles that are offered as completions.
const MOST_TITLES: i64 = 50_000;
/// Nothing that nobody has searched for weighs as much as one search: neither the title of the largest gathering, nor
/// a hobby, even one that everything is about.
const TITLE: f64 = 0.5;
const HOBBY: f64 = 0.1;
const STANDING: f64 = 0.8;

/// The index, what else searches are answered from, and what feeds them.
pub struct Library {
    root: PathBuf,
    pub analyzer: Arc<Analyzer>,
    current: ArcSwapOption<Shelf>,
    next: ArcSwapOption<Shelf>,
    finished: Notify,
    pub suggestions: ArcSwap<Suggestions>,
    pub votes: Arc<Votes>,
    store: Store,
    _claim: Claim,
}

impl Library {
    /// Opens the index under a directory that is this process's own, as far as it has come within the rows up to a
    /// number.
    pub async fn open(
        root: &Path,
        claim: Claim,
        newest: i64,
        analyzer: Arc<Analyzer>,
        store: Store,
        votes: Arc<Votes>,
    ) -> Result<Arc<Self>, Fault> {
        let (place, words) = (root.to_owned(), analyzer.clone());
        let opened =
            blocking(move || index::within(&place, &words, index::open(&place, &words)?, newest));
        let Opened { current, next } = opened.await?;
        let covered = |shelf: &Option<Shelf>| shelf.as_ref().map_or(0, Shelf::covered);
        let (searched, built) = (covered(&current), covered(&next));
        if newest > 0 {
            tracing::info!(
                searched,
                built,
                newest,
                "the index goes on from the rows it has covered"
            );
        }
        let shelf = |it: Option<Shelf>| ArcSwapOption::new(it.map(Arc::new));
        Ok(Arc::new(Self {
            root: root.to_owned(),
            analyzer,
            current: shelf(current),
            next: shelf(next),
            finished: Notify::new(),
            suggestions: ArcSwap::default(),
            votes,
            store,
            _claim: claim,
        }))
    }

    /// What is searched: the finished index, or what there is of the first.
    pub fn shelf(&self) -> Option<Arc<Shelf>> {
        self.current.load_full().or_else(|| self.next.load_full())
    }

    /// Follows changes for as long as the house stands.
    pub fn start(self: &Arc<Self>, tasks: &Tasks, pause: Duration) {
        let library = self.clone();
        tasks.supervise("indexer", move || {
            let library = library.clone();
            async move {
                loop {
                    let outcome = library.follow(pause).await;
                    if let Err(fault) = outcome {
                        tracing::warn!(error = %fault, "the index could not follow; soon again");
                    }
                    tokio::time::sleep(PAUSE_AFTER_FAULT).await;
                    if let Err(fault) = library.recover().await {
                        tracing::warn!(error = %fault, "the index could not be opened; soon again");
                    }
                }
            }
        });
        let library = self.clone();
        tasks.supervise("search tidying", move || {
            let library = library.clone();
            async move {
                loop {
                    if let Err(fault) = library.tidy().await {
                        tracing::warn!(error = %fault, "completions could not be renewed; soon again");
                    }
                    tokio::time::sleep(pause * COMMITS_A_TIDY).await;
                }
            }
        });
    }

    /// Waits until the first index holds every row, but no longer than this: what there is of it can be searched
    /// meanwhile.
    pub async fn settle(&self, at_most: Duration) {
        if self.current.load().is_none() {
            let _ = tokio::time::timeout(at_most, self.finished.notified()).await;
        }
    }

    /// The index that is written.
    fn target(&self) -> Result<Arc<Shelf>, Fault> {
        let target = self.next.load_full().or_else(|| self.current.load_full());
        target.ok_or_else(|| Fault::internal("there is no index"))
    }

    /// What follows goes on from the last commit.
    async fn recover(&self) -> Result<(), Fault> {
        let target = self.target()?;
        blocking(move || target.recover()).await
    }

    async fn follow(&self, pause: Duration) -> Result<(), Fault> {
        let target = self.target()?;
        let mut mark = Mark::behind(target.covered());
        let mut uncommitted = 0;
        loop {
            let changes = self.store.list_after(&mark, PAGE).await?;
            let end = i64::try_from(changes.len()).unwrap_or(PAGE) < PAGE;
            if let Some(last) = changes.last() {
                mark = last.mark.clone();
            }
            uncommitted += changes.len();
            let due = uncommitted > 0 && (end || uncommitted >= MOST_UNCOMMITTED);
            // Others may have the last number too, and stand on the next page.
            let covered = due.then_some(if end { mark.sequence } else { mark.sequence - 1 });
            let shelf = target.clone();
            blocking(move || write(&shelf, &changes, covered)).await?;
            if due {
                uncommitted = 0;
            }
            if end {
                self.finish().await?;
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// An index that has caught up takes the place of the one before.
    async fn finish(&self) -> Result<(), Fault> {
        let Some(next) = self.next.load_full() else { return Ok(()) };
        let (root, shelf) = (self.root.clone(), next.clone());
        blocking(move || index::swap(&root, &shelf)).await?;
        self.current.store(Some(next));
        self.next.store(None);
        self.finished.notify_one();
        Ok(())
    }

    /// What many search for comes first; before anybody has, what there is most of.
    async fn tidy(&self) -> Result<(), Fault> {
        let titles = self.store.list_titles(MOST_TITLES).await?;
        let (popular, shelf) = (self.votes.weights(), self.shelf());
        let analyzer = self.analyzer.clone();
        let terms = blocking(move || {
            let searcher = shelf.as_ref().map(|it| it.searcher());
            let words = shelf.as_ref().zip(searcher.as_ref());
            let words = words.map(|(it, at)| Vocabulary::new(at, it.fields(), &analyzer));
            let standing = |it: &str| words.as_ref().map_or(0, |words| words.told_of(it));
            let hobbies = analyzer.terms.hobbies().iter();
            let hobbies = hobbies.map(|it| (it.as_str(), HOBBY + share(standing(it)) * STANDING));
            let sized = |it: &i64| TITLE * share(it.unsigned_abs());
            let titles = titles.iter().map(|(title, size)| (title.as_str(), sized(size)));
            let popular = popular.iter().map(|(term, weight)| (term.as_str(), *weight));
            Ok::<_, Fault>(Suggestions::new(popular.chain(hobbies).chain(titles)))
        });
        self.suggestions.store(Arc::new(terms.await?));
        Ok(())
    }
}

/// From nothing to nearly one.
#[expect(clippy::cast_precision_loss, reason = "so many do not fit into any house")]
fn share(count: u64) -> f64 {
    count as f64 / (count as f64 + 100.0)
}

fn write(shelf: &Shelf, changes: &[Change], covered: Option<i64>) -> Result<(), index::Broken> {
    for change in changes {
        let document = &change.document;
        match change.gone {
            true => shelf.remove(document.kind, document.id)?,
            false => shelf.put(document)?,
        }
    }
    covered.map_or(Ok(()), |it| shelf.commit(it))
}

/// Runs what would keep others waiting where it keeps nobody waiting.
pub async fn blocking<T, E>(run: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Fault>
where
    T: Send + 'static,
    E: Into<Fault> + Send + 'static,
{
    tokio::task::spawn_blocking(run).await.map_err(Fault::internal)?.map_err(Into::into)
}
