//! What happens elsewhere becomes notifications: each once, in order, whatever else is in the log.

use std::collections::BTreeSet;

use moim_kit::id::MemberId;
use moim_proto::gathering::v1::{MembershipEvent, MembershipMove};
use moim_proto::member::v1::Card;
use moim_proto::notification::v1::NotificationKind;
use moim_proto::review::v1::ReviewEvent;
use moim_proto::schedule::v1::{AttendanceEvent, ScheduleEvent, ScheduleMove};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::stage::{Stage, moved};

fn schedule(how: ScheduleMove, actor: MemberId, audience: &[MemberId]) -> ScheduleEvent {
    ScheduleEvent {
        schedule_id: Uuid::now_v7().to_string(),
        gathering_id: Uuid::now_v7().to_string(),
        gathering_title: "한강 달리기".to_owned(),
        title: "저녁 달리기".to_owned(),
        starts_at_us: 1_773_482_400_000_000,
        time_zone: "Asia/Seoul".to_owned(),
        actor_id: actor.to_string(),
        r#move: how.into(),
        reason: "비가 와요".to_owned(),
        audience_ids: audience.iter().map(MemberId::to_string).collect(),
    }
}

on_both_databases! {
    async fn every_rule_reaches_whom_it_concerns_in_two_languages(bed: Bed) {
        let stage = Stage::set(bed).await;
        let [boss, member] = [MemberId::fresh(), MemberId::fresh()];
        use MembershipMove::{Approved, Banned, Joined, Left, Rejected, Removed, RoleChanged};
        for how in [Joined, Approved, Rejected, Removed, Banned, RoleChanged, Left] {
            stage.gatherings.push_event("membership", Uuid::now_v7(), 2, &moved(how, member));
        }
        let request = MembershipEvent {
            actor_id: member.to_string(),
            manager_ids: vec![boss.to_string()],
            ..moved(MembershipMove::Requested, member)
        };
        stage.gatherings.push_event("membership", Uuid::now_v7(), 1, &request);
        stage.heard(member, 5).await;
        stage.heard(boss, 1).await;
        for (version, how) in [(1, ScheduleMove::Announced), (2, ScheduleMove::Changed), (3, ScheduleMove::Cancelled)] {
            let event = schedule(how, boss, &[boss, member]);
            stage.tell_schedule(version, &event);
        }
        let seat = AttendanceEvent {
            attendance_id: Uuid::now_v7().to_string(),
            schedule_id: Uuid::now_v7().to_string(),
            schedule_title: "저녁 달리기".to_owned(),
            starts_at_us: 1_773_482_400_000_000,
            time_zone: "Asia/Seoul".to_owned(),
            member_id: member.to_string(),
            actor_id: boss.to_string(),
            ..AttendanceEvent::default()
        };
        stage.tell_seat(&seat);
        let review = ReviewEvent {
            review_id: Uuid::now_v7().to_string(),
            schedule_title: "저녁 달리기".to_owned(),
            author: Some(Card { id: member.to_string(), nickname: "바다".to_owned(), avatar_url: None }),
            rating: 5,
            host_id: boss.to_string(),
            ..ReviewEvent::default()
        };
        stage.schedules.push_event("review", Uuid::now_v7(), 1, &review);
        let of_boss = stage.heard(boss, 2).await;
        let mut of_member = stage.heard(member, 9).await;
        of_member.reverse();
        use NotificationKind as Kind;
        assert_eq!(of_member.iter().map(|one| one.kind()).collect::<Vec<_>>(), [
            Kind::MembershipDecided, Kind::MembershipDecided, Kind::MembershipChanged,
            Kind::MembershipChanged, Kind::MembershipChanged, Kind::ScheduleCreated,
            Kind::ScheduleChanged, Kind::ScheduleCancelled, Kind::SeatGranted,
        ]);
        assert_eq!(of_boss[0].kind(), Kind::ReviewReceived);
        assert_eq!(of_boss[0].text, "바다 gave 저녁 달리기 5 of 5.");
        assert_eq!(of_boss[1].kind(), Kind::MembershipRequested);
        assert_eq!(of_boss[1].korean_text, "바다님이 '한강 달리기' 모임에 가입을 신청했습니다.");
        assert_eq!(of_member[5].text, "New at 한강 달리기: 저녁 달리기, on Sat 14 Mar at 19:00.");
        for (place, one) in (1..).zip(&of_member) {
            assert_eq!((one.sequence, &one.member_id), (place, &member.to_string()));
        }
        let told = stage.told(11).await;
        assert_eq!(told.len(), 11);
        for (topic, one) in told {
            assert_eq!(topic.map(|id| id.to_string()), Some(one.member_id.clone()));
        }
    }

    async fn an_event_told_twice_or_late_is_one_notification_and_poison_stops_nobody(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        let id = Uuid::now_v7();
        for version in [7, 3, 7, 3, 3] {
            let event = moved(MembershipMove::Approved, member);
            stage.gatherings.push_event("membership", id, version, &event);
        }
        let poison = Card { id: "\u{1}".to_owned(), nickname: "x".to_owned(), avatar_url: None };
        stage.gatherings.push_event("membership", Uuid::now_v7(), 1, &poison);
        stage.decide(member, 1);
        let heard = stage.heard(member, 3).await;
        let numbers: Vec<_> = heard.iter().map(|one| one.sequence).collect();
        assert_eq!(numbers, [3, 2, 1], "what came twice took no number");
        assert_eq!(stage.unread(member).await, 3);
        assert_eq!(stage.told(3).await.len(), 3);
    }

    async fn a_thousand_hear_of_one_schedule_at_once(bed: Bed) {
        let stage = Stage::set(bed).await;
        let audience: Vec<_> = (0..1_000).map(|_| MemberId::fresh()).collect();
        let event = schedule(ScheduleMove::Announced, MemberId::fresh(), &audience);
        stage.tell_schedule(1, &event);
        let told = stage.told(1_000).await;
        let members: BTreeSet<_> = told.iter().map(|(_, one)| one.member_id.clone()).collect();
        assert_eq!(members.len(), 1_000);
        stage.heard(audience[999], 1).await;
    }

    async fn numbers_stay_gapless_and_in_order_while_two_rooms_and_two_logs_race(bed: Bed) {
        let stage = Stage::set(bed).await;
        let _second = stage.second_room(moim_notification::Config::default()).await;
        let members: Vec<_> = (0..5).map(|_| MemberId::fresh()).collect();
        for turn in 0..10 {
            let mut audience = members.clone();
            audience.rotate_left(turn % 5);
            let event = schedule(ScheduleMove::Changed, MemberId::fresh(), &audience);
            stage.tell_schedule(2, &event);
            for member in &members {
                stage.decide(*member, 1);
            }
        }
        for member in members {
            let heard = stage.heard(member, 20).await;
            let numbers: Vec<_> = heard.iter().rev().map(|one| one.sequence).collect();
            assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        }
        assert_eq!(stage.told(100).await.len(), 100);
    }
}
