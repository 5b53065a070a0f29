//! Many at once, through two rooms on one database.

use futures::future::join_all;
use moim_gathering::Config;
use moim_kit::Fault;
use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, ask, open_for, reason};

fn count<T>(answers: &[Result<T, Fault>], reason: &str) -> usize {
    answers.iter().filter(|answer| matches!(answer, Err(fault) if fault.reason() == reason)).count()
}

on_both_databases! {
    async fn sixty_who_join_at_once_through_two_rooms_leave_exactly_ten_members(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let clients = [stage.client(), stage.second_client().await];
        let guests: Vec<_> = (0..60).map(|n| stage.member(&format!("손님{n}"))).collect();
        let joins = guests.iter().enumerate().map(|(n, guest)| {
            let mut client = clients[n % 2].clone();
            let request = JoinRequest { gathering_id: gathering.id.clone(), message: None };
            let request = stage.by(*guest).request(request);
            async move { client.join(request).await.map_err(Fault::from) }
        });
        let answers = join_all(joins).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 9);
        assert_eq!(count(&answers, "GATHERING_FULL"), 51);
        let seen = stage.get(stage.bed.anonymous(), &gathering.id).await.unwrap();
        assert_eq!((seen.member_count, seen.status()), (10, GatheringStatus::Full));
        let roster = stage.roster(stage.by(host), &gathering, MembershipStatus::Active).await;
        assert_eq!(roster.len(), 10);
        let mut versions: Vec<_> =
            stage.told("gathering", 10).await.iter().map(|fact| fact.version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=10).collect::<Vec<_>>());
    }

    async fn one_who_joins_many_times_at_once_takes_one_seat(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(50)).await;
        let answers = join_all((0..12).map(|_| stage.join(guest, &gathering))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(count(&answers, "ALREADY_JOINED"), 11);
        let seen = stage.get(stage.by(guest), &gathering.id).await.unwrap();
        assert_eq!(seen.member_count, 2);
    }

    async fn the_same_key_sent_many_times_at_once_starts_one_gathering(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let call = stage.by(host).keyed(Some("start"));
        let create = async || ask!(stage, call, create, open_for(5)).unwrap();
        let answers = join_all((0..8).map(|_| create())).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(stage.told("gathering", 1).await.len(), 1);
    }

    async fn approvals_at_once_never_pass_the_capacity(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, approving(4)).await;
        let mut asked = Vec::new();
        for n in 0..10 {
            asked.push(stage.join(stage.member(&format!("손님{n}")), &gathering).await.unwrap());
        }
        let decide = |one| stage.decide(stage.by(host), one, true);
        let answers = join_all(asked.iter().map(decide)).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
        assert_eq!(count(&answers, "GATHERING_FULL"), 7);
        let pending = stage.roster(stage.by(host), &gathering, MembershipStatus::Pending).await;
        assert_eq!(pending.len(), 7);
    }

    async fn starting_many_at_once_stops_at_the_limit(bed: Bed) {
        let config = Config { max_hosted: 3, ..Config::default() };
        let stage = Stage::with(bed, config).await;
        let host = stage.member("하늘");
        stage.create(host, open_for(5)).await;
        let start = async || ask!(stage, stage.by(host), create, open_for(5));
        let answers = join_all((0..8).map(|_| start())).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
        assert_eq!(count(&answers, "HOSTED_LIMIT"), 6);
    }

    async fn an_heir_who_leaves_while_it_is_handed_over_never_takes_the_host_away(bed: Bed) {
        let stage = Stage::set(bed).await;
        for _ in 0..6 {
            let (host, heir) = (stage.member("하늘"), stage.member("바다"));
            let gathering = stage.create(host, open_for(5)).await;
            let own = stage.join(heir, &gathering).await.unwrap();
            let (handed, left) = tokio::join!(
                stage.set_role(stage.by(host), &own, MembershipRole::Host),
                stage.leave(heir, &gathering),
            );
            match (handed, left) {
                (Ok(_), left) => assert_eq!(reason(left), "HOST_STAYS"),
                (handed, Ok(_)) => assert_eq!(reason(handed), "NOT_ACTIVE"),
                both => panic!("one of them must win: {both:?}"),
            }
            let roster = stage.roster(stage.by(host), &gathering, MembershipStatus::Active).await;
            let hosts = roster.iter().filter(|one| one.role() == MembershipRole::Host);
            assert_eq!(hosts.count(), 1);
        }
    }
}
