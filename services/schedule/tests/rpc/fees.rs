//! What a schedule costs, until when it is refunded, and resizing while seats are held.

use moim_kit::{Code, Fault};
use moim_proto::payment::v1::OrderFailure;

use crate::till::{FEE, hurried, order};
use crate::*;

fn change(schedule: &Schedule) -> UpdateRequest {
    UpdateRequest { schedule_id: schedule.id.clone(), ..UpdateRequest::default() }
}

moim_testbed::on_both_databases! {
    async fn a_fee_is_refundable_until_a_day_before_unless_the_host_says_otherwise(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(3).await;
        assert_eq!(schedule.fee_krw, FEE);
        let day = schedule.starts_at_us - i64::try_from(DAY.as_micros()).unwrap();
        assert_eq!(schedule.refundable_until_us, Some(day));
        let state: ScheduleState = Message::decode(world.told("schedule", 1).await[0].payload.clone()).unwrap();
        assert_eq!((state.fee_krw, state.refundable_until_us), (FEE, Some(day)));
        let plan = || CreateRequest { fee_krw: 1, ..world.plan(gathering, 3) };
        let late = plan();
        let start = late.starts_at_us;
        let until = CreateRequest { refundable_until_us: Some(start), ..late };
        assert_eq!(world.create(host, until).await.refundable_until_us, Some(start));
        let free = world.create(host, world.plan(gathering, 3)).await;
        assert_eq!((free.fee_krw, free.refundable_until_us), (0, None));

        for (plan, reason, field) in [
            (CreateRequest { fee_krw: -1, ..plan() }, "FEE_INVALID", "fee"),
            (CreateRequest { fee_krw: 1_000_001, ..plan() }, "FEE_INVALID", "fee"),
            (CreateRequest { refundable_until_us: Some(i64::MAX), ..plan() }, "REFUND_INVALID", "refundableUntil"),
            (CreateRequest { fee_krw: 0, refundable_until_us: Some(start), ..plan() }, "REFUND_INVALID", "refundableUntil"),
        ] {
            let fault = refused(world.client.clone().create(world.by(host).request(plan)).await);
            assert_eq!((fault.reason(), fault.field()), (reason, Some(field)));
        }
    }

    async fn a_fee_changes_until_somebody_has_agreed_to_it(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let cheaper = || UpdateRequest { fee_krw: Some(5_000), ..change(&schedule) };
        let changed = world.try_update(host, cheaper()).await.unwrap();
        assert_eq!((changed.fee_krw, changed.refundable_until_us), (5_000, schedule.refundable_until_us));
        let free = UpdateRequest { fee_krw: Some(0), ..change(&schedule) };
        assert_eq!(world.try_update(host, free.clone()).await.unwrap().refundable_until_us, None);
        world.try_update(host, UpdateRequest { fee_krw: Some(FEE), ..change(&schedule) }).await.unwrap();

        let fixed = |fault: Fault| {
            assert_eq!((fault.code(), fault.reason(), fault.field()), (Code::WrongState, "FEE_FIXED", Some("fee")));
        };
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        let held = world.attend(one, &schedule).await;
        fixed(world.try_update(host, cheaper()).await.unwrap_err());
        world.money_held(order(&held));
        world.becomes(one, &schedule, AttendanceState::Going).await;
        fixed(world.try_update(host, free.clone()).await.unwrap_err());
        let sooner = schedule.refundable_until_us.unwrap() - 1;
        let sooner = UpdateRequest { refundable_until_us: Some(sooner), ..change(&schedule) };
        let fault = world.try_update(host, sooner.clone()).await.unwrap_err();
        assert_eq!((fault.reason(), fault.field()), ("REFUND_FIXED", Some("refundableUntil")));
        let longer = UpdateRequest { refundable_until_us: Some(schedule.starts_at_us), ..change(&schedule) };
        world.try_update(host, longer).await.unwrap();

        world.attend(two, &schedule).await;
        world.attend_paying(three, &schedule).await;
        world.try_withdraw(one, &schedule).await.unwrap();
        fixed(world.try_update(host, cheaper()).await.unwrap_err());
        world.try_withdraw(two, &schedule).await.unwrap();
        world.becomes(three, &schedule, AttendanceState::PendingPayment).await;
        fixed(world.try_update(host, cheaper()).await.unwrap_err());
        world.try_withdraw(three, &schedule).await.unwrap();
        world.try_update(host, cheaper()).await.unwrap();
        world.try_update(host, sooner).await.unwrap();
    }

    async fn fewer_seats_evict_nobody_and_more_move_the_line_up(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(2).await;
        let [one, two, three, four] = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        world.attend(one, &schedule).await;
        let second = world.attend(two, &schedule).await;
        world.attend_paying(three, &schedule).await;
        world.attend(four, &schedule).await;
        let resize = |capacity| UpdateRequest { capacity: Some(capacity), ..change(&schedule) };
        let fault = world.try_update(host, resize(1)).await.unwrap_err();
        assert_eq!((fault.reason(), fault.field()), ("CAPACITY_TOO_SMALL", Some("capacity")));
        let bigger = world.try_update(host, resize(4)).await.unwrap();
        assert_eq!((bigger.held_count, bigger.waitlist_count), (4, 0));
        world.becomes(three, &schedule, AttendanceState::PendingPayment).await;
        world.becomes(four, &schedule, AttendanceState::Offered).await;
        world.released(order(&second), 2, OrderFailure::SeatLost, 0);
        world.becomes(two, &schedule, AttendanceState::Withdrawn).await;
        assert_eq!(world.try_update(host, resize(3)).await.unwrap().held_count, 3);
    }

    async fn what_lasts_until_the_start_follows_it(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let (one, _) = world.paid_guest(gathering, &schedule, "하나").await;
        let [two, three] = ["둘", "셋"].map(|name| world.guest(gathering, name));
        world.attend(two, &schedule).await;
        let promised = world.attend_paying(three, &schedule).await;
        world.try_withdraw(one, &schedule).await.unwrap();
        world.becomes(two, &schedule, AttendanceState::Offered).await;
        let soon = world.now().after(HOUR / 2).us();
        let sooner = UpdateRequest { starts_at_us: Some(soon), ends_at_us: Some(soon + 1), ..change(&schedule) };
        let moved = world.try_update(host, sooner).await.unwrap();
        assert_eq!(moved.refundable_until_us, Some(soon.min(schedule.refundable_until_us.unwrap())));
        let offered = world.becomes(two, &schedule, AttendanceState::Offered).await;
        assert_eq!(offered.hold_expires_at_us, Some(soon));
        assert_eq!(world.seat(order(&promised), 2).await[1].expires_at_us, soon);
    }
}
