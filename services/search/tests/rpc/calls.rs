//! The room's calls over real sockets, fed by the facts of scripted rooms.

use std::time::Duration;

use moim_kit::id::{GatheringId, MemberId, ScheduleId};
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_proto::search::v1::search_service_client::SearchServiceClient;
use moim_proto::search::v1::*;
use moim_search::Config;
use moim_testbed::{Bed, ScriptedLog};

use crate::world::{World, open, open_at, try_open, try_open_at, waits};

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
    world.shows(&["주말", "등산"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_come_from_hobbies_before_anything_was_searched() {
    let world = World::new().await;
    waits(true, async || world.completions("ㄷㅅㅁㅇ").await.contains(&"독서모임".to_owned()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_has_searched_what_there_is_most_of_is_completed_first() {
    let world = World::new().await;
    for title in ["느리게 읽는 밤", "새벽 독서", "동네 북클럽", "주말 등산 모임", "댄스 교실"]
    {
        world.gathering(GatheringId::fresh(), 1, title, "11440");
    }
    let first = async || world.completions("ㄷㅅ").await.into_iter().next();
    waits(Some("독서".to_owned()), first).await;
    // From then on what people search for comes before.
    world.finds("댄스", 1).await;
    world.search("댄스", "somebody").await.unwrap();
    waits(Some("댄스".to_owned()), first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_other_words_makes_another_index_beside_the_one_that_answers() {
    let mut bed = Bed::sqlite();
    let (root, file) = (bed.data().join("search-index"), bed.data().join("words.txt"));
    let config =
        || Config { synonyms_file: file.to_str().unwrap().to_owned(), ..Config::default() };
    let log = ScriptedLog::new();
    for (words, query) in [("등산, 뫼타기", "뫼타기"), ("등산, 메오르기", "메오르기")]
    {
        std::fs::write(&file, words).unwrap();
        let room = try_open(config(), &root, &bed, log.clone()).await.unwrap();
        let client = SearchServiceClient::new(bed.serve(&room).await);
        drop(room);
        let world = World { bed, client, log: log.clone() };
        if query == "뫼타기" {
            world.gathering(GatheringId::fresh(), 1, "주말 등산 모임", "11440");
        } else {
            // Nothing is missing meanwhile.
            assert_eq!(world.search("등산", "").await.unwrap().total_count, 1);
        }
        world.finds(query, 1).await;
        bed = world.bed;
        assert!(bed.tasks.stop(Duration::from_secs(10)).await);
        bed.tasks = moim_kit::task::Tasks::new();
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_another_process_keeps_is_refused_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("index");
    let (bed, log) = (Bed::sqlite(), ScriptedLog::new());
    let client = open_at(&root, &bed, log.clone()).await;
    let world = World { bed, client, log };
    world.gathering(GatheringId::fresh(), 1, "주말 등산 모임", "11440");
    world.finds("등산", 1).await;
    let other = Bed::sqlite();
    let refused = try_open_at(&root, &other, ScriptedLog::new()).await.err().unwrap();
    assert_eq!(refused.reason(), "INDEX_TAKEN");
    let sentence = refused.to_string();
    assert!(sentence.contains("another process") && sentence.contains("house.data"), "{sentence}");
    // What was refused has removed nothing.
    world.gathering(GatheringId::fresh(), 1, "새벽 등산 모임", "11440");
    world.finds("등산", 2).await;
    assert!(world.bed.tasks.stop(Duration::from_secs(10)).await);
    drop(world);
    // Its claim ended with it.
    try_open_at(&root, &other, ScriptedLog::new()).await.unwrap();
}
