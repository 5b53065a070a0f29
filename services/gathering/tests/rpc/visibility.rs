//! Who sees which memberships, and what of them.

use std::collections::HashSet;

use moim_kit::Call;
use moim_kit::id::{GatheringId, MemberId};
use moim_proto::gathering::v1::*;
use moim_proto::page::v1::PageRequest;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, ask, first, open_for, reason};

const HIDDEN: [MembershipStatus; 5] = [
    MembershipStatus::Pending,
    MembershipStatus::Rejected,
    MembershipStatus::Left,
    MembershipStatus::Removed,
    MembershipStatus::Banned,
];

/// A gathering with somebody in every status, in the order of the statuses.
async fn everyone(stage: &Stage, host: MemberId) -> (Gathering, Vec<(MemberId, Membership)>) {
    let gathering = stage.create(host, approving(20)).await;
    let mut all = Vec::new();
    for (n, status) in HIDDEN.into_iter().chain([MembershipStatus::Active]).enumerate() {
        let who = stage.member(&format!("손님{n}"));
        let asked = stage.join_saying(who, &gathering, Some("인사")).await.unwrap();
        let decide = async |approve| stage.decide(stage.by(host), &asked, approve).await.unwrap();
        let moved = match status {
            MembershipStatus::Rejected => decide(false).await,
            MembershipStatus::Active => decide(true).await,
            MembershipStatus::Left => stage.leave(who, &gathering).await.unwrap(),
            MembershipStatus::Removed => stage.remove(stage.by(host), &asked, false).await.unwrap(),
            MembershipStatus::Banned => stage.remove(stage.by(host), &asked, true).await.unwrap(),
            _ => asked,
        };
        assert_eq!(moved.status(), status);
        all.push((who, moved));
    }
    (gathering, all)
}

async fn get(stage: &Stage, call: Call, ids: Vec<String>) -> Vec<Membership> {
    let request = BatchGetMembershipsRequest { ids };
    ask!(stage, call, batch_get_memberships, request).unwrap().memberships
}

on_both_databases! {
    async fn memberships_by_id_show_the_active_to_all_and_the_rest_to_whom_they_concern(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (_, all) = everyone(&stage, host).await;
        let ids: Vec<_> = all.iter().map(|(_, one)| one.id.clone()).collect();
        let active = all[5].1.clone();
        let without_message = Membership { message: None, ..active.clone() };
        for call in [stage.bed.anonymous(), stage.by(stage.member("나그네"))] {
            assert_eq!(get(&stage, call, ids.clone()).await, std::slice::from_ref(&without_message));
        }
        for (who, own) in &all {
            let seen = get(&stage, stage.by(*who), ids.clone()).await;
            let seen_ids: HashSet<_> = seen.iter().map(|one| one.id.clone()).collect();
            assert_eq!(seen_ids, HashSet::from([own.id.clone(), active.id.clone()]));
            assert!(seen.contains(own), "everybody sees their own, message and all");
        }
        let seen = get(&stage, stage.by(host), ids.clone()).await;
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(|one| one.message.as_deref() == Some("인사")));
    }

    async fn rosters_of_other_statuses_are_for_the_host_and_managers(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (gathering, all) = everyone(&stage, host).await;
        let (member, own) = all[5].clone();
        for (status, (_, theirs)) in HIDDEN.into_iter().zip(&all) {
            let to_host = stage.roster(stage.by(host), &gathering, status).await;
            assert_eq!(to_host, std::slice::from_ref(theirs), "{status:?}");
            let others = [stage.bed.anonymous(), stage.by(all[0].0), stage.by(member)];
            for call in others {
                assert!(stage.roster(call, &gathering, status).await.is_empty(), "{status:?}");
            }
        }
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        let pending = stage.roster(stage.by(member), &gathering, MembershipStatus::Pending).await;
        assert_eq!(pending, [all[0].1.clone()]);
    }

    async fn a_roster_runs_in_the_order_people_came_in(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, approving(20)).await;
        let (early, late) = (stage.member("바다"), stage.member("구름"));
        let early_asked = stage.join_saying(early, &gathering, Some("하나")).await.unwrap();
        let late_asked = stage.join_saying(late, &gathering, Some("둘")).await.unwrap();
        let names = async |call, status| {
            let roster = stage.roster(call, &gathering, status).await;
            let names = roster.into_iter().map(|one| one.member.unwrap().nickname);
            names.collect::<Vec<_>>()
        };
        let pending = names(stage.by(host), MembershipStatus::Pending).await;
        assert_eq!(pending, ["바다", "구름"]);
        stage.decide(stage.by(host), &late_asked, true).await.unwrap();
        stage.decide(stage.by(host), &early_asked, true).await.unwrap();
        for status in [MembershipStatus::Active, MembershipStatus::Unspecified] {
            assert_eq!(names(stage.bed.anonymous(), status).await, ["하늘", "구름", "바다"]);
        }
        let seen = stage.roster(stage.by(late), &gathering, MembershipStatus::Active).await;
        let messages: Vec<_> = seen.iter().map(|one| one.message.as_deref()).collect();
        assert_eq!(messages, [None, Some("둘"), None], "only their own");
    }

    async fn rosters_of_several_gatherings_come_in_the_order_asked(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let mut made = Vec::new();
        for n in 0..3_usize {
            let gathering = stage.create(host, open_for(10)).await;
            for guest in 0..n {
                stage.join(stage.member(&format!("손님{guest}")), &gathering).await.unwrap();
            }
            made.push(gathering.id);
        }
        let missing = GatheringId::fresh().to_string();
        let gathering_ids =
            vec![made[2].clone(), missing, made[0].clone(), made[1].clone(), made[2].clone()];
        let request = BatchListMembershipsRequest {
            gathering_ids,
            status: MembershipStatus::Active.into(),
            role: None,
            page: first(2),
        };
        let lists = ask!(stage, stage.bed.anonymous(), batch_list_memberships, request.clone());
        let lists = lists.unwrap().lists;
        let sizes: Vec<_> = lists.iter().map(|list| list.memberships.len()).collect();
        assert_eq!(sizes, [2, 0, 1, 2, 2]);
        let more: Vec<_> =
            lists.iter().map(|list| list.page.as_ref().unwrap().has_next_page).collect();
        assert_eq!(more, [true, false, false, false, true]);
        let hosts = BatchListMembershipsRequest { role: Some(MembershipRole::Host.into()), ..request };
        let lists = ask!(stage, stage.bed.anonymous(), batch_list_memberships, hosts).unwrap().lists;
        let sizes: Vec<_> = lists.iter().map(|list| list.memberships.len()).collect();
        assert_eq!(sizes, [1, 0, 1, 1, 1]);
    }

    async fn pages_of_a_roster_visit_each_member_exactly_once_both_ways(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(50)).await;
        for n in 1..25 {
            stage.join(stage.member(&format!("손님{n}")), &gathering).await.unwrap();
        }
        let whole = stage.roster(stage.bed.anonymous(), &gathering, MembershipStatus::Active).await;
        assert_eq!(whole.len(), 25);
        for forward in [true, false] {
            let (mut met, mut cursor) = (Vec::new(), None);
            loop {
                let page = if forward {
                    PageRequest { first: Some(7), after: cursor, ..PageRequest::default() }
                } else {
                    PageRequest { last: Some(7), before: cursor, ..PageRequest::default() }
                };
                let request = BatchListMembershipsRequest {
                    gathering_ids: vec![gathering.id.clone()],
                    status: MembershipStatus::Active.into(),
                    role: None,
                    page: Some(page),
                };
                let call = stage.bed.anonymous();
                let answer = ask!(stage, call, batch_list_memberships, request).unwrap();
                let MembershipList { memberships, page } = answer.lists.into_iter().next().unwrap();
                let page = page.unwrap();
                let more = if forward { page.has_next_page } else { page.has_previous_page };
                if forward {
                    met.extend(memberships);
                    cursor = page.cursors.last().cloned();
                } else {
                    met.splice(0..0, memberships);
                    cursor = page.cursors.first().cloned();
                }
                if !more {
                    break;
                }
            }
            assert_eq!(met, whole, "forward: {forward}");
        }
    }

    async fn ones_own_memberships_come_newest_change_first(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let mut made = Vec::new();
        for _ in 0..3 {
            let gathering = stage.create(host, open_for(10)).await;
            stage.join(guest, &gathering).await.unwrap();
            made.push(gathering);
        }
        stage.leave(guest, &made[0]).await.unwrap();
        let list = async |status: Option<MembershipStatus>, page| {
            let request = ListViewerMembershipsRequest { status: status.map(Into::into), page };
            ask!(stage, stage.by(guest), list_viewer_memberships, request).unwrap()
        };
        let of = |answer: &ListViewerMembershipsResponse| {
            let ids = answer.memberships.iter().map(|one| one.gathering_id.clone());
            ids.collect::<Vec<_>>()
        };
        let ids: Vec<_> = made.iter().map(|one| one.id.clone()).collect();
        let all = list(None, first(10)).await;
        assert_eq!(of(&all), [ids[0].clone(), ids[2].clone(), ids[1].clone()]);
        let active = list(Some(MembershipStatus::Active), first(10)).await;
        assert_eq!(of(&active), [ids[2].clone(), ids[1].clone()]);
        let after = all.page.unwrap().cursors[0].clone();
        let rest = PageRequest { first: Some(1), after: Some(after), ..PageRequest::default() };
        let rest = list(None, Some(rest)).await;
        assert_eq!(of(&rest), [ids[2].clone()]);
        let before = rest.page.as_ref().unwrap().cursors[0].clone();
        assert!(rest.page.unwrap().has_next_page);
        let back = PageRequest { last: Some(5), before: Some(before), ..PageRequest::default() };
        assert_eq!(of(&list(None, Some(back)).await), [ids[0].clone()]);
        let request = ListViewerMembershipsRequest { status: None, page: first(10) };
        let nobody = ask!(stage, stage.bed.anonymous(), list_viewer_memberships, request);
        assert_eq!(reason(nobody), "UNAUTHENTICATED");
    }

    async fn nonsense_in_a_roster_request_is_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let good = BatchListMembershipsRequest {
            gathering_ids: vec![gathering.id.clone()],
            status: MembershipStatus::Active.into(),
            role: None,
            page: first(1),
        };
        let answer = ask!(stage, stage.by(host), batch_list_memberships, good.clone()).unwrap();
        let cursor = answer.lists[0].page.clone().unwrap().cursors.pop();
        let after = Some(PageRequest { after: cursor.clone(), first: Some(1), ..PageRequest::default() });
        let two = vec![gathering.id.clone(), GatheringId::fresh().to_string()];
        for (request, expected) in [
            (BatchListMembershipsRequest { status: 9, ..good.clone() }, "STATUS_INVALID"),
            (BatchListMembershipsRequest { role: Some(0), ..good.clone() }, "ROLE_INVALID"),
            (BatchListMembershipsRequest { page: None, ..good.clone() }, "PAGE_INVALID"),
            (BatchListMembershipsRequest { gathering_ids: vec!["?".to_owned()], ..good.clone() }, "ID_INVALID"),
            (BatchListMembershipsRequest { gathering_ids: two, page: after.clone(), ..good.clone() }, "CURSOR_NEEDS_ONE"),
            (BatchListMembershipsRequest { gathering_ids: vec![gathering.id.clone(); 201], ..good.clone() }, "TOO_MANY_IDS"),
        ] {
            assert_eq!(reason(ask!(stage, stage.by(host), batch_list_memberships, request)), expected);
        }
        let own = ListViewerMembershipsRequest { status: None, page: after };
        assert_eq!(reason(ask!(stage, stage.by(host), list_viewer_memberships, own)), "CURSOR_INVALID");
        let own = ListViewerMembershipsRequest { status: Some(9), page: first(1) };
        assert_eq!(reason(ask!(stage, stage.by(host), list_viewer_memberships, own)), "STATUS_INVALID");
    }
}
