//! Taking a seat or a place in line.

use moim_kit::Code;
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_schedule::Reason;

use crate::*;

moim_testbed::on_both_databases! {
    async fn a_member_takes_a_seat_while_there_is_one_and_stands_in_line_after(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        let seat = world.attend(one, &schedule).await;
        assert_eq!(seat.state(), AttendanceState::Going);
        assert_eq!(seat.schedule_id, schedule.id);
        assert_eq!(seat.waitlist_position, None);
        assert_eq!(seat.member.unwrap().nickname, "하나");
        for (member, position) in [(two, 1), (three, 2)] {
            let place = world.attend(member, &schedule).await;
            assert_eq!(place.state(), AttendanceState::Waitlisted);
            assert_eq!(place.waitlist_position, Some(position));
            let seen = world.see(world.by(member), &schedule.id).await;
            assert_eq!(seen.viewer_attendance, Some(place));
            assert_eq!(seen.viewer_option(), AttendOption::Withdraw);
        }
        let seen = world.see(world.by(host), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 2));
        assert_eq!(seen.status(), ScheduleStatus::Full);
        assert_eq!(seen.viewer_option(), AttendOption::JoinWaitlist);
    }

    async fn without_wanting_to_wait_a_full_schedule_refuses(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(1).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        world.attend(one, &schedule).await;
        let request = AttendRequest { join_waitlist: false, ..attend(&schedule) };
        let fault = refused(world.client.clone().attend(world.by(two).request(request)).await);
        assert_eq!((fault.code(), fault.reason()), (Code::Full, "SCHEDULE_FULL"));
        assert_eq!(world.see(world.by(two), &schedule.id).await.viewer_attendance, None);
    }

    async fn nobody_has_two_places(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(1).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        world.attend(one, &schedule).await;
        world.attend(two, &schedule).await;
        for member in [one, two] {
            let fault = world.try_attend(member, &schedule).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::AlreadyExists, "ALREADY_ATTENDING"));
        }
        let seen = world.see(world.by(one), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 1));
    }

    async fn a_key_is_needed_and_makes_a_retry_safe(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(2).await;
        let member = world.guest(gathering, "하나");
        let mut client = world.client.clone();
        let keyless = world.by(member).keyed(None).request(attend(&schedule));
        let fault = refused(client.attend(keyless).await);
        assert_eq!((fault.code(), fault.reason()), (Code::Invalid, "IDEMPOTENCY_KEY_REQUIRED"));
        let keyed = || world.by(member).keyed(Some("once"));
        let first = client.attend(keyed().request(attend(&schedule))).await.unwrap().into_inner();
        let again = client.attend(keyed().request(attend(&schedule))).await.unwrap().into_inner();
        assert_eq!(first, again);
        let other = AttendRequest { allow_overlap: true, ..attend(&schedule) };
        let fault = refused(client.attend(keyed().request(other)).await);
        assert_eq!(fault.reason(), "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(world.see(world.by(member), &schedule.id).await.going_count, 1);
        world.told("attendance", 1).await;
    }

    async fn the_same_key_at_the_same_moment_takes_one_seat(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        world.all_arrived().await;
        let tries = (0..12).map(|_| {
            let request = world.by(member).keyed(Some("once")).request(attend(&schedule));
            let mut client = world.client.clone();
            async move { client.attend(request).await.unwrap().into_inner().attendance.unwrap().id }
        });
        let ids = futures::future::join_all(tries).await;
        assert!(ids.iter().all(|id| *id == ids[0]));
        assert_eq!(world.see(world.by(member), &schedule.id).await.going_count, 1);
    }

    async fn one_member_with_many_keys_takes_one_seat(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        world.all_arrived().await;
        let tries = (0..12).map(|_| world.try_attend(member, &schedule));
        let answers = futures::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for fault in answers.into_iter().filter_map(Result::err) {
            assert_eq!(fault.reason(), "ALREADY_ATTENDING");
        }
        assert_eq!(world.see(world.by(member), &schedule.id).await.going_count, 1);
    }

    async fn only_active_members_attend(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        let stranger = world.member("손님");
        let fault = world.try_attend(stranger, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::NotAMember, "NOT_A_MEMBER"));
        for status in [
            MembershipStatus::Pending,
            MembershipStatus::Rejected,
            MembershipStatus::Left,
            MembershipStatus::Removed,
            MembershipStatus::Banned,
        ] {
            world.standing(gathering, stranger, MembershipRole::Member, status);
            let fault = world.try_attend(stranger, &schedule).await.unwrap_err();
            assert_eq!(fault.reason(), "NOT_A_MEMBER", "{status:?}");
        }
        let mut client = world.client.clone();
        let nobody = world.by_nobody().keyed(Some("k")).request(attend(&schedule));
        assert_eq!(refused(client.attend(nobody).await).code(), Code::Unauthenticated);
    }

    async fn sign_up_ends_when_closed_or_when_it_starts(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        let closing = |closed| UpdateRequest {
            schedule_id: schedule.id.clone(),
            closed: Some(closed),
            ..UpdateRequest::default()
        };
        world.try_update(host, closing(true)).await.unwrap();
        let fault = world.try_attend(member, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_CLOSED"));
        let seen = world.see(world.by(member), &schedule.id).await;
        assert_eq!(seen.viewer_option(), AttendOption::None);
        world.try_update(host, closing(false)).await.unwrap();
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let fault = world.try_attend(member, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_STARTED"));
    }

    async fn nobody_is_in_two_places_at_once_unless_they_say_so(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        world.attend(member, &schedule).await;
        let from = |starts_at_us, ends_at_us| CreateRequest {
            starts_at_us,
            ends_at_us,
            ..world.plan(gathering, 5)
        };
        let hour = 3_600_000_000;
        let inside = from(schedule.starts_at_us + hour, schedule.ends_at_us + hour);
        let overlapping = world.create(host, inside).await;
        let fault = world.try_attend(member, &overlapping).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::Overlaps, "SCHEDULE_OVERLAP"));
        assert_eq!(fault.about_id(), Some(schedule.id.as_str()));

        let after = from(schedule.ends_at_us, schedule.ends_at_us + hour);
        let next = world.create(host, after).await;
        world.attend(member, &next).await;
        let request = AttendRequest { allow_overlap: true, ..attend(&overlapping) };
        let mut client = world.client.clone();
        client.attend(world.by(member).request(request)).await.unwrap();

        let other = world.guest(gathering, "둘");
        world.attend(other, &schedule).await;
        world.try_cancel(host, &schedule, "비").await.unwrap();
        world.attend(other, &overlapping).await;
    }

    async fn two_overlapping_schedules_at_the_same_moment_take_one_seat(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.member("하나");
        let mut schedules = Vec::new();
        for _ in 0..8 {
            let (_, gathering, schedule) = world.meetup(5).await;
            world.joins(gathering, member);
            schedules.push(schedule);
        }
        world.all_arrived().await;
        let tries = schedules.iter().map(|schedule| world.try_attend(member, schedule));
        let answers = futures::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for fault in answers.into_iter().filter_map(Result::err) {
            assert_eq!(fault.reason(), "SCHEDULE_OVERLAP");
        }
    }

    async fn what_is_not_there_cannot_be_attended(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        for (id, reason) in [
            (Uuid::now_v7().to_string(), Reason::ScheduleNotFound.name()),
            (gathering.to_string(), Reason::ScheduleNotFound.name()),
            ("x".to_owned(), "ID_INVALID"),
        ] {
            let elsewhere = Schedule { id, ..schedule.clone() };
            let fault = world.try_attend(member, &elsewhere).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some("scheduleId")));
        }
    }
}
