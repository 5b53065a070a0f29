//! Paying for a seat: held first, had once the money is held too.

use moim_kit::Code;
use moim_proto::payment::v1::{OrderFailure, OrderState};
use moim_proto::schedule::v1::SeatPhase::{Granted, Held, Lost};

use crate::till::{FEE, Wallet, hurried, order};
use crate::*;

/// Waits for the payment as long as any test takes.
fn patient() -> Config {
    Config { pay_wait_ms: 60_000, ..hurried() }
}

moim_testbed::on_both_databases! {
    async fn a_paid_seat_is_held_first_and_had_once_its_money_is_held(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let member = world.guest(gathering, "하나");
        let held = world.attend(member, &schedule).await;
        assert_eq!(held.state(), AttendanceState::PendingPayment);
        let seat = world.seat(order(&held), 1).await.remove(0);
        assert_eq!((seat.phase(), seat.amount_krw), (Held, i64::from(FEE)));
        assert_eq!(Some(seat.expires_at_us), held.hold_expires_at_us);
        assert_eq!((&seat.attendance_id, &seat.member_id), (&held.id, &member.to_string()));
        assert_eq!((&seat.schedule_id, &seat.gathering_id), (&schedule.id, &gathering.to_string()));
        assert_eq!((seat.schedule_title, seat.refund), (schedule.title.clone(), false));
        let seen = world.see(world.by(member), &schedule.id).await;
        assert_eq!((seen.going_count, seen.held_count, seen.status()), (0, 1, ScheduleStatus::Full));
        assert_eq!(seen.viewer_option(), AttendOption::Withdraw);

        world.money_held(order(&held));
        let going = world.becomes(member, &schedule, AttendanceState::Going).await;
        assert_eq!((going.hold_expires_at_us, going.order_id), (None, held.order_id.clone()));
        assert_eq!(world.phases(order(&held)).await, [Held, Granted]);
        assert_eq!(world.counts(host, &schedule).await, (1, 0, 0));
        // Nobody in line was moved up.
        world.events::<AttendanceEvent>("attendance", 0).await;
    }

    async fn signing_up_waits_for_the_payment_and_names_what_was_told(bed: Bed) {
        let world = World::with(bed, patient()).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        world.cashier(Wallet::Full);
        let call = world.by(world.guest(gathering, "하나"));
        let answer = world.client.clone().attend(call.request(attend(&schedule))).await.unwrap();
        let going = answer.into_inner().attendance.unwrap();
        assert_eq!(going.state(), AttendanceState::Going);
        let seen = call.seen_after();
        let seat = seen.marks().iter().find(|mark| mark.noun == "seat").unwrap();
        assert_eq!((seat.aggregate().to_string().as_str(), seat.version), (order(&going), 2));
        assert!(seen.marks().iter().any(|mark| mark.noun == "attendance" && mark.version == 2));
    }

    async fn a_wallet_with_too_little_is_told_by_how_much_each_time_it_asks(bed: Bed) {
        let world = World::with(bed, patient()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        world.cashier(Wallet::Short(3_000));
        let member = world.guest(gathering, "하나");
        let call = world.by(member);
        for _ in 0..2 {
            let request = call.request(attend(&schedule));
            let fault = refused(world.client.clone().attend(request).await);
            assert_eq!((fault.code(), fault.reason()), (Code::InsufficientBalance, "INSUFFICIENT_BALANCE"));
            assert_eq!(fault.shortfall_krw(), Some(3_000));
        }
        let gone = world.see(world.by(member), &schedule.id).await.viewer_attendance.unwrap();
        assert_eq!(gone.state(), AttendanceState::Withdrawn);
        assert_eq!(world.phases(order(&gone)).await, [Held, Lost]);
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
        // Trying anew is another order.
        world.try_attend(member, &schedule).await.unwrap_err();
        let again = world.see(world.by(member), &schedule.id).await.viewer_attendance.unwrap();
        assert_ne!(again.order_id, gone.order_id);
    }

    async fn a_slow_payment_leaves_it_pending_and_a_retry_tells_how_it_ended(bed: Bed) {
        let world = World::with(bed, Config { pay_wait_ms: 150, ..hurried() }).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        let call = world.by(world.guest(gathering, "하나"));
        let try_it = async || {
            let request = call.request(attend(&schedule));
            world.client.clone().attend(request).await.unwrap().into_inner().attendance.unwrap()
        };
        let first = try_it().await;
        assert_eq!(first.state(), AttendanceState::PendingPayment);
        assert_eq!(try_it().await, first);
        let other = AttendRequest { auto_pay: true, ..attend(&schedule) };
        let fault = refused(world.client.clone().attend(call.request(other)).await);
        assert_eq!(fault.reason(), "IDEMPOTENCY_KEY_REUSED");
        world.money_held(order(&first));
        world.payments_arrived().await;
        let last = try_it().await;
        assert_eq!((last.state(), &last.order_id), (AttendanceState::Going, &first.order_id));
        world.seat(order(&first), 2).await;
    }

    async fn any_number_wait_without_holding_anybody_up(bed: Bed) {
        let world = World::with(bed, patient()).await;
        let (host, gathering, schedule) = world.paid_meetup(40).await;
        let people: Vec<_> =
            (0..40).map(|n| world.guest(gathering, &format!("회원{n}"))).collect();
        world.all_arrived().await;
        let all_wait = async {
            // More than there are connections, so none of them can be holding one.
            while world.counts(host, &schedule).await != (0, 40, 0) {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            world.cashier(Wallet::Full);
        };
        let tries = people.iter().map(|member| world.try_attend(*member, &schedule));
        let (answers, ()) = futures::future::join(futures::future::join_all(tries), all_wait).await;
        for answer in answers {
            assert_eq!(answer.unwrap().state(), AttendanceState::Going);
        }
        assert_eq!(world.counts(host, &schedule).await, (40, 0, 0));
    }

    async fn waiting_ends_with_the_time_of_the_call(bed: Bed) {
        let world = World::with(bed, patient()).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        let member = world.guest(gathering, "하나");
        world.all_arrived().await;
        let until = tokio::time::Instant::now() + Duration::from_secs(3);
        let request = world.by(member).until(until).request(attend(&schedule));
        let held = world.client.clone().attend(request).await.unwrap().into_inner();
        assert_eq!(held.attendance.unwrap().state(), AttendanceState::PendingPayment);
    }

    async fn what_the_payment_says_twice_late_or_of_nobody_gives_one_seat(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(2).await;
        let member = world.guest(gathering, "하나");
        let held = world.attend(member, &schedule).await;
        let id = order(&held);
        world.payments.hold();
        world.tell_order(&Uuid::now_v7().to_string(), 1, OrderState::MoneyHeld);
        world.tell_order(id, 2, OrderState::MoneyHeld);
        world.tell_order(id, 1, OrderState::SeatHeld);
        world.tell_order(id, 2, OrderState::MoneyHeld);
        world.tell_order(id, 3, OrderState::MoneyHeld);
        world.tell_order(id, 4, OrderState::Confirmed);
        world.payments.release();
        world.payments_arrived().await;
        assert_eq!(world.phases(id).await, [Held, Granted]);
        assert_eq!(world.counts(host, &schedule).await, (1, 0, 0));
    }

    async fn a_seat_whose_order_was_released_after_all_is_taken_back_and_passed_on(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let (one, going) = world.paid_guest(gathering, &schedule, "하나").await;
        let two = world.guest(gathering, "둘");
        world.attend(two, &schedule).await;
        world.released(order(&going), 3, OrderFailure::Expired, 0);
        world.becomes(one, &schedule, AttendanceState::Withdrawn).await;
        world.becomes(two, &schedule, AttendanceState::Offered).await;
        assert_eq!(world.phases(order(&going)).await, [Held, Granted, Lost]);
        assert_eq!(world.counts(host, &schedule).await, (0, 1, 0));
    }

    async fn an_order_is_its_members_own_affair(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(2).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        let held = world.attend(one, &schedule).await;
        let pending = AttendanceState::PendingPayment;
        let listed = world.list(world.by(host), &schedule, pending, first(9)).await.attendances;
        assert_eq!(listed, [Attendance { order_id: None, ..held.clone() }]);
        assert!(world.list(world.by(two), &schedule, pending, first(9)).await.attendances.is_empty());
        let by_id = async |call: Call| {
            let request = call.request(BatchGetAttendancesRequest { ids: vec![held.id.clone()] });
            let found = world.client.clone().batch_get_attendances(request).await.unwrap();
            found.into_inner().attendances
        };
        assert_eq!(by_id(world.by(one)).await, std::slice::from_ref(&held));
        assert_eq!(by_id(world.by(host)).await, listed);
        assert!(by_id(world.by(two)).await.is_empty());
        let request = ListViewerAttendancesRequest { page: Some(first(9)), ..ListViewerAttendancesRequest::default() };
        let request = world.by(one).request(request);
        let own = world.client.clone().list_viewer_attendances(request).await.unwrap().into_inner();
        assert_eq!(own.attendances, std::slice::from_ref(&held));
        world.money_held(order(&held));
        world.becomes(one, &schedule, AttendanceState::Going).await;
        assert_eq!(by_id(world.by(two)).await[0].order_id, None, "public is that they go");
    }

    async fn a_held_seat_is_a_place_like_any_other(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        world.attend(one, &schedule).await;
        assert_eq!(world.try_attend(one, &schedule).await.unwrap_err().reason(), "ALREADY_ATTENDING");
        let twin = CreateRequest {
            starts_at_us: schedule.starts_at_us,
            ends_at_us: schedule.ends_at_us,
            ..world.plan(gathering, 9)
        };
        let host = schedule_host(&world, &schedule).await;
        let twin = world.create(host, twin).await;
        let fault = world.try_attend(one, &twin).await.unwrap_err();
        assert_eq!((fault.reason(), fault.about_id()), ("SCHEDULE_OVERLAP", Some(schedule.id.as_str())));
        let request = AttendRequest { join_waitlist: false, ..attend(&schedule) };
        let fault = refused(world.client.clone().attend(world.by(two).request(request)).await);
        assert_eq!(fault.reason(), "SCHEDULE_FULL");
    }
}

/// Another host of the same gathering.
async fn schedule_host(world: &World, schedule: &Schedule) -> MemberId {
    let host = world.member("부모임장");
    let gathering = schedule.gathering_id.parse().unwrap();
    world.standing(gathering, host, MembershipRole::Manager, MembershipStatus::Active);
    host
}
