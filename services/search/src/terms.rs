//! Words that are known: kept whole, found inside longer runs, of little weight, or not for display.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::korean;
use crate::synonyms::{Synonyms, joined};

/// The longest known word that is looked for inside a run, in letters.
const LONGEST: usize = 10;
/// What one letter costs that belongs to no known word, where a known word costs 2.
const UNKNOWN: u32 = 2;

/// Words that say little: they need not be found when others are.
const WEAK: &[&str] = &[
    "모임",
    "소모임",
    "동호회",
    "동아리",
    "클럽",
    "크루",
    "모집",
    "회원",
    "멤버",
    "함께",
    "같이",
    "추천",
    "분",
    "하실",
    "하실분",
    "사람",
    "사람들",
    "구해요",
    "구합니다",
    "찾아요",
    "찾습니다",
    "하는",
    "하기",
    "좋은",
    "근처",
    "정모",
    "정기",
    "번개",
    "스터디",
    "공부",
    "수업",
    "클래스",
    "강습",
    "교실",
    "배우기",
    "배우는",
    "배우고",
    "준비",
    "좋아하는",
    "좋아해요",
    "즐기는",
    "즐기기",
    "싶은",
    "싶어요",
    "싶다",
    "싫은",
    "싫어요",
    "하고",
    "갈",
    "가는",
    "가기",
    "가요",
    "갈까요",
    "해요",
    "해봐요",
    "합니다",
    "하자",
    "할",
    "할사람",
    "분들",
    "우리",
    "위한",
    "있는",
    "있나요",
    "어디",
    "어떤",
    "찾기",
    "구함",
    "모여요",
    "모이는",
    "만나요",
    "만나는",
    "참여",
    "처음",
    "시작",
    "즐거운",
    "재밌는",
    "편한",
    "매주",
    "매일",
    "정기적",
    "가능",
    "환영",
    "치는",
    "타는",
    "타기",
    "하러",
    "보러",
    "먹으러",
    "보는",
    "먹는",
    "만드는",
    "듣는",
    "배울",
    "배워요",
    "배우실",
    "즐길",
    "즐겨요",
    "모이실",
    "모여라",
    "오세요",
    "하실래요",
    "할래요",
    "하고싶은",
    "하고싶어요",
    "하려는",
    "하려고",
    "갈사람",
    "가실분",
    "가실",
    "가고",
    "구하는",
    "추천해줘",
    "추천해주세요",
    "알려주세요",
    "있을까요",
    "있어요",
    "근교",
    "주변",
    "인근",
    "동네",
    "가까운",
    "하는곳",
    "하는데",
    "사람구함",
    "동호인",
    "팀원",
    "참가",
    "참가하는",
    "참여하는",
    "즐겁게",
    "재미있는",
    "다니는",
    "다니기",
    "키우는",
    "나누는",
    "나누기",
    "위해",
    "및",
    "그리고",
    "처음하는",
    "시작하는",
    "탐방",
    "투어",
    "체험",
    "구경",
    "순례",
    "만들기",
    "보기",
    "치기",
    "듣기",
    "먹기",
    "마시기",
    "키우기",
    "people",
    "lovers",
    "join",
    "near",
    "me",
    "my",
    "on",
    "study",
    "class",
    "lesson",
    "club",
    "crew",
    "meetup",
    "group",
    "the",
    "a",
    "an",
    "of",
    "for",
    "in",
    "and",
    "with",
    "to",
    "at",
];

/// The words that the room was given.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    whole: HashSet<String>,
    /// The first two letters of known words, with the length of the longest that begins so.
    begins: HashMap<[char; 2], usize>,
    /// Known words as they are typed, letter by letter.
    typed: Vec<String>,
    hobbies: Vec<String>,
}

impl Terms {
    /// Reads words with commas between and comments after `#`; those of synonyms belong to them.
    pub fn parse(text: &str, synonyms: &Synonyms) -> Self {
        let mut hobbies: Vec<String> = list(text).map(|it| joined(&it)).collect();
        hobbies.retain(|word| !word.is_empty());
        let mut seen = HashSet::new();
        hobbies.retain(|word| seen.insert(word.clone()));
        let whole = hobbies.iter().map(String::as_str).chain(synonyms.words());
        let mut whole: HashSet<String> = whole.map(str::to_owned).collect();
        let typed = whole.iter().map(|it| korean::decompose(it)).collect();
        whole.extend(synonyms.forms().iter().cloned());
        let mut begins = HashMap::new();
        for word in &whole {
            let mut letters = word.chars();
            if let (Some(first), Some(second)) = (letters.next(), letters.next()) {
                let longest: &mut usize = begins.entry([first, second]).or_default();
                *longest = (*longest).max(2 + letters.count());
            }
        }
        Self { whole, begins, typed, hobbies }
    }

    /// Whether a word is kept as it is.
    pub fn is_whole(&self, word: &str) -> bool {
        self.whole.contains(word)
    }

    /// Whether any known word of so many letters or more begins like this.
    pub fn may_begin(&self, letters: [char; 2], least: usize) -> bool {
        self.begins.get(&letters).is_some_and(|longest| *longest >= least)
    }

    /// Every known word as it is typed, letter by letter.
    pub fn typed(&self) -> &[String] {
        &self.typed
    }

    /// The hobbies in the order of the file.
    pub fn hobbies(&self) -> &[String] {
        &self.hobbies
    }

    /// The known words that a run is made of, with what is left between; nothing when there is none.
    pub fn split(&self, letters: &[char]) -> Option<Vec<Range<usize>>> {
        // Most letters begin no known word, which one look tells.
        let longest: Vec<usize> = letters
            .windows(2)
            .map(|it| self.begins.get(&[it[0], it[1]]).copied().unwrap_or(0))
            .collect();
        if longest.iter().all(|it| *it == 0) {
            return None;
        }
        let mut word = String::new();
        split(letters, |range| {
            if longest.get(range.start).is_none_or(|it| *it < range.len()) {
                return false;
            }
            word.clear();
            word.extend(&letters[range]);
            self.whole.contains(&word)
        })
    }
}

/// The cheapest way to lay a run out in known words of two letters or more.
pub fn split(
    letters: &[char],
    mut knows: impl FnMut(Range<usize>) -> bool,
) -> Option<Vec<Range<usize>>> {
    let count = letters.len();
    if !(3..=40).contains(&count) || !letters.iter().all(|it| korean::is_syllable(*it)) {
        return None;
    }
    // best[n]: cost of the first n letters, where the last piece begins, and whether it is known.
    let mut best: Vec<(u32, usize, bool)> = vec![(0, 0, true)];
    for end in 1..=count {
        let (cost, start, known) = best[end - 1];
        // Unknown letters in a row are one piece, which costs a little by itself.
        let (opening, start) = if known { (1, end - 1) } else { (0, start) };
        let mut choice = (cost + opening + UNKNOWN, start, false);
        let starts = best[..end - 1].iter().enumerate().skip(end.saturating_sub(LONGEST));
        for (start, (before, ..)) in starts {
            let cheaper = end - start < count && before + 2 < choice.0;
            if cheaper && knows(start..end) {
                choice = (before + 2, start, true);
            }
        }
        best.push(choice);
    }
    let mut pieces = Vec::new();
    let mut end = count;
    let mut any = false;
    while end > 0 {
        let (_, start, known) = best[end];
        any |= known;
        pieces.push(start..end);
        end = start;
    }
    pieces.reverse();
    any.then_some(pieces)
}

/// Whether a word need not be found when others are.
pub fn is_weak(word: &str) -> bool {
    WEAK.contains(&word)
}

/// Words that are kept out of what everybody sees.
#[derive(Clone, Debug, Default)]
pub struct Abusive(Vec<String>);

impl Abusive {
    /// Reads words with commas between and comments after `#`.
    pub fn parse(text: &str) -> Self {
        let words = list(text).map(|it| joined(&it)).filter(|it| !it.is_empty());
        Self(words.collect())
    }

    /// Whether a term contains any: Hangul anywhere within a word, other letters as a whole word.
    pub fn is_in(&self, term: &str) -> bool {
        let bare = |word: &str| self.0.iter().any(|bad| found_in(bad, word));
        term.split(' ').any(bare) || bare(&term.replace(' ', ""))
    }
}

fn found_in(bad: &str, word: &str) -> bool {
    if bad.is_ascii() || bad.chars().count() < 3 {
        word == bad || starts(word, bad)
    } else {
        word.contains(bad)
    }
}

fn starts(word: &str, bad: &str) -> bool {
    !bad.is_ascii() && word.starts_with(bad)
}

fn list(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(|line| line.split_once('#').map_or(line, |(before, _)| before));
    lines.flat_map(|line| line.split(',')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(run: &str) -> Option<Vec<String>> {
        let synonyms = Synonyms::try_parse("서울, seoul\n러닝, 달리기\n기타, guitar").unwrap();
        let terms = Terms::parse("독서, 모임, 크루 # more\n보드게임, 게임", &synonyms);
        let letters: Vec<char> = run.chars().collect();
        let pieces = terms.split(&letters)?;
        Some(pieces.into_iter().map(|it| letters[it].iter().collect()).collect())
    }

    #[test]
    fn known_words_are_found_inside_a_run() {
        for (run, expected) in [
            ("독서모임", "독서 모임"),
            ("강남독서모임", "강남 독서 모임"),
            ("서울러닝크루", "서울 러닝 크루"),
            ("보드게임모임", "보드게임 모임"),
            ("달리기타임", "달리기 타임"),
        ] {
            assert_eq!(pieces(run).unwrap_or_default().join(" "), expected);
        }
        assert_eq!(pieces("독서"), None);
        assert_eq!(pieces("바나나우유"), None);
        assert_eq!(pieces("running"), None);
    }

    #[test]
    fn what_is_abusive_is_known_inside_words_but_not_across_harmless_ones() {
        let abusive = Abusive::parse("나쁜말, 욕, sex");
        assert!(abusive.is_in("정말 나쁜말들") && abusive.is_in("나쁜 말") && abusive.is_in("sex"));
        assert!(!abusive.is_in("essex") && !abusive.is_in("의욕 충만") && !abusive.is_in("목욕"));
    }
}
