//! What a query means: its words, each with everything it may stand for, as a tree to be searched by.

use std::fmt::Write as _;

use crate::analysis::Analyzer;
use crate::korean;
use crate::layout;
use crate::model::MOST_WORDS;
use crate::normal::{self, Word};
use crate::senses::{LONGEST_RUN, PARTS, all_of, faint, is_known, part_words, stands, strict};
use crate::terms::is_weak;
use crate::tokens::Stream;
use crate::vocabulary::{Near, Vocabulary};

/// Letters of one word that are considered.
const LONGEST_WORD: usize = 60;

const SPELLING: f32 = 0.5;
/// What finding all words adds to finding most of them.
const ALL: f32 = 3.0;
const WHOLE_RUN: f32 = 0.6;
const NEAR: f32 = 0.7;
/// How many of the nearest words are taken with all they may stand for.
const FULLY: usize = 4;
/// How much farther than the nearest another word may be.
const FARTHER: f32 = 0.75;

/// What is to be found.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A term of a stream, in any part of a document.
    Term { stream: Stream, text: String, boost: f32 },
    /// Letters in a row within a word, or at its beginning.
    Run { letters: String, begins: bool, boost: f32 },
    /// The best of several.
    Best(Vec<Node>),
    /// All of some, and better with the others.
    All { must: Vec<Node>, should: Vec<Node>, boost: f32 },
    /// So many of them.
    Some { of: Vec<Node>, at_least: usize },
}

/// How much is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Words as they were typed.
    Strict,
    /// Words that stand nowhere are taken for what is near.
    Unknown,
    /// Every word is.
    Every,
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
    let whole: String = words.iter().map(Word::text).collect();
    let length = whole.chars().count();
    let hangul = whole.chars().all(korean::is_syllable);
    let whole = (words.len() > 1 && hangul && (3..=LONGEST_RUN).contains(&length)).then_some(whole);
    Understood { slots, whole }
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
        let all = Node::All { must, should, boost: 1.0 };
        match &self.whole {
            Some(letters) => Node::Best(vec![
                all,
                Node::Run { letters: letters.clone(), begins: false, boost: WHOLE_RUN },
            ]),
            None => all,
        }
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
            .map(|slot| match slot.near(vocabulary, level).into_iter().next() {
                Some(near) => {
                    any = true;
                    near.word
                }
                None => slot.typed(),
            })
            .collect();
        any.then(|| words.join(" "))
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
        let slot = |word: Word| Self { weak: is_weak(&word.text()), word, joined: Vec::new() };
        let strong: Vec<Self> = parts.into_iter().map(slot).filter(|it| !it.weak).collect();
        if strong.is_empty() { vec![self.clone()] } else { strong }
    }

    /// Everything it may stand for.
    fn node(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Node {
        let mut best = strict(vocabulary, &self.word);
        if self.joined.len() > 1 {
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
        if level != Level::Strict && !known {
            best.extend(self.inside(vocabulary, level));
        }
        Node::Best(best)
    }

    /// Words near to this one, if it is to be doubted.
    fn near(&self, vocabulary: &Vocabulary<'_>, level: Level) -> Vec<Near> {
        let doubted = match level {
            Level::Strict => false,
            Level::Unknown => !is_known(vocabulary, &self.word),
            Level::Every => true,
        };
        if !doubted {
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
        let slots: Vec<Self> = slots
            .map(|word| Self { weak: is_weak(&word.text()), word, joined: Vec::new() })
            .filter(|it| it.word.letters().len() < letters.len())
            .collect();
        let (weak, strong): (Vec<_>, Vec<_>) = slots.iter().partition(|it| it.weak);
        let nodes = |slots: Vec<&Self>| -> Vec<Node> {
            slots.into_iter().map(|it| it.node(vocabulary, level)).collect()
        };
        let should = nodes(weak).into_iter().map(faint).collect();
        let must = nodes(strong);
        (!must.is_empty()).then_some(Node::All { must, should, boost: PARTS * PARTS })
    }
}

impl Node {
    /// Every term and run in it.
    pub fn leaves<'a>(&'a self, out: &mut Vec<&'a Self>) {
        match self {
            Self::Term { .. } | Self::Run { .. } => out.push(self),
            Self::Best(all) | Self::Some { of: all, .. } => {
                all.iter().for_each(|it| it.leaves(out));
            }
            Self::All { must, should, .. } => {
                must.iter().chain(should).for_each(|it| it.leaves(out));
            }
        }
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let _ = match self {
            Self::Term { stream, text, boost } => {
                writeln!(out, "{indent}{stream:?} `{text}` x {boost:.2}")
            }
            Self::Run { letters, begins, boost } => {
                let place = if *begins { "beginning" } else { "letters" };
                writeln!(out, "{indent}{place} `{letters}` x {boost:.2}")
            }
            Self::Best(all) => {
                let _ = writeln!(out, "{indent}best of");
                all.iter().for_each(|it| it.write(out, depth + 1));
                Ok(())
            }
            Self::All { must, should, boost } => {
                let _ = writeln!(out, "{indent}all of x {boost:.2}");
                must.iter().for_each(|it| it.write(out, depth + 1));
                if !should.is_empty() {
                    let _ = writeln!(out, "{indent}better with");
                    should.iter().for_each(|it| it.write(out, depth + 1));
                }
                Ok(())
            }
            Self::Some { of, at_least } => {
                let _ = writeln!(out, "{indent}at least {at_least} of");
                of.iter().for_each(|it| it.write(out, depth + 1));
                Ok(())
            }
        };
    }
}
