//! Holds and offers that run out, by the database's clock and each just once.

use moim_kit::Code;
use moim_proto::schedule::v1::SeatPhase::{Held, Lost, Waiting};

use crate::till::{HOLD, hurried, order, unswept};
use crate::*;

moim_testbed::on_both_databases! {
    async fn a_silent_payment_undoes_everything_and_the_seat_goes_down_the_line(bed: Bed) {
        let world = World::with(bed, hurried()).await;
        let (host, gathering, schedule) = world.paid_meetup(1).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        let call = world.by(one);
        let request = call.request(attend(&schedule));
        let first = world.client.clone().attend(request).await.unwrap().into_inner().attendance.unwrap();
        let second = world.attend_paying(two, &schedule).await;
        world.attend(three, &schedule).await;
        world.pass(HOLD);
        let gone = world.becomes(one, &schedule, AttendanceState::Withdrawn).await;
        assert_eq!(gone.hold_expires_at_us, None);
        assert_eq!(world.phases(order(&first)).await, [Held, Lost]);
        world.becomes(two, &schedule, AttendanceState::PendingPayment).await;
        assert_eq!(world.counts(host, &schedule).await, (0, 1, 1));
        let fault = refused(world.client.clone().attend(call.request(attend(&schedule))).await);
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "PAYMENT_EXPIRED"));

        world.pass(HOLD);
        world.becomes(three, &schedule, AttendanceState::Offered).await;
        assert_eq!(world.phases(order(&second)).await, [Waiting, Held, Lost]);
        let event = world.events::<AttendanceEvent>("attendance", 1).await.remove(0);
        assert_eq!((event.member_id, event.actor_id), (three.to_string(), String::new()));
        world.pass(HOUR + HOLD);
        world.becomes(three, &schedule, AttendanceState::Withdrawn).await;
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
    }

    async fn money_that_comes_too_late_gives_no_seat(bed: Bed) {
        for config in [hurried(), unswept()] {
            let bed = again(&bed).await;
            let is_swept = config.sweep_every_ms < 1_000;
            let world = World::with(bed, config).await;
            let (host, gathering, schedule) = world.paid_meetup(1).await;
            let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
            let held = world.attend(one, &schedule).await;
            world.attend_paying(two, &schedule).await;
            world.pass(HOLD);
            if is_swept {
                world.becomes(two, &schedule, AttendanceState::PendingPayment).await;
            }
            world.money_held(order(&held));
            world.payments_arrived().await;
            let (state, counts, told) = if is_swept {
                (AttendanceState::Withdrawn, (0, 1, 0), 2)
            } else {
                (AttendanceState::PendingPayment, (0, 1, 1), 1)
            };
            world.becomes(one, &schedule, state).await;
            assert_eq!(world.counts(host, &schedule).await, counts);
            world.seat(order(&held), told).await;
        }
    }

    async fn two_rooms_release_each_hold_exactly_once(bed: Bed) {
        let config = Config { sweep_every_ms: 1, ..hurried() };
        let world = World::with(bed, config.clone()).await;
        world.second_room_with(config).await;
        let (host, gathering, schedule) = world.paid_meetup(12).await;
        let mut orders = Vec::new();
        for n in 0..20 {
            let member = world.guest(gathering, &format!("회원{n}"));
            orders.push(order(&world.attend_paying(member, &schedule).await).to_owned());
        }
        world.pass(HOLD);
        for id in &orders[..12] {
            assert_eq!(world.phases(id).await, [Held, Lost]);
        }
        for id in &orders[12..] {
            assert_eq!(world.phases(id).await, [Waiting, Held]);
        }
        world.pass(HOLD);
        for id in &orders[12..] {
            assert_eq!(world.phases(id).await, [Waiting, Held, Lost]);
        }
        assert_eq!(world.counts(host, &schedule).await, (0, 0, 0));
        let entries = world.room.log.read(0, 10_000).await.unwrap();
        let lost = entries.iter().filter(|entry| entry.fact.noun == "seat").filter(|entry| {
            SeatState::decode(entry.fact.payload.clone()).unwrap().phase() == Lost
        });
        assert_eq!(lost.count(), 20);
    }
}

/// A fresh bed on the same kind of database.
async fn again(bed: &Bed) -> Bed {
    if bed.storage.url.is_empty() { Bed::sqlite() } else { Bed::postgres().await.unwrap() }
}
