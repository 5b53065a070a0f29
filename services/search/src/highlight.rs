//! Where a text matched: an excerpt as plain text, and ranges in it.

use std::collections::HashSet;
use std::ops::Range;

use crate::analysis::Analyzer;
use crate::model::Highlight;
use crate::normal;
use crate::tokens::Stream;
use crate::tree::Node;

/// Characters of an excerpt.
const LONGEST: usize = 120;
/// Characters before the first match.
const BEFORE: usize = 30;
const MOST_RANGES: usize = 20;
/// Texts are looked at up to here, in bytes.
const LOOKED_AT: usize = 20_000;

/// What to look for in texts.
#[derive(Debug, Default)]
pub struct Needles {
    terms: HashSet<(Stream, String)>,
    /// Letters in a row, and whether they begin a word.
    runs: Vec<(bool, Vec<char>)>,
}

impl Needles {
    /// Everything that a query may have matched by.
    pub fn new(node: &Node) -> Self {
        let mut leaves = Vec::new();
        node.leaves(&mut leaves);
        let mut needles = Self::default();
        for leaf in leaves {
            match leaf {
                Node::Term { stream, text, .. } => {
                    needles.terms.insert((*stream, text.clone()));
                }
                Node::Run { letters, begins, .. } => {
                    needles.runs.push((*begins, letters.chars().collect()));
                }
                _ => {}
            }
        }
        needles
    }

    /// The part of a text around its first match, with every match in it.
    pub fn find(&self, analyzer: &Analyzer, field: &'static str, text: &str) -> Option<Highlight> {
        let text = head(text);
        let mut places: Vec<Range<usize>> = analyzer
            .tokens(text)
            .into_iter()
            .filter(|it| self.terms.contains(&(it.stream, it.text.clone())))
            .map(|it| it.place)
            .collect();
        for word in normal::words(text) {
            for (begins, run) in self.runs.iter().filter(|it| !it.1.is_empty()) {
                let matches = word.letters().windows(run.len()).enumerate();
                let found = matches.filter(|(at, letters)| letters == run && (!begins || *at == 0));
                places.extend(found.map(|(at, _)| word.place(at..at + run.len())));
            }
        }
        let places = merged(places);
        excerpt(field, text, &places)
    }
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn merged(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|it| (it.start, it.end));
    let mut out: Vec<Range<usize>> = Vec::new();
    for place in places.into_iter().filter(|it| !it.is_empty()) {
        match out.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => out.push(place),
        }
    }
    out
}

fn excerpt(field: &'static str, text: &str, places: &[Range<usize>]) -> Option<Highlight> {
    let first = places.first()?;
    let short = text.chars().count() <= LONGEST;
    let start = if short { 0 } else { before(text, first.start) };
    let length = text[start..].char_indices().nth(LONGEST).map(|(at, _)| at);
    let mut end = length.map_or(text.len(), |length| start + length);
    if end < text.len() {
        let blank = text[first.end.min(end)..end].rfind(char::is_whitespace);
        end = blank.map_or(end, |at| first.end.min(end) + at);
    }
    let cut = &text[start..end];
    let lead = if start > 0 { "…" } else { "" };
    let tail = if end < text.len() { "…" } else { "" };
    let units = |to: usize| text[start..to].encode_utf16().count() + lead.encode_utf16().count();
    let ranges = places
        .iter()
        .filter(|it| it.start >= start && it.start < end)
        .take(MOST_RANGES)
        .map(|it| (units(it.start), units(it.end.min(end))))
        .collect();
    let text = format!("{lead}{}{tail}", cut.replace(['\n', '\r', '\t'], " "));
    Some(Highlight { field, text, ranges })
}

/// A little before a match, at the beginning of a word when there is one.
fn before(text: &str, at: usize) -> usize {
    let mut start = at;
    for (index, (place, letter)) in text[..at].char_indices().rev().enumerate() {
        if index >= BEFORE {
            break;
        }
        if letter.is_whitespace() {
            start = place + letter.len_utf8();
        } else if place == 0 {
            start = 0;
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needles(words: &[&str], runs: &[&str]) -> Needles {
        let term =
            |it: &&str| Node::Term { stream: Stream::Word, text: (*it).to_owned(), boost: 1.0 };
        let run = |it: &&str| Node::Run { letters: (*it).to_owned(), begins: false, boost: 1.0 };
        Needles::new(&Node::Best(words.iter().map(term).chain(runs.iter().map(run)).collect()))
    }

    fn marked(found: &Highlight) -> Vec<String> {
        let units: Vec<u16> = found.text.encode_utf16().collect();
        found.ranges.iter().map(|it| String::from_utf16(&units[it.0..it.1]).unwrap()).collect()
    }

    #[test]
    fn words_synonyms_and_letters_within_words_are_marked() {
        let analyzer = Analyzer::new();
        let found = needles(&["=등산"], &["한강"]);
        let found = found.find(&analyzer, "title", "😀 하이킹과 한강변 <b>산책</b>").unwrap();
        assert_eq!(marked(&found), ["하이킹", "한강"]);
        assert_eq!(found.text, "😀 하이킹과 한강변 <b>산책</b>");
        assert_eq!(needles(&["수영"], &[]).find(&analyzer, "title", "등산"), None);
    }

    #[test]
    fn a_long_text_is_cut_around_its_first_match() {
        let analyzer = Analyzer::new();
        let text = format!("{}등산 갑시다 {}", "가나다 ".repeat(60), "라마바 ".repeat(60));
        let found = needles(&["등산"], &[]).find(&analyzer, "description", &text).unwrap();
        assert_eq!(marked(&found), ["등산"]);
        assert!(found.text.starts_with('…') && found.text.ends_with('…'), "{}", found.text);
        assert!(found.text.chars().count() <= LONGEST + 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn ranges_lie_within_the_excerpt(text in "(\\PC|등산|한강| |\n){0,200}") {
            let analyzer = Analyzer::new();
            if let Some(found) = needles(&["등산"], &["한강"]).find(&analyzer, "title", &text) {
                let length = found.text.encode_utf16().count();
                prop_assert!(found.ranges.iter().all(|it| it.0 < it.1 && it.1 <= length));
                marked(&found);
            }
        }
    }
}
