//! What the room does about facts of others, and what it tells itself.

use std::collections::HashMap;

use moim_kit::Code;
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use prost::Message as _;

use crate::*;

/// A fact takes effect some time after it was told.
async fn see_until(
    world: &World,
    viewer: MemberId,
    schedule: &Schedule,
    done: impl Fn(&Schedule) -> bool,
) -> Schedule {
    for _ in 0..200 {
        let seen = world.see(world.by(viewer), &schedule.id).await;
        if done(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came to that");
}

moim_testbed::on_both_databases! {
    async fn joining_and_at_once_attending_works_on_a_slow_bus(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        world.gatherings.hold();
        let member = world.guest(gathering, "하나");
        let unaware = world.bed.call(member).keyed(Some("unaware"));
        let fault = refused(world.client.clone().attend(unaware.request(attend(&schedule))).await);
        assert_eq!(fault.reason(), "NOT_A_MEMBER", "the fact is still on its way");

        let bus = world.gatherings.clone();
        world.bed.tasks.spawn("slow bus", async move {
            tokio::time::sleep(Duration::from_millis(600)).await;
            bus.release();
        });
        let seat = world.attend(member, &schedule).await;
        assert_eq!(seat.state(), AttendanceState::Going);
    }

    async fn a_bus_that_stays_silent_is_told_as_such(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        world.gatherings.hold();
        let member = world.guest(gathering, "하나");
        let fault = world.try_attend(member, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "COPY_BEHIND"));
    }

    async fn nobody_attends_whose_card_is_not_here(bed: Bed) {
        let config = Config { card_wait_ms: 200, ..Config::default() };
        let world = World::with(bed, config).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        world.all_arrived().await;
        let member = MemberId::fresh();
        world.joins(gathering, member);
        let fault = world.try_attend(member, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::Unavailable, "CARD_MISSING"));
        assert!(fault.code().is_retryable());
        world.tell_card(member, 1, "하나");
        assert_eq!(world.attend(member, &schedule).await.member.unwrap().nickname, "하나");
    }

    async fn a_card_on_its_way_is_waited_for(bed: Bed) {
        let config = Config { card_wait_ms: 10_000, ..Config::default() };
        let world = World::with(bed, config).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        world.all_arrived().await;
        let member = MemberId::fresh();
        world.joins(gathering, member);
        world.members.hold();
        let call = world.by(member);
        world.tell_card(member, 1, "하나");
        let bus = world.members.clone();
        world.bed.tasks.spawn("slow bus", async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            bus.release();
        });
        world.client.clone().attend(call.request(attend(&schedule))).await.unwrap();
    }

    async fn a_new_nickname_shows_and_an_old_one_never_returns(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(5).await;
        let member = world.guest(gathering, "하나");
        world.attend(member, &schedule).await;
        world.tell_card(member, 3, "세번째");
        world.all_arrived().await;
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Going).await, ["세번째"]);
        world.tell_card(member, 2, "두번째");
        world.tell_card(host, 2, "그 다음");
        world.all_arrived().await;
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Going).await, ["세번째"]);
    }

    async fn who_leaves_the_gathering_gives_up_coming_seats_and_the_line_moves_up(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let later = Timestamp::from_us(schedule.starts_at_us).after(DAY);
        let next = CreateRequest {
            starts_at_us: later.us(),
            ends_at_us: later.after(HOUR).us(),
            ..world.plan(gathering, 1)
        };
        let next = world.create(host, next).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [one, two, three] {
            world.attend(member, &schedule).await;
        }
        for member in [two, one, three] {
            world.attend(member, &next).await;
        }
        world.leaves(gathering, one);
        let seen = see_until(&world, two, &schedule, |seen| seen.waitlist_count == 1).await;
        assert_eq!(seen.going_count, 1);
        assert_eq!(seen.viewer_attendance.unwrap().state(), AttendanceState::Going);
        let seen = see_until(&world, three, &next, |seen| seen.waitlist_count == 1).await;
        assert_eq!(seen.viewer_attendance.unwrap().waitlist_position, Some(1));
        for schedule in [&schedule, &next] {
            let gone = world.nicknames(host, schedule, AttendanceState::Withdrawn).await;
            assert_eq!(gone, ["하나"]);
        }
        assert_eq!(world.try_attend(one, &schedule).await.unwrap_err().reason(), "NOT_A_MEMBER");
        world.joins(gathering, one);
        assert_eq!(world.attend(one, &schedule).await.waitlist_position, Some(2));
    }

    async fn removal_and_ban_take_places_back_too_and_a_new_role_does_not(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(5).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [one, two, three] {
            world.attend(member, &schedule).await;
        }
        world.standing(gathering, one, MembershipRole::Member, MembershipStatus::Removed);
        world.standing(gathering, two, MembershipRole::Member, MembershipStatus::Banned);
        world.standing(gathering, three, MembershipRole::Manager, MembershipStatus::Active);
        world.all_arrived().await;
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Going).await, ["셋"]);
    }

    async fn what_has_begun_or_was_called_off_stays_as_it_is(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let cancelled = world.create(host, world.plan(gathering, 1)).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        for member in [one, two] {
            world.attend(member, &schedule).await;
            let request = AttendRequest { allow_overlap: true, ..attend(&cancelled) };
            world.client.clone().attend(world.by(member).request(request)).await.unwrap();
        }
        world.try_cancel(host, &cancelled, "비").await.unwrap();
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us).after(HOUR));
        world.leaves(gathering, one);
        world.leaves(gathering, two);
        world.all_arrived().await;
        let seen = world.see(world.by(host), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 0), "of no use to wait any more");
        let seen = world.see(world.by(host), &cancelled.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (1, 1));
    }

    async fn every_change_is_told_whole_and_without_gaps(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let members = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        for member in members {
            world.attend(member, &schedule).await;
        }
        world.try_withdraw(members[1], &schedule).await.unwrap();
        world.try_withdraw(members[0], &schedule).await.unwrap();
        world.leaves(gathering, members[2]);
        see_until(&world, host, &schedule, |seen| seen.waitlist_count == 0).await;
        world.attend(members[0], &schedule).await;

        // Create, four arrivals, two withdrawals, one leaver, one return.
        let schedules = world.told("schedule", 9).await;
        // Four arrivals, two withdrawals, one leaver, two promotions, one return.
        let attendances = world.told("attendance", 10).await;
        let mut versions: HashMap<Uuid, Vec<i64>> = HashMap::new();
        for fact in schedules.iter().chain(&attendances) {
            versions.entry(fact.aggregate).or_default().push(fact.version);
        }
        for told in versions.values() {
            let gapless: Vec<_> = (1..).take(told.len()).collect();
            assert_eq!(*told, gapless);
        }
        let state = ScheduleState::decode(schedules[8].payload.clone()).unwrap();
        assert_eq!((state.going_count, state.waitlist_count, state.capacity), (1, 1, 1));
        assert_eq!((state.id, state.gathering_id), (schedule.id, gathering.to_string()));
        let promoted = attendances
            .iter()
            .map(|fact| AttendanceFact::decode(fact.payload.clone()).unwrap())
            .filter(|fact| fact.promoted)
            .map(|fact| fact.member_id);
        let moved = [members[2], members[3]].map(|member| member.to_string());
        assert_eq!(promoted.collect::<Vec<_>>(), moved);
    }
}
