//! How many calls may be made again: some a second whatever happens, and a part of those made lately.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// What is remembered, a slot for each second of it.
const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_secs(1);
/// A call made again costs so much; the share of one made first comes in hundredths.
const PRICE: i64 = 100;

/// Filled by calls, spent by repetitions, and forgotten after ten seconds.
#[derive(Debug)]
pub(super) struct Budget {
    /// What is always there.
    free: i64,
    share: i64,
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    balances: [i64; SLOTS],
    now: usize,
    began: Instant,
}

impl Budget {
    pub(super) fn new(per_second: u32, percent: u32) -> Self {
        let slots = Slots { balances: [0; SLOTS], now: 0, began: Instant::now() };
        Self {
            free: i64::from(per_second.min(1_000)) * SLOTS as i64 * PRICE,
            share: i64::from(percent.min(100)),
            slots: Mutex::new(slots),
        }
    }

    /// Counts a call, of which a part may be repeated.
    pub(super) fn deposit(&self) {
        let mut slots = self.slots.lock();
        slots.pass();
        let now = slots.now;
        slots.balances[now] += self.share;
    }

    /// Takes a repetition, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        let mut slots = self.slots.lock();
        slots.pass();
        if self.free + slots.sum() < PRICE {
            return false;
        }
        let now = slots.now;
        slots.balances[now] -= PRICE;
        true
    }

    /// Repetitions there are.
    pub(super) fn left(&self) -> usize {
        let mut slots = self.slots.lock();
        slots.pass();
        usize::try_from((self.free + slots.sum()) / PRICE).unwrap_or_default()
    }
}

impl Slots {
    fn sum(&self) -> i64 {
        self.balances.iter().sum()
    }

    /// Goes on to the slot of now; those passed over begin anew.
    fn pass(&mut self) {
        let passed = self.began.elapsed().as_secs();
        if passed == 0 {
            return;
        }
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.began += SLOT * passed;
        for _ in 0..passed.min(SLOTS as u32) {
            self.now = (self.now + 1) % SLOTS;
            let now = self.now;
            self.balances[now] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_room_is_sent_a_tenth_more_and_one_a_second() {
        let budget = Budget::new(1, 10);
        let (seconds, calls) = (60, 200);
        let mut repeated = 0;
        for _ in 0..seconds {
            for _ in 0..calls {
                budget.deposit();
                repeated += usize::from(budget.withdraw());
            }
            tokio::time::advance(SLOT).await;
        }
        // What is free may be saved up for as long as the budget remembers.
        let free = seconds + SLOTS;
        assert!(repeated <= seconds * calls / 10 + free, "{repeated}");
        assert!(repeated >= seconds * calls / 20, "{repeated}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_what_can_be_withdrawn() {
        let budget = Budget::new(1, 10);
        for _ in 0..25 {
            budget.deposit();
        }
        let left = budget.left();
        assert_eq!(left, SLOTS + 2);
        let withdrawn = (0..100).filter(|_| budget.withdraw()).count();
        assert_eq!((withdrawn, budget.left()), (left, 0));
        tokio::time::advance(SLOT * 60).await;
        assert_eq!(budget.left(), SLOTS, "what was filled and what was spent is forgotten");
    }
}
