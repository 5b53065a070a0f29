//! How many documents that are there hold a word: what is deleted stays in its segment until that is merged, and
//! counts nowhere, so that replicas answer alike however their indexes came about.

use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet as _, Searcher, TERMINATED, Term};

use crate::schema::{Fields, PARTS};

/// Words of a text that is ranked neither up nor down for its length, by part. Were it the mean of what there is,
/// every change would move every score a little, and the cursors with them.
const USUAL_WORDS: [u64; PARTS] = [7, 11, 20];

/// What matches are weighed by.
pub struct Weights<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
}

impl<'a> Weights<'a> {
    pub fn new(searcher: &'a Searcher, fields: &'a Fields) -> Self {
        Self { searcher, fields }
    }
}

impl Bm25StatisticsProvider for Weights<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let Fields { words, pairs, initials, .. } = self.fields;
        let part = [words, pairs, initials]
            .into_iter()
            .find_map(|of| of.iter().position(|it| *it == field));
        Ok(self.searcher.num_docs() * USUAL_WORDS[part.unwrap_or(0)])
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.searcher.num_docs())
    }

    /// A word is as rare as it is anywhere: what is often in titles says no more for standing in a text.
    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let own = documents(self.searcher, term);
        let (words, value) = (self.fields.words, term.value());
        let Some(word) = value.as_str().filter(|_| words.contains(&term.field())) else {
            return Ok(own);
        };
        let others = words.into_iter().filter(|it| *it != term.field());
        let of = |field| documents(self.searcher, &Term::from_field_text(field, word));
        Ok(others.map(of).fold(own, u64::max))
    }
}

/// Documents that hold a term.
pub fn documents(searcher: &Searcher, term: &Term) -> u64 {
    let segments = searcher.segment_readers().iter();
    segments.map(|segment| in_place(segment, term, documents_of)).sum()
}

/// Whether any document holds a term.
pub fn stands(searcher: &Searcher, term: &Term) -> bool {
    let any = |segment| {
        in_place(segment, term, |segment, words, term| u64::from(stands_in(segment, words, term)))
    };
    searcher.segment_readers().iter().any(|segment| any(segment) > 0)
}

fn in_place(
    segment: &SegmentReader,
    term: &Term,
    count: impl Fn(&SegmentReader, &InvertedIndexReader, &TermInfo) -> u64,
) -> u64 {
    let Ok(words) = segment.inverted_index(term.field()) else { return 0 };
    let known = words.get_term_info(term).ok().flatten();
    known.map_or(0, |it| count(segment, &words, &it))
}

/// Documents of one segment that hold a term.
pub fn documents_of(segment: &SegmentReader, words: &InvertedIndexReader, term: &TermInfo) -> u64 {
    let Some(alive) = segment.alive_bitset() else { return u64::from(term.doc_freq) };
    let postings = words.read_postings_from_terminfo(term, IndexRecordOption::Basic);
    postings.map_or(0, |it| u64::from(it.doc_freq_given_deletes(alive)))
}

fn stands_in(segment: &SegmentReader, words: &InvertedIndexReader, term: &TermInfo) -> bool {
    let Some(alive) = segment.alive_bitset() else { return term.doc_freq > 0 };
    let postings = words.read_postings_from_terminfo(term, IndexRecordOption::Basic);
    let Ok(mut postings) = postings else { return false };
    while postings.doc() != TERMINATED {
        if alive.is_alive(postings.doc()) {
            return true;
        }
        postings.advance();
    }
    false
}
