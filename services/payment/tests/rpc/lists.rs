//! The ledger of a wallet, page by page and by id.

use moim_kit::id::MemberId;
use moim_proto::page::v1::PageRequest;
use moim_proto::payment::v1::*;

use crate::stage::*;

async fn page(
    stage: &Stage,
    member: MemberId,
    page: PageRequest,
) -> (Vec<i64>, ListEntriesResponse) {
    let request = ListEntriesRequest { page: Some(page) };
    let answer = ask!(stage, member, list_entries, request).unwrap();
    (answer.entries.iter().map(|it| it.amount_krw).collect(), answer)
}

fn first(count: i32, after: Option<String>) -> PageRequest {
    PageRequest { first: Some(count), after, ..PageRequest::default() }
}

moim_testbed::on_both_databases! {
    async fn entries_come_newest_first_in_pages_both_ways(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        for amount in 1..=5 {
            stage.top_up(member, &fresh(), amount, "").await.unwrap();
        }
        stage.member(99).await;
        let (amounts, one) = page(&stage, member, first(2, None)).await;
        let info = one.page.unwrap();
        assert_eq!((amounts, info.has_next_page, info.has_previous_page), (vec![5, 4], true, false));
        let (amounts, two) = page(&stage, member, first(2, info.cursors.last().cloned())).await;
        let info = two.page.unwrap();
        assert_eq!((amounts, info.has_next_page), (vec![3, 2], true));
        let (amounts, three) = page(&stage, member, first(2, info.cursors.last().cloned())).await;
        assert_eq!((amounts, three.page.unwrap().has_next_page), (vec![1], false));
        let before = info.cursors.first().cloned();
        let back = PageRequest { last: Some(1), before, ..PageRequest::default() };
        assert_eq!(page(&stage, member, back).await.0, [4]);
        let last = PageRequest { last: Some(2), ..PageRequest::default() };
        assert_eq!(page(&stage, member, last).await.0, [2, 1]);
    }

    async fn odd_pages_are_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        for (page, reason) in [
            (PageRequest::default(), "PAGE_INVALID"),
            (first(101, None), "PAGE_INVALID"),
            (first(1, Some("nonsense".to_owned())), "CURSOR_INVALID"),
        ] {
            let request = ListEntriesRequest { page: Some(page) };
            let refused = ask!(stage, member, list_entries, request).unwrap_err();
            assert_eq!(refused.reason(), reason);
        }
        let call = stage.bed.anonymous();
        let refused = stage.client().list_entries(call.request(ListEntriesRequest::default())).await;
        assert_eq!(refused.unwrap_err().code(), tonic::Code::Unauthenticated);
        let refused = stage.client().get_wallet(call.request(GetWalletRequest {})).await;
        assert_eq!(refused.unwrap_err().code(), tonic::Code::Unauthenticated);
    }

    async fn entries_are_found_by_id_by_their_member_alone(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, other) = (stage.member(1_000).await, stage.member(2_000).await);
        let entries = stage.entries(member).await;
        let ids = vec![entries[0].id.clone(), fresh(), "x".to_owned()];
        let find = |ids| BatchGetEntriesRequest { ids };
        let own = ask!(stage, member, batch_get_entries, find(ids.clone())).unwrap();
        assert_eq!(own.entries, entries);
        let theirs = ask!(stage, other, batch_get_entries, find(ids)).unwrap();
        assert!(theirs.entries.is_empty());
        let refused = ask!(stage, member, batch_get_entries, find(vec![fresh(); 201]));
        assert_eq!(refused.unwrap_err().reason(), "TOO_MANY_IDS");
    }
}
