//! How a paid seat and its money come to agree: what hearing of the seat changes, and what to do next.
//!
//! Captured money is the pivot: before it everything is undone, after it things only go forward. Each decision
//! rests on the newest word about the seat alone, so lost, late and repeated words change nothing in the end.

use std::time::Duration;

use moim_kit::Timestamp;

use crate::model::{Failure, OrderState, Phase, Seat};

/// What is to be done about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something is heard.
    Rest,
    /// Nothing before this instant.
    Wait(Timestamp),
    /// Set the money aside, or release the order for want of it.
    Hold,
    /// Take what is held: the pivot.
    Capture,
    /// Give free what is held, if anything is.
    Release(Failure),
    /// Give back what was taken.
    Refund,
}

/// The state of an order once it is heard how the seat stands; no money moves.
pub fn hear(known: Option<OrderState>, seat: Seat) -> OrderState {
    match (known, seat.phase) {
        (None, Phase::Waiting) => OrderState::Pending,
        // Granted without our word: the money is taken now, or the seat given back for want of it.
        (None | Some(OrderState::Pending), Phase::Held | Phase::Granted) => OrderState::SeatHeld,
        (None, Phase::Lost | Phase::Returned) => OrderState::Released,
        (Some(OrderState::Confirmed), Phase::Lost) => OrderState::Refunding,
        (Some(OrderState::Confirmed), Phase::Returned) if seat.refund => OrderState::Refunding,
        (Some(state), _) => state,
    }
}

/// What to do about an order now; `silence` is how long after the end of a hold the other side is waited for.
pub fn step(state: OrderState, seat: Seat, now: Timestamp, silence: Duration) -> Step {
    use OrderState as Is;
    match (state, seat.phase) {
        (Is::Confirmed | Is::Released | Is::Refunded, _) => Step::Rest,
        (Is::Refunding, _) => Step::Refund,
        (_, Phase::Lost) => Step::Release(Failure::SeatLost),
        (Is::MoneyHeld, Phase::Returned) if !seat.refund => Step::Capture,
        (_, Phase::Returned) => Step::Release(Failure::SeatLost),
        (Is::MoneyHeld, Phase::Granted) => Step::Capture,
        (Is::Pending | Is::SeatHeld, Phase::Granted) => Step::Hold,
        (Is::Pending | Is::SeatHeld, Phase::Held) if now >= seat.expires_at => {
            Step::Release(Failure::Expired)
        }
        (Is::Pending | Is::SeatHeld, Phase::Held) => Step::Hold,
        (Is::Pending | Is::SeatHeld, Phase::Waiting)
        | (Is::MoneyHeld, Phase::Waiting | Phase::Held) => {
            let end = seat.expires_at.after(silence);
            if now >= end { Step::Release(Failure::Expired) } else { Step::Wait(end) }
        }
    }
}

/// When an order is to be looked at again: at once while there is something to do.
pub fn due(state: OrderState, seat: Seat, now: Timestamp, silence: Duration) -> Option<Timestamp> {
    match step(state, seat, now, silence) {
        Step::Rest => None,
        Step::Wait(until) => Some(until),
        Step::Hold | Step::Capture | Step::Release(_) | Step::Refund => Some(now),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SILENCE: Duration = Duration::from_micros(30);
    const END: i64 = 100;
    const PRICE: i64 = 10;

    fn seat(phase: Phase, refund: bool) -> Seat {
        Seat { phase, refund, expires_at: Timestamp::from_us(END) }
    }

    fn at(state: OrderState, phase: Phase, refund: bool, now: i64) -> Step {
        step(state, seat(phase, refund), Timestamp::from_us(now), SILENCE)
    }

    #[test]
    fn every_pair_of_a_state_and_a_phase_has_its_step() {
        use {OrderState as Is, Phase as Of};
        let wait = Step::Wait(Timestamp::from_us(130));
        let lost = Step::Release(Failure::SeatLost);
        let expired = Step::Release(Failure::Expired);
        // State, phase, refund: the step in time, after the hold, and after the silence.
        for (state, phase, refund, steps) in [
            (Is::Pending, Of::Waiting, false, [wait, wait, expired]),
            (Is::Pending, Of::Held, false, [Step::Hold, expired, expired]),
            (Is::Pending, Of::Granted, false, [Step::Hold; 3]),
            (Is::Pending, Of::Lost, false, [lost; 3]),
            (Is::Pending, Of::Returned, true, [lost; 3]),
            (Is::Pending, Of::Returned, false, [lost; 3]),
            (Is::SeatHeld, Of::Waiting, false, [wait, wait, expired]),
            (Is::SeatHeld, Of::Held, false, [Step::Hold, expired, expired]),
            (Is::SeatHeld, Of::Granted, false, [Step::Hold; 3]),
            (Is::SeatHeld, Of::Lost, false, [lost; 3]),
            (Is::SeatHeld, Of::Returned, true, [lost; 3]),
            (Is::SeatHeld, Of::Returned, false, [lost; 3]),
            (Is::MoneyHeld, Of::Waiting, false, [wait, wait, expired]),
            (Is::MoneyHeld, Of::Held, false, [wait, wait, expired]),
            (Is::MoneyHeld, Of::Granted, false, [Step::Capture; 3]),
            (Is::MoneyHeld, Of::Lost, false, [lost; 3]),
            (Is::MoneyHeld, Of::Returned, true, [lost; 3]),
            (Is::MoneyHeld, Of::Returned, false, [Step::Capture; 3]),
        ] {
            let found = [0, END, END + 30].map(|now| at(state, phase, refund, now));
            assert_eq!(found, steps, "{state:?} {phase:?} {refund}");
        }
        for phase in [Of::Waiting, Of::Held, Of::Granted, Of::Lost, Of::Returned] {
            for refund in [true, false] {
                assert_eq!(at(Is::Refunding, phase, refund, 0), Step::Refund);
                for last in [Is::Confirmed, Is::Released, Is::Refunded] {
                    assert_eq!(at(last, phase, refund, 1_000), Step::Rest);
                }
            }
        }
    }

    #[test]
    fn a_verdict_about_an_order_never_heard_of_is_final_or_makes_up_for_it() {
        for (phase, state) in [
            (Phase::Waiting, OrderState::Pending),
            (Phase::Held, OrderState::SeatHeld),
            (Phase::Granted, OrderState::SeatHeld),
            (Phase::Lost, OrderState::Released),
            (Phase::Returned, OrderState::Released),
        ] {
            assert_eq!(hear(None, seat(phase, true)), state);
        }
    }

    /// An order with its money, taken through anything.
    #[derive(Debug)]
    struct Play {
        wallet: i64,
        held: i64,
        escrow: i64,
        order: Option<(OrderState, Seat)>,
        version: usize,
        now: i64,
    }

    impl Play {
        /// As the inbox does: only what is newer than all before takes effect.
        fn deliver(&mut self, story: &[Seat], version: usize) {
            if version < self.version || version >= story.len() {
                return;
            }
            self.version = version + 1;
            let heard = story[version];
            let known = self.order.map(|(state, _)| state);
            self.go(hear(known, heard), heard);
        }

        fn go(&mut self, to: OrderState, seat: Seat) {
            if let Some((from, _)) = self.order {
                let is_final = matches!(from, OrderState::Released | OrderState::Refunded);
                assert!(!is_final || from == to, "{from:?} became {to:?}");
            }
            self.order = Some((to, seat));
        }

        /// One step of a worker; false when there is nothing to do.
        fn work(&mut self) -> bool {
            let Some((state, seat)) = self.order else { return false };
            let to = match step(state, seat, Timestamp::from_us(self.now), SILENCE) {
                Step::Rest | Step::Wait(_) => return false,
                Step::Hold if self.wallet - self.held < PRICE => OrderState::Released,
                Step::Hold => {
                    self.held += PRICE;
                    OrderState::MoneyHeld
                }
                Step::Capture => {
                    self.held -= PRICE;
                    self.wallet -= PRICE;
                    self.escrow += PRICE;
                    OrderState::Confirmed
                }
                Step::Release(_) => {
                    self.held -= if state == OrderState::MoneyHeld { PRICE } else { 0 };
                    OrderState::Released
                }
                Step::Refund => {
                    self.escrow -= PRICE;
                    self.wallet += PRICE;
                    OrderState::Refunded
                }
            };
            self.go(to, seat);
            assert!(0 <= self.held && self.held <= self.wallet && self.escrow >= 0, "{self:?}");
            true
        }
    }

    fn stories() -> impl Strategy<Value = Vec<Seat>> {
        use Phase::{Granted, Held, Lost, Returned, Waiting};
        let told: Vec<Vec<(Phase, bool)>> = vec![
            vec![(Held, false), (Granted, false), (Returned, true)],
            vec![(Held, false), (Granted, false), (Returned, false)],
            vec![(Waiting, false), (Held, false), (Granted, false), (Returned, true)],
            vec![(Waiting, false), (Held, false), (Lost, false)],
            vec![(Waiting, false), (Lost, false)],
            vec![(Held, false), (Granted, false), (Lost, false)],
            vec![(Held, false), (Granted, false)],
        ];
        let seats = |story: Vec<(Phase, bool)>| {
            story.into_iter().map(|(phase, refund)| seat(phase, refund)).collect()
        };
        prop::sample::select(told).prop_map(seats)
    }

    proptest! {
        #[test]
        fn any_order_of_words_with_gaps_and_repeats_ends_the_same_way_and_loses_no_money(
            story in stories(),
            money in 0..30_i64,
            moves in prop::collection::vec((0..5_usize, 0..3_u8), 0..20),
        ) {
            let mut play =
                Play { wallet: money, held: 0, escrow: 0, order: None, version: 0, now: 0 };
            for (version, kind) in moves {
                match kind {
                    0 => play.deliver(&story, version),
                    1 => { play.work(); }
                    _ => play.now += 20,
                }
                prop_assert_eq!(play.wallet + play.escrow, money);
            }
            // In the end the newest word arrives, and everything that can be done is.
            play.deliver(&story, story.len() - 1);
            let mut steps = 0;
            while play.work() {
                steps += 1;
                prop_assert!(steps < 5, "it goes round in circles");
            }
            let (state, last) = play.order.unwrap();
            prop_assert_eq!((play.held, play.wallet + play.escrow), (0, money));
            let allowed: &[OrderState] = match last.phase {
                Phase::Granted => &[OrderState::Confirmed, OrderState::Released],
                Phase::Returned if !last.refund => &[OrderState::Confirmed, OrderState::Released],
                _ => &[OrderState::Released, OrderState::Refunded],
            };
            prop_assert!(allowed.contains(&state), "{:?} after {:?}", state, last.phase);
            let kept = if state == OrderState::Confirmed { PRICE } else { 0 };
            prop_assert_eq!(play.escrow, kept);
        }
    }
}
