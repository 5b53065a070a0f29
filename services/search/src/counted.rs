//! What a search by initial consonants, or by a word that is half typed, counts as among popular terms: what it found.

use std::collections::HashMap;

use crate::analysis::Analyzer;
use crate::korean;
use crate::synonyms::joined;
use crate::tokens::Stream;

/// What most of what was found is called; nothing when that differs.
pub fn by_what_was_found(names: &[Option<String>]) -> Option<String> {
    let mut count: HashMap<String, (usize, &str)> = HashMap::new();
    for name in names.iter().flatten() {
        count.entry(joined(name)).or_insert((0, name)).0 += 1;
    }
    let most = count.into_values().max();
    most.filter(|(count, _)| 2 * count > names.len()).map(|(_, name)| name.to_owned())
}

/// The words that were meant, where they stand in what was found; nothing when one does not.
pub fn name(analyzer: &Analyzer, typed: &[String], texts: [&str; 2]) -> Option<String> {
    let words = typed.iter().map(|word| texts.iter().find_map(|text| find(analyzer, word, text)));
    let words: Vec<String> = words.collect::<Option<_>>()?;
    Some(words.join(" "))
}

/// The shortest word that has these initial consonants, or begins like this.
fn find(analyzer: &Analyzer, typed: &str, text: &str) -> Option<String> {
    let letters = korean::decompose(typed);
    let initials = typed.chars().all(korean::is_initial);
    let meant = analyzer.tokens(text).into_iter().filter(|it| match it.stream {
        Stream::Initials => initials && it.text == typed,
        Stream::Typed => !initials && it.text.starts_with(&letters),
        Stream::Word | Stream::Pair => false,
    });
    let place = meant.map(|it| it.place).min_by_key(ExactSizeIterator::len)?;
    text.get(place).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_most_of_it_is_called() {
        let analyzer = Analyzer::new();
        let found = |typed: &str, titles: &[&str]| {
            let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            let names = titles.iter().map(|it| name(&analyzer, &typed, [*it, ""]));
            by_what_was_found(&names.collect::<Vec<_>>())
        };
        for (typed, titles, expected) in [
            ("ㄷㅅㅁㅇ", &["마포 독서모임에서"][..], Some("독서모임")),
            ("ㄷㅅㅁㅇ", &["마포 독서모임", "주말 등산모임", "느린 독서 모임"], Some("독서모임")),
            ("ㄷㅅㅁㅇ", &["마포 독서모임", "주말 등산모임"], None),
            ("ㅎㅁㄴㅋ", &["하모니카 부는 공원"], Some("하모니카")),
            ("하모니ㅋ", &["하모니카를 부는 공원"], Some("하모니카")),
            ("ㅁㅅㄱ ㅌㅇ", &["주말 미술관 투어"], Some("미술관 투어")),
            ("ㅁㅅㄱ ㅌㅇ", &["주말 미술관"], None),
            ("ㅎㅁㄴㅋ", &[], None),
        ] {
            assert_eq!(found(typed, titles).as_deref(), expected, "{typed} in {titles:?}");
        }
    }
}
