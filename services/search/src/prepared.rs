//! What the index takes in of a text, put together from words that were analysed before: most words are common.

use std::collections::HashMap;
use std::ops::Range;

use crate::analysis::{Analyzer, shortest, stem};
use crate::normal::{self, Word};
use crate::tokens::{END, Stream, Tokens, initials, lines};

/// Words that are remembered; with more of them all are forgotten.
const MOST_KNOWN: usize = 20_000;
/// Longer words are seldom met again.
const LONGEST_KNOWN: usize = 20;

/// The tokens of a text, of each stream one on each line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    pub words: String,
    pub pairs: String,
    pub typed: String,
    pub initials: String,
}

/// The words that were analysed before.
#[derive(Debug, Default)]
pub struct Known(HashMap<String, Learnt>);

/// What there is to know of a word.
#[derive(Clone, Debug)]
struct Learnt {
    words: String,
    pairs: String,
    typed: String,
    pieces: Vec<Range<usize>>,
    stem: usize,
}

impl Known {
    /// The tokens of a text, the same as the analyzer finds.
    pub fn prepare(&mut self, analyzer: &Analyzer, text: &str) -> Prepared {
        let words = normal::words(text);
        let (mut out, mut between) = (Prepared::default(), Tokens::default());
        let (mut pieces, mut stems) = (Vec::with_capacity(words.len()), Vec::new());
        let mut gap = 0;
        for (index, word) in words.iter().enumerate() {
            let add = |learnt: &Learnt| {
                out.words.push_str(&learnt.words);
                out.typed.push_str(&learnt.typed);
                if !learnt.pairs.is_empty() {
                    out.pairs.extend(std::iter::repeat_n(END, gap));
                    out.pairs.push_str(&learnt.pairs);
                    gap = 0;
                }
                gap += Tokens::BETWEEN_WORDS;
                pieces.push(learnt.pieces.clone());
                stems.push(learnt.stem);
            };
            self.with(analyzer, word, add);
            analyzer.joins(&words, &stems, index, &mut between);
        }
        out.words.push_str(&lines(&between.tokens, Stream::Word));
        out.typed.push_str(&lines(&between.tokens, Stream::Typed));
        let mut all = Tokens::default();
        initials(&words, &pieces, &mut all);
        out.initials = lines(&all.tokens, Stream::Initials);
        out
    }

    fn with(&mut self, analyzer: &Analyzer, word: &Word, add: impl FnOnce(&Learnt)) {
        let text = word.text();
        if let Some(learnt) = self.0.get(&text) {
            return add(learnt);
        }
        let learnt = learn(analyzer, word);
        add(&learnt);
        if word.letters().len() <= LONGEST_KNOWN {
            if self.0.len() >= MOST_KNOWN {
                self.0.clear();
            }
            self.0.insert(text, learnt);
        }
    }
}

fn learn(analyzer: &Analyzer, word: &Word) -> Learnt {
    let forms = analyzer.forms(word);
    let pieces = analyzer.pieces(word, shortest(&forms));
    let mut out = Tokens::default();
    analyzer.word(word, forms, &mut out);
    let [words, pairs, typed] =
        [Stream::Word, Stream::Pair, Stream::Typed].map(|stream| lines(&out.tokens, stream));
    Learnt { words, pairs, typed, pieces, stem: stem(word) }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    fn sorted(lines: &str) -> Vec<String> {
        let mut all: Vec<_> = lines.lines().map(str::to_owned).collect();
        all.sort_unstable();
        all
    }

    static ANALYZER: LazyLock<Analyzer> = LazyLock::new(Analyzer::new);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_what_the_analyzer_finds(
            texts in prop::collection::vec("([가-힣ㄱ-ㅣa-z0-9]{1,3}|독서|모임|에서|보드| |게임을|runners){0,12}", 1..6)
        ) {
            let analyzer = &*ANALYZER;
            let mut known = Known::default();
            for text in texts.iter().chain(&texts) {
                let (tokens, found) = (analyzer.tokens(text), known.prepare(analyzer, text));
                let all = |stream| lines(&tokens, stream);
                // Places count among pairs alone.
                prop_assert_eq!(&found.pairs, &all(Stream::Pair));
                prop_assert_eq!(&found.initials, &all(Stream::Initials));
                prop_assert_eq!(sorted(&found.words), sorted(&all(Stream::Word)));
                prop_assert_eq!(sorted(&found.typed), sorted(&all(Stream::Typed)));
            }
        }
    }
}
