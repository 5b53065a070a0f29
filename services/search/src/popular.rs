//! What people search for: one vote each, fading with time, and how places change.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use moim_kit::Timestamp;
use serde::{Deserialize, Serialize};

use crate::analysis::shown;
use crate::model::PopularTerm;
use crate::terms::Abusive;

/// Characters of a term that is counted.
const LONGEST: usize = 30;
/// Votes below this are forgotten.
const FAINT: f64 = 0.05;
/// Places that are compared with those before.
const COMPARED: usize = 200;

/// How votes are counted.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A vote counts half after this.
    pub half_life_us: i64,
    /// A voter has one vote for a term in each of these.
    pub window_us: i64,
    /// Places are compared with those at the start of the period.
    pub period_us: i64,
    /// Terms that are kept; the least popular go first.
    pub most_terms: usize,
    /// Votes that are remembered in a window; those beyond are not counted.
    pub most_votes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        const HOUR_US: i64 = 3_600_000_000;
        Self {
            half_life_us: 6 * HOUR_US,
            window_us: HOUR_US,
            period_us: HOUR_US,
            most_terms: 10_000,
            most_votes: 100_000,
        }
    }
}

/// The count of what is searched for.
#[derive(Debug)]
pub struct Popular {
    rules: Rules,
    kept: Kept,
    /// Who has voted for what in this window, as numbers that say nothing outside this process.
    voted: HashSet<u64>,
    window: i64,
    hash: RandomState,
}

/// What survives a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    terms: HashMap<String, Weight>,
    period: i64,
    /// Places at the start of this period, and of the one being compared with.
    before: HashMap<String, usize>,
}

/// Votes as they weighed at an instant.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Weight {
    votes: f64,
    at_us: i64,
}

impl Popular {
    /// Nothing counted yet.
    pub fn new(rules: Rules) -> Self {
        let (kept, voted, hash) = Default::default();
        Self { rules, kept, voted, window: 0, hash }
    }

    /// What was counted before; anything unreadable is as nothing.
    pub fn restore(rules: Rules, bytes: &[u8]) -> Self {
        let kept = serde_json::from_slice(bytes).unwrap_or_default();
        let mut popular = Self { kept, ..Self::new(rules) };
        popular.crowd_out(i64::MIN);
        popular
    }

    /// What is to be kept.
    pub fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.kept).unwrap_or_default()
    }

    /// Counts a vote for a term; false when it does not count.
    pub fn vote(&mut self, term: &str, voter: &str, now: Timestamp, abusive: &Abusive) -> bool {
        let term = shown(term);
        let letters = term.chars().count();
        if voter.is_empty() || !(2..=LONGEST).contains(&letters) || abusive.is_in(&term) {
            return false;
        }
        self.turn(now);
        let window = now.us().div_euclid(self.rules.window_us.max(1));
        if window != self.window {
            self.window = window;
            self.voted = HashSet::new();
        }
        if self.voted.len() >= self.rules.most_votes
            || !self.voted.insert(self.hash.hash_one((voter, &term)))
        {
            return false;
        }
        let half_life = self.rules.half_life_us;
        let weight = self.kept.terms.entry(term).or_default();
        weight.votes = weight.at(now.us(), half_life) + 1.0;
        weight.at_us = weight.at_us.max(now.us());
        if self.kept.terms.len() > self.rules.most_terms {
            self.crowd_out(now.us());
        }
        true
    }

    /// The most popular terms, best first.
    pub fn best(&mut self, count: usize, now: Timestamp) -> Vec<PopularTerm> {
        self.turn(now);
        let places = self.ranked(now.us()).into_iter().take(count).enumerate();
        let change = |term: &str, place: usize| {
            let before = *self.kept.before.get(term)?;
            i32::try_from(before).ok()?.checked_sub(i32::try_from(place).ok()?)
        };
        places
            .map(|(place, (term, _))| PopularTerm {
                change: change(term, place),
                term: term.to_owned(),
            })
            .collect()
    }

    /// How popular terms are, for completions.
    pub fn weights(&self, now: Timestamp) -> impl Iterator<Item = (&str, f64)> {
        self.ranked(now.us()).into_iter()
    }

    /// At the start of a period the places of then are kept to compare with.
    fn turn(&mut self, now: Timestamp) {
        let period = now.us().div_euclid(self.rules.period_us.max(1));
        if period <= self.kept.period {
            return;
        }
        let ranked = self.ranked(now.us()).into_iter().take(COMPARED).enumerate();
        let before = ranked.map(|(place, (term, _))| (term.to_owned(), place)).collect();
        self.kept.before = before;
        self.kept.period = period;
        let half_life = self.rules.half_life_us;
        self.kept.terms.retain(|_, weight| weight.at(now.us(), half_life) >= FAINT);
    }

    fn ranked(&self, now_us: i64) -> Vec<(&str, f64)> {
        let half_life = self.rules.half_life_us;
        let mut ranked: Vec<_> = self
            .kept
            .terms
            .iter()
            .map(|(term, weight)| (term.as_str(), weight.at(now_us, half_life)))
            .collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        ranked
    }

    /// Makes room: the least popular tenth goes.
    fn crowd_out(&mut self, now_us: i64) {
        let most = self.rules.most_terms;
        if self.kept.terms.len() <= most {
            return;
        }
        let ranked = self.ranked(now_us).into_iter().skip(most - most / 10);
        let gone: Vec<String> = ranked.map(|(term, _)| term.to_owned()).collect();
        for term in gone {
            self.kept.terms.remove(&term);
        }
    }
}

impl Weight {
    #[expect(clippy::cast_precision_loss, reason = "a ratio of spans")]
    fn at(&self, now_us: i64, half_life_us: i64) -> f64 {
        let age = now_us.saturating_sub(self.at_us).max(0) as f64;
        self.votes * (-age / half_life_us.max(1) as f64).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_us(hours * HOUR)
    }

    fn popular() -> Popular {
        Popular::new(Rules { most_terms: 100, most_votes: 1_000, ..Rules::default() })
    }

    fn vote(popular: &mut Popular, term: &str, voter: usize, hour: i64) -> bool {
        popular.vote(term, &voter.to_string(), at(hour), &Abusive::parse("나쁜말"))
    }

    fn terms(popular: &mut Popular, hour: i64) -> Vec<(String, Option<i32>)> {
        popular.best(50, at(hour)).into_iter().map(|it| (it.term, it.change)).collect()
    }

    #[test]
    fn a_voter_has_one_vote_for_a_term_in_a_window() {
        let mut popular = popular();
        assert!(vote(&mut popular, "등산", 1, 10));
        assert!(!vote(&mut popular, "  등산! ", 1, 10));
        assert!(vote(&mut popular, "러닝", 2, 10) && vote(&mut popular, "러닝", 3, 10));
        assert_eq!(terms(&mut popular, 10)[0].0, "러닝");
        assert!(vote(&mut popular, "등산", 1, 11));
    }

    #[test]
    fn what_is_abusive_too_long_or_of_nobody_does_not_count() {
        let mut popular = popular();
        for term in ["나쁜말", "나쁜 말들", "🙂", "가", &"가".repeat(31)] {
            assert!(!vote(&mut popular, term, 1, 1), "{term}");
        }
        assert!(!popular.vote("등산", "", at(1), &Abusive::default()));
        assert!(terms(&mut popular, 1).is_empty());
    }

    #[test]
    fn votes_fade_and_places_are_compared_with_the_period_before() {
        let mut popular = popular();
        (0..4).for_each(|it| assert!(vote(&mut popular, "등산", it, 1)));
        (0..3).for_each(|it| assert!(vote(&mut popular, "독서", it, 1)));
        let expected = [("등산".to_owned(), None), ("독서".to_owned(), None)];
        assert_eq!(terms(&mut popular, 1), expected);
        (0..3).for_each(|it| assert!(vote(&mut popular, "독서", it, 2)));
        assert!(vote(&mut popular, "수영", 1, 2));
        let expected = [
            ("독서".to_owned(), Some(1)),
            ("등산".to_owned(), Some(-1)),
            ("수영".to_owned(), None),
        ];
        assert_eq!(terms(&mut popular, 2), expected);
        // A day and a half later one new vote weighs more than all of these.
        assert!(vote(&mut popular, "수영", 1, 38));
        assert_eq!(terms(&mut popular, 38)[0].0, "수영");
        assert!(terms(&mut popular, 38 + 24 * 30).is_empty());
    }

    #[test]
    fn what_was_counted_survives_a_restart() {
        let mut popular = popular();
        (0..3).for_each(|it| assert!(vote(&mut popular, "등산", it, 1)));
        assert!(vote(&mut popular, "독서", 1, 1));
        let mut again = Popular::restore(Rules::default(), &popular.snapshot());
        assert_eq!(terms(&mut again, 2), terms(&mut popular, 2));
        assert!(terms(&mut Popular::restore(Rules::default(), b"\xff{"), 2).is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_popular_stay() {
        let mut popular = popular();
        (0..9).for_each(|it| assert!(vote(&mut popular, "등산", it, 1)));
        for number in 0..5_000 {
            vote(&mut popular, &format!("term {number}"), 1, 1);
        }
        assert!(popular.kept.terms.len() <= 100);
        assert!(popular.voted.len() <= 1_000);
        assert_eq!(terms(&mut popular, 1)[0].0, "등산");
    }
}
