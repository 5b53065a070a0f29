//! What a query means: its words, each with everything it may stand for, as a tree to be searched by.

use std::fmt::Write as _;

use crate::analysis::Analyzer;
use crate::korean;
use crate::layout;
use crate::model::MOST_WORDS;
use crate::normal::{self, Word};
use crate::schema::named;
use crate::senses::{
    LONGEST_RUN, PARTS, all_of, faint, given, instead, is_known, part_words, stands, strict,
};
use crate::terms::is_weak;
use crate::tokens::Stream;
use crate::tree::Node;
use crate::vocabulary::{Near, Vocabulary};

/// Letters of one word that are considered.
const LONGEST_WORD: usize = 60;

const SPELLING: f32 = 0.5;
/// What finding all words adds to finding most of them.
const ALL: f32 = 3.0;
const WHOLE_RUN: f32 = 0.6;
/// A member of just this name, for each word of it: over all that only has the words.
const NAMED: f32 = 20.0;
const NEAR: f32 = 0.7;
/// How many of the nearest words are taken with all they may stand for.
const FULLY: usize = 4;
/// How much farther than the nearest another word may be.
const FARTHER: f32 = 0.75;

/// How much is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Words as they were typed.
    Strict,
    /// The same, or the kind of thing they are.
    Wide,
    /// Words that stand nowhere are taken for what is near.
    Unknown,
    /// The same, or the kind of thing they are.
    UnknownWide,
    /// Every word is.
    Every,
}

impl Level {
    /// Whether words may be taken for others.
    pub fn doubts(self) -> bool {
        !matches!(self, Self::Strict | Self::Wide)
    }

    fn widens(self) -> bool {
        matches!(self, Self::Wide | Self::UnknownWide)
    }
}

/// A word of a query, or neighbours that are one word.
#[derive(Clone, Debug)]
pub struct Slot {
    word: Word,
    /// The words it was joined from.
    joined: Vec<Word>,
    /// Whether it need not be found when others are.
    pub weak: bool,
}

/// A query in its words.
#[derive(Clone, Debug)]
pub struct Understood {
    pub slots: Vec<Slot>,
    /// All letters of a query of several words in Hangul.
    whole: Option<String>,
    /// All letters, as the name of a member may be.
    name: String,
}

/// The words of a query; empty when there is nothing to search for.
pub fn understand(analyzer: &Analyzer, text: &str) -> Understood {
    let words: Vec<Word> = normal::words(text).into_iter().take(MOST_WORDS).map(as_typed).collect();
    let mut slots: Vec<Slot> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let known = (2..=3.min(words.len() - at))
            .rev()
            .find_map(|count| Some((count, analyzer.joined(&words[at..at + count])?)));
        let (count, word, joined) = match known {
            Some((count, all)) => {
                let word = normal::words(&all).into_iter().next().unwrap_or_default();
                (count, word, words[at..at + count].to_vec())
            }
            None => (1, words[at].clone(), Vec::new()),
        };
        let weak = is_weak(&word.text());
        slots.push(Slot { word, joined, weak });
        at += count;
    }
    if slots.iter().all(|it| it.weak) {
        slots.iter_mut().for_each(|it| it.weak = false);
    }
    let name: String = words.iter().map(Word::text).collect();
    let length = name.chars().count();
    let hangul = name.chars().all(korean::is_syllable);
    let runs = words.len() > 1 && hangul && (3..=LONGEST_RUN).contains(&length);
    let whole = runs.then(|| name.clone());
    Understood { slots, whole, name }
}

/// Vowels that stand alone are put together with what is around them; consonants that were typed as a
/// pair are taken apart; a syllable that is only begun stays so.
fn as_typed(word: Word) -> Word {
    let text: String = word.letters().iter().take(LONGEST_WORD).collect();
    let typed = match () {
        () if text.contains(korean::is_vowel) => korean::compose(&korean::decompose(&text)),
        () if text.chars().all(korean::is_letter) => korean::decompose(&text),
        () if text.len() == word.text().len() => return word,
        () => text,
    };
    normal::words(&typed).into_iter().next().unwrap_or_default()
}

impl Understood {
    /// The tree in which all words must be found.
    pub fn all(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Node {
        let mut must = Vec::new();
        let mut should = Vec::new();
        for slot in &self.slots {
            let node = slot.node(vocabulary, level);
            if slot.weak { should.push(faint(node)) } else { must.push(node) }
        }
        let mut best = vec![Node::All { must, should, boost: 1.0 }];
        if let Some(letters) = self.whole.clone() {
            best.push(Node::Run { letters, begins: false, boost: WHOLE_RUN });
        }
        best.extend(self.named(vocabulary, level));
        if best.len() > 1 { Node::Best(best) } else { best.remove(0) }
    }

    /// Members of just this name, or of one that is near to it.
    fn named(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Vec<Node> {
        let slots = u8::try_from(self.slots.len()).unwrap_or(u8::MAX);
        let mut names = vec![(self.name.clone(), NAMED * f32::from(slots))];
        if let [slot] = self.slots.as_slice() {
            let near = slot.near(vocabulary, level).into_iter().take(FULLY);
            names.extend(near.map(|it| (it.word, NAMED * NEAR / (1.0 + it.distance))));
        }
        let names = names.into_iter().map(|(name, boost)| (named(&name), boost));
        let known = names.filter(|(name, _)| vocabulary.knows(name));
        known.map(|(text, boost)| Node::Term { stream: Stream::Word, text, boost }).collect()
    }

    /// The tree in which most words are enough; those with all of them stand first.
    pub fn most(&self, vocabulary: &Vocabulary<'_>, level: Level, one: bool) -> Option<Node> {
        let strong = self.slots.iter().filter(|it| !it.weak);
        let mut of: Vec<Node> = Vec::new();
        for slot in strong {
            let units = slot.units(vocabulary);
            // What is split off a word and stands nowhere is not guessed at.
            let level = if units.len() > 1 { Level::Strict } else { level };
            of.extend(units.iter().map(|it| it.node(vocabulary, level)));
        }
        if of.len() < 2 {
            return None;
        }
        let at_least = if one || of.len() == 2 { 1 } else { of.len().div_ceil(2) };
        let all = self.all(vocabulary, level);
        let all = Node::All { must: vec![all], should: Vec::new(), boost: ALL };
        // A word may be found by what its parts do not tell.
        let most = Node::Best(vec![Node::Some { of, at_least }, all.clone()]);
        Some(Node::All { must: vec![most], should: vec![all], boost: 1.0 })
    }

    /// The query with the words that stand nowhere replaced by the nearest; nothing when all are known.
    pub fn corrected(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Option<String> {
        let mut any = false;
        let words: Vec<String> = self
            .slots
            .iter()
            .map(|slot| match slot.corrected(vocabulary, level) {
                Some(word) => {
                    any = true;
                    word
                }
                None => slot.typed(),
            })
            .collect();
        any.then(|| words.join(" "))
    }

    /// Whether every word that says something stands somewhere, or was taken for one that does.
    pub fn stands(&self, vocabulary: &Vocabulary<'_>, level: Level) -> bool {
        let stands = |slot: &Slot| {
            is_known(vocabulary, &slot.word) || slot.corrected(vocabulary, level).is_some()
        };
        self.slots.iter().filter(|it| !it.weak).all(stands)
    }

    /// Its words as they were typed.
    pub fn typed(&self) -> Vec<String> {
        self.slots.iter().map(|it| it.word.text()).collect()
    }

    /// Whether there are letters among the words that are no whole syllables: initial consonants, or what is half typed.
    pub fn is_unfinished(&self) -> bool {
        self.slots.iter().any(|it| it.word.letters().iter().any(|it| korean::is_letter(*it)))
    }

    /// Whether the kind of thing that some word is stands in for it.
    pub fn is_narrow(&self, vocabulary: &Vocabulary<'_>) -> bool {
        let narrow = |slot: &Slot| {
            slot.units(vocabulary).iter().any(|it| !instead(vocabulary, &it.word).is_empty())
        };
        self.slots.iter().any(narrow)
    }

    /// The query with each word that stands nowhere read on the other layout; nothing when none can be.
    pub fn relaid(&self, vocabulary: &Vocabulary<'_>) -> Option<String> {
        let mut any = false;
        let words = self.slots.iter().map(|slot| {
            let typed = slot.typed();
            let known = match slot.word.letters().iter().all(|it| korean::is_letter(*it)) {
                true => !vocabulary.initials(&typed).is_empty(),
                false => is_known(vocabulary, &slot.word),
            };
            let other = || layout::to_hangul(&typed).or_else(|| layout::to_latin(&typed));
            match (!known).then(other).flatten() {
                Some(other) => {
                    any = true;
                    other
                }
                None => typed,
            }
        });
        let words: Vec<String> = words.collect();
        any.then(|| words.join(" "))
    }

    /// Whether every word is one that was given.
    pub fn is_given(&self, analyzer: &Analyzer) -> bool {
        self.slots.iter().all(|it| analyzer.terms.is_whole(&it.word.text()))
    }

    /// A line for each word: what it may stand for.
    pub fn explain(&self, vocabulary: &Vocabulary<'_>, level: Level) -> String {
        let mut out = String::new();
        for slot in &self.slots {
            let weak = if slot.weak { ", need not be found" } else { "" };
            let _ = writeln!(out, "word `{}`{weak}:", slot.word.text());
            slot.node(vocabulary, level).write(&mut out, 1);
        }
        out
    }
}

impl Slot {
    fn typed(&self) -> String {
        let words: Vec<String> = self.joined.iter().map(Word::text).collect();
        if words.is_empty() { self.word.text() } else { words.join(" ") }
    }

    /// The words it is made of that say something, or itself.
    fn units(&self, vocabulary: &Vocabulary<'_>) -> Vec<Self> {
        if stands(vocabulary, &self.word) {
            return vec![self.clone()];
        }
        let parts: Vec<Word> = match self.joined.is_empty() {
            false => self.joined.clone(),
            true => {
                let pieces = part_words(vocabulary, &self.word);
                pieces.iter().filter_map(|it| normal::words(it).pop()).collect()
            }
        };
        let strong: Vec<Self> = parts.into_iter().map(Self::of).filter(|it| !it.weak).collect();
        if strong.is_empty() { vec![self.clone()] } else { strong }
    }

    /// Everything it may stand for.
    fn node(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Node {
        let mut best = strict(vocabulary, &self.word);
        // A letter beside a word says much else: 점 of 점 보기 begins 점심.
        let letter = self.joined.iter().any(|it| it.letters().len() == 1);
        let one_thing = letter && given(vocabulary, &self.word).is_some();
        if self.joined.len() > 1 && !one_thing {
            best.extend(all_of(vocabulary, &self.joined));
        }
        let known = is_known(vocabulary, &self.word);
        let spellings = if known { vocabulary.spellings(&self.word.text()) } else { Vec::new() };
        for near in spellings {
            best.push(Node::Term { stream: Stream::Word, text: near.word, boost: SPELLING });
        }
        let near = self.near(vocabulary, level);
        let nearest = near.first().map_or(0.0, |it| it.distance);
        for (index, near) in near.into_iter().enumerate() {
            let boost = NEAR / (1.0 + near.distance);
            let word = normal::words(&near.word).into_iter().next().unwrap_or_default();
            if index < FULLY && near.distance <= nearest + 0.25 {
                let all = Node::Best(strict(vocabulary, &word));
                best.push(Node::All { must: vec![all], should: Vec::new(), boost });
            } else {
                best.push(Node::Term { stream: Stream::Word, text: near.word, boost });
            }
        }
        if level.doubts() && !known {
            best.extend(self.inside(vocabulary, level));
        }
        if level.widens() {
            best.extend(instead(vocabulary, &self.word));
            let units = self.units(vocabulary);
            if units.len() > 1 || units.iter().any(|it| it.word != self.word) {
                let must = units.iter().map(|it| it.node(vocabulary, level)).collect();
                best.push(Node::All { must, should: Vec::new(), boost: PARTS });
            }
        }
        Node::Best(best)
    }

    /// The word it was taken for, as a whole or with its mistyped part put right.
    fn corrected(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Option<String> {
        if let Some(near) = self.near(vocabulary, level).into_iter().next() {
            return Some(near.word);
        }
        if !level.doubts() || is_known(vocabulary, &self.word) {
            return None;
        }
        let mut any = false;
        let pieces = vocabulary.analyzer.pieces_of(self.word.letters())?;
        let word = pieces.into_iter().map(|it| {
            let part = Self::of(normal::words(&self.word.slice(it)).pop().unwrap_or_default());
            let long = part.word.letters().len() > 1;
            let near = if long { part.near(vocabulary, level) } else { Vec::new() };
            let near = near.into_iter().next().map(|it| it.word);
            any |= near.is_some();
            near.unwrap_or_else(|| part.word.text())
        });
        let word = word.collect();
        any.then_some(word)
    }

    fn of(word: Word) -> Self {
        Self { weak: is_weak(&word.text()), word, joined: Vec::new() }
    }

    /// Words near to this one, if it is to be doubted.
    fn near(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Vec<Near> {
        let doubted = match level {
            Level::Strict | Level::Wide => false,
            Level::Unknown | Level::UnknownWide => !is_known(vocabulary, &self.word),
            Level::Every => true,
        };
        // What means something was spelled right, though nothing here may be about it.
        if !doubted || given(vocabulary, &self.word).is_some() {
            return Vec::new();
        }
        let mut near = Vec::new();
        for form in vocabulary.analyzer.forms(&self.word).iter().take(3) {
            near.extend(vocabulary.near(&form.text));
        }
        near.sort_by(|one, other| one.distance.total_cmp(&other.distance));
        let nearest = near.first().map_or(0.0, |it| it.distance);
        near.retain(|it| it.distance <= nearest + FARTHER);
        near
    }

    /// A mistyped word beside known ones in a longer run.
    fn inside(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Option<Node> {
        let letters = self.word.letters();
        let pieces = vocabulary.analyzer.pieces_of(letters)?;
        let word = |it: std::ops::Range<usize>| normal::words(&self.word.slice(it)).pop();
        let slots = pieces.into_iter().filter(|it| it.len() > 1).filter_map(word);
        let slots: Vec<Self> =
            slots.map(Self::of).filter(|it| it.word.letters().len() < letters.len()).collect();
        let (weak, strong): (Vec<_>, Vec<_>) = slots.iter().partition(|it| it.weak);
        let nodes = |slots: Vec<&Self>| -> Vec<Node> {
            slots.into_iter().map(|it| it.node(vocabulary, level)).collect()
        };
        let should = nodes(weak).into_iter().map(faint).collect();
        let must = nodes(strong);
        (!must.is_empty()).then_some(Node::All { must, should, boost: PARTS * PARTS })
    }
}
