//! The terms of a text, each with its kind and its place.

use std::ops::Range;

use tantivy::tokenizer;

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
    /// No run of pairs reaches over so many places.
    pub const BETWEEN_WORDS: usize = 2;

    pub fn push(&mut self, stream: Stream, text: String, place: Range<usize>) {
        self.tokens.push(Token { stream, text, place, position: self.position });
    }

    pub fn pair(&mut self, text: String, place: Range<usize>) {
        self.push(Stream::Pair, text, place);
        self.position += 1;
    }

    /// Leaves a gap, so that no run of pairs reaches into the next word.
    pub fn part_words(&mut self) {
        self.position += Self::BETWEEN_WORDS;
    }
}

/// Initial consonants of pieces in a row, over the bounds of words.
pub fn initials(words: &[Word], pieces: &[Vec<Range<usize>>], out: &mut Tokens) {
    let flat: Vec<(Option<String>, usize, Range<usize>)> = words
        .iter()
        .zip(pieces)
        .flat_map(|(word, pieces)| pieces.iter().map(move |it| (word, it)))
        .map(|(word, it)| (consonants(word, it), it.len(), word.place(it.clone())))
        .collect();
    for start in 0..flat.len() {
        let mut all = String::new();
        let mut length = 0;
        for (consonants, letters, place) in flat.iter().skip(start).take(MOST_PIECES) {
            let Some(more) = consonants else { break };
            length += letters;
            if length > MOST_INITIALS {
                break;
            }
            all.push_str(more);
            if length > 1 {
                out.push(Stream::Initials, all.clone(), flat[start].2.start..place.end);
            }
        }
    }
}

fn consonants(word: &Word, piece: &Range<usize>) -> Option<String> {
    korean::initials(word.letters()[piece.clone()].iter().copied())
}

/// What parts tokens where they stand as one text; no token holds it, since none holds a blank.
pub const END: char = '\n';

/// The tokens of one stream as one text, which the index reads by [`Lines`].
pub fn lines<'a>(tokens: impl IntoIterator<Item = &'a Token>, stream: Stream) -> String {
    let mut out = String::new();
    let mut position = 0;
    for token in tokens.into_iter().filter(|it| it.stream == stream) {
        // Other streams do not count positions.
        while stream == Stream::Pair && position < token.position {
            out.push(END);
            position += 1;
        }
        out.push_str(&token.text);
        out.push(END);
        position += 1;
    }
    out
}

/// Reads tokens that stand as one text: one on each line, an empty line for a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

/// The tokens of such a text.
#[derive(Debug)]
pub struct Reading<'a> {
    rest: &'a str,
    token: tokenizer::Token,
}

impl tokenizer::Tokenizer for Lines {
    type TokenStream<'a> = Reading<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Reading<'a> {
        Reading { rest: text, token: tokenizer::Token::default() }
    }
}

impl tokenizer::TokenStream for Reading<'_> {
    fn advance(&mut self) -> bool {
        while let Some((line, rest)) = self.rest.split_once(END) {
            self.rest = rest;
            // Before the first token it stands one before the first place.
            self.token.position = self.token.position.wrapping_add(1);
            if !line.is_empty() {
                self.token.text.clear();
                self.token.text.push_str(line);
                return true;
            }
        }
        false
    }

    fn token(&self) -> &tokenizer::Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut tokenizer::Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use tantivy::tokenizer::{TokenStream as _, Tokenizer as _};

    use super::*;

    #[test]
    fn tokens_are_read_as_they_were_written() {
        let mut tokens = Tokens::default();
        for pair in ["^가", "가나"] {
            tokens.pair(pair.to_owned(), 0..1);
        }
        tokens.push(Stream::Word, "가나".to_owned(), 0..1);
        tokens.part_words();
        tokens.pair("^다".to_owned(), 0..1);
        for (stream, expected) in [
            (Stream::Pair, &[("^가", 0), ("가나", 1), ("^다", 4)][..]),
            (Stream::Word, &[("가나", 0)]),
            (Stream::Typed, &[]),
        ] {
            let text = lines(&tokens.tokens, stream);
            let mut lines = Lines;
            let mut reading = lines.token_stream(&text);
            let mut found = Vec::new();
            while reading.advance() {
                found.push((reading.token().text.clone(), reading.token().position));
            }
            let found: Vec<_> = found.iter().map(|it| (it.0.as_str(), it.1)).collect();
            assert_eq!(found, expected);
        }
    }
}
