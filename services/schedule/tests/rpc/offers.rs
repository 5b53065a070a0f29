//! The line of a paid schedule: seats are offered, or paid by themselves.

use moim_proto::payment::v1::OrderFailure;
use moim_proto::schedule::v1::SeatPhase::{Granted, Held, Lost, Waiting};

use crate::till::{FEE, hurried, order, unswept};
use crate::*;

moim_testbed::on_both_databases! {
    async fn a_freed_seat_is_offered_to_the_first_in_line_and_paid_when_accepted(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let (one, _) = world.paid_guest(gathering, &schedule, "하나").await;
        let [two, three] = ["둘", "셋"].map(|name| world.guest(gathering, name));
        for member in [two, three] {
            let place = world.attend(member, &schedule).await;
            assert_eq!((place.state(), place.order_id), (AttendanceState::Waitlisted, None));
        }
        world.try_withdraw(one, &schedule).await.unwrap();
        let seen = world.see(world.by(two), &schedule.id).await;
        assert_eq!((seen.going_count, seen.held_count, seen.waitlist_count), (0, 1, 1));
        assert_eq!(seen.viewer_option(), AttendOption::AcceptOffer);
        let offered = seen.viewer_attendance.unwrap();
        assert_eq!((offered.state(), &offered.order_id), (AttendanceState::Offered, &None));
        let event = world.events::<AttendanceEvent>("attendance", 1).await.remove(0);
        assert_eq!((event.r#move(), event.fee_krw), (AttendanceMove::Offered, FEE));
        assert_eq!((&event.member_id, &event.actor_id), (&two.to_string(), &one.to_string()));
        assert_eq!(event.hold_expires_at_us, offered.hold_expires_at_us);

        let close = UpdateRequest { schedule_id: schedule.id.clone(), closed: Some(true), ..UpdateRequest::default() };
        world.try_update(host, close).await.unwrap();
        let accepted = world.attend(two, &schedule).await;
        assert_eq!(accepted.state(), AttendanceState::PendingPayment, "an offer outlives sign-up");
        assert_eq!(accepted.id, offered.id);
        assert_eq!(world.counts(host, &schedule).await, (0, 1, 1));
        world.money_held(order(&accepted));
        world.becomes(two, &schedule, AttendanceState::Going).await;
        assert_eq!(world.phases(order(&accepted)).await, [Held, Granted]);
        world.events::<AttendanceEvent>("attendance", 1).await;
    }

    async fn an_offer_is_accepted_until_it_runs_out_and_never_after_the_start(bed: Bed) {
        let world = World::with(bed, unswept()).await;
        let (_, gathering, schedule) = world.paid_meetup(2).await;
        let pairs = [("하나", "둘"), ("셋", "넷")];
        let mut goers = Vec::new();
        for (name, _) in pairs {
            goers.push(world.paid_guest(gathering, &schedule, name).await.0);
        }
        let [two, four] = pairs.map(|(_, name)| world.guest(gathering, name));
        world.attend(two, &schedule).await;
        world.attend(four, &schedule).await;
        world.try_withdraw(goers[0], &schedule).await.unwrap();
        world.pass(HOUR + Duration::from_secs(1));
        let fault = world.try_attend(two, &schedule).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (moim_kit::Code::WrongState, "OFFER_EXPIRED"));

        let start = Timestamp::from_us(schedule.starts_at_us);
        world.bed.clock.set(start.before(Duration::from_secs(600)));
        world.try_withdraw(goers[1], &schedule).await.unwrap();
        let offered = world.becomes(four, &schedule, AttendanceState::Offered).await;
        assert_eq!(offered.hold_expires_at_us, Some(schedule.starts_at_us));
        world.bed.clock.set(start);
        let fault = world.try_attend(four, &schedule).await.unwrap_err();
        assert_eq!(fault.reason(), "SCHEDULE_STARTED");
    }

    async fn who_pays_by_themselves_is_told_once_they_have_the_seat(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let (one, _) = world.paid_guest(gathering, &schedule, "하나").await;
        let two = world.guest(gathering, "둘");
        let place = world.attend_paying(two, &schedule).await;
        assert_eq!((place.state(), place.waitlist_position), (AttendanceState::Waitlisted, Some(1)));
        let waiting = world.seat(order(&place), 1).await.remove(0);
        assert_eq!((waiting.phase(), waiting.expires_at_us), (Waiting, schedule.starts_at_us));
        world.try_withdraw(one, &schedule).await.unwrap();
        let held = world.becomes(two, &schedule, AttendanceState::PendingPayment).await;
        assert_eq!(held.order_id, place.order_id);
        let seat = world.seat(order(&place), 2).await.remove(1);
        assert_eq!((seat.phase(), Some(seat.expires_at_us)), (Held, held.hold_expires_at_us));
        world.events::<AttendanceEvent>("attendance", 0).await;
        world.money_held(order(&place));
        world.becomes(two, &schedule, AttendanceState::Going).await;
        let event = world.events::<AttendanceEvent>("attendance", 1).await.remove(0);
        assert_eq!((event.r#move(), event.actor_id.as_str()), (AttendanceMove::Granted, ""));
        assert_eq!((event.member_id, event.hold_expires_at_us), (two.to_string(), None));
        world.seat(order(&place), 3).await;
        assert_eq!(world.counts(host, &schedule).await, (1, 0, 0));
    }

    async fn who_pays_by_themselves_with_too_little_may_still_accept(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let (one, _) = world.paid_guest(gathering, &schedule, "하나").await;
        let two = world.guest(gathering, "둘");
        let place = world.attend_paying(two, &schedule).await;
        world.try_withdraw(one, &schedule).await.unwrap();
        world.released(order(&place), 2, OrderFailure::InsufficientBalance, 500);
        let offered = world.becomes(two, &schedule, AttendanceState::Offered).await;
        assert!(offered.hold_expires_at_us.is_some());
        assert_eq!(world.phases(order(&place)).await, [Waiting, Held, Lost]);
        let event = world.events::<AttendanceEvent>("attendance", 1).await.remove(0);
        assert_eq!((event.r#move(), event.actor_id.as_str()), (AttendanceMove::Offered, ""));
        assert_eq!(world.counts(host, &schedule).await, (0, 1, 0));
        let accepted = world.attend(two, &schedule).await;
        assert_ne!(accepted.order_id, place.order_id);
        // This time it was their own doing.
        world.released(order(&accepted), 2, OrderFailure::InsufficientBalance, 500);
        world.becomes(two, &schedule, AttendanceState::Withdrawn).await;
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
    }

    async fn an_order_that_ends_in_line_leaves_the_place_in_line(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (_, gathering, schedule) = world.paid_meetup(1).await;
        let (one, _) = world.paid_guest(gathering, &schedule, "하나").await;
        let two = world.guest(gathering, "둘");
        let place = world.attend_paying(two, &schedule).await;
        world.released(order(&place), 2, OrderFailure::Expired, 0);
        assert_eq!(world.phases(order(&place)).await, [Waiting, Lost]);
        let own = world.see(world.by(two), &schedule.id).await.viewer_attendance.unwrap();
        assert_eq!(own.state(), AttendanceState::Waitlisted);
        world.try_withdraw(one, &schedule).await.unwrap();
        world.becomes(two, &schedule, AttendanceState::Offered).await;
    }

    async fn paying_by_oneself_means_nothing_where_nothing_is_to_be_paid_or_waited_for(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (_, gathering, free) = world.meetup(1).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        assert_eq!(world.attend_paying(one, &free).await.state(), AttendanceState::Going);
        let waiting = world.attend_paying(two, &free).await;
        assert_eq!((waiting.state(), waiting.order_id), (AttendanceState::Waitlisted, None));
        let (_, gathering, paid) = world.paid_meetup(1).await;
        let three = world.guest(gathering, "셋");
        let held = world.attend_paying(three, &paid).await;
        world.released(order(&held), 2, OrderFailure::InsufficientBalance, 1);
        world.becomes(three, &paid, AttendanceState::Withdrawn).await;
    }
}
