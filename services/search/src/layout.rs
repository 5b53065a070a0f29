//! The wrong keyboard layout: what was typed on one of the two-set Korean and the Latin one, read on the other.

use crate::korean;

/// Keys of the Latin layout with the letter each gives on the Korean one.
const KEYS: [(char, char); 33] = [
    ('q', 'ㅂ'),
    ('w', 'ㅈ'),
    ('e', 'ㄷ'),
    ('r', 'ㄱ'),
    ('t', 'ㅅ'),
    ('y', 'ㅛ'),
    ('u', 'ㅕ'),
    ('i', 'ㅑ'),
    ('o', 'ㅐ'),
    ('p', 'ㅔ'),
    ('a', 'ㅁ'),
    ('s', 'ㄴ'),
    ('d', 'ㅇ'),
    ('f', 'ㄹ'),
    ('g', 'ㅎ'),
    ('h', 'ㅗ'),
    ('j', 'ㅓ'),
    ('k', 'ㅏ'),
    ('l', 'ㅣ'),
    ('z', 'ㅋ'),
    ('x', 'ㅌ'),
    ('c', 'ㅊ'),
    ('v', 'ㅍ'),
    ('b', 'ㅠ'),
    ('n', 'ㅜ'),
    ('m', 'ㅡ'),
    // With the shift key.
    ('Q', 'ㅃ'),
    ('W', 'ㅉ'),
    ('E', 'ㄸ'),
    ('R', 'ㄲ'),
    ('T', 'ㅆ'),
    ('O', 'ㅒ'),
    ('P', 'ㅖ'),
];

/// What Latin letters are in Hangul; nothing unless whole syllables, and nothing else, come out.
pub fn to_hangul(text: &str) -> Option<String> {
    let mut any = false;
    // With caps lock on, every key is shifted and none is meant to be.
    let shifted = |key: char| key.is_ascii_lowercase() || KEYS.iter().any(|(it, _)| *it == key);
    let locked = !text.contains(|it: char| it.is_ascii_lowercase())
        && text.contains(|it: char| it.is_ascii_uppercase() && !shifted(it));
    let lowered = if locked { text.to_ascii_lowercase() } else { text.to_owned() };
    let letters: String = lowered
        .chars()
        .map(|key| {
            any |= key.is_ascii_alphabetic();
            let exact = KEYS.iter().find(|(it, _)| *it == key);
            let plain = || KEYS.iter().find(|(it, _)| *it == key.to_ascii_lowercase());
            exact.or_else(plain).map_or(key, |(_, letter)| *letter)
        })
        .collect();
    let hangul = korean::compose(&letters);
    let whole = !hangul.contains(korean::is_letter) && !text.contains(korean::is_hangul);
    (any && whole).then_some(hangul)
}

/// What Hangul is in Latin letters; nothing when there are Latin letters in it already.
pub fn to_latin(text: &str) -> Option<String> {
    if !text.contains(korean::is_hangul) || text.contains(|it: char| it.is_ascii_alphabetic()) {
        return None;
    }
    let key = |letter: char| KEYS.iter().find(|(_, it)| *it == letter).map_or(letter, |it| it.0);
    Some(korean::decompose(text).chars().map(key).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_on_the_wrong_layout_is_read_on_the_right_one() {
        assert_eq!(to_hangul("emdtks").as_deref(), Some("등산"));
        assert_eq!(to_hangul("ehrtjahdla 5").as_deref(), Some("독서모임 5"));
        assert_eq!(to_hangul("Rhc").as_deref(), Some("꽃"));
        assert_eq!(to_hangul("EMDTKS").as_deref(), Some("등산"));
        assert_eq!(to_hangul("hiking"), None);
        assert_eq!(to_hangul("5"), None);
        assert_eq!(to_latin("ㅗㅑㅏㅑㅜㅎ").as_deref(), Some("hiking"));
        assert_eq!(to_latin("캠핑 camping"), None);
    }

    proptest! {
        #[test]
        fn hangul_survives_both_ways(text in "[가-힣]{1,8}( [가-힣]{1,8})?") {
            let keys = to_latin(&text).unwrap();
            prop_assert_eq!(to_hangul(&keys), Some(text));
        }

        #[test]
        fn latin_survives_both_ways(text in "[a-z]{1,16}") {
            if let Some(hangul) = to_hangul(&text) {
                prop_assert_eq!(to_latin(&hangul), Some(text));
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}") {
            let _ = (to_hangul(&text), to_latin(&text));
        }
    }
}
