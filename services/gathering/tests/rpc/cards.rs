//! Cards of members: waited for, shown, and never going back.

use std::time::Duration;

use moim_gathering::Config;
use moim_kit::Code;
use moim_kit::id::MemberId;
use moim_kit::seen::{Mark, Seen};
use moim_proto::gathering::v1::*;
use moim_proto::member::v1::Card;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, ask, open_for};

/// How often it is looked again whether something has arrived.
const LOOKS: u32 = 500;

async fn host_card(stage: &Stage, gathering: &Gathering) -> Card {
    stage.get(stage.bed.anonymous(), &gathering.id).await.unwrap().host.unwrap()
}

async fn until_named(stage: &Stage, gathering: &Gathering, nickname: &str) {
    for _ in 0..LOOKS {
        if host_card(stage, gathering).await.nickname == nickname {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the card never became {nickname}");
}

on_both_databases! {
    async fn a_card_that_arrives_late_makes_the_call_wait_and_succeed(bed: Bed) {
        let stage = Stage::set(bed).await;
        stage.members.hold();
        let host = stage.member("하늘");
        let release = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            stage.members.release();
        };
        let (gathering, ()) = tokio::join!(stage.create(host, open_for(10)), release);
        assert_eq!(gathering.host.as_ref().unwrap().nickname, "하늘");
        stage.members.hold();
        let guest = stage.member("바다");
        let release = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            stage.members.release();
        };
        let (joined, ()) = tokio::join!(stage.join(guest, &gathering), release);
        assert_eq!(joined.unwrap().member.unwrap().nickname, "바다");
    }

    async fn a_card_that_does_not_arrive_is_worth_another_try_and_leaves_nothing(bed: Bed) {
        let config = Config { card_wait_ms: 100, ..Config::default() };
        let stage = Stage::with(bed, config).await;
        let gathering = stage.create(stage.member("하늘"), open_for(10)).await;
        let guest = MemberId::fresh();
        let fault = ask!(stage, stage.by(guest), create, open_for(10)).unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("CARD_MISSING", Code::Unavailable));
        assert!(fault.code().is_retryable());
        let fault = stage.join(guest, &gathering).await.unwrap_err();
        assert_eq!(fault.reason(), "CARD_MISSING");
        let seen = stage.get(stage.by(guest), &gathering.id).await.unwrap();
        assert_eq!((seen.member_count, seen.viewer_membership), (1, None));
    }

    async fn a_card_never_goes_back_to_an_older_version(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        stage.tell_card(host, 3, "셋째 이름");
        stage.tell_card(host, 2, "둘째 이름");
        stage.tell_card(host, 3, "셋째 이름 또");
        stage.tell_card(host, 1, "첫째 이름");
        let witness = stage.member("바다");
        let theirs = stage.create(witness, open_for(10)).await;
        until_named(&stage, &theirs, "바다").await;
        assert_eq!(host_card(&stage, &gathering).await.nickname, "셋째 이름");
        stage.tell_card(host, 4, "넷째 이름");
        until_named(&stage, &gathering, "넷째 이름").await;
        let roster = stage.roster(stage.by(host), &gathering, MembershipStatus::Active).await;
        assert_eq!(roster[0].member.as_ref().unwrap().nickname, "넷째 이름");
    }

    async fn whoever_saw_their_new_name_sees_it_here_too(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        stage.members.hold();
        stage.tell_card(host, 2, "새 하늘");
        let mut seen = Seen::default();
        seen.merge([Mark::new("member", host.uuid(), 2, stage.bed.clock.now())]);
        let release = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stage.members.release();
        };
        let call = stage.by(host).having_seen(seen);
        let (got, ()) = tokio::join!(stage.get(call, &gathering.id), release);
        assert_eq!(got.unwrap().host.unwrap().nickname, "새 하늘");
    }
}
