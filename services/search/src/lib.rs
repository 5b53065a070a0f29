//! Finding gatherings, schedules and members by what people mean.

mod alive;
mod analysis;
mod ballot;
mod config;
mod convert;
mod counted;
mod events;
mod fault;
mod highlight;
mod index;
mod indexer;
mod korean;
mod layout;
mod listing;
mod model;
mod normal;
mod popular;
mod prepared;
mod query;
mod ranking;
mod rpc;
mod schema;
mod search;
mod senses;
mod spelling;
mod store;
mod suggest;
mod synonyms;
mod terms;
mod tokens;
mod tree;
mod verbs;
mod vocabulary;
mod votes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::bus::{Consumer, Log};
use moim_kit::page::{PageArgs, PageSpec};
use moim_kit::serve::{Guarded, Room};
use moim_kit::{Clock, Fault};
use moim_proto::search::v1::search_service_server::SearchServiceServer;
use moim_storage::{Ground, Reader};
use tokio::time::Instant;
use uuid::Uuid;

pub use analysis::Analyzer;
pub use config::Config;
pub use fault::Reason;
pub use index::{Broken, Claim, Opened, Shelf, begin, claim, open as open_index, swap, within};
pub use model::{Document, Filter, Highlight, Hit, Kind, Openness, PopularTerm};
pub use rpc::Trusts;
pub use search::{Answer, Ask, RESULTS, Search};
pub use suggest::Suggestions;

use ballot::Rules;
use events::{COPIED, Copier};
use indexer::{Library, blocking};
use rpc::Server;
use store::Store;
use votes::Votes;

/// The room's tables, after those of every room.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A start waits so long for the first index, which is enough for a town.
const FIRST_INDEX: Duration = Duration::from_secs(5);
/// And so long for what was told meanwhile; others answer as long.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(10);
const HANDOVER: Duration = Duration::from_secs(2);
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Opens the room on a ground of SQLite, with its index under a directory; it follows the rooms whose
/// logs are given with their names: `member`, `gathering` and `schedule`. Each replica of the room is told
/// everything, for each keeps all of it, in a directory of its own.
pub async fn open(
    config: Config,
    ground: Ground,
    root: &Path,
    trusts: Trusts,
    logs: [(&'static str, Arc<dyn Log>); 3],
) -> Result<Room, Fault> {
    let analyzer = Arc::new(analyzer(&config).await?);
    let claim = claimed(root).await?;
    let store = Store::new(ground.outbox.clone());
    let replica = store.name(&Uuid::now_v7().to_string()).await?;
    // Before anything is heard: an index that is ahead of its rows must be noticed before they catch up with it.
    let newest = store.newest().await?;
    let outbox = ground.outbox.clone().hearing_as(Consumer::replica("search", &replica));
    let place = root.to_owned();
    blocking(move || index::belong(&place, &replica)).await?;
    let copies = ground.copies(COPIED);
    let followers = logs.map(|(source, log)| {
        let (outbox, copies) = (outbox.clone(), copies.clone());
        Reader { source, log, outbox, copies, handler: Arc::new(Copier) }.start(&ground.tasks)
    });
    let us = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000);
    let rules = Rules {
        half_life_us: us(config.popular_half_life_ms),
        window_us: us(config.popular_window_ms),
        period_us: us(config.popular_window_ms),
        ..Rules::default()
    };
    let (shared, clock) = (ground.shared.clone(), ground.clock.clone());
    let votes = Votes::open(rules, analyzer.clone(), store.clone(), shared, clock).await?;
    votes.start(&ground.tasks);
    let library = Library::open(root, claim, newest, analyzer, store, votes).await?;
    library.start(&ground.tasks, Duration::from_millis(config.commit_ms));
    // What was told while nobody listened for this replica is only here once it has caught up.
    let due = Instant::now() + CAUGHT_UP_WITHIN;
    let [first, second, third] = &followers;
    tokio::join!(first.caught_up(due), second.caught_up(due), third.caught_up(due));
    library.settle(FIRST_INDEX).await;
    let server = Server { library, clock: ground.clock.clone(), trusts };
    let server = SearchServiceServer::new(server).max_decoding_message_size(LARGEST_MESSAGE);
    let guarded = Guarded::new(server, ground.verifier.clone(), ground.gate(copies));
    Ok(Room::new("search", guarded, Arc::new(ground.outbox.clone())))
}

/// How a query is understood and why its first results stand where they do, by the index under a directory, which
/// another process may be writing; `None` when there is no index that can be asked.
pub async fn explain(
    config: &Config,
    root: &Path,
    query: &str,
    first: i32,
    clock: &Clock,
) -> Result<Option<String>, Fault> {
    let analyzer = analyzer(config).await?;
    let page = PageSpec::try_new(PageArgs { first: Some(first), ..PageArgs::default() }, RESULTS)?;
    let (root, query, now) = (root.to_owned(), query.to_owned(), clock.now());
    blocking(move || {
        let Some(pane) = index::look(&root)? else { return Ok(None) };
        let (searcher, filter) = (pane.searcher(), Filter::default());
        let search = Search { searcher: &searcher, fields: pane.fields(), analyzer: &analyzer };
        let ask = Ask { query: &query, kinds: &[], filter: &filter, page: &page, now };
        search.explain(&ask).map(Some)
    })
    .await
}

/// Every document of the index under a directory, which another process may be writing: a line each of noun, id,
/// version, category and region; `None` when there is no index that can be asked.
pub async fn list(root: &Path) -> Result<Option<String>, Fault> {
    let root = root.to_owned();
    blocking(move || {
        let Some(pane) = index::look(&root)? else { return Ok(None) };
        let lines = listing::list(&pane.searcher())?.iter().map(|it| format!("{it}\n")).collect();
        Ok::<_, Broken>(Some(lines))
    })
    .await
}

/// Claims a directory; a process that is just ending may have it for a moment.
async fn claimed(root: &Path) -> Result<Claim, Fault> {
    let until = Instant::now() + HANDOVER;
    loop {
        let place = root.to_owned();
        match blocking(move || Ok::<_, Fault>(claim(&place))).await? {
            Err(Broken::Taken(_)) if Instant::now() < until => {
                tokio::time::sleep(HANDOVER / 40).await;
            }
            claim => return Ok(claim?),
        }
    }
}

/// The words of files, where the configuration names them.
async fn analyzer(config: &Config) -> Result<Analyzer, Fault> {
    let read = |path: &str, default: &'static str| {
        let path = path.to_owned();
        async move {
            match path.is_empty() {
                true => Ok(default.to_owned()),
                false => tokio::fs::read_to_string(&path).await.map_err(Fault::internal),
            }
        }
    };
    let synonyms = read(&config.synonyms_file, analysis::SYNONYMS).await?;
    let hobbies = read(&config.hobbies_file, analysis::HOBBIES).await?;
    let abusive = read(&config.abusive_file, analysis::ABUSIVE).await?;
    Analyzer::try_new(&synonyms, &hobbies, &abusive).map_err(Fault::internal)
}
