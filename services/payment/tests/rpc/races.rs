//! Many at once, through two rooms on one database: everything happens once.

use futures::future::join_all;
use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_proto::payment::v1::*;
use moim_proto::schedule::v1::SeatPhase;

use crate::stage::*;

const MANY: usize = 100;

moim_testbed::on_both_databases! {
    async fn a_hundred_top_ups_with_one_key_credit_once(bed: Bed) {
        let stage = Stage::set(bed).await;
        let rooms = [stage.client(), stage.second_room().await];
        let (member, key) = (MemberId::fresh(), fresh());
        let tries = (0..MANY).map(async |n| {
            // Patient as a client is: what is retryable is tried again.
            loop {
                let client = rooms[n % 2].clone();
                match top_up(client, &stage.bed, member, &key, 1_000, "").await {
                    Err(fault) if fault.code().is_retryable() => pause().await,
                    answer => return answer,
                }
            }
        });
        let answers: Vec<Result<Wallet, Fault>> = join_all(tries).await;
        for answer in answers {
            assert_eq!(answer.unwrap().balance_krw, 1_000);
        }
        assert_eq!(stage.wallet(member).await.balance_krw, 1_000);
        assert_eq!(stage.entries(member).await.len(), 1);
        stage.audited().await;
    }

    async fn of_two_orders_for_the_last_money_exactly_one_gets_it(bed: Bed) {
        let stage = Stage::set(bed).await;
        stage.second_room().await;
        let member = stage.member(10_000).await;
        let seats: Vec<_> = (0..6).map(|_| stage.seat(member, 10_000)).collect();
        for seat in &seats {
            stage.tell(seat, 1);
        }
        let (mut won, mut lost) = (0, 0);
        for seat in &seats {
            let told = stage.told(seat, 2).await;
            match told[1].1.state() {
                OrderState::MoneyHeld => won += 1,
                _ => {
                    assert_eq!(told[1].1.failure(), OrderFailure::InsufficientBalance);
                    assert_eq!(told[1].1.shortfall_krw, 10_000);
                    lost += 1;
                }
            }
        }
        assert_eq!((won, lost), (1, 5));
        stage.has(member, 0, 10_000).await;
        stage.audited().await;
    }

    async fn two_rooms_share_the_work_and_take_every_step_once(bed: Bed) {
        let stage = Stage::set(bed).await;
        stage.second_room().await;
        let member = stage.member(1_000_000).await;
        let seats: Vec<_> = (0..30).map(|_| stage.seat(member, 10_000)).collect();
        for seat in &seats {
            stage.tell(seat, 1);
        }
        for seat in &seats {
            stage.tell(&then(seat, SeatPhase::Granted), 2);
        }
        stage.has(member, 700_000, 0).await;
        for seat in &seats {
            stage.tell(&returned(seat, true), 3);
        }
        stage.has(member, 1_000_000, 0).await;
        for seat in &seats {
            stage.order(seat, OrderState::Refunded).await;
            // The reader may have been quicker than the workers, but no state was told twice or left out.
            let told = stage.told(seat, 5).await;
            let versions: Vec<_> = told.iter().map(|(version, _)| *version).collect();
            assert_eq!(versions, [1, 2, 3, 4, 5]);
        }
        assert_eq!(stage.entries(member).await.len(), 61);
        stage.audited().await;
    }

    async fn what_was_left_undone_by_a_dead_room_is_done_by_the_next(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = stage.member(10_000).await;
        let seat = stage.seat(member, 10_000);
        let key = fresh();
        // As if a room had died after hearing of the seat, and another while it asked the provider.
        let mut tx = stage.db.begin().await.unwrap();
        let now = stage.bed.clock.now();
        let args = moim_storage::args![
            &seat.order_id, &seat.attendance_id, &seat.schedule_id, &seat.member_id, now,
            seat.expires_at_us,
        ];
        tx.execute("
INSERT INTO seat_order (id, attendance_id, schedule_id, schedule_title, member_id, amount_krw, phase,
    refund, expires_at_us, state, shortfall_krw, trace, version, revision, tries, due_at_us,
    created_at_us, updated_at_us)
VALUES ($1, $2, $3, '', $4, 10000, 'HELD', FALSE, $6, 'SEAT_HELD', 0, '', 1, 1, 0, $5, $5, $5)", args)
            .await.unwrap();
        let args = moim_storage::args![fresh(), member, &key, now];
        tx.execute("
INSERT INTO top_up (id, member_id, key, amount_krw, payment_key, state, tries, next_look_at_us,
    requested_at_us)
VALUES ($1, $2, $3, 5000, 'sandbox-lost', 'REQUESTED', 1, $4, $4)", args).await.unwrap();
        tx.commit().await.unwrap();
        stage.has(member, 5_000, 10_000).await;
        stage.top_up_is(&key, "PAID").await;
        let wallet = stage.top_up(member, &key, 5_000, "sandbox-lost").await.unwrap();
        assert!(wallet.balance_krw >= 5_000);
        stage.audited().await;
    }
}
