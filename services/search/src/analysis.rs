//! Text as the index holds it: words, pairs of letters, letters as typed, and initial consonants.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::korean;
use crate::normal::{self, Word, scripts, singular};
use crate::synonyms::{Synonyms, Twice, joined};
use crate::terms::{Abusive, Terms};
use crate::tokens::{Stream, Token, Tokens, initials};

/// Longer words are kept by their pairs of letters only.
const LONGEST_WORD: usize = 40;
/// A join of neighbours that is looked up among known words.
const MOST_JOINED: usize = 3;
/// Changes when the same text is to be analysed otherwise, so that indexes are built anew.
const EDITION: u32 = 3;

/// Stands before the first letter of a word where pairs of letters stand.
pub const BEGIN: char = '^';

pub const SYNONYMS: &str = include_str!("../data/synonyms.txt");
pub const HOBBIES: &str = include_str!("../data/hobbies.txt");
pub const ABUSIVE: &str = include_str!("../data/abusive.txt");

/// The form of a word that is compared, and which of its letters it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The form.
    pub text: String,
    /// Which letters it covers.
    pub letters: Range<usize>,
}

/// Everything that is known about words.
#[derive(Debug)]
pub struct Analyzer {
    /// Words of one meaning.
    pub synonyms: Synonyms,
    /// Known words.
    pub terms: Terms,
    /// Words kept out of popular terms.
    pub abusive: Abusive,
    fingerprint: String,
}

impl Analyzer {
    /// With the words that come along.
    pub fn new() -> Self {
        Self::try_new(SYNONYMS, HOBBIES, ABUSIVE).unwrap_or_else(|_| Self::empty())
    }

    /// With words of one's own.
    pub fn try_new(synonyms: &str, hobbies: &str, abusive: &str) -> Result<Self, Twice> {
        let mut hash = Sha256::new();
        hash.update(EDITION.to_be_bytes());
        for text in [synonyms, hobbies] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let fingerprint = hash.finalize().iter().take(12).map(|it| format!("{it:02x}")).collect();
        let synonyms = Synonyms::try_parse(synonyms)?;
        let terms = Terms::parse(hobbies, &synonyms);
        Ok(Self { synonyms, terms, abusive: Abusive::parse(abusive), fingerprint })
    }

    fn empty() -> Self {
        let (synonyms, terms, abusive) = Default::default();
        Self { synonyms, terms, abusive, fingerprint: String::new() }
    }

    /// Equal when the same text gives the same tokens.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// All tokens of a text.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let words = normal::words(text);
        let stems: Vec<usize> = words.iter().map(stem).collect();
        let mut out = Tokens::default();
        let mut pieces = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let forms = self.forms(word);
            let base = shortest(&forms);
            self.word(word, forms, &mut out);
            pieces.push(self.pieces(word, base));
            self.joins(&words, &stems, index, &mut out);
        }
        initials(&words, &pieces, &mut out);
        out.tokens
    }

    /// The tokens of the neighbours up to a word that are known as one word.
    pub fn joins(&self, words: &[Word], stems: &[usize], last: usize, out: &mut Tokens) {
        for start in (last + 1).saturating_sub(MOST_JOINED)..last {
            self.join(&words[start..=last], &stems[start..=last], out);
        }
    }

    /// A word in the forms it is found by: whole, without particles and endings, singular; the
    /// first is the whole.
    pub fn forms(&self, word: &Word) -> Vec<Form> {
        let all = word.text();
        let mut forms = vec![Form { letters: 0..word.letters().len(), text: all.clone() }];
        let mut rest = all.as_str();
        for _ in 0..2 {
            if self.terms.is_whole(rest) {
                break;
            }
            let stem = korean::without_particle(rest);
            let shorter = stem
                .filter(|it| self.terms.is_whole(it))
                .or_else(|| korean::without_doing(rest))
                .or(stem);
            let Some(shorter) = shorter else { break };
            rest = shorter;
            forms.push(Form { letters: 0..rest.chars().count(), text: rest.to_owned() });
        }
        if let Some(singular) = singular(&all) {
            forms.push(Form { letters: 0..word.letters().len(), text: singular });
        }
        forms
    }

    /// The parts of a word that are words themselves; empty when it is one thing.
    pub fn parts(&self, word: &Word) -> Vec<Form> {
        self.parts_of(word, shortest(&self.forms(word)))
    }

    /// The parts of the first letters of a word.
    fn parts_of(&self, word: &Word, base: usize) -> Vec<Form> {
        let scripts = scripts(&word.letters()[..base]);
        let mut found = Vec::new();
        for run in &scripts {
            if scripts.len() > 1 && (run.len() > 1 || word.letters()[run.start].is_numeric()) {
                found.push(Form { text: word.slice(run.clone()), letters: run.clone() });
            }
            self.split(word, run.clone(), &mut found);
        }
        found
    }

    fn split(&self, word: &Word, run: Range<usize>, found: &mut Vec<Form>) {
        // Short known words are one thing, whatever stands inside them.
        let text = word.slice(run.clone());
        if run.len() < 4 && self.terms.is_whole(&text) {
            return;
        }
        for piece in self.pieces_of(&word.letters()[run.clone()]).unwrap_or_default() {
            let piece = run.start + piece.start..run.start + piece.end;
            if piece.len() > 1 {
                let text = word.slice(piece.clone());
                let known = self.terms.is_whole(&text);
                found.push(Form { text, letters: piece.clone() });
                if known {
                    self.split(word, piece, found);
                }
            }
        }
    }

    /// The known words that a run is made of, with what is left between; nothing when it is one thing, as a word is that
    /// was given and has a meaning of its own: 머신러닝 is no 러닝, but 가족캠핑 is 가족 and 캠핑.
    pub fn pieces_of(&self, letters: &[char]) -> Option<Vec<Range<usize>>> {
        let pieces = self.terms.split(letters)?;
        let text: String = letters.iter().collect();
        if !self.terms.is_whole(&text) {
            return Some(pieces);
        }
        let own = self.synonyms.marks(&text);
        let mut parts = pieces.iter().map(|it| letters[it.clone()].iter().collect::<String>());
        let of_parts = match own.is_empty() {
            true => parts.all(|it| self.terms.is_whole(&it)),
            false => parts.any(|it| {
                own.contains(&self.synonyms.narrow(&it))
                    || self.mark(&it).is_some_and(|it| own.contains(&it))
            }),
        };
        of_parts.then_some(pieces)
    }

    /// The name that stands in the index for a word's group.
    pub fn mark(&self, word: &str) -> Option<String> {
        self.synonyms.mark(word)
    }

    /// Whether neighbours are known as one word, as they stand or without particles: 별을 보는 is 별보는, 보드
    /// 게임을 is 보드게임, and 해변 청소하기 is 해변청소.
    pub fn joined(&self, words: &[Word]) -> Option<String> {
        let stems: Vec<usize> = words.iter().map(stem).collect();
        self.joined_by(words, &stems)
    }

    fn joined_by(&self, words: &[Word], stems: &[usize]) -> Option<String> {
        let (last, before) = words.split_last()?;
        let end = &last.letters()[..*stems.last()?];
        let whole = before.iter().map(|it| it.letters().len());
        for lengths in [whole.collect(), stems[..before.len()].to_vec()] {
            let begin = before.iter().zip(lengths).flat_map(|(it, length)| &it.letters()[..length]);
            let mut letters = begin.clone().chain(end);
            let first = [*letters.next()?, *letters.next()?];
            // Most neighbours are no word, which two letters tell.
            if !self.terms.may_begin(first, 2 + letters.count()) {
                continue;
            }
            let known = [last.letters(), end].map(|it| begin.clone().chain(it).collect::<String>());
            if let Some(known) = known.iter().find(|it| self.terms.is_whole(it)) {
                return Some(known.clone());
            }
            let done = korean::without_doing(&known[0]).filter(|it| self.terms.is_whole(it));
            if let Some(known) = done {
                return Some(known.to_owned());
            }
        }
        None
    }

    /// The tokens of a word in its forms.
    pub fn word(&self, word: &Word, forms: Vec<Form>, out: &mut Tokens) {
        let count = word.letters().len();
        let first = out.tokens.len();
        let parts = self.parts_of(word, shortest(&forms));
        let forms = if count <= LONGEST_WORD { forms } else { Vec::new() };
        for form in forms.into_iter().chain(parts) {
            if form.letters.len() <= LONGEST_WORD {
                self.form(word, form, first, out);
            }
        }
        // A pair of its own for the beginning tells what begins like this from what only contains it.
        if let Some(first) = word.letters().first().filter(|it| korean::is_hangul(**it)) {
            out.pair(format!("{BEGIN}{first}"), word.place(0..1));
        }
        for at in 1..count {
            let pair = at - 1..at + 1;
            if word.letters()[pair.clone()].iter().any(|it| korean::is_hangul(*it)) {
                out.pair(word.slice(pair.clone()), word.place(pair));
            }
        }
        out.part_words();
    }

    /// A form, unless it stands among the tokens of its word, the first of which is given.
    fn form(&self, word: &Word, form: Form, first: usize, out: &mut Tokens) {
        let has = |out: &Tokens, text: &str| {
            out.tokens[first..].iter().any(|it| it.stream == Stream::Word && it.text == text)
        };
        if has(out, &form.text) {
            return;
        }
        let place = word.place(form.letters);
        out.push(Stream::Typed, korean::decompose(&form.text), place.clone());
        for mark in self.synonyms.marks(&form.text) {
            if !has(out, mark) {
                out.push(Stream::Word, mark.clone(), place.clone());
            }
        }
        out.push(Stream::Word, form.text, place);
    }

    fn join(&self, words: &[Word], stems: &[usize], out: &mut Tokens) {
        let Some(known) = self.joined_by(words, stems) else { return };
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let place = first.whole().start..last.whole().end;
        for mark in self.synonyms.marks(&known) {
            out.push(Stream::Word, mark.clone(), place.clone());
        }
        out.push(Stream::Typed, korean::decompose(&known), place.clone());
        out.push(Stream::Word, known, place);
    }

    /// A word laid out in pieces for initial consonants: parts, or the shortest form.
    pub fn pieces(&self, word: &Word, base: usize) -> Vec<Range<usize>> {
        let letters = word.letters();
        if letters.len() > LONGEST_WORD {
            return Vec::new();
        }
        let mut pieces = Vec::new();
        let outer = self.pieces_of(&letters[..base]);
        for piece in outer.unwrap_or_else(|| std::iter::once(0..base).collect()) {
            let inner = self.pieces_of(&letters[piece.clone()]).unwrap_or_default();
            match inner.is_empty() || piece.len() < 4 {
                true => pieces.push(piece),
                false => pieces
                    .extend(inner.iter().map(|it| piece.start + it.start..piece.start + it.end)),
            }
        }
        pieces
    }
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new()
    }
}

/// How many letters of a word stand before any particle, however few.
pub fn stem(word: &Word) -> usize {
    let text = word.text();
    korean::without_any_particle(&text).map_or(word.letters().len(), |it| it.chars().count())
}

/// How many letters the shortest form covers.
pub fn shortest(forms: &[Form]) -> usize {
    forms.iter().map(|it| it.letters.end).min().unwrap_or(0)
}

/// A query or term as it is counted and shown: plain words with single blanks.
pub fn shown(text: &str) -> String {
    normal::line(text)
}

/// Whether two terms are the same but for blanks.
pub fn same(one: &str, other: &str) -> bool {
    joined(one) == joined(other)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static ANALYZER: LazyLock<Analyzer> = LazyLock::new(Analyzer::new);

    fn terms(text: &str, stream: Stream) -> Vec<String> {
        let tokens = ANALYZER.tokens(text).into_iter().filter(|it| it.stream == stream);
        tokens.map(|it| it.text).collect()
    }

    #[test]
    fn the_words_that_come_along_are_sound() {
        let synonyms = Synonyms::try_parse(SYNONYMS).unwrap();
        assert!(synonyms.len() >= 1_500, "{}", synonyms.len());
        let terms = Terms::parse(HOBBIES, &synonyms);
        assert!(terms.hobbies().len() >= 500, "{}", terms.hobbies().len());
    }

    #[test]
    fn a_word_is_found_whole_by_its_stem_its_parts_and_its_group() {
        for (text, expected) in [
            ("독서모임에서", &["독서모임에서", "독서모임", "독서", "모임", "=독서"][..]),
            ("고양이", &["고양이", "=고양이"]),
            ("북한산을", &["북한산을", "북한산"]),
            ("보드 게임", &["보드게임", "=보드게임"]),
            ("runners", &["runner", "=러닝"]),
            ("강아지산책", &["강아지산책", "=강아지산책", "강아지", "산책"]),
            ("5km러닝", &["5", "km", "러닝", "=러닝"]),
            ("보드 게임을", &["보드게임", "=보드게임"]),
            ("별을 보는", &["=별보기"]),
            ("가족캠핑", &["=가족", "가족", "캠핑", "=캠핑"]),
        ] {
            let found = terms(text, Stream::Word);
            for term in expected {
                assert!(found.iter().any(|it| it == term), "{text}: {term} in {found:?}");
            }
        }
        for (text, other) in [
            ("고양이", "고양"),
            ("머신러닝", "러닝"),
            ("에스파냐어", "에스파"),
            ("개 세 마리", "=강아지"),
        ] {
            assert!(!terms(text, Stream::Word).contains(&other.to_owned()), "{text}");
        }
    }

    #[test]
    fn initials_run_over_neighbours() {
        for text in ["독서모임", "독서 모임", "강남 독서모임에서"] {
            assert!(terms(text, Stream::Initials).contains(&"ㄷㅅㅁㅇ".to_owned()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn tokens_stand_on_whole_letters(text in "(\\PC|[가-힣ㄱ-ㅣa-z0-9 ]|독서|모임|에서){0,40}") {
            for token in ANALYZER.tokens(&text) {
                prop_assert!(text.get(token.place.clone()).is_some());
                prop_assert!(!token.text.is_empty());
            }
        }
    }
}
