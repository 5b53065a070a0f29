//! Completions while somebody types: what begins like it, or has its initial consonants.

use std::collections::HashMap;

use crate::analysis::shown;
use crate::korean;
use crate::layout;

/// Most completions that are given.
pub const MOST: usize = 20;
/// Characters of a term that is offered.
const LONGEST: usize = 30;
/// Beginnings of so many letters have their completions ready.
const READY: usize = 3;

/// Terms to complete to, in the orders they are looked up in.
#[derive(Debug, Default)]
pub struct Suggestions {
    terms: Vec<(String, f64)>,
    /// Letters as typed, without blanks, with the term's number; in order.
    typed: Vec<(String, u32)>,
    /// Initial consonants, with the term's number; in order.
    initials: Vec<(String, u32)>,
    /// The best of the beginnings that have the most.
    ready: HashMap<String, Vec<u32>>,
}

impl Suggestions {
    /// From terms with how popular they are; of equal ones the more popular counts.
    pub fn new<'a>(terms: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let mut best: HashMap<String, (String, f64)> = HashMap::new();
        for (term, weight) in terms {
            let term = shown(term);
            if (1..=LONGEST).contains(&term.chars().count()) {
                // Blanks make no other term.
                let known = best.entry(term.replace(' ', "")).or_insert((term.clone(), weight));
                if known.1 < weight {
                    *known = (term, weight);
                }
            }
        }
        let mut terms: Vec<_> = best.into_values().collect();
        // The best first: among numbers the smaller one is better.
        terms.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let mut found = Self { terms, ..Self::default() };
        for (number, (term, _)) in (0_u32..).zip(&found.terms) {
            let bare = term.replace(' ', "");
            found.typed.push((korean::decompose(&bare), number));
            found.initials.extend(korean::initials(bare.chars()).map(|it| (it, number)));
        }
        found.typed.sort_unstable();
        found.initials.sort_unstable();
        found.prepare();
        found
    }

    fn prepare(&mut self) {
        let mut ready: HashMap<String, Vec<u32>> = HashMap::new();
        for (letters, number) in self.typed.iter().chain(&self.initials) {
            for length in 1..=READY {
                if let Some(prefix) = prefix(letters, length) {
                    ready.entry(prefix.to_owned()).or_default().push(*number);
                }
            }
        }
        for numbers in ready.values_mut() {
            numbers.sort_unstable();
            numbers.dedup();
            numbers.truncate(MOST);
            numbers.shrink_to_fit();
        }
        self.ready = ready;
    }

    /// The best completions, most popular first.
    pub fn complete(&self, typed: &str, count: usize) -> Vec<String> {
        let count = count.min(MOST);
        let mut found = self.starting(typed, count);
        if found.is_empty() {
            // Perhaps it was typed on the other layout.
            let other = layout::to_hangul(typed).or_else(|| layout::to_latin(typed));
            found = other.map(|it| self.starting(&it, count)).unwrap_or_default();
        }
        let term = |number: &u32| self.terms.get(*number as usize).map(|it| it.0.clone());
        found.iter().filter_map(term).collect()
    }

    fn starting(&self, typed: &str, count: usize) -> Vec<u32> {
        let bare = shown(typed).replace(' ', "");
        let letters = korean::decompose(&bare);
        let length = letters.chars().count();
        if length == 0 || length > 3 * LONGEST {
            return Vec::new();
        }
        if length <= READY {
            let mut ready = self.ready.get(&letters).cloned().unwrap_or_default();
            ready.truncate(count);
            return ready;
        }
        let mut found = range(&self.typed, &letters);
        if bare.chars().all(korean::is_initial) {
            found.extend(range(&self.initials, &letters));
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(count);
        found
    }
}

fn prefix(text: &str, letters: usize) -> Option<&str> {
    let end = text.char_indices().nth(letters).map_or(text.len(), |it| it.0);
    (text.chars().take(letters).count() == letters).then(|| &text[..end])
}

fn range(sorted: &[(String, u32)], prefix: &str) -> Vec<u32> {
    let from = sorted.partition_point(|it| it.0.as_str() < prefix);
    let with = sorted[from..].iter().take_while(|it| it.0.starts_with(prefix));
    with.map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn suggestions() -> Suggestions {
        Suggestions::new([
            ("등산", 9.0),
            ("등산 모임", 5.0),
            ("독서모임", 7.0),
            ("독서", 3.0),
            ("독서", 1.0),
            ("hiking club", 2.0),
            ("북한산 등산", 1.0),
        ])
    }

    #[test]
    fn the_most_popular_come_first() {
        for (typed, expected) in [
            ("등", &["등산", "등산 모임"][..]),
            ("독", &["독서모임", "독서"]),
            ("독ㅅ", &["독서모임", "독서"]),
            ("북한ㅅ", &["북한산 등산"]),
            ("등산모", &["등산 모임"]),
            ("ㄷㅅ", &["등산", "독서모임", "등산 모임", "독서"]),
            ("ㄷㅅㅁㅇ", &["독서모임", "등산 모임"]),
            ("HIK", &["hiking club"]),
            ("emd", &["등산", "등산 모임"]),
            ("ㅗㅑㅏㅑ", &["hiking club"]),
            ("수영", &[]),
            ("", &[]),
            ("*", &[]),
        ] {
            assert_eq!(suggestions().complete(typed, 10), expected, "{typed}");
        }
        assert_eq!(suggestions().complete("ㄷ", 1), ["등산"]);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_completes_to_what_begins_like_it(typed in "\\PC{0,40}|[가-힣]{1,2}") {
            prop_assert!(suggestions().complete(&typed, 100).len() <= MOST);
        }
    }
}
