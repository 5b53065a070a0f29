//! Many want the same seats: one row of a schedule is written by one at a time, and a bounded number may stand in line.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use crate::random::Random;

/// Who was turned away often comes after at most so many doublings of the first pause.
const MOST_DOUBLED: i32 = 3;

/// How it is.
#[derive(Clone, Copy, Debug)]
pub struct Rush {
    /// Who wants a seat.
    pub people: usize,
    /// Mean time over which they come, seconds.
    pub over_s: f64,
    /// Claims that write, seats and places in line, each second.
    pub writes_per_s: f64,
    /// Claims that are only refused, each second.
    pub refusals_per_s: f64,
    /// Share of claims that write.
    pub writing: f64,
    /// Who may stand in line at all endpoints together; others are told to come again.
    pub places: usize,
    /// After how long those come again, seconds.
    pub again_s: f64,
    /// Longest that somebody stands in line before being told to come again, seconds.
    pub patience_s: f64,
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub struct Went {
    /// From the first press to the answer, of half of them.
    pub p50_s: f64,
    /// Of 99 in 100.
    pub p99_s: f64,
    /// Of all.
    pub most_s: f64,
    /// How often somebody had to come again, by person.
    pub again: f64,
}

/// Somebody who comes: when, since when they want a seat, and how often they were turned away.
#[derive(Clone, Copy, PartialEq)]
struct Coming {
    at: f64,
    first: f64,
    turned_away: i32,
}

impl Eq for Coming {}

impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coming {
    // Soonest first, in a heap that gives the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at)
    }
}

/// Plays it: first come, first served, one at a time.
pub fn play(rush: Rush, seed: u64) -> Went {
    let mut random = Random::new(seed);
    let mut coming: BinaryHeap<_> = (0..rush.people)
        .map(|_| {
            let at = random.wait(rush.over_s);
            Coming { at, first: at, turned_away: 0 }
        })
        .collect();
    let (mut answered, mut again) = (Vec::with_capacity(rush.people), 0_usize);
    // When each of those in line will have been served: one server, so the last of them is when it is free.
    let mut line = VecDeque::new();
    let mut free_at = 0.0_f64;
    while let Some(Coming { at: now, first, turned_away }) = coming.pop() {
        while line.front().is_some_and(|done| *done <= now) {
            line.pop_front();
        }
        if line.len() >= rush.places || free_at - now > rush.patience_s {
            again += 1;
            // Longer each time, and never all at the same moment.
            let pause = rush.again_s * 2.0_f64.powi(turned_away.min(MOST_DOUBLED));
            let at = now + pause * (0.5 + random.share());
            coming.push(Coming { at, first, turned_away: turned_away + 1 });
            continue;
        }
        let writes = random.share() < rush.writing;
        let rate = if writes { rush.writes_per_s } else { rush.refusals_per_s };
        free_at = free_at.max(now) + random.wait(1.0 / rate);
        line.push_back(free_at);
        answered.push(free_at - first);
    }
    answered.sort_by(f64::total_cmp);
    let at = |share: f64| {
        answered.get((answered.len() as f64 * share) as usize).or(answered.last()).copied()
    };
    Went {
        p50_s: at(0.5).unwrap_or_default(),
        p99_s: at(0.99).unwrap_or_default(),
        most_s: answered.last().copied().unwrap_or_default(),
        again: again as f64 / rush.people.max(1) as f64,
    }
}
