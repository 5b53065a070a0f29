//! Text as words of plain letters: one form for what looks the same, and where each letter stood.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use crate::korean;

/// A run of letters and digits in the form they are compared in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    letters: Vec<char>,
    /// Where each letter stands in the text it was read from, in bytes.
    places: Vec<Range<usize>>,
}

impl Word {
    /// Its letters.
    pub fn letters(&self) -> &[char] {
        &self.letters
    }

    /// Its letters as text.
    pub fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// Some of its letters as text.
    pub fn slice(&self, range: Range<usize>) -> String {
        self.letters[range].iter().collect()
    }

    /// The bytes that some of its letters were read from.
    pub fn place(&self, letters: Range<usize>) -> Range<usize> {
        let start = self.places.get(letters.start).map_or(0, |it| it.start);
        let end = letters.end.checked_sub(1).and_then(|last| self.places.get(last));
        start..end.map_or(start, |it| it.end)
    }

    /// The bytes that the word was read from.
    pub fn whole(&self) -> Range<usize> {
        self.place(0..self.letters.len())
    }

    fn push(&mut self, letter: char, place: Range<usize>) {
        self.letters.push(letter);
        self.places.push(place);
    }
}

/// The words of a text.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word::default();
    for (place, cluster) in clusters(text) {
        if let Some(letter) = plain_already(cluster) {
            word.push(letter.to_ascii_lowercase(), place);
            continue;
        }
        for letter in plain(cluster) {
            if letter.is_alphanumeric() {
                word.push(letter, place.clone());
            } else if !is_nothing(letter) && !word.letters.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        }
    }
    if !word.letters.is_empty() {
        words.push(word);
    }
    words
}

/// The words of a text as one line.
pub fn line(text: &str) -> String {
    let words: Vec<String> = words(text).iter().map(Word::text).collect();
    words.join(" ")
}

/// Letters with what belongs to them: marks, and the vowels and finals of Hangul in pieces.
fn clusters(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = rest.next()?;
        let mut end = start + first.len_utf8();
        // A bound on what one letter may carry keeps absurd piles of marks from being one letter.
        for _ in 0..16 {
            match rest.peek() {
                Some((at, next)) if continues(*next) => {
                    end = at + next.len_utf8();
                    rest.next();
                }
                _ => break,
            }
        }
        Some((start..end, &text[start..end]))
    })
}

fn continues(letter: char) -> bool {
    !is_common(letter)
        && (canonical_combining_class(letter) != 0 || ('\u{1160}'..='\u{11FF}').contains(&letter))
}

/// What most texts are made of.
fn is_common(letter: char) -> bool {
    letter.is_ascii() || ('가'..='힣').contains(&letter)
}

/// A letter or digit of most texts that stands by itself.
fn plain_already(cluster: &str) -> Option<char> {
    let mut letters = cluster.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    (is_common(letter) && (!letter.is_ascii() || letter.is_ascii_alphanumeric())).then_some(letter)
}

/// Composed, without differences of width or case; consonants that stand alone stay as they are.
fn plain(cluster: &str) -> impl Iterator<Item = char> {
    let mut letters = cluster.chars();
    let single = letters.next().filter(|_| letters.next().is_none());
    let composed: Vec<char> = match single {
        Some(letter) if letter.is_ascii() || ('\u{3131}'..='\u{D7A3}').contains(&letter) => {
            vec![letter]
        }
        _ => cluster.nfkc().take(20).map(without_accent).collect(),
    };
    composed.into_iter().flat_map(char::to_lowercase)
}

/// Latin letters without their accents, which few type.
fn without_accent(letter: char) -> char {
    let base = std::iter::once(letter).nfd().next();
    base.filter(char::is_ascii_alphabetic).unwrap_or(letter)
}

/// What shows as nothing and parts no words.
fn is_nothing(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
        || canonical_combining_class(letter) != 0
}

/// Runs of one script: Hangul, digits, other letters.
pub fn scripts(letters: &[char]) -> Vec<Range<usize>> {
    let script = |letter: char| match letter {
        it if korean::is_hangul(it) => 0,
        it if it.is_numeric() => 1,
        _ => 2,
    };
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if script(letters[run.start]) == script(*letter) => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// An English word without the end of its plural.
pub fn singular(word: &str) -> Option<String> {
    if word.len() < 4 || !word.bytes().all(|it| it.is_ascii_lowercase()) {
        return None;
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    for end in ["ches", "shes", "sses", "xes", "zes"] {
        if word.ends_with(end) {
            return word.strip_suffix("es").map(str::to_owned);
        }
    }
    let stays = word.ends_with("ss") || word.ends_with("us") || word.ends_with("is");
    if stays { None } else { word.strip_suffix('s').map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (odd, plain) in [
            ("등산", "등산"),
            ("ＨＩＫＩＮＧ", "hiking"),
            ("Café", "cafe"),
            ("등\u{200B}산", "등산"),
            ("\u{202E}등산", "등산"),
            ("  등산!!  모임?", "등산 모임"),
            ("한*강 .* (러닝|조깅)", "한 강 러닝 조깅"),
            ("10km·20대", "10km 20대"),
            ("🏃‍♀️ 달리기", "달리기"),
            ("ㄷㅅㅁㅇ", "ㄷㅅㅁㅇ"),
            ("\0\u{7}", ""),
        ] {
            assert_eq!(line(odd), plain, "{odd:?}");
        }
    }

    #[test]
    fn a_pile_of_marks_is_no_trouble() {
        let pile = format!("a{}b", "\u{0301}".repeat(10_000));
        assert!(words(&pile).len() <= 2);
    }

    #[test]
    fn plurals_lose_their_end() {
        for (word, stem) in [
            ("books", Some("book")),
            ("hobbies", Some("hobby")),
            ("matches", Some("match")),
            ("class", None),
            ("tennis", None),
            ("bus", None),
        ] {
            assert_eq!(singular(word).as_deref(), stem, "{word}");
        }
    }

    proptest! {
        #[test]
        fn places_are_whole_letters_and_rise(text in "(\\PC|[가-힣ᄀ-ᇿ\u{200b}\u{301}\u{0}]){0,60}") {
            let mut last = 0;
            for word in words(&text) {
                for at in 0..word.letters().len() {
                    let place = word.place(at..at + 1);
                    prop_assert!(place.start >= last || text.get(place.clone()).is_some());
                    prop_assert!(text.get(place.clone()).is_some());
                    last = place.start;
                }
                prop_assert!(text.get(word.whole()).is_some());
            }
        }

        #[test]
        fn the_plain_form_stays_plain(text in "\\PC{0,40}") {
            let once = line(&text);
            prop_assert_eq!(line(&once).replace(' ', ""), once.replace(' ', ""));
        }
    }
}
