//! What the room tells, and that a retried mutation happens once.

use std::collections::HashMap;

use moim_kit::bus::Fact;
use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::stage::{Stage, approving, ask, change, marks, open_for, reason};

/// The states told of each aggregate; fails unless the versions are 1, 2, 3 and so on.
fn gapless<M: prost::Message + Default>(facts: &[Fact]) -> HashMap<Uuid, Vec<M>> {
    let mut all: HashMap<Uuid, Vec<(i64, M)>> = HashMap::new();
    for fact in facts {
        let state = M::decode(fact.payload.clone()).unwrap();
        all.entry(fact.aggregate).or_default().push((fact.version, state));
    }
    let whole = all.into_iter().map(|(id, mut told)| {
        told.sort_by_key(|(version, _)| *version);
        for (place, (version, _)) in told.iter().enumerate() {
            assert_eq!(
                *version,
                i64::try_from(place).unwrap() + 1,
                "a version is missing or twice"
            );
        }
        (id, told.into_iter().map(|(_, state)| state).collect())
    });
    whole.collect()
}

on_both_databases! {
    async fn every_change_of_a_gathering_is_told_once_with_its_version(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(2)).await;
        let own = stage.join(guest, &gathering).await.unwrap();
        let close = UpdateRequest { closed: Some(true), ..change(&gathering) };
        stage.update(host, close.clone()).await.unwrap();
        stage.update(host, close).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Host).await.unwrap();
        stage.leave(host, &gathering).await.unwrap();
        assert_eq!(reason(stage.join(host, &gathering).await), "GATHERING_CLOSED");
        let told = gapless::<GatheringState>(&stage.told("gathering", 5).await);
        let states = &told[&gathering.id.parse().unwrap()];
        let seen: Vec<_> = states
            .iter()
            .map(|state| (state.status(), state.member_count, state.host_id.clone()))
            .collect();
        let (host, guest) = (host.to_string(), guest.to_string());
        assert_eq!(seen, [
            (GatheringStatus::Open, 1, host.clone()),
            (GatheringStatus::Full, 2, host.clone()),
            (GatheringStatus::Closed, 2, host.clone()),
            (GatheringStatus::Closed, 2, guest.clone()),
            (GatheringStatus::Closed, 1, guest),
        ]);
        let first = &states[0];
        assert_eq!(first.region.as_ref().unwrap().code, "11440");
        assert_eq!((first.title.as_str(), first.capacity), ("한강 달리기", 2));
        assert_eq!(first.created_at_us, gathering.created_at_us);
    }

    async fn every_change_of_a_membership_is_told_once_with_its_version(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let hosts = gathering.viewer_membership.clone().unwrap();
        let own = stage.join_saying(guest, &gathering, Some("인사")).await.unwrap();
        stage.decide(stage.by(host), &own, false).await.unwrap();
        stage.join(guest, &gathering).await.unwrap();
        stage.decide(stage.by(host), &own, true).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Host).await.unwrap();
        stage.remove(stage.by(guest), &hosts, true).await.unwrap();
        let facts = stage.told("membership", 9).await;
        assert_eq!(facts.len(), 9);
        assert!(facts.iter().all(|fact| !fact.trace.is_empty()));
        let told = gapless::<MembershipState>(&facts);
        let steps = |id: &str| -> Vec<_> {
            let states = &told[&id.parse::<Uuid>().unwrap()];
            assert!(states.iter().all(|state| state.gathering_id == gathering.id));
            states.iter().map(|state| (state.role(), state.status())).collect()
        };
        use {MembershipRole as Role, MembershipStatus as Status};
        assert_eq!(steps(&own.id), [
            (Role::Member, Status::Pending),
            (Role::Member, Status::Rejected),
            (Role::Member, Status::Pending),
            (Role::Member, Status::Active),
            (Role::Manager, Status::Active),
            (Role::Host, Status::Active),
        ]);
        assert_eq!(steps(&hosts.id), [
            (Role::Host, Status::Active),
            (Role::Manager, Status::Active),
            (Role::Member, Status::Banned),
        ]);
    }

    async fn a_refused_call_tells_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(2)).await;
        stage.join(guest, &gathering).await.unwrap();
        let late = stage.member("구름");
        assert_eq!(reason(stage.join(late, &gathering).await), "GATHERING_FULL");
        assert_eq!(reason(stage.leave(host, &gathering).await), "HOST_STAYS");
        stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(stage.told("gathering", 3).await.len(), 3);
        assert_eq!(stage.told("membership", 3).await.len(), 3);
    }

    async fn an_answer_names_what_was_written(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let request = JoinRequest { gathering_id: gathering.id.clone(), message: None };
        let joined = stage.client().join(stage.by(guest).request(request)).await.unwrap();
        let mut written = marks(&joined);
        written.sort();
        assert_eq!(written, [("gathering".to_owned(), 2), ("membership".to_owned(), 1)]);
    }

    async fn a_retried_mutation_happens_once_and_answers_the_same(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let call = stage.by(host).keyed(Some("start"));
        let made = ask!(stage, call, create, open_for(5)).unwrap();
        assert_eq!(ask!(stage, call, create, open_for(5)).unwrap(), made);
        assert_eq!(reason(ask!(stage, call, create, open_for(6))), "IDEMPOTENCY_KEY_REUSED");
        let gathering = made.gathering.unwrap();

        let call = stage.by(host).keyed(Some("k"));
        let rename = UpdateRequest { title: Some("새 이름".to_owned()), ..change(&gathering) };
        let renamed = ask!(stage, call, update, rename.clone()).unwrap();
        assert_eq!(ask!(stage, call, update, rename).unwrap(), renamed);

        let call = stage.by(guest).keyed(Some("k"));
        let join = JoinRequest { gathering_id: gathering.id.clone(), message: None };
        let joined = ask!(stage, call, join, join.clone()).unwrap();
        assert_eq!(ask!(stage, call, join, join).unwrap(), joined);
        let leave = LeaveRequest { gathering_id: gathering.id.clone() };
        let left = ask!(stage, call, leave, leave.clone()).unwrap();
        assert_eq!(ask!(stage, call, leave, leave).unwrap(), left);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().member_count, 1);
        assert_eq!(stage.told("gathering", 4).await.len(), 4);
    }

    async fn what_managers_do_can_be_retried_too(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let membership_id = stage.join(guest, &gathering).await.unwrap().id;
        let call = stage.by(host).keyed(Some("k"));
        let decide = DecideMembershipRequest { membership_id: membership_id.clone(), approve: true };
        let decided = ask!(stage, call, decide_membership, decide.clone()).unwrap();
        assert_eq!(ask!(stage, call, decide_membership, decide.clone()).unwrap(), decided);
        let other = DecideMembershipRequest { approve: false, ..decide };
        assert_eq!(reason(ask!(stage, call, decide_membership, other)), "IDEMPOTENCY_KEY_REUSED");
        let role = MembershipRole::Manager.into();
        let promote = SetMembershipRoleRequest { membership_id: membership_id.clone(), role };
        let promoted = ask!(stage, call, set_membership_role, promote.clone()).unwrap();
        assert_eq!(ask!(stage, call, set_membership_role, promote).unwrap(), promoted);
        let remove = RemoveMembershipRequest { membership_id, ban: false };
        let removed = ask!(stage, call, remove_membership, remove.clone()).unwrap();
        assert_eq!(ask!(stage, call, remove_membership, remove).unwrap(), removed);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().member_count, 1);
    }

    async fn a_failed_mutation_leaves_its_key_free(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let late = stage.member("구름");
        let gathering = stage.create(host, open_for(2)).await;
        stage.join(guest, &gathering).await.unwrap();
        let call = stage.by(late).keyed(Some("k"));
        let join = JoinRequest { gathering_id: gathering.id.clone(), message: None };
        assert_eq!(reason(ask!(stage, call, join, join.clone())), "GATHERING_FULL");
        stage.leave(guest, &gathering).await.unwrap();
        ask!(stage, call, join, join).unwrap();
    }
}
