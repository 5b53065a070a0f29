//! What people search for: one vote each, fading with time, and how places change.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher as _;

use moim_kit::Timestamp;
use serde::{Deserialize, Serialize};

use crate::analysis::shown;
use crate::ballot::{Ballot, Rules, Sums, Weight, faded};
use crate::model::PopularTerm;
use crate::spelling::Spellings;
use crate::synonyms::joined;
use crate::terms::Abusive;

/// Characters of a term that is counted.
const LONGEST: usize = 30;
/// Votes below this are forgotten.
const FAINT: f64 = 0.05;
/// Places that are compared with those before.
const COMPARED: usize = 200;
/// The count of what is searched for.
#[derive(Debug)]
pub struct Popular {
    rules: Rules,
    kept: Kept,
    /// Who has voted for what in this window, as numbers that say nothing outside this process.
    voted: HashSet<u64>,
    window: i64,
    hash: RandomState,
    /// What all replicas had counted when they were asked last.
    together: HashMap<String, Weight>,
    /// How they had written it.
    spelled: Spellings,
    /// Votes that the others do not know of, the oldest first.
    untold: VecDeque<Ballot>,
}

/// What survives a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The votes that this replica counted, by term without blanks.
    terms: HashMap<String, Weight>,
    /// How they were written.
    #[serde(default)]
    spellings: Spellings,
    period: i64,
    /// Places at the start of this period, and of the one being compared with.
    before: HashMap<String, usize>,
}

impl Popular {
    /// Nothing counted yet.
    pub fn new(rules: Rules) -> Self {
        let (kept, voted, hash, together, spelled, untold) = Default::default();
        Self { rules, kept, voted, window: 0, hash, together, spelled, untold }
    }

    /// What was counted before; anything unreadable is as nothing, and so is what has become abusive since.
    pub fn restore(rules: Rules, bytes: &[u8], abusive: &Abusive) -> Self {
        let mut kept: Kept = serde_json::from_slice(bytes).unwrap_or_default();
        kept.terms.retain(|term, _| !abusive.is_in(term));
        // Earlier counts told the spellings of a term apart.
        for (spelling, weight) in std::mem::take(&mut kept.terms) {
            let known = kept.terms.entry(joined(&spelling)).or_default();
            known.votes += weight.votes;
            known.at_us = known.at_us.max(weight.at_us);
            if spelling.contains(' ') {
                kept.spellings.add(&joined(&spelling), &spelling, weight.votes);
            }
        }
        let mut popular = Self { kept, ..Self::new(rules) };
        popular.crowd_out(i64::MIN);
        popular
    }

    /// What is to be kept.
    pub fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.kept).unwrap_or_default()
    }

    /// Counts a vote, which waits to be told from then on; false when it does not count.
    pub fn vote(&mut self, ballot: Ballot, abusive: &Abusive) -> bool {
        let Ballot { term: spelling, voter, at_us } = ballot;
        let spelling = shown(&spelling);
        let letters = spelling.chars().count();
        if voter.is_empty() || !(2..=LONGEST).contains(&letters) || abusive.is_in(&spelling) {
            return false;
        }
        let term = joined(&spelling);
        self.turn(Timestamp::from_us(at_us));
        let window = at_us.div_euclid(self.rules.window_us.max(1));
        if window != self.window {
            self.window = window;
            self.voted = HashSet::new();
        }
        if self.voted.len() >= self.rules.most_votes
            || !self.voted.insert(self.hash.hash_one((&voter, &term)))
        {
            return false;
        }
        let half_life = self.rules.half_life_us;
        self.kept.spellings.add(&term, &spelling, 1.0);
        let weight = self.kept.terms.entry(term).or_default();
        weight.votes = weight.at(at_us, half_life) + 1.0;
        weight.at_us = weight.at_us.max(at_us);
        if self.kept.terms.len() > self.rules.most_terms {
            self.crowd_out(at_us);
        }
        self.untold.push_back(Ballot { term: spelling, voter, at_us });
        if self.untold.len() > self.rules.most_untold {
            self.untold.pop_front();
        }
        true
    }

    /// The oldest vote that the others do not know of.
    pub fn untold(&self) -> Option<&Ballot> {
        self.untold.front()
    }

    /// That vote is known to the others now.
    pub fn told(&mut self) {
        self.untold.pop_front();
    }

    /// Takes in what all replicas have counted, by board.
    pub fn learn(&mut self, counted: &[Sums], now: Timestamp, abusive: &Abusive) {
        (self.together, self.spelled) = Default::default();
        for Sums { board, terms, spellings } in counted {
            let fading = board.fading(now.us());
            for (term, score) in terms.iter().filter(|(term, _)| !abusive.is_in(term)) {
                let weight = self.together.entry(joined(term)).or_default();
                weight.votes += score * fading;
                weight.at_us = now.us();
            }
            for (spelling, score) in spellings {
                self.spelled.add(&joined(spelling), spelling, score * fading);
            }
        }
        self.turn(now);
    }

    /// The places at the start of this period, best first.
    pub fn places(&self) -> Vec<&str> {
        let mut places: Vec<_> = self.kept.before.iter().collect();
        places.sort_by_key(|(_, place)| **place);
        places.into_iter().map(|(term, _)| term.as_str()).collect()
    }

    /// Compares with the places that another replica found at the start of this period.
    pub fn compare_with(&mut self, places: Vec<String>, now: Timestamp) {
        let places = places.into_iter().take(COMPARED).enumerate();
        self.kept.before = places.map(|(place, term)| (joined(&term), place)).collect();
        self.kept.period = self.rules.period(now);
    }

    /// The most popular terms, best first.
    pub fn best(&mut self, count: usize, now: Timestamp) -> Vec<PopularTerm> {
        self.turn(now);
        let change = |term: &str, place: usize| {
            let before = *self.kept.before.get(term)?;
            i32::try_from(before).ok()?.checked_sub(i32::try_from(place).ok()?)
        };
        let places = self.ranked(now.us()).into_iter().take(count).enumerate();
        places
            .map(|(place, (term, _))| PopularTerm {
                change: change(term, place),
                term: self.spelled(term),
            })
            .collect()
    }

    /// How popular terms are, for completions.
    pub fn weights(&self, now: Timestamp) -> impl Iterator<Item = (String, f64)> {
        self.ranked(now.us()).into_iter().map(|(term, weight)| (self.spelled(term), weight))
    }

    /// As it is typed most, by all or else here.
    fn spelled(&self, term: &str) -> String {
        let best = self.spelled.best(term).or_else(|| self.kept.spellings.best(term));
        best.unwrap_or(term).to_owned()
    }

    /// At the start of a period the places of then are kept to compare with.
    fn turn(&mut self, now: Timestamp) {
        let period = self.rules.period(now);
        if period <= self.kept.period {
            return;
        }
        let ranked = self.ranked(now.us()).into_iter().take(COMPARED).enumerate();
        let before = ranked.map(|(place, (term, _))| (term.to_owned(), place)).collect();
        self.kept.before = before;
        self.kept.period = period;
        let half_life = self.rules.half_life_us;
        self.kept.terms.retain(|_, weight| weight.at(now.us(), half_life) >= FAINT);
        self.forget_spellings();
    }

    /// What all replicas counted, with what they were not told yet. Whatever they have lost, a term keeps at least
    /// the votes that this replica saw: those are among all, or should be.
    fn ranked(&self, now_us: i64) -> Vec<(&str, f64)> {
        let half_life = self.rules.half_life_us;
        let mut all: HashMap<&str, f64> = self
            .together
            .iter()
            .map(|(term, weight)| (term.as_str(), weight.at(now_us, half_life)))
            .collect();
        for ballot in &self.untold {
            let vote = faded(now_us.saturating_sub(ballot.at_us).max(0), half_life);
            // What was counted here is kept here, unless there was no room for it.
            if let Some((term, _)) = self.kept.terms.get_key_value(&ballot.entry()) {
                *all.entry(term).or_default() += vote;
            }
        }
        for (term, weight) in &self.kept.terms {
            let votes = all.entry(term).or_default();
            *votes = votes.max(weight.at(now_us, half_life));
        }
        let mut ranked: Vec<_> = all.into_iter().filter(|(_, votes)| *votes >= FAINT).collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        ranked
    }

    /// Makes room: the least popular tenth goes.
    fn crowd_out(&mut self, now_us: i64) {
        let most = self.rules.most_terms;
        if self.kept.terms.len() <= most {
            return;
        }
        let half_life = self.rules.half_life_us;
        let weights = self.kept.terms.iter();
        let mut ranked: Vec<(f64, String)> =
            weights.map(|(term, it)| (it.at(now_us, half_life), term.clone())).collect();
        ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        for (_, term) in ranked.drain(most - most / 10..) {
            self.kept.terms.remove(&term);
        }
        self.forget_spellings();
    }

    fn forget_spellings(&mut self) {
        let terms = &self.kept.terms;
        self.kept.spellings.retain(|term| terms.contains_key(term));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballot::counted;

    const HOUR: i64 = 3_600_000_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_us(hours * HOUR)
    }

    fn popular() -> Popular {
        Popular::new(Rules { most_terms: 100, most_votes: 1_000, ..Rules::default() })
    }

    fn ballot(term: &str, voter: &str, hour: i64) -> Ballot {
        Ballot { term: term.to_owned(), voter: voter.to_owned(), at_us: hour * HOUR }
    }

    fn vote(popular: &mut Popular, term: &str, voter: usize, hour: i64) -> bool {
        popular.vote(ballot(term, &voter.to_string(), hour), &Abusive::parse("나쁜말"))
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
        assert!(!popular.vote(ballot("등산", "", 1), &Abusive::default()));
        assert!(terms(&mut popular, 1).is_empty());
    }

    #[test]
    fn the_spellings_of_a_term_are_counted_as_one_and_shown_as_it_is_typed_most() {
        let mut popular = popular();
        for (voter, spelling) in
            ["Book Club", "bookclub", "book  club", "BOOK CLUB!"].iter().enumerate()
        {
            assert!(vote(&mut popular, spelling, voter, 1));
        }
        assert!(!vote(&mut popular, "book club", 1, 1));
        assert_eq!(terms(&mut popular, 1), [("book club".to_owned(), None)]);
        let rules = Rules::default();
        let others: Vec<_> = (10..15).map(|it| ballot("bookclub", &it.to_string(), 1)).collect();
        popular.learn(&counted(rules, &others, at(1)), at(1), &Abusive::default());
        assert_eq!(terms(&mut popular, 1)[0].0, "bookclub");
        let bytes = popular.snapshot();
        let mut again = Popular::restore(rules, &bytes, &Abusive::default());
        assert_eq!(terms(&mut again, 1), [("book club".to_owned(), None)]);
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
        let restore = |bytes: &[u8], abusive: &str| {
            Popular::restore(Rules::default(), bytes, &Abusive::parse(abusive))
        };
        let bytes = popular.snapshot();
        assert_eq!(terms(&mut restore(&bytes, ""), 2), terms(&mut popular, 2));
        assert_eq!(terms(&mut restore(&bytes, "등산"), 2)[0].0, "독서");
        assert!(terms(&mut restore(b"\xff{", ""), 2).is_empty());
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
    #[test]
    fn what_others_count_adds_to_what_they_do_not_know_yet_and_their_loss_takes_nothing_away() {
        let mut popular = popular();
        (0..3).for_each(|it| assert!(vote(&mut popular, "등산", it, 1)));
        let rules = Rules::default();
        let others: Vec<_> = (10..15).map(|it| ballot("독서", &it.to_string(), 1)).collect();
        let learn = |popular: &mut Popular, ballots: &[Ballot]| {
            popular.learn(&counted(rules, ballots, at(1)), at(1), &Abusive::parse("나쁜말"));
            let weights = popular.weights(at(1));
            weights.map(|(term, it)| (term, it.round() as i64)).collect::<Vec<_>>()
        };
        let both = [("독서".to_owned(), 5), ("등산".to_owned(), 3)];
        assert_eq!(learn(&mut popular, &others), both);
        // The others count a vote here too, and somebody says what is not said.
        let more =
            [others.as_slice(), &[ballot("등산", "x", 1), ballot("나쁜말", "y", 1)]].concat();
        let both = [("독서".to_owned(), 5), ("등산".to_owned(), 4)];
        assert_eq!(learn(&mut popular, &more), both);
        while popular.untold().is_some() {
            popular.told();
        }
        assert_eq!(learn(&mut popular, &[]), [("등산".to_owned(), 3)]);
    }

    #[test]
    fn replicas_compare_with_the_same_places() {
        let mut one = popular();
        (0..3).for_each(|it| assert!(vote(&mut one, "등산", it, 1)));
        assert!(vote(&mut one, "독서", 1, 1) && vote(&mut one, "등산", 1, 2));
        assert_eq!(one.places(), ["등산", "독서"]);
        let mut other = popular();
        (0..9).for_each(|it| assert!(vote(&mut other, "독서", it, 2)));
        let places = one.places().into_iter().map(str::to_owned).collect();
        other.compare_with(places, at(2));
        assert_eq!(terms(&mut other, 2), [("독서".to_owned(), Some(1))]);
    }
}
