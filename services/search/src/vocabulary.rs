//! The words that there are: how often, and which are near to one that there is not.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::schema::Field;
use tantivy::{Searcher, Term};
use tantivy_fst::Automaton;

use crate::alive;
use crate::analysis::Analyzer;
use crate::korean;
use crate::schema::Fields;

/// Most words that one word is taken for.
pub const MOST_NEAR: usize = 24;
/// Terms looked at for one prefix or one mistyped word.
const MOST_LOOKED_AT: usize = 4_000;
/// The distance of one likely slip.
const LIKELY_SLIP: f32 = 0.5;
/// Longer words are not corrected.
const LONGEST: usize = 36;

static ONE: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
static TWO: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

/// A word that may have been meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    pub word: String,
    /// How far it is, with likely slips for half.
    pub distance: f32,
    /// Documents it stands in.
    pub documents: u64,
}

/// The words of an index, and those that are known anyway.
pub struct Vocabulary<'a> {
    pub searcher: &'a Searcher,
    pub fields: &'a Fields,
    pub analyzer: &'a Analyzer,
    /// What was near to words that were asked for before.
    asked: RefCell<HashMap<String, Vec<Near>>>,
}

/// Edits that are forgiven in a word of this many letters as typed.
pub fn edits(letters: usize) -> u8 {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

struct Typos(DFA);

impl Automaton for Typos {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

impl<'a> Vocabulary<'a> {
    pub fn new(searcher: &'a Searcher, fields: &'a Fields, analyzer: &'a Analyzer) -> Self {
        Self { searcher, fields, analyzer, asked: RefCell::default() }
    }

    /// How many documents hold a word, counted for each part of them.
    pub fn documents(&self, word: &str) -> u64 {
        let of = |field| alive::documents(self.searcher, &Term::from_field_text(field, word));
        self.fields.words.into_iter().map(of).sum()
    }

    /// Whether a word stands anywhere.
    pub fn knows(&self, word: &str) -> bool {
        let stands = |field| alive::stands(self.searcher, &Term::from_field_text(field, word));
        self.fields.words.into_iter().any(stands)
    }

    /// The words nearest to one, the nearest first.
    pub fn near(&self, word: &str) -> Vec<Near> {
        if let Some(near) = self.asked.borrow().get(word) {
            return near.clone();
        }
        let near = self.look_near(word);
        self.asked.borrow_mut().insert(word.to_owned(), near.clone());
        near
    }

    fn look_near(&self, word: &str) -> Vec<Near> {
        let typed = korean::decompose(word);
        let letters = typed.chars().count();
        let edits = edits(letters);
        if edits == 0 || letters > LONGEST || word.contains(char::is_numeric) {
            return Vec::new();
        }
        let dfa = if edits == 1 { ONE.build_dfa(&typed) } else { TWO.build_dfa(&typed) };
        let typos = Typos(dfa);
        let mut found: HashMap<String, u64> = HashMap::new();
        for letters in self.analyzer.terms.typed() {
            // Most words are too far from the first letters on.
            let end = letters.bytes().try_fold(typos.start(), |state, byte| {
                let next = typos.accept(&state, byte);
                typos.can_match(&next).then_some(next)
            });
            if end.is_some_and(|it| typos.is_match(&it)) {
                found.insert(letters.clone(), 0);
            }
        }
        let mut standing: BTreeMap<String, u64> = BTreeMap::new();
        for segment in self.searcher.segment_readers() {
            let Ok(inverted) = segment.inverted_index(self.fields.typed) else { continue };
            let Ok(mut terms) = inverted.terms().search(&typos).into_stream() else { continue };
            let mut left = MOST_LOOKED_AT;
            while left > 0 && terms.advance() {
                let documents = alive::documents_of(segment, &inverted, terms.value());
                let text = std::str::from_utf8(terms.key()).ok().filter(|_| documents > 0);
                if let Some(text) = text {
                    left -= 1;
                    *standing.entry(text.to_owned()).or_default() += documents;
                }
            }
        }
        for (letters, documents) in standing.into_iter().take(MOST_LOOKED_AT) {
            *found.entry(letters).or_default() += documents;
        }
        let own = typed.chars().collect::<Vec<_>>();
        let near = found.into_iter().filter(|(letters, _)| *letters != typed).filter_map(
            |(letters, documents)| {
                let distance = distance(&own, &letters.chars().collect::<Vec<_>>());
                let word = korean::compose(&letters);
                let useful = documents > 0
                    || self.analyzer.mark(&word).is_some_and(|mark| self.knows(&mark));
                useful.then_some(Near { word, distance, documents })
            },
        );
        let mut near: Vec<Near> = near.collect();
        near.extend(self.swapped(word));
        best(near)
    }

    /// Known words in which two neighbouring syllables have changed places.
    fn swapped(&self, word: &str) -> Vec<Near> {
        let letters: Vec<char> = word.chars().collect();
        if !(3..=10).contains(&letters.len()) || !letters.iter().all(|it| korean::is_syllable(*it))
        {
            return Vec::new();
        }
        let swap = |at: usize| {
            let mut other = letters.clone();
            other.swap(at, at + 1);
            other.into_iter().collect::<String>()
        };
        let near = (0..letters.len() - 1).map(swap).filter(|it| it != word).filter_map(|word| {
            let documents = self.documents(&word);
            let known =
                documents > 0 || self.analyzer.mark(&word).is_some_and(|mark| self.knows(&mark));
            known.then_some(Near { word, distance: 1.0, documents })
        });
        near.collect()
    }

    /// Other ways to spell a word: as near as one likely slip.
    pub fn spellings(&self, word: &str) -> Vec<Near> {
        let hangul = word.chars().all(korean::is_syllable);
        let mut near = if hangul { self.near(word) } else { Vec::new() };
        near.retain(|it| it.distance <= LIKELY_SLIP);
        near
    }

    /// The words that begin as this one, the most frequent first.
    pub fn beginning(&self, word: &str) -> Vec<Near> {
        let found = self.with_prefix(self.fields.typed, &korean::decompose(word));
        let words = found.into_iter().map(|(letters, documents)| Near {
            word: korean::compose(&letters),
            distance: 1.0,
            documents,
        });
        best(words.collect())
    }

    /// The initial consonants that begin like these, the most frequent first.
    pub fn initials(&self, initials: &str) -> Vec<Near> {
        let mut found: HashMap<String, u64> = HashMap::new();
        for field in self.fields.initials {
            for (word, documents) in self.with_prefix(field, initials) {
                *found.entry(word).or_default() += documents;
            }
        }
        let near = found.into_iter().map(|(word, documents)| Near {
            distance: if word == initials { 0.0 } else { 1.0 },
            word,
            documents,
        });
        best(near.collect())
    }

    fn with_prefix(&self, field: Field, prefix: &str) -> HashMap<String, u64> {
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for segment in self.searcher.segment_readers() {
            let Ok(inverted) = segment.inverted_index(field) else { continue };
            let range = inverted.terms().range().ge(prefix).into_stream();
            let Ok(mut terms) = range else { continue };
            let mut left = MOST_LOOKED_AT;
            while left > 0 && terms.advance() && terms.key().starts_with(prefix.as_bytes()) {
                let documents = alive::documents_of(segment, &inverted, terms.value());
                let text = std::str::from_utf8(terms.key()).ok().filter(|_| documents > 0);
                if let Some(text) = text {
                    left -= 1;
                    *found.entry(text.to_owned()).or_default() += documents;
                }
            }
        }
        // The first of all, however many segments they stand in.
        found.into_iter().take(MOST_LOOKED_AT).collect()
    }
}

fn best(mut near: Vec<Near>) -> Vec<Near> {
    near.sort_by(|one, other| {
        one.distance
            .total_cmp(&other.distance)
            .then(other.documents.cmp(&one.documents))
            .then_with(|| one.word.cmp(&other.word))
    });
    near.truncate(MOST_NEAR);
    near
}

/// Slips of the ear and of the shift key.
const LIKELY: &[(char, char)] = &[
    ('ㅐ', 'ㅔ'),
    ('ㅒ', 'ㅖ'),
    ('ㄱ', 'ㄲ'),
    ('ㄷ', 'ㄸ'),
    ('ㅂ', 'ㅃ'),
    ('ㅅ', 'ㅆ'),
    ('ㅈ', 'ㅉ'),
    ('ㄱ', 'ㅋ'),
    ('ㄷ', 'ㅌ'),
    ('ㅂ', 'ㅍ'),
    ('ㅈ', 'ㅊ'),
    ('ㅋ', 'ㄲ'),
    ('ㅌ', 'ㄸ'),
    ('ㅍ', 'ㅃ'),
    ('ㅊ', 'ㅉ'),
    ('ㅓ', 'ㅗ'),
    ('ㅣ', 'ㅟ'),
    ('ㅏ', 'ㅑ'),
    ('ㅓ', 'ㅕ'),
    ('ㅗ', 'ㅛ'),
    ('ㅜ', 'ㅠ'),
];

/// Edits from one to the other, likely slips and swaps for half.
fn distance(one: &[char], other: &[char]) -> f32 {
    let width = other.len() + 1;
    #[expect(clippy::cast_precision_loss, reason = "words are short")]
    let mut rows: Vec<Vec<f32>> = vec![(0..width).map(|it| it as f32).collect()];
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![rows[i][0] + 1.0];
        for (j, wanted) in other.iter().enumerate() {
            let likely = |a, b| LIKELY.contains(&(a, b)) || LIKELY.contains(&(b, a));
            let swap = match () {
                () if letter == wanted => 0.0,
                () if likely(*letter, *wanted) => 0.5,
                () => 1.0,
            };
            let mut cost = (rows[i][j] + swap).min(rows[i][j + 1] + 1.0).min(row[j] + 1.0);
            if i > 0 && j > 0 && one[i - 1] == *wanted && *letter == other[j - 1] {
                cost = cost.min(rows[i - 1][j - 1] + 0.75);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last().copied()).unwrap_or(f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far(one: &str, other: &str) -> f32 {
        let letters = |word| korean::decompose(word).chars().collect::<Vec<_>>();
        distance(&letters(one), &letters(other))
    }

    #[test]
    fn a_likely_slip_is_nearer_than_another() {
        assert!(far("베드민턴", "배드민턴") < far("바드민턴", "배드민턴"));
        assert!(far("등싼", "등산") < far("등단", "등산"));
        assert!((far("등산", "등산")).abs() < f32::EPSILON);
    }

    #[test]
    fn longer_words_are_forgiven_more() {
        assert_eq!([edits(3), edits(4), edits(7), edits(8)], [0, 1, 1, 2]);
    }
}
