//! Giving up places, and moving up from the line.

use moim_kit::Code;

use crate::*;

moim_testbed::on_both_databases! {
    async fn a_freed_seat_goes_to_the_first_in_line(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [one, two, three] {
            world.attend(member, &schedule).await;
        }
        let gone = world.try_withdraw(one, &schedule).await.unwrap();
        assert_eq!(gone.state(), AttendanceState::Withdrawn);
        assert_eq!(gone.member.unwrap().nickname, "하나");
        let seen = world.see(world.by(three), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 1));
        assert_eq!(seen.viewer_attendance.unwrap().waitlist_position, Some(1));
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Going).await, ["둘"]);
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Waitlisted).await, ["셋"]);
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Withdrawn).await, ["하나"]);

        let told = world.told("attendance", 5).await;
        let facts: Vec<AttendanceFact> = told
            .iter()
            .map(|fact| Message::decode(fact.payload.clone()).unwrap())
            .collect();
        let moved: Vec<_> = facts.iter().filter(|fact| fact.promoted).collect();
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0].member_id, two.to_string());
        assert_eq!(moved[0].state(), AttendanceState::Going);
        assert_eq!(moved[0].gathering_id, gathering.to_string());
    }

    async fn who_leaves_the_line_lets_the_others_move_up(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let members = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        for member in members {
            world.attend(member, &schedule).await;
        }
        world.try_withdraw(members[2], &schedule).await.unwrap();
        let seen = world.see(world.by(members[3]), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 2));
        assert_eq!(seen.viewer_attendance.unwrap().waitlist_position, Some(2));
        let line = world.nicknames(host, &schedule, AttendanceState::Waitlisted).await;
        assert_eq!(line, ["둘", "넷"]);
    }

    async fn who_comes_back_stands_at_the_end(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [one, two, three] {
            world.attend(member, &schedule).await;
        }
        let before = world.try_withdraw(one, &schedule).await.unwrap();
        let after = world.attend(one, &schedule).await;
        assert_eq!(after.id, before.id, "one attendance for ever");
        assert_eq!(after.waitlist_position, Some(2));
        let line = world.nicknames(host, &schedule, AttendanceState::Waitlisted).await;
        assert_eq!(line, ["셋", "하나"]);
    }

    async fn more_seats_move_the_line_up(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        for name in ["하나", "둘", "셋", "넷"] {
            world.attend(world.guest(gathering, name), &schedule).await;
        }
        let resize = |capacity| UpdateRequest {
            schedule_id: schedule.id.clone(),
            capacity: Some(capacity),
            ..UpdateRequest::default()
        };
        let bigger = world.try_update(host, resize(3)).await.unwrap();
        assert_eq!((bigger.going_count, bigger.waitlist_count), (3, 1));
        let going = world.nicknames(host, &schedule, AttendanceState::Going).await;
        assert_eq!(going, ["하나", "둘", "셋"]);
        let roomy = world.try_update(host, resize(10)).await.unwrap();
        assert_eq!((roomy.going_count, roomy.waitlist_count), (4, 0));
        assert_eq!(roomy.status(), ScheduleStatus::Open);
        // Created, four arrivals, resized twice: one version each, however many moved.
        world.told("schedule", 7).await;
        world.told("attendance", 7).await;
    }

    async fn nothing_can_be_given_up_twice_or_after_the_start(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(2).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        let fault = world.try_withdraw(one, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "NOT_ATTENDING"));
        world.attend(one, &schedule).await;
        world.attend(two, &schedule).await;
        world.try_withdraw(one, &schedule).await.unwrap();
        let fault = world.try_withdraw(one, &schedule).await.unwrap_err();
        assert_eq!(fault.reason(), "NOT_ATTENDING");
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let fault = world.try_withdraw(two, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_STARTED"));
        let elsewhere = Schedule { id: Uuid::now_v7().to_string(), ..schedule.clone() };
        let fault = world.try_withdraw(two, &elsewhere).await.unwrap_err();
        assert_eq!((fault.code(), fault.field()), (Code::NotFound, Some("scheduleId")));
        let request = WithdrawRequest { schedule_id: schedule.id.clone() };
        let nobody = world.by_nobody().request(request);
        let fault = refused(world.client.clone().withdraw(nobody).await);
        assert_eq!(fault.code(), Code::Unauthenticated);
    }

    async fn withdrawing_again_with_its_key_gets_the_first_answer(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(2).await;
        let member = world.guest(gathering, "하나");
        world.attend(member, &schedule).await;
        let mut client = world.client.clone();
        let request = WithdrawRequest { schedule_id: schedule.id.clone() };
        let keyed = || world.by(member).keyed(Some("once")).request(request.clone());
        let first = client.withdraw(keyed()).await.unwrap().into_inner();
        let again = client.withdraw(keyed()).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(world.see(world.by(member), &schedule.id).await.going_count, 0);
    }

    async fn everyone_withdrawing_at_once_leaves_no_seat_counted(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(4).await;
        let members: Vec<_> =
            (0..12).map(|n| world.guest(gathering, &format!("회원{n}"))).collect();
        for member in &members {
            world.attend(*member, &schedule).await;
        }
        let tries = members.iter().map(|member| world.try_withdraw(*member, &schedule));
        for answer in futures::future::join_all(tries).await {
            assert_eq!(answer.unwrap().state(), AttendanceState::Withdrawn);
        }
        let seen = world.see(world.by(host), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (0, 0));
    }
}
