//! Hangul taken apart and put together: letters as they are typed, initial consonants, particles.

const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ',
    'ㅌ', 'ㅍ', 'ㅎ',
];
const VOWELS: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ",
    "ㅜㅓ", "ㅜㅔ", "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
const FINALS: [&str; 28] = [
    "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ",
    "ㄹㅌ", "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ",
    "ㅎ",
];
/// Letters that stand alone and are typed in two strokes.
const PAIRS: [(char, &str); 18] = [
    ('ㄳ', "ㄱㅅ"),
    ('ㄵ', "ㄴㅈ"),
    ('ㄶ', "ㄴㅎ"),
    ('ㄺ', "ㄹㄱ"),
    ('ㄻ', "ㄹㅁ"),
    ('ㄼ', "ㄹㅂ"),
    ('ㄽ', "ㄹㅅ"),
    ('ㄾ', "ㄹㅌ"),
    ('ㄿ', "ㄹㅍ"),
    ('ㅀ', "ㄹㅎ"),
    ('ㅄ', "ㅂㅅ"),
    ('ㅘ', "ㅗㅏ"),
    ('ㅙ', "ㅗㅐ"),
    ('ㅚ', "ㅗㅣ"),
    ('ㅝ', "ㅜㅓ"),
    ('ㅞ', "ㅜㅔ"),
    ('ㅟ', "ㅜㅣ"),
    ('ㅢ', "ㅡㅣ"),
];
const FIRST: u32 = 0xAC00;

/// What a particle wants before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Any,
    Consonant,
    Vowel,
    /// No final consonant, or ㄹ.
    Liquid,
}
use After::{Any, Consonant, Liquid, Vowel};

/// Particles, the longest first among those with a common end.
const PARTICLES: &[(&str, After)] = &[
    ("에서부터는", Any),
    ("에서부터", Any),
    ("으로부터", Consonant),
    ("로부터", Liquid),
    ("에게서는", Any),
    ("에게서", Any),
    ("한테서", Any),
    ("이라도", Consonant),
    ("라도", Vowel),
    ("이라는", Consonant),
    ("라는", Vowel),
    ("이라면", Consonant),
    ("라면", Vowel),
    ("에서는", Any),
    ("에서도", Any),
    ("에서만", Any),
    ("에서의", Any),
    ("에서", Any),
    ("으로는", Consonant),
    ("으로도", Consonant),
    ("으로만", Consonant),
    ("으로", Consonant),
    ("에게는", Any),
    ("에게", Any),
    ("한테", Any),
    ("까지는", Any),
    ("까지", Any),
    ("부터", Any),
    ("처럼", Any),
    ("보다", Any),
    ("마다", Any),
    ("하고", Any),
    ("이랑", Consonant),
    ("이나", Consonant),
    ("이고", Consonant),
    ("입니다", Any),
    ("이에요", Consonant),
    ("예요", Vowel),
    ("에는", Any),
    ("에도", Any),
    ("에만", Any),
    ("은", Consonant),
    ("는", Vowel),
    ("이", Consonant),
    ("가", Vowel),
    ("을", Consonant),
    ("를", Vowel),
    ("과", Consonant),
    ("와", Vowel),
    ("랑", Vowel),
    ("나", Vowel),
    ("로", Liquid),
    ("도", Any),
    ("만", Any),
    ("에", Any),
    ("의", Any),
];

/// What is made of a noun by 하다, and other ends of what people write about doing things.
const DOINGS: &[&str] = &[
    "하실분들",
    "하실분",
    "할사람",
    "하는곳",
    "합니다",
    "했어요",
    "해봐요",
    "하면서",
    "하려는",
    "하는",
    "하기",
    "하고",
    "하며",
    "하실",
    "해요",
    "해서",
    "했던",
    "하자",
    "한다",
    "하다",
    "할",
    "들",
];

/// True for a whole syllable.
pub fn is_syllable(letter: char) -> bool {
    ('가'..='힣').contains(&letter)
}

/// True for a consonant or vowel that stands alone.
pub fn is_letter(letter: char) -> bool {
    ('ㄱ'..='ㅣ').contains(&letter)
}

/// True for a consonant that can begin a syllable and stands alone.
pub fn is_initial(letter: char) -> bool {
    INITIALS.contains(&letter)
}

/// True for anything of Hangul as it is written today.
pub fn is_hangul(letter: char) -> bool {
    is_syllable(letter) || is_letter(letter)
}

fn parts(syllable: char) -> (usize, usize, usize) {
    let number = (u32::from(syllable) - FIRST) as usize;
    (number / 588, number % 588 / 28, number % 28)
}

/// True for a syllable with a final consonant.
pub fn has_final(letter: char) -> bool {
    is_syllable(letter) && parts(letter).2 != 0
}

/// The letters of a text in the order they are typed; what is not Hangul stays.
pub fn decompose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for letter in text.chars() {
        if is_syllable(letter) {
            let (initial, vowel, last) = parts(letter);
            out.push(INITIALS[initial]);
            out.push_str(VOWELS[vowel]);
            out.push_str(FINALS[last]);
        } else if let Some((_, pair)) = PAIRS.iter().find(|(it, _)| *it == letter) {
            out.push_str(pair);
        } else {
            out.push(letter);
        }
    }
    out
}

/// Syllables made of letters in the order they are typed, as a keyboard makes them.
pub fn compose(letters: &str) -> String {
    let mut out = String::with_capacity(letters.len());
    let all: Vec<char> = letters.chars().collect();
    let mut at = 0;
    while at < all.len() {
        match syllable_at(&all[at..]) {
            Some((syllable, used)) => {
                out.push(syllable);
                at += used;
            }
            None => {
                out.push(all[at]);
                at += 1;
            }
        }
    }
    out
}

/// The syllable that these letters begin with, and how many of them it takes.
fn syllable_at(letters: &[char]) -> Option<(char, usize)> {
    let initial = INITIALS.iter().position(|it| Some(it) == letters.first())?;
    let (vowel, mut used) = longest(&VOWELS, letters, 1)?;
    used += 1;
    let (mut last, mut taken) = longest(&FINALS, letters, used).unwrap_or((0, 0));
    // A consonant before a vowel begins the next syllable.
    if taken > 0 && letters.get(used + taken).is_some_and(|it| is_vowel(*it)) {
        taken -= 1;
        last = if taken == 0 { 0 } else { one_of(&FINALS, letters[used])? };
    }
    let code = FIRST + u32::try_from(initial * 588 + vowel * 28 + last).ok()?;
    Some((char::from_u32(code)?, used + taken))
}

fn longest(table: &[&str], letters: &[char], from: usize) -> Option<(usize, usize)> {
    for length in [2, 1] {
        let Some(wanted) = letters.get(from..from + length) else { continue };
        let found = table.iter().position(|it| it.chars().eq(wanted.iter().copied()));
        if let Some(found) = found {
            return Some((found, length));
        }
    }
    None
}

fn one_of(table: &[&str], letter: char) -> Option<usize> {
    table.iter().position(|it| it.chars().eq([letter]))
}

/// True for a vowel that stands alone.
pub fn is_vowel(letter: char) -> bool {
    ('ㅏ'..='ㅣ').contains(&letter)
}

/// The initial consonant of each syllable; nothing when there is anything else among the letters.
pub fn initials(letters: impl IntoIterator<Item = char>) -> Option<String> {
    letters.into_iter().map(|it| is_syllable(it).then(|| INITIALS[parts(it).0])).collect()
}

/// The word without a particle that agrees with it; at least two syllables remain.
pub fn without_particle(word: &str) -> Option<&str> {
    stem(word, 2)
}

/// As [`without_particle`], also when one syllable remains: only for what is looked up among known words.
pub fn without_any_particle(word: &str) -> Option<&str> {
    stem(word, 1)
}

fn stem(word: &str, least: usize) -> Option<&str> {
    PARTICLES.iter().find_map(|(particle, after)| {
        let stem = word.strip_suffix(particle)?;
        let last = stem.chars().next_back().filter(|it| is_syllable(*it))?;
        let agrees = match after {
            Any => true,
            Consonant => has_final(last),
            Vowel => !has_final(last),
            Liquid => matches!(parts(last).2, 0 | 8),
        };
        (agrees && stem.chars().nth(least - 1).is_some()).then_some(stem)
    })
}

/// The noun in front of what 하다 made of it; at least two syllables remain.
pub fn without_doing(word: &str) -> Option<&str> {
    DOINGS.iter().find_map(|ending| {
        let stem = word.strip_suffix(ending)?;
        let noun = stem.chars().next_back().is_some_and(is_syllable);
        (noun && stem.chars().nth(1).is_some()).then_some(stem)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn syllables_are_taken_apart_as_they_are_typed() {
        for (word, letters) in [
            ("등산", "ㄷㅡㅇㅅㅏㄴ"),
            ("과일", "ㄱㅗㅏㅇㅣㄹ"),
            ("읽다", "ㅇㅣㄹㄱㄷㅏ"),
            ("꽃", "ㄲㅗㅊ"),
            ("5km", "5km"),
            ("ㅢ", "ㅡㅣ"),
        ] {
            assert_eq!(decompose(word), letters);
        }
    }

    #[test]
    fn letters_are_put_together_as_a_keyboard_does() {
        for (letters, word) in [
            ("ㄱㅏㅂㅅㅇㅣ", "값이"),
            ("ㄱㅏㅂㅅㅣ", "갑시"),
            ("ㅂㅜㄱㅎㅏㄴㅅ", "북한ㅅ"),
            ("ㄷㅅㅁㅇ", "ㄷㅅㅁㅇ"),
            ("ㅏㅏ", "ㅏㅏ"),
        ] {
            assert_eq!(compose(letters), word);
        }
    }

    #[test]
    fn a_particle_goes_only_where_it_agrees() {
        for (word, stem) in [
            ("북한산에서", Some("북한산")),
            ("등산을", Some("등산")),
            ("등산를", None),
            ("축구는", Some("축구")),
            ("축구은", None),
            ("서울로", Some("서울")),
            ("부산으로", Some("부산")),
            ("고양이", Some("고양")),
            ("사람이", Some("사람")),
            ("산에", None),
            ("학교이", None),
            ("에서", None),
        ] {
            assert_eq!(without_particle(word), stem, "{word}");
        }
    }

    #[test]
    fn a_noun_comes_out_of_what_is_done() {
        for (word, noun) in [("등산하기", Some("등산")), ("독서해요", Some("독서")), ("할", None)]
        {
            assert_eq!(without_doing(word), noun, "{word}");
        }
    }

    #[test]
    fn initials_are_those_of_whole_syllables() {
        assert_eq!(initials("독서모임".chars()).as_deref(), Some("ㄷㅅㅁㅇ"));
        assert_eq!(initials("5번".chars()), None);
    }

    proptest! {
        #[test]
        fn whole_syllables_survive_being_taken_apart(word in "[가-힣]{0,12}") {
            prop_assert_eq!(compose(&decompose(&word)), word);
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}") {
            let _ = compose(&text);
            let _ = compose(&decompose(&text));
            let _ = (without_particle(&text), without_doing(&text), initials(text.chars()));
        }

        #[test]
        fn a_vowel_particle_never_follows_a_consonant(word in "[가-힣]{2,4}") {
            let last = word.chars().next_back().unwrap();
            prop_assert_eq!(without_particle(&format!("{word}를")).is_some(), !has_final(last));
            prop_assert_eq!(without_particle(&format!("{word}을")).is_some(), has_final(last));
        }
    }
}
