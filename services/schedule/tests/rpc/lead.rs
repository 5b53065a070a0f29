//! Announcing, changing and calling off schedules.

use moim_kit::{Code, Fault};
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_schedule::Reason;

use crate::*;

async fn refused_plan(world: &World, member: MemberId, plan: CreateRequest) -> Fault {
    refused(world.client.clone().create(world.by(member).request(plan)).await)
}

fn change(schedule: &Schedule) -> UpdateRequest {
    UpdateRequest { schedule_id: schedule.id.clone(), ..UpdateRequest::default() }
}

moim_testbed::on_both_databases! {
    async fn a_host_announces_a_schedule_and_gets_the_whole_of_it(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let plan = world.plan(gathering, 12);
        let schedule = world.create(host, plan.clone()).await;
        assert_eq!(schedule.gathering_id, plan.gathering_id);
        assert_eq!(schedule.title, plan.title);
        assert_eq!(schedule.description, plan.description);
        assert_eq!(schedule.place, plan.place);
        assert_eq!((schedule.starts_at_us, schedule.ends_at_us), (plan.starts_at_us, plan.ends_at_us));
        assert_eq!(schedule.time_zone, "Asia/Seoul");
        assert_eq!((schedule.capacity, schedule.going_count, schedule.waitlist_count), (12, 0, 0));
        assert_eq!(schedule.status(), ScheduleStatus::Open);
        assert_eq!(schedule.viewer_option(), AttendOption::Attend);
        assert_eq!(schedule.viewer_attendance, None);
        assert_eq!(world.see(world.by(host), &schedule.id).await, schedule);
    }

    async fn only_the_host_and_managers_lead(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(5).await;
        let manager = world.member("운영진");
        world.standing(gathering, manager, MembershipRole::Manager, MembershipStatus::Active);
        let member = world.guest(gathering, "회원");
        let stranger = world.member("손님");
        let applicant = world.member("지원자");
        world.standing(gathering, applicant, MembershipRole::Member, MembershipStatus::Pending);

        world.create(manager, world.plan(gathering, 3)).await;
        let bigger = UpdateRequest { capacity: Some(6), ..change(&schedule) };
        assert_eq!(world.try_update(manager, bigger.clone()).await.unwrap().capacity, 6);
        for (who, reason) in [
            (member, Reason::NotAllowed),
            (stranger, Reason::NotAMember),
            (applicant, Reason::NotAMember),
        ] {
            let fault = refused_plan(&world, who, world.plan(gathering, 3)).await;
            assert_eq!(fault.reason(), reason.name());
            let fault = world.try_update(who, bigger.clone()).await.unwrap_err();
            assert_eq!(fault.reason(), reason.name());
            let fault = world.try_cancel(who, &schedule, "비").await.unwrap_err();
            assert_eq!(fault.reason(), reason.name());
        }
        let mut client = world.client.clone();
        let create = world.by_nobody().request(world.plan(gathering, 3));
        assert_eq!(refused(client.create(create).await).code(), Code::Unauthenticated);
        let update = world.by_nobody().request(bigger);
        assert_eq!(refused(client.update(update).await).code(), Code::Unauthenticated);
        let cancel = CancelRequest { schedule_id: schedule.id.clone(), reason: "비".to_owned() };
        let cancel = world.by_nobody().request(cancel);
        assert_eq!(refused(client.cancel(cancel).await).code(), Code::Unauthenticated);
    }

    async fn what_cannot_be_announced_is_refused_with_its_field(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let plan = || world.plan(gathering, 5);
        let now = world.now();
        let lasting = |start: Timestamp, span| (start.us(), start.after(span).us());
        let timed = |(starts_at_us, ends_at_us)| CreateRequest { starts_at_us, ends_at_us, ..plan() };
        let cases = [
            (CreateRequest { title: "a".into(), ..plan() }, Reason::TitleInvalid, "title"),
            (CreateRequest { title: "a\nb".into(), ..plan() }, Reason::TitleInvalid, "title"),
            (CreateRequest { description: " ".into(), ..plan() }, Reason::DescriptionInvalid, "description"),
            (CreateRequest { place: "가".repeat(101), ..plan() }, Reason::PlaceInvalid, "place"),
            (CreateRequest { capacity: 0, ..plan() }, Reason::CapacityInvalid, "capacity"),
            (CreateRequest { capacity: 1_001, ..plan() }, Reason::CapacityInvalid, "capacity"),
            (CreateRequest { time_zone: "Seoul".into(), ..plan() }, Reason::TimeZoneInvalid, "timeZone"),
            (timed(lasting(now.before(HOUR), DAY)), Reason::StartsInPast, "startsAt"),
            (timed(lasting(now.after(DAY * 800), DAY)), Reason::StartsTooFar, "startsAt"),
            (timed((i64::MAX - 1, i64::MAX)), Reason::StartsTooFar, "startsAt"),
            (timed((now.after(DAY).us(), i64::MIN)), Reason::EndsTooEarly, "endsAt"),
            (timed(lasting(now.after(DAY), Duration::ZERO)), Reason::EndsTooEarly, "endsAt"),
            (timed(lasting(now.after(DAY), DAY * 31)), Reason::EndsTooLate, "endsAt"),
        ];
        for (plan, reason, field) in cases {
            let fault = refused_plan(&world, host, plan).await;
            assert_eq!((fault.reason(), fault.field()), (reason.name(), Some(field)));
        }
        let elsewhere = CreateRequest { gathering_id: Uuid::now_v7().to_string(), ..plan() };
        assert_eq!(refused_plan(&world, host, elsewhere).await.reason(), "GATHERING_NOT_FOUND");
        let nowhere = CreateRequest { gathering_id: "x".to_owned(), ..plan() };
        let fault = refused_plan(&world, host, nowhere).await;
        assert_eq!((fault.reason(), fault.field()), ("ID_INVALID", Some("gatheringId")));
        world.told("schedule", 0).await;
    }

    async fn absent_fields_stay_when_a_schedule_is_changed(bed: Bed) {
        let world = World::new(bed).await;
        let (host, _, schedule) = world.meetup(5).await;
        assert_eq!(world.try_update(host, change(&schedule)).await.unwrap(), schedule);
        let renamed = UpdateRequest { title: Some(" 새벽 달리기 ".into()), ..change(&schedule) };
        let expected = Schedule { title: "새벽 달리기".to_owned(), ..schedule.clone() };
        assert_eq!(world.try_update(host, renamed).await.unwrap(), expected);
        let later = world.now().after(DAY * 3);
        let moved = UpdateRequest {
            starts_at_us: Some(later.us()),
            ends_at_us: Some(later.after(HOUR).us()),
            closed: Some(true),
            ..change(&schedule)
        };
        let changed = world.try_update(host, moved).await.unwrap();
        assert_eq!(changed.starts_at_us, later.us());
        assert_eq!(changed.status(), ScheduleStatus::Closed);
        let reopened = UpdateRequest { closed: Some(false), ..change(&schedule) };
        let reopened = world.try_update(host, reopened).await.unwrap();
        assert_eq!(reopened.status(), ScheduleStatus::Open);
        // What changed nothing was not told: created, renamed, moved, reopened.
        let told = world.told("schedule", 4).await;
        assert_eq!(told.iter().map(|fact| fact.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    async fn what_cannot_be_changed_is_refused(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(2).await;
        for name in ["하나", "둘"] {
            world.attend(world.guest(gathering, name), &schedule).await;
        }
        let now = world.now();
        let cases = [
            (UpdateRequest { capacity: Some(1), ..change(&schedule) }, Reason::CapacityTooSmall, "capacity"),
            (UpdateRequest { capacity: Some(0), ..change(&schedule) }, Reason::CapacityInvalid, "capacity"),
            (UpdateRequest { title: Some("a".into()), ..change(&schedule) }, Reason::TitleInvalid, "title"),
            (UpdateRequest { description: Some(String::new()), ..change(&schedule) }, Reason::DescriptionInvalid, "description"),
            (UpdateRequest { place: Some(String::new()), ..change(&schedule) }, Reason::PlaceInvalid, "place"),
            (UpdateRequest { starts_at_us: Some(now.before(HOUR).us()), ..change(&schedule) }, Reason::StartsInPast, "startsAt"),
            (UpdateRequest { ends_at_us: Some(now.us()), ..change(&schedule) }, Reason::EndsTooEarly, "endsAt"),
            (UpdateRequest { schedule_id: Uuid::now_v7().to_string(), ..change(&schedule) }, Reason::ScheduleNotFound, "scheduleId"),
        ];
        for (request, reason, field) in cases {
            let fault = world.try_update(host, request).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason.name(), Some(field)));
        }
        let nowhere = UpdateRequest { schedule_id: "x".to_owned(), ..UpdateRequest::default() };
        assert_eq!(world.try_update(host, nowhere).await.unwrap_err().reason(), "ID_INVALID");

        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let later = UpdateRequest {
            ends_at_us: Some(schedule.ends_at_us + 1_000_000),
            ..change(&schedule)
        };
        let fault = world.try_update(host, later).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_STARTED"));
        let place = UpdateRequest { place: Some("뚝섬".into()), ..change(&schedule) };
        assert_eq!(world.try_update(host, place.clone()).await.unwrap().place, "뚝섬");
        world.bed.clock.set(Timestamp::from_us(schedule.ends_at_us));
        assert_eq!(world.try_update(host, place).await.unwrap_err().reason(), "SCHEDULE_ENDED");
        let fault = world.try_cancel(host, &schedule, "늦음").await.unwrap_err();
        assert_eq!(fault.reason(), "SCHEDULE_ENDED");
    }

    async fn a_cancelled_schedule_keeps_its_people_and_takes_nothing_more(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let (going, waiting) = (world.guest(gathering, "하나"), world.guest(gathering, "둘"));
        world.attend(going, &schedule).await;
        world.attend(waiting, &schedule).await;
        for reason in ["", " ", &"가".repeat(501)] {
            let fault = world.try_cancel(host, &schedule, reason).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), ("REASON_INVALID", Some("reason")));
        }
        let cancelled = world.try_cancel(host, &schedule, "비가 와요\n다음에 만나요").await.unwrap();
        assert_eq!(cancelled.status(), ScheduleStatus::Cancelled);
        assert_eq!((cancelled.going_count, cancelled.waitlist_count), (1, 1));
        let seen = world.see(world.by(going), &schedule.id).await;
        assert_eq!(seen.viewer_option(), AttendOption::None);
        assert_eq!(seen.viewer_attendance.unwrap().state(), AttendanceState::Going);

        let late = world.guest(gathering, "셋");
        let place = UpdateRequest { place: Some("뚝섬".into()), ..change(&schedule) };
        for fault in [
            world.try_attend(late, &schedule).await.unwrap_err(),
            world.try_withdraw(going, &schedule).await.unwrap_err(),
            world.try_withdraw(waiting, &schedule).await.unwrap_err(),
            world.try_update(host, place).await.unwrap_err(),
            world.try_cancel(host, &schedule, "또").await.unwrap_err(),
        ] {
            assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_CANCELLED"));
        }
        let told = world.told("schedule", 4).await;
        let state: ScheduleState = Message::decode(told[3].payload.clone()).unwrap();
        assert_eq!(state.cancel_reason.as_deref(), Some("비가 와요\n다음에 만나요"));
    }

    async fn a_retry_with_its_key_gets_the_first_answer_and_other_input_is_refused(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let plan = world.plan(gathering, 5);
        let mut client = world.client.clone();
        let keyed = || world.by(host).keyed(Some("once"));
        let first = client.create(keyed().request(plan.clone())).await.unwrap().into_inner();
        let again = client.create(keyed().request(plan.clone())).await.unwrap().into_inner();
        assert_eq!(first, again);
        let other = CreateRequest { capacity: 6, ..plan };
        let fault = refused(client.create(keyed().request(other)).await);
        assert_eq!(fault.reason(), "IDEMPOTENCY_KEY_REUSED");
        world.told("schedule", 1).await;

        let schedule = first.schedule.unwrap();
        let renamed = UpdateRequest { title: Some("아침 달리기".into()), ..change(&schedule) };
        let first = client.update(keyed().request(renamed.clone())).await.unwrap().into_inner();
        let again = client.update(keyed().request(renamed)).await.unwrap().into_inner();
        assert_eq!(first, again);
        let cancel = CancelRequest { schedule_id: schedule.id.clone(), reason: "비".to_owned() };
        let first = client.cancel(keyed().request(cancel.clone())).await.unwrap().into_inner();
        let again = client.cancel(keyed().request(cancel)).await.unwrap().into_inner();
        assert_eq!(first, again);
        world.told("schedule", 3).await;
    }
}
