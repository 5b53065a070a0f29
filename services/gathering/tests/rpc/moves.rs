//! How memberships move is told as it happens, with the names and managers of that moment.

use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, open_for, reason};

on_both_databases! {
    async fn every_version_of_a_membership_says_how_it_came_about(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let hosts = gathering.viewer_membership.clone().unwrap();
        let own = stage.join(guest, &gathering).await.unwrap();
        stage.decide(stage.by(host), &own, false).await.unwrap();
        stage.join(guest, &gathering).await.unwrap();
        stage.decide(stage.by(host), &own, true).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Host).await.unwrap();
        stage.leave(host, &gathering).await.unwrap();
        stage.join(host, &gathering).await.unwrap();
        stage.remove(stage.by(guest), &hosts, false).await.unwrap();
        stage.remove(stage.by(guest), &hosts, true).await.unwrap();
        let moves = stage.moves(12).await;
        assert_eq!(moves.len(), 12, "setting the role one has is no move");
        let of = |id: &str| -> Vec<_> {
            let its = moves.iter().filter(|(_, event)| event.membership_id == id);
            its.map(|(fact, event)| (fact.version, event.r#move(), event.role(), event.actor_id.clone()))
                .collect()
        };
        use {MembershipMove as Move, MembershipRole as Role};
        let (by_host, by_guest) = (host.to_string(), guest.to_string());
        assert_eq!(of(&own.id), [
            (1, Move::Requested, Role::Member, by_guest.clone()),
            (2, Move::Rejected, Role::Member, by_host.clone()),
            (3, Move::Requested, Role::Member, by_guest.clone()),
            (4, Move::Approved, Role::Member, by_host.clone()),
            (5, Move::RoleChanged, Role::Manager, by_host.clone()),
            (6, Move::RoleChanged, Role::Host, by_host.clone()),
        ]);
        assert_eq!(of(&hosts.id), [
            (1, Move::Joined, Role::Host, by_host.clone()),
            (2, Move::RoleChanged, Role::Manager, by_host.clone()),
            (3, Move::Left, Role::Member, by_host.clone()),
            (4, Move::Requested, Role::Member, by_host),
            (5, Move::Removed, Role::Member, by_guest.clone()),
            (6, Move::Banned, Role::Member, by_guest),
        ]);
        for (fact, event) in &moves {
            assert_eq!(fact.aggregate.to_string(), event.membership_id);
            assert_eq!(fact.topic.map(|id| id.to_string()), Some(gathering.id.clone()));
            assert_eq!(event.gathering_id, gathering.id);
        }
    }

    async fn a_move_carries_the_names_and_managers_of_its_moment(bed: Bed) {
        let stage = Stage::set(bed).await;
        let [host, manager, guest] = ["하늘", "바다", "구름"].map(|name| stage.member(name));
        let gathering = stage.create(host, approving(5)).await;
        let first = stage.join(manager, &gathering).await.unwrap();
        stage.decide(stage.by(host), &first, true).await.unwrap();
        stage.set_role(stage.by(host), &first, MembershipRole::Manager).await.unwrap();
        stage.join(guest, &gathering).await.unwrap();
        let moves = stage.moves(5).await;
        let asked: Vec<_> =
            moves.iter().map(|(_, it)| it).filter(|it| it.r#move() == MembershipMove::Requested).collect();
        assert_eq!(asked[0].manager_ids, [host.to_string()]);
        let mut both = [host.to_string(), manager.to_string()];
        both.sort();
        assert_eq!(asked[1].manager_ids, both);
        assert_eq!(asked[1].gathering_title, "한강 달리기");
        let card = asked[1].member.as_ref().unwrap();
        assert_eq!((card.nickname.as_str(), card.id.clone()), ("구름", guest.to_string()));
        let others = moves.iter().filter(|(_, it)| it.r#move() != MembershipMove::Requested);
        assert!(others.map(|(_, it)| it).all(|it| it.manager_ids.is_empty()));
    }

    async fn a_refused_call_is_no_move(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(2)).await;
        stage.join(guest, &gathering).await.unwrap();
        assert_eq!(reason(stage.leave(host, &gathering).await), "HOST_STAYS");
        stage.leave(guest, &gathering).await.unwrap();
        let moves = stage.moves(3).await;
        let ways: Vec<_> = moves.iter().map(|(_, event)| event.r#move()).collect();
        assert_eq!(ways, [MembershipMove::Joined, MembershipMove::Joined, MembershipMove::Left]);
    }
}
