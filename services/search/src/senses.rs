//! What a word stands for as it was typed: its forms, its group, its letters within others, its parts.

use std::ops::Range;

use crate::korean;
use crate::normal::{self, Word};
use crate::terms::{is_weak, split};
use crate::tokens::Stream;
use crate::tree::Node;
use crate::vocabulary::{Near, Vocabulary};

/// Letters of a run that is looked for letter by letter.
pub const LONGEST_RUN: usize = 24;
const STEM: f32 = 0.9;
/// A stem of a word that stands somewhere itself.
const DOUBTFUL_STEM: f32 = 0.5;
const GROUP: f32 = 0.7;
/// The group of a word that has other meanings too.
const MEANT: f32 = 0.6;
const NARROW: f32 = 0.2;
/// The wide word of one of which there is little.
const INSTEAD: f32 = 0.05;
/// What is as narrow as it.
const BESIDE: f32 = 0.03;
const RUN: f32 = 0.2;
const BEGINS: f32 = 0.45;
pub const PARTS: f32 = 0.85;
const PLACE: f32 = 0.6;
const BEGINNING: f32 = 0.5;
/// What says little beside what says something: it orders what is found, and lifts nothing over what is meant.
const WEAK: f32 = 0.1;

/// Whether a word stands somewhere, in one of its forms or by its group.
pub fn is_known(vocabulary: &Vocabulary<'_>, word: &Word) -> bool {
    let analyzer = vocabulary.analyzer;
    let known = |text: &str| {
        let marks = analyzer.mark(text).into_iter();
        let mut marks = marks.chain(analyzer.synonyms.instead(text).into_iter().flatten());
        vocabulary.knows(text) || marks.any(|it| vocabulary.knows(&it))
    };
    if word.letters().iter().all(|it| korean::is_letter(*it)) {
        return true;
    }
    analyzer.forms(word).iter().any(|it| known(&it.text))
        || covered(vocabulary, word).is_some_and(|parts| parts.iter().all(|it| known(it)))
}

/// A word laid out in words that stand somewhere, without anything left.
pub fn covered(vocabulary: &Vocabulary<'_>, word: &Word) -> Option<Vec<String>> {
    let base = vocabulary.analyzer.forms(word).iter().map(|it| it.letters.end).min()?;
    let letters = &word.letters()[..base];
    let knows = |text: &str| vocabulary.analyzer.terms.is_whole(text) || vocabulary.knows(text);
    let slice = |it: Range<usize>| letters[it].iter().collect::<String>();
    let pieces = split(letters, |it| knows(&slice(it)))?;
    let words: Vec<String> = pieces.iter().map(|it| slice(it.clone())).collect();
    let whole = pieces.iter().all(|it| it.len() > 1) && words.iter().all(|it| knows(it));
    whole.then_some(words)
}

/// What stands in for a word of which there is little.
pub fn instead(vocabulary: &Vocabulary<'_>, word: &Word) -> Vec<Node> {
    let analyzer = vocabulary.analyzer;
    let forms = analyzer.forms(word);
    let wide = forms.iter().filter_map(|it| analyzer.synonyms.instead(&it.text));
    let nodes = wide.flat_map(|it| it.into_iter().zip([INSTEAD, BESIDE]));
    nodes.map(|(text, boost)| Node::Term { stream: Stream::Word, text, boost }).collect()
}

/// What a word stands for as it was typed.
pub fn strict(vocabulary: &Vocabulary<'_>, word: &Word) -> Vec<Node> {
    let analyzer = vocabulary.analyzer;
    let text = word.text();
    let letters = word.letters();
    if !letters.is_empty() && letters.iter().all(|it| korean::is_initial(*it)) {
        return initials(vocabulary, &text);
    }
    let mut best = Vec::new();
    let term =
        |text: &str, boost| Node::Term { stream: Stream::Word, text: text.to_owned(), boost };
    let forms = analyzer.forms(word);
    for (index, form) in forms.iter().enumerate() {
        let doubtful = index > 0 && vocabulary.knows(&text) && !analyzer.terms.is_whole(&form.text);
        let boost = match index {
            0 => 1.0,
            _ if doubtful => DOUBTFUL_STEM,
            _ => STEM,
        };
        best.push(term(&form.text, boost));
        if let Some(mark) = analyzer.mark(&form.text) {
            let of = if analyzer.synonyms.is_meant(&form.text) { MEANT } else { GROUP };
            best.push(term(&mark, boost * of));
        }
        best.push(term(&analyzer.synonyms.narrow(&form.text), boost * NARROW));
        let length = form.letters.len();
        let hangul = form.text.chars().any(korean::is_hangul);
        if hangul && (2..=LONGEST_RUN).contains(&length) && !form.text.contains(korean::is_letter) {
            best.extend(runs(&form.text, boost));
        } else if hangul && length == 1 {
            best.push(Node::Run { letters: form.text.clone(), begins: true, boost: BEGINS });
        }
    }
    if let Some(short) = without_division(&text) {
        best.push(term(short, PLACE));
    }
    best.extend(parts(vocabulary, word));
    // A syllable that is not finished: what begins like it.
    if text.contains(korean::is_letter) {
        for near in vocabulary.beginning(&text) {
            best.push(term(&near.word, BEGINNING));
        }
    }
    best
}

/// A word's letters at the beginning of others, and within others.
fn runs(letters: &str, boost: f32) -> [Node; 2] {
    [(true, BEGINS), (false, RUN)].map(|(begins, of)| Node::Run {
        letters: letters.to_owned(),
        begins,
        boost: boost * of,
    })
}

fn initials(vocabulary: &Vocabulary<'_>, text: &str) -> Vec<Node> {
    let near = vocabulary.initials(text);
    let node = |near: Near| {
        let boost = if near.distance > 0.0 { BEGINNING } else { 1.0 };
        Node::Term { stream: Stream::Initials, text: near.word, boost }
    };
    near.into_iter().map(node).collect()
}

/// The words that a longer one is made of; empty when it is one thing.
pub fn part_words(vocabulary: &Vocabulary<'_>, word: &Word) -> Vec<String> {
    let analyzer = vocabulary.analyzer;
    let given = given(vocabulary, word);
    let pieces = |letters: usize| {
        let pieces = analyzer.pieces_of(&word.letters()[..letters]).unwrap_or_default();
        pieces.into_iter().map(|it| word.slice(it)).collect()
    };
    let mut words: Vec<String> = match given {
        Some(base) => pieces(base),
        None => covered(vocabulary, word).unwrap_or_else(|| pieces(word.letters().len())),
    };
    let count = words.len();
    if words.is_empty() {
        // 5km, 20대: runs of one script.
        words = analyzer.parts(word).into_iter().map(|it| it.text).collect();
    }
    // What is left of a run and is no word: found letter by letter, or not at all.
    words.retain(|it| it.chars().count() > 1 || it.chars().all(char::is_numeric));
    // Nor does a word say what it means by what it ends in.
    let nothing = words.len() < count && (given.is_some() || words.iter().all(|it| is_weak(it)));
    if nothing || words.len() < 2 && words.first().is_none_or(|it| *it == word.text()) {
        words.clear();
    }
    words
}

/// How many letters of a word are one that was given.
pub fn given(vocabulary: &Vocabulary<'_>, word: &Word) -> Option<usize> {
    let analyzer = vocabulary.analyzer;
    let forms = analyzer.forms(word);
    forms.iter().find(|it| analyzer.terms.is_whole(&it.text)).map(|it| it.letters.end)
}

/// Whether a word that was given stands somewhere by its group.
pub fn stands(vocabulary: &Vocabulary<'_>, word: &Word) -> bool {
    let analyzer = vocabulary.analyzer;
    given(vocabulary, word).is_some()
        && analyzer.forms(word).iter().any(|it| {
            let mark = analyzer.mark(&it.text);
            mark.is_some_and(|it| vocabulary.knows(&it))
        })
}

/// All the parts of a longer word.
fn parts(vocabulary: &Vocabulary<'_>, word: &Word) -> Option<Node> {
    let words = part_words(vocabulary, word);
    let words: Vec<Word> = words.iter().filter_map(|it| normal::words(it).pop()).collect();
    all_of(vocabulary, &words)
}

/// All of some words; of those that say little, none, where others say something.
pub fn all_of(vocabulary: &Vocabulary<'_>, words: &[Word]) -> Option<Node> {
    let node = |word: &Word| Node::Best(strict(vocabulary, word));
    let (weak, strong): (Vec<_>, Vec<_>) = words.iter().partition(|it| is_weak(&it.text()));
    let (must, should) = match strong.is_empty() {
        true => (weak.into_iter().map(node).collect(), Vec::new()),
        false => (
            strong.into_iter().map(node).collect(),
            weak.into_iter().map(|it| faint(node(it))).collect(),
        ),
    };
    (!words.is_empty()).then_some(Node::All { must, should, boost: PARTS })
}

/// What need not be found beside what must be.
pub fn faint(node: Node) -> Node {
    Node::All { must: vec![node], should: Vec::new(), boost: WEAK }
}

/// The name of a place without what kind of place it is.
fn without_division(word: &str) -> Option<&str> {
    let short = ["시", "군", "구", "동", "역"].iter().find_map(|it| word.strip_suffix(it))?;
    (short.chars().count() > 1 && short.chars().all(korean::is_syllable)).then_some(short)
}
