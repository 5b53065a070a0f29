//! Browsing: filters, three orders, pages both ways, and reading by id.

use std::collections::HashSet;

use moim_kit::id::GatheringId;
use moim_proto::gathering::v1::*;
use moim_proto::page::v1::PageRequest;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, ask, change, first, open_for, reason};

const SORTS: [ListSort; 3] = [ListSort::Active, ListSort::Newest, ListSort::Popular];

async fn titles(stage: &Stage, request: ListRequest) -> Vec<String> {
    let answer = ask!(stage, stage.bed.anonymous(), list, request).unwrap();
    answer.gatherings.into_iter().map(|gathering| gathering.title).collect()
}

fn ordered(sort: ListSort, page: Option<PageRequest>) -> ListRequest {
    ListRequest { sort: sort.into(), page, ..ListRequest::default() }
}

fn filtered(spoil: impl FnOnce(&mut ListRequest)) -> ListRequest {
    let mut request = ordered(ListSort::Newest, first(100));
    spoil(&mut request);
    request
}

/// Twenty-five gatherings with few distinct numbers of members, so that ties must be broken.
async fn fill(stage: &Stage) -> Vec<String> {
    let host = stage.member("하늘");
    let guests: Vec<_> = (0..3).map(|n| stage.member(&format!("손님{n}"))).collect();
    let mut ids = Vec::new();
    for n in 0..25_usize {
        let request = CreateRequest { title: format!("모임 {n}"), ..open_for(10) };
        let gathering = stage.create(host, request).await;
        for guest in &guests[..n % 4] {
            stage.join(*guest, &gathering).await.unwrap();
        }
        ids.push(gathering.id);
    }
    ids
}

/// Every id met from one end to the other; checks what each page says of its place.
async fn walk(stage: &Stage, sort: ListSort, forward: bool) -> Vec<String> {
    let (mut met, mut cursor) = (Vec::new(), None);
    loop {
        let page = if forward {
            PageRequest { first: Some(7), after: cursor.clone(), ..PageRequest::default() }
        } else {
            PageRequest { last: Some(7), before: cursor.clone(), ..PageRequest::default() }
        };
        let answer = ask!(stage, stage.bed.anonymous(), list, ordered(sort, Some(page))).unwrap();
        let page = answer.page.unwrap();
        let mut ids: Vec<_> = answer.gatherings.into_iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), page.cursors.len());
        let started = cursor.is_some();
        let (more, edge) = if forward {
            assert_eq!(page.has_previous_page, started);
            (page.has_next_page, page.cursors.last().cloned())
        } else {
            ids.reverse();
            assert_eq!(page.has_next_page, started);
            (page.has_previous_page, page.cursors.first().cloned())
        };
        met.extend(ids);
        if !more {
            return met;
        }
        cursor = edge;
    }
}

on_both_databases! {
    async fn pages_visit_each_gathering_exactly_once_both_ways_in_every_order(bed: Bed) {
        let stage = Stage::set(bed).await;
        let made: HashSet<_> = fill(&stage).await.into_iter().collect();
        for sort in SORTS {
            let forward = walk(&stage, sort, true).await;
            let mut backward = walk(&stage, sort, false).await;
            assert_eq!(forward.len(), 25, "{sort:?}");
            assert_eq!(forward.iter().cloned().collect::<HashSet<_>>(), made, "{sort:?}");
            backward.reverse();
            assert_eq!(forward, backward, "{sort:?}");
        }
    }

    async fn each_order_sorts_by_what_it_says(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let mut made = Vec::new();
        for title in ["첫째", "둘째", "셋째"] {
            let request = CreateRequest { title: title.to_owned(), ..open_for(10) };
            made.push(stage.create(host, request).await);
        }
        stage.join(guest, &made[0]).await.unwrap();
        let description = Some("새로 썼어요.".to_owned());
        stage.update(host, UpdateRequest { description, ..change(&made[1]) }).await.unwrap();
        let by = async |sort| titles(&stage, ordered(sort, first(10))).await;
        assert_eq!(by(ListSort::Newest).await, ["셋째", "둘째", "첫째"]);
        assert_eq!(by(ListSort::Active).await, ["둘째", "첫째", "셋째"]);
        assert_eq!(by(ListSort::Unspecified).await, ["둘째", "첫째", "셋째"]);
        assert_eq!(by(ListSort::Popular).await[0], "첫째");
        stage.leave(guest, &made[0]).await.unwrap();
        assert_eq!(by(ListSort::Active).await[0], "둘째", "leaving is no activity");
    }

    async fn filters_narrow_by_category_region_and_free_seats_together(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let make = async |title: &str, category: Category, region: &str, capacity| {
            let request = CreateRequest {
                title: title.to_owned(),
                category: category.into(),
                region_code: region.to_owned(),
                ..open_for(capacity)
            };
            stage.create(host, request).await
        };
        make("책 마포", Category::Books, "11440", 10).await;
        make("책 종로", Category::Books, "11110", 10).await;
        make("산 마포", Category::Outdoors, "11440", 10).await;
        let full = make("책 가득", Category::Books, "11440", 2).await;
        stage.join(guest, &full).await.unwrap();
        let closed = make("책 닫힘", Category::Books, "11440", 10).await;
        let close = UpdateRequest { closed: Some(true), ..change(&closed) };
        stage.update(host, close).await.unwrap();
        for (request, expected) in [
            (filtered(|r| r.category = Some(Category::Outdoors.into())), vec!["산 마포"]),
            (filtered(|r| r.region_code = Some("11110".to_owned())), vec!["책 종로"]),
            (filtered(|r| r.region_code = Some("36110".to_owned())), vec![]),
            (filtered(|r| r.open_only = true), vec!["산 마포", "책 종로", "책 마포"]),
            (
                filtered(|r| {
                    r.category = Some(Category::Books.into());
                    r.region_code = Some("11440".to_owned());
                }),
                vec!["책 닫힘", "책 가득", "책 마포"],
            ),
            (
                filtered(|r| {
                    r.category = Some(Category::Books.into());
                    r.region_code = Some("11440".to_owned());
                    r.open_only = true;
                }),
                vec!["책 마포"],
            ),
        ] {
            assert_eq!(titles(&stage, request.clone()).await, expected, "{request:?}");
        }
    }

    async fn nonsense_in_a_list_request_is_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        fill(&stage).await;
        let newest = ordered(ListSort::Newest, first(1));
        let answer = ask!(stage, stage.bed.anonymous(), list, newest).unwrap();
        let foreign = answer.page.unwrap().cursors.pop();
        let after = |after: Option<String>| Some(PageRequest { first: Some(1), after, ..PageRequest::default() });
        for (request, expected) in [
            (filtered(|r| r.page = None), "PAGE_INVALID"),
            (filtered(|r| r.page = first(0)), "PAGE_INVALID"),
            (filtered(|r| r.page = first(101)), "PAGE_INVALID"),
            (filtered(|r| r.page = after(Some("어디".to_owned()))), "CURSOR_INVALID"),
            (ordered(ListSort::Active, after(foreign.clone())), "CURSOR_INVALID"),
            (ordered(ListSort::Popular, after(foreign.clone())), "CURSOR_INVALID"),
            (filtered(|r| r.region_code = Some("99999".to_owned())), "REGION_UNKNOWN"),
            (filtered(|r| r.category = Some(0)), "CATEGORY_INVALID"),
            (filtered(|r| r.sort = 9), "SORT_INVALID"),
        ] {
            assert_eq!(reason(ask!(stage, stage.bed.anonymous(), list, request)), expected);
        }
    }

    async fn a_page_carries_what_each_gathering_is_to_the_viewer(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let joined = stage.create(host, open_for(10)).await;
        let other = stage.create(host, open_for(10)).await;
        let own = stage.join(guest, &joined).await.unwrap();
        let list = ordered(ListSort::Newest, first(10));
        let listed = ask!(stage, stage.by(guest), list, list.clone()).unwrap().gatherings;
        let seen: Vec<_> = listed.into_iter().map(|one| (one.id, one.viewer_membership)).collect();
        assert_eq!(seen, [(other.id.clone(), None), (joined.id.clone(), Some(own))]);
        let listed = ask!(stage, stage.bed.anonymous(), list, list).unwrap().gatherings;
        assert!(listed.iter().all(|one| one.viewer_membership.is_none()));
    }

    async fn ids_that_name_nothing_are_simply_not_found(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let ids = vec![
            gathering.id.clone(),
            "모임".to_owned(),
            GatheringId::fresh().to_string(),
            host.to_string(),
            gathering.id.clone(),
        ];
        let found = ask!(stage, stage.by(host), batch_get, BatchGetRequest { ids }).unwrap();
        assert_eq!(found.gatherings, [gathering]);
        let ids = vec![host.to_string(); 201];
        let many = ask!(stage, stage.by(host), batch_get, BatchGetRequest { ids: ids.clone() });
        assert_eq!(reason(many), "TOO_MANY_IDS");
        let many = BatchGetMembershipsRequest { ids };
        assert_eq!(reason(ask!(stage, stage.by(host), batch_get_memberships, many)), "TOO_MANY_IDS");
        let none = ask!(stage, stage.by(host), batch_get, BatchGetRequest { ids: vec![] }).unwrap();
        assert!(none.gatherings.is_empty());
    }

    async fn every_region_is_listed_by_code(bed: Bed) {
        let stage = Stage::set(bed).await;
        let answer = ask!(stage, stage.bed.anonymous(), list_regions, ListRegionsRequest {}).unwrap();
        assert!(answer.regions.len() > 200);
        assert!(answer.regions.is_sorted_by_key(|region| region.code.clone()));
        assert!(answer.regions.iter().any(|region| region.name == "서울특별시 마포구"));
    }
}
