//! The room behind a real socket, fed by the facts of scripted rooms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::id::{GatheringId, ScheduleId};
use moim_kit::serve::Room;
use moim_kit::wire::Wire;
use moim_proto::gathering::v1::{Category, GatheringState, Region};
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1::ScheduleState;
use moim_proto::search::v1::search_service_client::SearchServiceClient;
use moim_proto::search::v1::*;
use moim_search::{Config, MIGRATIONS};
use moim_testbed::{Bed, ScriptedLog};
use tonic::Status;

pub struct World {
    pub bed: Bed,
    pub client: SearchServiceClient<Wire>,
    pub log: Arc<ScriptedLog>,
}

impl World {
    pub async fn new() -> Self {
        Self::on(Bed::sqlite()).await
    }

    pub async fn on(bed: Bed) -> Self {
        let log = ScriptedLog::new();
        let client = open(&bed, log.clone()).await;
        Self { bed, client, log }
    }

    pub fn gathering(&self, id: GatheringId, version: i64, title: &str, region: &str) {
        let region =
            Some(Region { code: region.to_owned(), name: "서울특별시 마포구".to_owned() });
        let category = Category::Outdoors.into();
        let title = title.to_owned();
        let state = GatheringState { title, category, region, ..GatheringState::default() };
        self.log.push("gathering", id.uuid(), version, &state);
    }

    pub fn schedule(&self, id: ScheduleId, version: i64, of: GatheringId, cancelled: bool) {
        let state = ScheduleState {
            gathering_id: of.to_string(),
            title: "남산 야간 산행".to_owned(),
            cancel_reason: cancelled.then(|| "비가 와요".to_owned()),
            ..ScheduleState::default()
        };
        self.log.push("schedule", id.uuid(), version, &state);
    }

    pub async fn search(&self, query: &str, voter: &str) -> Result<SearchResponse, Fault> {
        self.ask(SearchRequest {
            query: query.to_owned(),
            voter: voter.to_owned(),
            page: Some(PageRequest { first: Some(10), ..PageRequest::default() }),
            ..SearchRequest::default()
        })
        .await
    }

    pub async fn ask(&self, request: SearchRequest) -> Result<SearchResponse, Fault> {
        let request = self.bed.anonymous().request(request);
        Ok(self.client.clone().search(request).await?.into_inner())
    }

    /// Waits until a query finds as many.
    pub async fn finds(&self, query: &str, count: i32) -> SearchResponse {
        waits(count, async || self.search(query, "").await.unwrap().total_count).await;
        self.search(query, "").await.unwrap()
    }

    pub async fn popular(&self) -> Vec<PopularTerm> {
        let request = self.bed.anonymous().request(ListPopularRequest { first: 50 });
        self.client.clone().list_popular(request).await.unwrap().into_inner().terms
    }

    /// Waits until these are popular, in this order.
    pub async fn shows(&self, terms: &[&str]) {
        let expected: Vec<String> = terms.iter().map(|it| (*it).to_owned()).collect();
        waits(expected, async || self.popular().await.into_iter().map(|it| it.term).collect())
            .await;
    }

    pub async fn completions(&self, prefix: &str) -> Vec<String> {
        let asked = SuggestRequest { prefix: prefix.to_owned(), first: 5 };
        let request = self.bed.anonymous().request(asked);
        self.client.clone().suggest(request).await.unwrap().into_inner().terms
    }
}

/// Waits until a question is answered like this.
pub async fn waits<T: PartialEq + std::fmt::Debug>(expected: T, ask: impl AsyncFn() -> T) {
    let mut last = None;
    for _ in 0..1_200 {
        let answer = ask().await;
        if answer == expected {
            return;
        }
        last = Some(answer);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{last:?}, not {expected:?}");
}

pub async fn open(bed: &Bed, log: Arc<ScriptedLog>) -> SearchServiceClient<Wire> {
    open_at(&bed.data().join("search-index"), bed, log).await
}

pub async fn open_at(root: &Path, bed: &Bed, log: Arc<ScriptedLog>) -> SearchServiceClient<Wire> {
    let room = try_open_at(root, bed, log).await.unwrap();
    SearchServiceClient::new(bed.serve(&room).await)
}

pub async fn try_open_at(root: &Path, bed: &Bed, log: Arc<ScriptedLog>) -> Result<Room, Fault> {
    try_open(Config::default(), root, bed, log).await
}

pub async fn try_open(
    config: Config,
    root: &Path,
    bed: &Bed,
    log: Arc<ScriptedLog>,
) -> Result<Room, Fault> {
    let ground = bed.ground("search", &MIGRATIONS).await;
    let quiet: Arc<dyn Log> = ScriptedLog::new();
    let logs: [(&'static str, Arc<dyn Log>); 3] =
        [("gathering", log), ("schedule", quiet.clone()), ("member", quiet)];
    let config = Config { commit_ms: 20, ..config };
    let trusts: moim_search::Trusts = Arc::new(|given| match given.get("trusted") {
        Some(_) => Ok(()),
        None => Err(Status::unauthenticated("a stranger")),
    });
    moim_search::open(config, ground, root, trusts, logs).await
}
