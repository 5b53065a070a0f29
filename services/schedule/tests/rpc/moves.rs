//! What happens to schedules and in their lines is told to those it concerns.

use moim_kit::id::MemberId;

use crate::*;

fn sorted(ids: impl IntoIterator<Item = MemberId>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
    ids.sort();
    ids
}

moim_testbed::on_both_databases! {
    async fn a_schedule_is_announced_to_the_active_roster(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let [one, gone] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        world.leaves(gathering, gone);
        world.all_arrived().await;
        let schedule = world.create(host, world.plan(gathering, 5)).await;
        let event = world.events::<ScheduleEvent>("schedule", 1).await.remove(0);
        assert_eq!(event.r#move(), ScheduleMove::Announced);
        assert_eq!((event.schedule_id, event.gathering_id), (schedule.id, gathering.to_string()));
        assert_eq!((event.gathering_title.as_str(), event.title.as_str()), ("한강 달리기", "저녁 달리기"));
        assert_eq!((event.starts_at_us, event.time_zone.as_str()), (schedule.starts_at_us, "Asia/Seoul"));
        assert_eq!(event.actor_id, host.to_string());
        assert_eq!(event.audience_ids, sorted([host, one]));
    }

    async fn a_change_of_title_time_or_place_and_a_cancellation_are_told_to_all_who_have_a_place(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let [one, two, gone] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [one, two, gone] {
            world.attend(member, &schedule).await;
        }
        world.try_withdraw(gone, &schedule).await.unwrap();
        let change = || UpdateRequest { schedule_id: schedule.id.clone(), ..UpdateRequest::default() };
        for silent in [
            change(),
            UpdateRequest { description: Some("다른 설명".into()), ..change() },
            UpdateRequest { closed: Some(true), ..change() },
            UpdateRequest { place: Some(schedule.place.clone()), ..change() },
        ] {
            world.try_update(host, silent).await.unwrap();
        }
        let later = schedule.ends_at_us + 1_000_000;
        for loud in [
            UpdateRequest { title: Some("새벽 달리기".into()), ..change() },
            UpdateRequest { place: Some("뚝섬".into()), ..change() },
            UpdateRequest { ends_at_us: Some(later), ..change() },
        ] {
            world.try_update(host, loud).await.unwrap();
        }
        world.try_cancel(host, &schedule, "비가 와요").await.unwrap();
        let events = world.events::<ScheduleEvent>("schedule", 5).await;
        let moves: Vec<_> = events.iter().map(|event| event.r#move()).collect();
        use ScheduleMove::{Announced, Cancelled, Changed};
        assert_eq!(moves, [Announced, Changed, Changed, Changed, Cancelled]);
        for event in &events[1..] {
            assert_eq!(event.audience_ids, sorted([one, two]));
            assert_eq!((event.title.as_str(), &event.actor_id), ("새벽 달리기", &host.to_string()));
        }
        let reasons: Vec<_> = events.iter().map(|event| event.reason.as_str()).collect();
        assert_eq!(reasons, ["", "", "", "", "비가 와요"]);
    }

    async fn whatever_frees_a_seat_tells_who_got_it(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let members = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        for member in members {
            world.attend(member, &schedule).await;
        }
        world.try_withdraw(members[0], &schedule).await.unwrap();
        world.events::<AttendanceEvent>("attendance", 1).await;
        world.leaves(gathering, members[1]);
        world.events::<AttendanceEvent>("attendance", 2).await;
        let id = schedule.id.clone();
        let bigger = UpdateRequest { schedule_id: id, capacity: Some(2), ..UpdateRequest::default() };
        world.try_update(host, bigger).await.unwrap();
        let events = world.events::<AttendanceEvent>("attendance", 3).await;
        let seated: Vec<_> = events.iter().map(|event| event.member_id.clone()).collect();
        assert_eq!(seated, members[1..].iter().map(MemberId::to_string).collect::<Vec<_>>());
        let actors: Vec<_> = events.iter().map(|event| event.actor_id.clone()).collect();
        assert_eq!(actors, [members[0], members[1], host].map(|actor| actor.to_string()));
        for event in &events {
            assert_eq!((&event.schedule_id, &event.schedule_title), (&schedule.id, &schedule.title));
            assert_eq!(event.starts_at_us, schedule.starts_at_us);
        }
    }
}
