//! Votes, and the boards on which replicas sum them up: old ones fade without being touched.

use moim_kit::Timestamp;
use serde::{Deserialize, Serialize};

use crate::synonyms::joined;

/// Half lives that one board spans: what a vote weighs on it stays far below the largest number, and what stands on
/// the board before the last weighs nothing any more.
const SPAN: i64 = 64;

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
    /// Votes that wait to be told to the other replicas; the oldest are counted here only.
    pub most_untold: usize,
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
            most_untold: 10_000,
        }
    }
}

impl Rules {
    /// The boards that votes of now and of a while ago stand on, the newest first.
    pub fn boards(&self, now: Timestamp) -> [Board; 2] {
        let newest = self.board(now.us());
        [newest, Board { number: newest.number - 1, ..newest }]
    }

    fn board(&self, at_us: i64) -> Board {
        let half_life_us = self.half_life_us.max(1);
        Board { number: at_us.div_euclid(half_life_us.saturating_mul(SPAN)), half_life_us }
    }

    /// A vote as the other replicas are told of it.
    pub fn told(&self, ballot: &Ballot) -> Told {
        let board = self.board(ballot.at_us);
        let window_us = self.window_us.max(1);
        let window = ballot.at_us.div_euclid(window_us);
        Told {
            board: board.name(),
            spellings: board.spellings(),
            weight: 1.0 / board.fading(ballot.at_us),
            window,
        }
    }

    /// What the places at the start of a period are kept under.
    pub fn places_key(&self, now: Timestamp) -> String {
        format!("search:places:{}:{}", self.period_us, self.period(now))
    }

    /// Which period it is.
    pub fn period(&self, now: Timestamp) -> i64 {
        now.us().div_euclid(self.period_us.max(1))
    }
}

/// Where replicas count together for a while. Votes on it are not made to fade: newer ones weigh more, by as much as
/// older ones have faded, so that a sum is all there is to keep.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    number: i64,
    half_life_us: i64,
}

impl Board {
    /// Other half lives make other boards.
    pub fn name(&self) -> String {
        format!("search:popular:{}:{}", self.half_life_us, self.number)
    }

    /// Where they count how each term is written, likewise.
    pub fn spellings(&self) -> String {
        format!("search:spelled:{}:{}", self.half_life_us, self.number)
    }

    /// What a weight of the board's start has faded to.
    pub fn fading(&self, at_us: i64) -> f64 {
        let start_us = self.number.saturating_mul(self.half_life_us.saturating_mul(SPAN));
        faded(at_us.saturating_sub(start_us), self.half_life_us)
    }
}

/// Somebody's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// For this, as it was written.
    pub term: String,
    /// By whom, under a name that says nothing.
    pub voter: String,
    /// When.
    pub at_us: i64,
}

impl Ballot {
    /// What it is counted as, however it is written.
    pub fn entry(&self) -> String {
        joined(&self.term)
    }
}

/// A vote in the words of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The board.
    pub board: String,
    /// The board of how it is written.
    pub spellings: String,
    /// What it adds.
    pub weight: f64,
    /// A voter has one vote for a term in it.
    pub window: i64,
}

/// Votes as they weighed at an instant.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Weight {
    /// So much.
    pub votes: f64,
    /// Then.
    pub at_us: i64,
}

impl Weight {
    /// What is left of it.
    pub fn at(&self, now_us: i64, half_life_us: i64) -> f64 {
        self.votes * faded(now_us.saturating_sub(self.at_us).max(0), half_life_us)
    }
}

/// What is left of one after so long.
#[expect(clippy::cast_precision_loss, reason = "a ratio of spans")]
pub fn faded(age_us: i64, half_life_us: i64) -> f64 {
    (-(age_us as f64) / half_life_us.max(1) as f64).exp2()
}

/// A board, with the best of what stands on it: terms, and how they are written.
#[derive(Clone, Debug)]
pub struct Sums {
    /// Which board.
    pub board: Board,
    /// Terms with their scores.
    pub terms: Vec<(String, f64)>,
    /// Spellings with theirs.
    pub spellings: Vec<(String, f64)>,
}

/// Two boards that many voted on, as one that only holds sums keeps them.
#[cfg(test)]
pub fn counted(rules: Rules, ballots: &[Ballot], now: Timestamp) -> Vec<Sums> {
    let sum = |board: Board| {
        let scores = |entry: fn(&Ballot) -> String| {
            let mut scores = std::collections::HashMap::<String, f64>::new();
            for (ballot, told) in ballots.iter().map(|it| (it, rules.told(it))) {
                if told.board == board.name() {
                    *scores.entry(entry(ballot)).or_default() += told.weight;
                }
            }
            scores.into_iter().collect()
        };
        Sums { board, terms: scores(Ballot::entry), spellings: scores(|it| it.term.clone()) }
    };
    rules.boards(now).map(sum).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::popular::Popular;
    use crate::terms::Abusive;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn sums_on_boards_fade_as_votes_do_also_from_one_board_to_the_next() {
        let rules = Rules::default();
        let span = SPAN * rules.half_life_us / HOUR;
        for start in [0, span - 13, 1_000 * span - 4, 4_000_000] {
            let mut ballots = Vec::new();
            let mut here = Popular::new(rules);
            for (term, hours) in [("등산", 0), ("독서", 5), ("독서", 11), ("수영", 12)] {
                let at_us = (start + hours) * HOUR;
                let ballot = Ballot { term: term.to_owned(), voter: hours.to_string(), at_us };
                assert!(here.vote(ballot.clone(), &Abusive::default()));
                ballots.push(ballot);
            }
            let mut elsewhere = Popular::new(rules);
            let now = Timestamp::from_us((start + 14) * HOUR);
            elsewhere.learn(&counted(rules, &ballots, now), now, &Abusive::default());
            let weights = |it: &Popular| -> Vec<(String, i64)> {
                it.weights(now).map(|(term, it)| (term, (it * 1e6) as i64)).collect()
            };
            assert_eq!(weights(&elsewhere), weights(&here), "{start}");
            assert_eq!(weights(&here).len(), 3);
        }
    }
}
