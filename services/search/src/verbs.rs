//! Verbs in the forms people write about doing things: 읽다 as 읽는, 읽기, 읽어요, 읽으실 분.

use crate::korean::{compose, decompose, is_vowel};

/// Endings that follow the stem as it is.
const PLAIN: &[&str] = &["기", "고", "고싶은", "고싶어요", "자", "던", "지"];
/// Endings that begin with ㄴ, before which a final ㄹ falls.
const NASAL: &[&str] = &["는", "는데", "는분", "는사람"];
/// Endings after a vowel; after a consonant they take 으.
const LINKED: &[&str] =
    &["ㄹ", "ㄹ분", "ㄹ사람", "ㄹ래요", "ㄹ까요", "ㄴ", "며", "면서", "러", "려는", "려고"];
/// The same, before which a final ㄹ falls.
const POLITE: &[&str] = &["실", "실분", "세요", "ㅂ시다"];
/// Endings of the form in 아 or 어.
const OPEN: &[&str] =
    &["", "요", "서", "보는", "보기", "볼", "보고", "봐요", "보실", "보실분", "ㅆ던", "ㅆ어요"];

/// The stems in ㅂ, ㄷ and ㅅ that change before a vowel, by their last syllable.
const CHANGING: &[char] =
    &['굽', '줍', '눕', '돕', '깁', '걷', '듣', '싣', '짓', '긋', '잇', '붓', '젓'];

/// The forms of a verb that is given with 다, itself first; nothing else has any.
pub fn forms(verb: &str) -> Vec<String> {
    let Some(stem) = verb.strip_suffix('다').filter(|it| !it.is_empty()) else {
        return vec![verb.to_owned()];
    };
    let typed = decompose(stem);
    let end = stem.chars().next_back().unwrap_or(' ');
    let last = typed.chars().next_back().unwrap_or(' ');
    let liquid = last == 'ㄹ';
    let short = if liquid { typed.trim_end_matches('ㄹ') } else { &typed };
    let linked = linked(&typed, end, last);
    let open = open(&typed, end, last);
    let join = |stem: &str, endings: &[&str]| -> Vec<String> {
        endings.iter().map(|it| compose(&format!("{stem}{}", decompose(it)))).collect()
    };
    let mut all = vec![verb.to_owned()];
    all.extend(join(&typed, PLAIN));
    all.extend(join(short, NASAL));
    all.extend(LINKED.iter().map(|ending| {
        let stem = match ending.chars().next() {
            Some('ㄹ') if liquid => short,
            Some('ㄴ') if liquid => short,
            _ => &linked,
        };
        compose(&format!("{stem}{}", decompose(ending)))
    }));
    all.extend(join(if liquid { short } else { &linked }, POLITE));
    let formal = if is_vowel(last) || liquid { "ㅂ니다" } else { "습니다" };
    all.extend(join(short, &[formal]));
    all.extend(join(&open, OPEN));
    // What is short or no longer a verb means much else: 산타, 별세, 집사.
    let phrase = stem.chars().count() > 1;
    all.retain(|it| it != stem && (!phrase || it.chars().count() > 2));
    all
}

/// The stem before endings that want a vowel.
fn linked(typed: &str, end: char, last: char) -> String {
    if is_vowel(last) || last == 'ㄹ' {
        return typed.to_owned();
    }
    let bare = &typed[..typed.len() - last.len_utf8()];
    match last {
        'ㅂ' if CHANGING.contains(&end) => format!("{bare}ㅇㅜ"),
        'ㄷ' if CHANGING.contains(&end) => format!("{bare}ㄹㅇㅡ"),
        'ㅅ' if CHANGING.contains(&end) => format!("{bare}ㅇㅡ"),
        _ => format!("{typed}ㅇㅡ"),
    }
}

/// The stem with 아 or 어, drawn together where people do so.
fn open(typed: &str, end: char, last: char) -> String {
    let letters: Vec<char> = typed.chars().collect();
    let vowels: Vec<char> = letters.iter().copied().filter(|it| is_vowel(*it)).collect();
    let before = vowels.len().checked_sub(2).and_then(|at| vowels.get(at)).copied();
    let bright = |vowel: Option<char>| matches!(vowel, Some('ㅏ' | 'ㅗ' | 'ㅑ'));
    let tail = |vowel| if bright(vowel) { 'ㅏ' } else { 'ㅓ' };
    let bare = &typed[..typed.len() - last.len_utf8()];
    let joined = letters.len().checked_sub(2).and_then(|at| letters.get(at)).copied();
    match last {
        _ if end == '하' => format!("{bare}ㅐ"),
        'ㅡ' if end == '르' => format!("{bare}ㄹ{}", tail(before)),
        'ㅡ' => format!("{bare}{}", tail(before)),
        'ㅏ' | 'ㅓ' | 'ㅐ' | 'ㅔ' | 'ㅕ' => typed.to_owned(),
        'ㅗ' => format!("{typed}ㅏ"),
        'ㅜ' => format!("{typed}ㅓ"),
        // 뛰어 stays in two, for ㅟ draws nothing to itself.
        'ㅣ' if joined.is_some_and(is_vowel) => format!("{typed}ㅇㅓ"),
        'ㅣ' => format!("{bare}ㅕ"),
        'ㅂ' if end == '돕' => format!("{bare}ㅇㅗㅏ"),
        'ㅂ' if CHANGING.contains(&end) => format!("{bare}ㅇㅜㅓ"),
        'ㄷ' if CHANGING.contains(&end) => format!("{bare}ㄹㅇㅓ"),
        'ㅅ' if CHANGING.contains(&end) => format!("{bare}ㅇㅓ"),
        _ => format!("{typed}ㅇ{}", tail(vowels.last().copied())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_known_in_the_forms_people_write() {
        for (verb, expected) in [
            (
                "책읽다",
                "책읽는 책읽기 책읽고 책읽을 책읽으실분 책읽어요 책읽습니다 책읽으러 책읽어보는",
            ),
            ("빵굽다", "빵굽는 빵굽기 빵구울 빵구운 빵구워요 빵굽습니다 빵구우실"),
            ("걷다", "걷는 걷기 걸어요 걸을 걸으실분 걷습니다"),
            (
                "옷만들다",
                "옷만드는 옷만들기 옷만들사람 옷만든 옷만들어요 옷만듭니다 옷만드실분 옷만들러",
            ),
            ("노래부르다", "노래부르는 노래부를 노래불러요 노래부릅니다 노래부르실"),
            ("산오르다", "산오르는 산올라요"),
            ("기타치다", "기타치는 기타칠 기타쳐요 기타칩니다 기타치러"),
            ("뛰다", "뛰는 뛰어요 뛸 뜁니다"),
            ("글쓰다", "글쓰는 글써요 글쓸사람 글씁니다"),
            ("돈모으다", "돈모아요 돈모으는 돈모을"),
            ("김치담그다", "김치담가요 김치담그는"),
            ("자전거타다", "자전거타는 자전거타요 자전거탈 자전거탑니다"),
            ("별보다", "별보는 별봐요 별볼사람 별봅니다"),
            ("집짓다", "집짓는 집지어요 집지을"),
            ("옷입다", "옷입어요 옷입는 옷입을"),
            ("봉사하다", "봉사하는 봉사해요 봉사할 봉사합니다 봉사했던"),
            ("춤배우다", "춤배워요 춤배우는 춤배울"),
        ] {
            let forms = forms(verb);
            for form in expected.split(' ') {
                assert!(forms.iter().any(|it| it == form), "{verb}: {form} in {forms:?}");
            }
        }
        assert!(!forms("산타다").contains(&"산타".to_owned()));
        assert!(!forms("집사다").contains(&"집산".to_owned()));
        assert_eq!(forms("등산"), ["등산"]);
    }
}
