//! The room's calls over real sockets, fed by the facts of scripted rooms.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::Log;
use moim_kit::id::{GatheringId, MemberId, ScheduleId};
use moim_kit::wire::Wire;
use moim_proto::gathering::v1::{Category, GatheringState, Region};
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1::ScheduleState;
use moim_proto::search::v1::search_service_client::SearchServiceClient;
use moim_proto::search::v1::*;
use moim_search::{Config, MIGRATIONS};
use moim_testbed::{Bed, ScriptedLog};
use tonic::Status;

struct World {
    bed: Bed,
    client: SearchServiceClient<Wire>,
    log: Arc<ScriptedLog>,
}

impl World {
    async fn new() -> Self {
        let (bed, log) = (Bed::sqlite(), ScriptedLog::new());
        let client = open(&bed, log.clone()).await;
        Self { bed, client, log }
    }

    fn gathering(&self, id: GatheringId, version: i64, title: &str, region: &str) {
        let region =
            Some(Region { code: region.to_owned(), name: "서울특별시 마포구".to_owned() });
        let category = Category::Outdoors.into();
        let title = title.to_owned();
        let state = GatheringState { title, category, region, ..GatheringState::default() };
        self.log.push("gathering", id.uuid(), version, &state);
    }

    fn schedule(&self, id: ScheduleId, version: i64, of: GatheringId, cancelled: bool) {
        let state = ScheduleState {
            gathering_id: of.to_string(),
            title: "남산 야간 산행".to_owned(),
            cancel_reason: cancelled.then(|| "비가 와요".to_owned()),
            ..ScheduleState::default()
        };
        self.log.push("schedule", id.uuid(), version, &state);
    }

    async fn search(&self, query: &str, voter: &str) -> Result<SearchResponse, Fault> {
        self.ask(SearchRequest {
            query: query.to_owned(),
            voter: voter.to_owned(),
            page: Some(PageRequest { first: Some(10), ..PageRequest::default() }),
            ..SearchRequest::default()
        })
        .await
    }

    async fn ask(&self, request: SearchRequest) -> Result<SearchResponse, Fault> {
        let request = self.bed.anonymous().request(request);
        Ok(self.client.clone().search(request).await?.into_inner())
    }

    /// Waits until a query finds as many.
    async fn finds(&self, query: &str, count: i32) -> SearchResponse {
        let mut last = None;
        for _ in 0..400 {
            let answer = self.search(query, "").await.unwrap();
            if answer.total_count == count {
                return answer;
            }
            last = Some(answer.total_count);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{query} found {last:?}, not {count}");
    }
}

async fn open(bed: &Bed, log: Arc<ScriptedLog>) -> SearchServiceClient<Wire> {
    open_at(&bed.data().join("search-index"), bed, log).await
}

async fn open_at(root: &Path, bed: &Bed, log: Arc<ScriptedLog>) -> SearchServiceClient<Wire> {
    let ground = bed.ground("search", &MIGRATIONS).await;
    let quiet: Arc<dyn Log> = ScriptedLog::new();
    let logs: [(&'static str, Arc<dyn Log>); 3] =
        [("gathering", log), ("schedule", quiet.clone()), ("member", quiet)];
    let config = Config { commit_ms: 20, ..Config::default() };
    let trusts: moim_search::Trusts = Arc::new(|given| match given.get("trusted") {
        Some(_) => Ok(()),
        None => Err(Status::unauthenticated("a stranger")),
    });
    let room = moim_search::open(config, ground, root, trusts, logs).await.unwrap();
    SearchServiceClient::new(bed.serve(&room).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_rooms_tell_is_found_and_what_is_cancelled_is_not() {
    let world = World::new().await;
    let (gathering, schedule) = (GatheringId::fresh(), ScheduleId::fresh());
    world.schedule(schedule, 1, gathering, false);
    world.gathering(gathering, 1, "주말 등산 모임", "11440");
    let card = MemberState { nickname: "등산왕".to_owned(), ..MemberState::default() };
    world.log.push("member", MemberId::fresh().uuid(), 1, &card);
    let found = world.finds("등산", 3).await;
    let hit = found.hits.iter().find(|it| it.id == gathering.to_string()).unwrap();
    assert_eq!(hit.highlights[0].field, "title");
    // The schedule is found by the region of its gathering, also when that moves.
    let by_region = |region: &str| SearchRequest {
        query: "야간 산행".to_owned(),
        kinds: vec![SearchKind::Schedule.into()],
        filter: Some(SearchFilter {
            region_id: Some(region.to_owned()),
            ..SearchFilter::default()
        }),
        page: Some(PageRequest { first: Some(10), ..PageRequest::default() }),
        ..SearchRequest::default()
    };
    assert_eq!(world.ask(by_region("11440")).await.unwrap().total_count, 1);
    world.gathering(gathering, 2, "주말 수영 모임", "11680");
    world.finds("수영", 1).await;
    assert_eq!(world.ask(by_region("11440")).await.unwrap().total_count, 0);
    assert_eq!(world.ask(by_region("11680")).await.unwrap().total_count, 1);
    world.finds("남산", 1).await;
    world.schedule(schedule, 2, gathering, true);
    world.finds("남산", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_vote_twice_counts_once_and_a_search_without_results_not_at_all() {
    let world = World::new().await;
    world.gathering(GatheringId::fresh(), 1, "주말 등산 모임", "11440");
    world.finds("등산", 1).await;
    for (query, voter) in [
        ("등산", "a"),
        ("등산", "a"),
        ("주말", "a"),
        ("주말", "b"),
        ("우주비행", "a"),
        ("모임", ""),
    ] {
        world.search(query, voter).await.unwrap();
    }
    let request = world.bed.anonymous().request(ListPopularRequest { first: 50 });
    let terms = world.client.clone().list_popular(request).await.unwrap().into_inner().terms;
    let terms: Vec<_> = terms.into_iter().map(|it| it.term).collect();
    assert_eq!(terms, ["주말", "등산"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_come_from_hobbies_before_anything_was_searched() {
    let world = World::new().await;
    for _ in 0..400 {
        let asked = SuggestRequest { prefix: "ㄷㅅㅁㅇ".to_owned(), first: 5 };
        let request = world.bed.anonymous().request(asked);
        let terms = world.client.clone().suggest(request).await.unwrap().into_inner().terms;
        if terms.contains(&"독서모임".to_owned()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing was suggested");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_their_reasons_and_strangers_get_no_explanation() {
    let world = World::new().await;
    assert_eq!(world.search("***", "").await.unwrap_err().reason(), "QUERY_INVALID");
    let asked = ExplainRequest { query: "등산".to_owned(), first: 3 };
    let request = world.bed.anonymous().request(asked.clone());
    assert!(world.client.clone().explain(request).await.is_err());
    let mut request = world.bed.anonymous().request(asked);
    request.metadata_mut().insert("trusted", "yes".parse().unwrap());
    let told = world.client.clone().explain(request).await.unwrap().into_inner().text;
    assert!(told.contains("word `등산`"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_opening_goes_on_with_the_index_of_the_first() {
    let world = World::new().await;
    world.gathering(GatheringId::fresh(), 1, "주말 등산 모임", "11440");
    world.finds("등산", 1).await;
    let World { bed, log, client } = world;
    drop(client);
    assert!(bed.tasks.stop(Duration::from_secs(10)).await);
    let mut bed = bed;
    bed.tasks = moim_kit::task::Tasks::new();
    let client = open(&bed, log.clone()).await;
    let world = World { bed, client, log };
    world.gathering(GatheringId::fresh(), 1, "새벽 등산 모임", "11440");
    world.finds("등산", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_rows_that_are_gone_is_built_anew_from_those_there_are() {
    let world = World::new().await;
    for title in ["주말 등산 모임", "새벽 등산 모임", "야간 등산 모임"] {
        world.gathering(GatheringId::fresh(), 1, title, "11440");
    }
    world.finds("등산", 3).await;
    let root = world.bed.data().join("search-index");
    assert!(world.bed.tasks.stop(Duration::from_secs(10)).await);
    // A new database numbers its rows from one again, which the old index has covered already.
    let (bed, log) = (Bed::sqlite(), ScriptedLog::new());
    let client = open_at(&root, &bed, log.clone()).await;
    let anew = World { bed, client, log };
    anew.gathering(GatheringId::fresh(), 1, "아침 등산 모임", "11440");
    anew.finds("등산", 1).await;
    anew.finds("아침", 1).await;
}
