//! What a seat costs, for how long it is held, and when its price is given back.

use std::ops::RangeInclusive;
use std::time::Duration;

use moim_kit::Timestamp;

use crate::fault::Reason;
use crate::model::Schedule;

const FEE_KRW: RangeInclusive<i32> = 0..=1_000_000;
/// Unless the host says otherwise, people may change their minds until so long before the start.
const REFUNDABLE: Duration = Duration::from_secs(24 * 3_600);

/// How long seats are kept for somebody.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// While the price is taken.
    pub hold: Duration,
    /// While somebody decides on an offer.
    pub offer: Duration,
}

impl Terms {
    /// Until when a seat is held that is being paid.
    pub fn held_until(self, now: Timestamp) -> Timestamp {
        now.after(self.hold)
    }

    /// Until when an offered seat may be accepted: nobody signs up after the start.
    pub fn offered_until(self, schedule: &Schedule, now: Timestamp) -> Timestamp {
        now.after(self.offer).min(schedule.starts_at)
    }
}

/// Whether who loses a paid seat gets the price back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refund {
    /// As agreed: until the schedule's deadline.
    ByRule,
    /// It was not their choice.
    Always,
}

impl Refund {
    pub fn is_due(self, schedule: &Schedule, now: Timestamp) -> bool {
        self == Self::Always || schedule.refundable_until.is_some_and(|until| now <= until)
    }
}

/// A price in range.
pub fn checked(krw: i32) -> Result<i32, Reason> {
    if FEE_KRW.contains(&krw) { Ok(krw) } else { Err(Reason::FeeInvalid) }
}

/// Until when a new schedule's price is given back.
pub fn deadline(
    fee_krw: i32,
    asked: Option<Timestamp>,
    starts_at: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, Reason> {
    match asked {
        None if fee_krw == 0 => Ok(None),
        None => Ok(Some(starts_at.before(REFUNDABLE).max(now))),
        Some(until) if fee_krw > 0 && until <= starts_at => Ok(Some(until)),
        Some(_) => Err(Reason::RefundInvalid),
    }
}

/// Until when a changed schedule's price is given back: never sooner than those who `agreed` were told,
/// and never after the start.
pub fn changed_deadline(
    old: &Schedule,
    new: &Schedule,
    asked: Option<Timestamp>,
    agreed: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>, Reason> {
    if new.fee_krw != old.fee_krw && agreed {
        return Err(Reason::FeeFixed);
    }
    match old.refundable_until {
        Some(until) if asked.is_none() && new.fee_krw > 0 => Ok(Some(until.min(new.starts_at))),
        Some(until) if agreed && asked.is_some_and(|asked| asked < until) => {
            Err(Reason::RefundFixed)
        }
        _ => deadline(new.fee_krw, asked, new.starts_at, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_us(1_800_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_price_has_its_range() {
        assert_eq!([0, 1, 1_000_000].map(checked), [Ok(0), Ok(1), Ok(1_000_000)]);
        assert_eq!([-1, 1_000_001].map(checked), [Err(Reason::FeeInvalid); 2]);
    }

    #[test]
    fn the_deadline_is_a_day_before_the_start_but_never_before_the_announcement() {
        let until = |hours| deadline(1, None, NOW.after(HOUR * hours), NOW);
        assert_eq!(until(30), Ok(Some(NOW.after(HOUR * 6))));
        assert_eq!(until(3), Ok(Some(NOW)));
        assert_eq!(deadline(0, None, NOW.after(HOUR), NOW), Ok(None));
    }

    #[test]
    fn a_deadline_needs_a_price_and_stands_before_the_start() {
        let start = NOW.after(HOUR);
        assert_eq!(deadline(1, Some(start), start, NOW), Ok(Some(start)));
        assert_eq!(deadline(0, Some(NOW), start, NOW), Err(Reason::RefundInvalid));
        assert_eq!(deadline(1, Some(start.after(HOUR)), start, NOW), Err(Reason::RefundInvalid));
    }
}
