//! The terms of a text, each with its kind and its place.

use std::ops::Range;

use crate::korean;
use crate::normal::Word;

/// Pieces in a row whose initial consonants are kept together.
const MOST_PIECES: usize = 4;
const MOST_INITIALS: usize = 12;

/// Which kind of term a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Words, their stems and parts, and names of groups of synonyms.
    Word,
    /// Pairs of neighbouring letters of a word.
    Pair,
    /// Words as they are typed, letter by letter.
    Typed,
    /// Initial consonants.
    Initials,
}

/// A term and the bytes of the text it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The kind of term.
    pub stream: Stream,
    /// The term.
    pub text: String,
    /// Bytes of the text.
    pub place: Range<usize>,
    /// Its place among the tokens of its stream: pairs of one word follow each other.
    pub position: usize,
}

/// Tokens as they come.
#[derive(Default)]
pub struct Tokens {
    pub tokens: Vec<Token>,
    position: usize,
}

impl Tokens {
    pub fn push(&mut self, stream: Stream, text: String, place: Range<usize>) {
        self.tokens.push(Token { stream, text, place, position: self.position });
    }

    pub fn pair(&mut self, text: String, place: Range<usize>) {
        self.push(Stream::Pair, text, place);
        self.position += 1;
    }

    /// Leaves a gap, so that no run of pairs reaches into the next word.
    pub fn part_words(&mut self) {
        self.position += 2;
    }
}

/// Initial consonants of pieces in a row, over the bounds of words.
pub fn initials(words: &[Word], pieces: &[Vec<Range<usize>>], out: &mut Tokens) {
    let flat: Vec<(&Word, &Range<usize>)> = words
        .iter()
        .zip(pieces)
        .flat_map(|(word, pieces)| pieces.iter().map(move |piece| (word, piece)))
        .collect();
    for start in 0..flat.len() {
        let mut all = String::new();
        let mut length = 0;
        for (word, piece) in flat.iter().skip(start).take(MOST_PIECES) {
            let Some(more) = korean::initials(&word.slice((*piece).clone())) else { break };
            length += piece.len();
            if length > MOST_INITIALS {
                break;
            }
            all.push_str(&more);
            let place =
                flat[start].0.place(flat[start].1.clone()).start..word.place((*piece).clone()).end;
            if length > 1 {
                out.push(Stream::Initials, all.clone(), place);
            }
        }
    }
}
