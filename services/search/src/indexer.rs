//! Follows what has changed into the index, and keeps completions and popular terms at hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use moim_kit::task::Tasks;
use moim_kit::{Clock, Fault};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::analysis::Analyzer;
use crate::index::{self, Opened, Shelf};
use crate::popular::{Popular, Rules};
use crate::store::{Change, Mark, Store};
use crate::suggest::Suggestions;

/// Rows that are indexed at once, and how many at most before a commit.
const PAGE: i64 = 500;
const MOST_UNCOMMITTED: usize = 10_000;
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
const TIDY_EVERY: Duration = Duration::from_secs(30);
/// Titles that are offered as completions.
const MOST_TITLES: i64 = 50_000;
/// A title of the largest gathering weighs less than one search.
const TITLE: f64 = 0.5;
const HOBBY: f64 = 0.25;

/// The index, what else searches are answered from, and what feeds them.
pub struct Library {
    root: PathBuf,
    pub analyzer: Arc<Analyzer>,
    current: ArcSwapOption<Shelf>,
    next: ArcSwapOption<Shelf>,
    finished: Notify,
    pub suggestions: ArcSwap<Suggestions>,
    pub popular: Mutex<Popular>,
    store: Store,
    clock: Clock,
}

impl Library {
    /// Opens the index under a directory, as far as it has come within the rows up to a number, and what was counted
    /// before.
    pub async fn open(
        root: &Path,
        newest: i64,
        analyzer: Analyzer,
        rules: Rules,
        store: Store,
        clock: Clock,
    ) -> Result<Arc<Self>, Fault> {
        let analyzer = Arc::new(analyzer);
        let (place, words) = (root.to_owned(), analyzer.clone());
        let opened =
            blocking(move || index::within(&place, &words, index::open(&place, &words)?, newest));
        let Opened { current, next } = opened.await?;
        let covered = |shelf: &Option<Shelf>| shelf.as_ref().map_or(0, Shelf::covered);
        let (searched, built) = (covered(&current), covered(&next));
        tracing::info!(searched, built, newest, "the index goes on from the rows it has covered");
        let counted = store.find_popular().await?.unwrap_or_default();
        let shelf = |it: Option<Shelf>| ArcSwapOption::new(it.map(Arc::new));
        Ok(Arc::new(Self {
            root: root.to_owned(),
            analyzer,
            current: shelf(current),
            next: shelf(next),
            finished: Notify::new(),
            suggestions: ArcSwap::default(),
            popular: Mutex::new(Popular::restore(rules, counted.as_bytes())),
            store,
            clock,
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
                    tokio::time::sleep(TIDY_EVERY).await;
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

    async fn tidy(&self) -> Result<(), Fault> {
        let titles = self.store.list_titles(MOST_TITLES).await?;
        let now = self.clock.now();
        let (snapshot, suggestions) = {
            let popular = self.popular.lock();
            let hobbies = self.analyzer.terms.hobbies().iter().map(|it| (it.as_str(), HOBBY));
            #[expect(clippy::cast_precision_loss, reason = "heads are few")]
            let title =
                |it: &'_ (String, i64)| TITLE * (it.1.max(0) as f64 / (it.1.max(0) + 100) as f64);
            let titles = titles.iter().map(|it| (it.0.as_str(), title(it)));
            let terms: Vec<(String, f64)> = popular
                .weights(now)
                .chain(hobbies)
                .chain(titles)
                .map(|(term, weight)| (term.to_owned(), weight))
                .collect();
            (popular.snapshot(), terms)
        };
        let terms = blocking(move || {
            Ok::<_, Fault>(Suggestions::new(suggestions.iter().map(|it| (it.0.as_str(), it.1))))
        });
        self.suggestions.store(Arc::new(terms.await?));
        self.store.keep_popular(&String::from_utf8_lossy(&snapshot)).await
    }
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
