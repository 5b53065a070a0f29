//! Paid seats given back or taken away: who is refunded, and what is told.

use moim_kit::Code;
use moim_proto::schedule::v1::SeatPhase::{Held, Lost, Returned, Waiting};

use crate::till::{hurried, order, unswept};
use crate::*;

/// Whether the seat of an order was returned at last, and with a refund.
async fn refunded(world: &World, order: &str) -> bool {
    let last = world.seat(order, 3).await.remove(2);
    assert_eq!(last.phase(), Returned);
    last.refund
}

moim_testbed::on_both_databases! {
    async fn who_withdraws_in_time_is_refunded_once_and_later_not_at_all(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(3).await;
        let (one, early) = world.paid_guest(gathering, &schedule, "하나").await;
        let (two, late) = world.paid_guest(gathering, &schedule, "둘").await;
        let gone = world.try_withdraw(one, &schedule).await.unwrap();
        assert_eq!((gone.state(), &gone.order_id), (AttendanceState::Withdrawn, &early.order_id));
        let fault = world.try_withdraw(one, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "NOT_ATTENDING"));
        assert!(refunded(&world, order(&early)).await);
        let until = schedule.refundable_until_us.unwrap();
        world.bed.clock.set(Timestamp::from_us(until + 1_000_000));
        world.try_withdraw(two, &schedule).await.unwrap();
        assert!(!refunded(&world, order(&late)).await);
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
    }

    async fn a_seat_not_yet_paid_is_simply_lost_whoever_gives_it_up(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let [one, two, three, four] = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        let held = world.attend(one, &schedule).await;
        let line = world.attend_paying(two, &schedule).await;
        world.attend(three, &schedule).await;
        let last = world.attend_paying(four, &schedule).await;
        world.try_withdraw(two, &schedule).await.unwrap();
        assert_eq!(world.phases(order(&line)).await, [Waiting, Lost]);
        world.try_withdraw(one, &schedule).await.unwrap();
        assert_eq!(world.phases(order(&held)).await, [Held, Lost]);
        world.becomes(three, &schedule, AttendanceState::Offered).await;
        world.try_withdraw(three, &schedule).await.unwrap();
        world.becomes(four, &schedule, AttendanceState::PendingPayment).await;
        world.leaves(gathering, four);
        assert_eq!(world.phases(order(&last)).await, [Waiting, Held, Lost]);
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
        // The money that comes now comes for nothing.
        world.money_held(order(&held));
        world.payments_arrived().await;
        world.seat(order(&held), 2).await;
    }

    async fn giving_up_while_the_payment_is_awaited_ends_the_waiting(bed: Bed) {
        let world = World::with(bed, Config { pay_wait_ms: 60_000, ..hurried() }).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        let member = world.guest(gathering, "하나");
        let withdraw = async {
            world.becomes(member, &schedule, AttendanceState::PendingPayment).await;
            world.try_withdraw(member, &schedule).await.unwrap();
        };
        let (answer, ()) = futures::future::join(world.try_attend(member, &schedule), withdraw).await;
        assert_eq!(answer.unwrap_err().reason(), "SEAT_LOST");
    }

    async fn who_is_sent_away_is_refunded_and_who_leaves_only_by_the_rule(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (_, gathering, schedule) = world.paid_meetup(4).await;
        let (one, left_early) = world.paid_guest(gathering, &schedule, "하나").await;
        let (two, left_late) = world.paid_guest(gathering, &schedule, "둘").await;
        let (three, removed) = world.paid_guest(gathering, &schedule, "셋").await;
        let (four, banned) = world.paid_guest(gathering, &schedule, "넷").await;
        world.leaves(gathering, one);
        assert!(refunded(&world, order(&left_early)).await);
        let until = schedule.refundable_until_us.unwrap();
        world.bed.clock.set(Timestamp::from_us(until + 1_000_000));
        world.leaves(gathering, two);
        world.standing(gathering, three, MembershipRole::Member, MembershipStatus::Removed);
        world.standing(gathering, four, MembershipRole::Member, MembershipStatus::Banned);
        assert!(!refunded(&world, order(&left_late)).await);
        assert!(refunded(&world, order(&removed)).await);
        assert!(refunded(&world, order(&banned)).await);
    }

    async fn a_cancellation_refunds_everybody_and_ends_what_is_held(bed: Bed) {
        let world = World::with(bed, unswept()).await;
        let (host, gathering, schedule) = world.paid_meetup(3).await;
        let (one, paid) = world.paid_guest(gathering, &schedule, "하나").await;
        let (gone, _) = world.paid_guest(gathering, &schedule, "둘").await;
        let [paying, offered, waiting, line] =
            ["셋", "넷", "다섯", "여섯"].map(|name| world.guest(gathering, name));
        let held = world.attend(paying, &schedule).await;
        world.attend(offered, &schedule).await;
        let promised = world.attend_paying(waiting, &schedule).await;
        world.attend(line, &schedule).await;
        world.try_withdraw(gone, &schedule).await.unwrap();
        world.becomes(offered, &schedule, AttendanceState::Offered).await;
        world.bed.clock.set(Timestamp::from_us(schedule.refundable_until_us.unwrap() + 1));
        let cancelled = world.try_cancel(host, &schedule, "비").await.unwrap();
        assert_eq!((cancelled.going_count, cancelled.held_count, cancelled.waitlist_count), (1, 0, 2));
        assert!(refunded(&world, order(&paid)).await);
        assert_eq!(world.phases(order(&held)).await, [Held, Lost]);
        assert_eq!(world.phases(order(&promised)).await, [Waiting, Lost]);
        use AttendanceState::{Going, Waitlisted, Withdrawn};
        for (member, state) in
            [(one, Going), (paying, Withdrawn), (offered, Withdrawn), (waiting, Waitlisted), (line, Waitlisted)]
        {
            world.becomes(member, &schedule, state).await;
        }
        let event = world.events::<ScheduleEvent>("schedule", 2).await.remove(1);
        let mut told = [one, paying, offered, waiting, line].map(|member| member.to_string());
        told.sort();
        assert_eq!(event.audience_ids, told);
        // Money that comes now comes for nothing.
        world.money_held(order(&held));
        world.payments_arrived().await;
        world.seat(order(&held), 2).await;
    }

    async fn who_has_not_paid_cannot_be_recorded(bed: Bed) {
        let world = World::with(bed, unswept()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let member = world.guest(gathering, "하나");
        let held = world.attend(member, &schedule).await;
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let request = RecordAttendanceRequest { attendance_id: held.id, attended: true };
        let answer = world.client.clone().record_attendance(world.by(host).request(request)).await;
        assert_eq!(refused(answer).reason(), "NOT_GOING");
    }
}
