//! The walk of a paid seat, in every way it can end.

use std::time::Duration;

use moim_kit::id::MemberId;
use moim_payment::Config;
use moim_proto::payment::v1::*;
use moim_proto::schedule::v1::SeatPhase;

use crate::stage::*;

moim_testbed::on_both_databases! {
    async fn a_seat_is_held_paid_and_refunded_with_a_state_told_for_every_move(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(50_000).await;
        let seat = stage.seat(member, 30_000);
        stage.tell(&seat, 1);
        stage.order(&seat, OrderState::MoneyHeld).await;
        stage.has(member, 20_000, 30_000).await;
        stage.audited().await;

        stage.tell(&then(&seat, SeatPhase::Granted), 2);
        stage.order(&seat, OrderState::Confirmed).await;
        stage.has(member, 20_000, 0).await;
        stage.audited().await;

        stage.tell(&returned(&seat, true), 3);
        let order = stage.order(&seat, OrderState::Refunded).await;
        assert_eq!((order.amount_krw, order.failure(), order.failure_message.as_str()),
            (30_000, OrderFailure::Unspecified, ""));
        stage.has(member, 50_000, 0).await;
        stage.audited().await;

        let told = stage.told(&seat, 5).await;
        let versions: Vec<_> = told.iter().map(|(version, _)| *version).collect();
        assert_eq!(versions, [1, 2, 3, 4, 5]);
        let states: Vec<_> = told.iter().map(|(_, fact)| fact.state()).collect();
        let walk = [
            OrderState::SeatHeld,
            OrderState::MoneyHeld,
            OrderState::Confirmed,
            OrderState::Refunding,
            OrderState::Refunded,
        ];
        assert_eq!(states, walk);
        assert_eq!(told[0].1.attendance_id, seat.attendance_id);
        let events = stage.events(&seat, 2).await;
        let states = [events[0].state(), events[1].state()];
        assert_eq!(states, [OrderState::Confirmed, OrderState::Refunded]);
        assert_eq!(events[0].schedule_title, "저녁 달리기");

        let entries = stage.entries(member).await;
        let lines: Vec<_> = entries
            .iter()
            .map(|it| (it.kind(), it.amount_krw, it.balance_after_krw, it.order_id.as_deref()))
            .collect();
        let order = Some(seat.order_id.as_str());
        assert_eq!(lines, [
            (WalletEntryKind::Refund, 30_000, 50_000, order),
            (WalletEntryKind::Payment, -30_000, 20_000, order),
            (WalletEntryKind::TopUp, 50_000, 50_000, None),
        ]);
    }

    async fn an_order_that_the_wallet_cannot_pay_is_released_with_what_is_missing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 30_000);
        stage.tell(&seat, 1);
        let order = stage.order(&seat, OrderState::Released).await;
        assert_eq!(order.failure(), OrderFailure::InsufficientBalance);
        assert!(!order.failure_message.is_empty());
        assert_ne!(order.failure_message, order.failure_message_ko);
        let told = stage.told(&seat, 2).await;
        assert_eq!(told[1].1.shortfall_krw, 20_000);
        assert_eq!(stage.events(&seat, 1).await[0].failure(), OrderFailure::InsufficientBalance);
        stage.has(member, 10_000, 0).await;

        let penniless = MemberId::fresh();
        let seat = stage.seat(penniless, 5_000);
        stage.tell(&seat, 1);
        stage.order(&seat, OrderState::Released).await;
        assert_eq!(stage.told(&seat, 2).await[1].1.shortfall_krw, 5_000);
    }

    async fn a_seat_lost_frees_the_money_and_bothers_nobody(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 10_000);
        stage.tell(&seat, 1);
        stage.has(member, 0, 10_000).await;
        stage.tell(&then(&seat, SeatPhase::Lost), 2);
        let order = stage.order(&seat, OrderState::Released).await;
        assert_eq!(order.failure(), OrderFailure::SeatLost);
        stage.has(member, 10_000, 0).await;
        stage.told(&seat, 3).await;
        stage.events(&seat, 0).await;
        assert_eq!(stage.entries(member).await.len(), 1, "a hold is no entry");
        stage.audited().await;
    }

    async fn a_place_in_line_holds_no_money_until_its_seat_comes(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 10_000);
        stage.tell(&then(&seat, SeatPhase::Waiting), 1);
        stage.order(&seat, OrderState::Pending).await;
        stage.has(member, 10_000, 0).await;
        stage.tell(&seat, 2);
        stage.order(&seat, OrderState::MoneyHeld).await;
        stage.has(member, 0, 10_000).await;
    }

    async fn an_order_heard_of_too_late_expires_untouched(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let mut seat = stage.seat(member, 10_000);
        seat.expires_at_us = stage.bed.clock.now().us();
        stage.tell(&seat, 1);
        let order = stage.order(&seat, OrderState::Released).await;
        assert_eq!(order.failure(), OrderFailure::Expired);
        stage.has(member, 10_000, 0).await;
        assert_eq!(stage.events(&seat, 1).await[0].failure(), OrderFailure::Expired);
    }

    async fn when_the_other_side_is_silent_the_money_is_freed(bed: Bed) {
        let stage = Stage::with(bed, Config { silence_ms: 1_000, ..quick() }).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 10_000);
        stage.tell(&seat, 1);
        stage.has(member, 0, 10_000).await;
        let waiting = then(&stage.seat(member, 10_000), SeatPhase::Waiting);
        stage.tell(&waiting, 1);
        stage.order(&waiting, OrderState::Pending).await;
        stage.bed.clock.set(stage.bed.clock.now().after(MINUTE + Duration::from_secs(2)));
        for seat in [&seat, &waiting] {
            let order = stage.order(seat, OrderState::Released).await;
            assert_eq!(order.failure(), OrderFailure::Expired);
        }
        stage.has(member, 10_000, 0).await;
        // A verdict after that changes nothing: the schedule takes its seat back.
        stage.tell(&then(&seat, SeatPhase::Granted), 2);
        let later = stage.seat(member, 1_000);
        stage.tell(&later, 1);
        stage.order(&later, OrderState::MoneyHeld).await;
        stage.order(&seat, OrderState::Released).await;
        stage.told(&seat, 3).await;
        stage.audited().await;
    }

    async fn words_that_were_skipped_over_are_made_up_for(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(100_000).await;
        // GRANTED was never heard: without a refund the money is kept, with one it is freed.
        for (refund, state, left) in
            [(false, OrderState::Confirmed, 90_000), (true, OrderState::Released, 90_000)]
        {
            let seat = stage.seat(member, 10_000);
            stage.tell(&seat, 1);
            stage.order(&seat, OrderState::MoneyHeld).await;
            stage.tell(&returned(&seat, refund), 3);
            stage.order(&seat, state).await;
            stage.has(member, left, 0).await;
        }
        // A seat granted but never heard of is paid now, or taken back for want of money.
        let seat = then(&stage.seat(member, 10_000), SeatPhase::Granted);
        stage.tell(&seat, 2);
        stage.order(&seat, OrderState::Confirmed).await;
        stage.has(member, 80_000, 0).await;
        let dear = then(&stage.seat(member, 500_000), SeatPhase::Granted);
        stage.tell(&dear, 2);
        stage.order(&dear, OrderState::Released).await;
        // One that is over and was never heard of is over at once.
        for (version, over) in [(2, then(&stage.seat(member, 1), SeatPhase::Lost)),
            (3, returned(&stage.seat(member, 1), true))]
        {
            stage.tell(&over, version);
            let order = stage.order(&over, OrderState::Released).await;
            assert_eq!(order.failure(), OrderFailure::SeatLost);
            stage.told(&over, 1).await;
        }
        stage.has(member, 80_000, 0).await;
        stage.audited().await;
    }

    async fn old_and_repeated_words_change_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 10_000);
        stage.tell(&seat, 1);
        stage.order(&seat, OrderState::MoneyHeld).await;
        stage.tell(&then(&seat, SeatPhase::Granted), 2);
        stage.order(&seat, OrderState::Confirmed).await;
        stage.tell(&returned(&seat, true), 3);
        stage.order(&seat, OrderState::Refunded).await;
        for (state, version) in [(seat.clone(), 1), (then(&seat, SeatPhase::Granted), 2),
            (returned(&seat, true), 3), (then(&seat, SeatPhase::Lost), 4), (seat.clone(), 5)]
        {
            stage.tell(&state, version);
        }
        let later = stage.seat(member, 1_000);
        stage.tell(&later, 1);
        stage.order(&later, OrderState::MoneyHeld).await;
        stage.told(&seat, 5).await;
        stage.has(member, 9_000, 1_000).await;
        assert_eq!(stage.entries(member).await.len(), 3);
        stage.audited().await;
    }

    async fn nobody_sees_the_order_of_another(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (member, other) = (stage.member(10_000).await, MemberId::fresh());
        let seat = stage.seat(member, 1_000);
        stage.tell(&seat, 1);
        stage.order(&seat, OrderState::MoneyHeld).await;
        assert!(stage.orders(other, &[&seat.order_id, "x"]).await.is_empty());
        assert_eq!(stage.orders(member, &[&seat.order_id, &fresh(), "x"]).await.len(), 1);
        let ids = vec![fresh(); 201];
        let refused = ask!(stage, member, batch_get_orders, BatchGetOrdersRequest { ids });
        assert_eq!(refused.unwrap_err().reason(), "TOO_MANY_IDS");
    }
}
