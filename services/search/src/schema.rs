//! The index's fields, and documents as they stand in it.

use moim_kit::Timestamp;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing,
    TextOptions, Value as _,
};
use tantivy::{Index, TantivyDocument};
use uuid::Uuid;

use crate::analysis::Analyzer;
use crate::model::{Document, Kind};
use crate::prepared::Known;
use crate::synonyms::joined;
use crate::tokens::{END, Lines};

/// Changes with the fields, so that indexes are built anew.
pub const EDITION: u32 = 4;

/// Names how the index reads tokens that were made before.
const LINES: &str = "lines";

/// Parts of a document by what they weigh.
pub const PARTS: usize = 3;
/// What a word in the title, in the names of place and category, and in the text weighs.
pub const WEIGHTS: [f32; PARTS] = [3.0, 2.0, 1.0];
pub const TITLE: usize = 0;
pub const AREA: usize = 1;
pub const TEXT: usize = 2;

/// The fields, by what they hold.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    pub key: Field,
    pub words: [Field; PARTS],
    pub pairs: [Field; PARTS],
    /// Every word as it is typed, to look words up in.
    pub typed: Field,
    pub initials: [Field; PARTS],
    title: Field,
    text: Field,
    place: Field,
    kind: Field,
    id_high: Field,
    id_low: Field,
    version: Field,
    category: Field,
    region: Field,
    starts: Field,
    ends: Field,
    fee: Field,
    openness: Field,
    size: Field,
    fresh: Field,
}

/// Names of the columns: documents are ranked, filtered and listed by them.
pub mod column {
    pub const KIND: &str = "kind";
    pub const ID_HIGH: &str = "id_high";
    pub const ID_LOW: &str = "id_low";
    pub const VERSION: &str = "version";
    pub const CATEGORY: &str = "category";
    pub const REGION: &str = "region";
    pub const STARTS: &str = "starts";
    pub const ENDS: &str = "ends";
    pub const FEE: &str = "fee";
    pub const OPENNESS: &str = "openness";
    pub const SIZE: &str = "size";
    pub const FRESH: &str = "fresh";
}

/// What a document says, as it was stored for excerpts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub title: String,
    pub text: String,
    pub place: String,
}

/// The schema with its fields.
pub fn build() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let indexed = |record| {
        let options = TextFieldIndexing::default().set_tokenizer(LINES).set_index_option(record);
        TextOptions::default().set_indexing_options(options)
    };
    let names = ["title", "area", "text"];
    let counted = indexed(IndexRecordOption::WithFreqs);
    let placed = indexed(IndexRecordOption::WithFreqsAndPositions);
    let plain = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(LINES)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic),
    );
    let fields = Fields {
        key: schema.add_text_field("key", STRING),
        words: names.map(|it| schema.add_text_field(&format!("{it}_words"), counted.clone())),
        pairs: names.map(|it| schema.add_text_field(&format!("{it}_pairs"), placed.clone())),
        typed: schema.add_text_field("typed", plain),
        initials: names.map(|it| schema.add_text_field(&format!("{it}_initials"), counted.clone())),
        title: schema.add_text_field("title", STORED),
        text: schema.add_text_field("text", STORED),
        place: schema.add_text_field("place", STORED),
        kind: schema.add_u64_field(column::KIND, FAST | INDEXED),
        id_high: schema.add_u64_field(column::ID_HIGH, FAST),
        id_low: schema.add_u64_field(column::ID_LOW, FAST),
        version: schema.add_i64_field(column::VERSION, FAST),
        category: schema.add_u64_field(column::CATEGORY, FAST),
        region: schema.add_u64_field(column::REGION, FAST),
        starts: schema.add_i64_field(column::STARTS, FAST),
        ends: schema.add_i64_field(column::ENDS, FAST),
        fee: schema.add_i64_field(column::FEE, FAST),
        openness: schema.add_u64_field(column::OPENNESS, FAST),
        size: schema.add_i64_field(column::SIZE, FAST),
        fresh: schema.add_i64_field(column::FRESH, FAST),
    };
    (schema.build(), fields)
}

/// Teaches an index to read what documents are made of.
pub fn teach(index: &Index) {
    index.tokenizers().register(LINES, Lines);
}

/// What a document is deleted by.
pub fn key(kind: Kind, id: Uuid) -> String {
    format!("{}:{id}", kind.name())
}

/// What stands in the index for a member's whole name; no word begins so.
pub fn named(name: &str) -> String {
    format!("@{name}")
}

/// A region's code as a column holds it.
pub fn region_number(code: &str) -> Option<u64> {
    code.parse().ok()
}

impl Fields {
    /// A document as the index takes it in.
    pub fn document(
        &self,
        analyzer: &Analyzer,
        known: &mut Known,
        from: &Document,
    ) -> TantivyDocument {
        let mut out = TantivyDocument::new();
        out.add_text(self.key, key(from.kind, from.id));
        let mut typed = String::new();
        for (part, text) in [(TITLE, &from.title), (AREA, &from.area()), (TEXT, &from.text)] {
            let mut prepared = known.prepare(analyzer, text);
            if part == TITLE && from.kind == Kind::Member {
                let name = named(&joined(text));
                prepared.words.push_str(&name);
                prepared.words.push(END);
            }
            out.add_text(self.words[part], prepared.words);
            out.add_text(self.pairs[part], prepared.pairs);
            out.add_text(self.initials[part], prepared.initials);
            typed.push_str(&prepared.typed);
        }
        out.add_text(self.typed, typed);
        out.add_text(self.title, &from.title);
        out.add_text(self.text, &from.text);
        out.add_text(self.place, &from.place);
        self.add_columns(&mut out, from);
        out
    }

    fn add_columns(&self, out: &mut TantivyDocument, from: &Document) {
        let (high, low) = from.id.as_u64_pair();
        out.add_u64(self.kind, from.kind.number());
        out.add_u64(self.id_high, high);
        out.add_u64(self.id_low, low);
        out.add_i64(self.version, from.version);
        out.add_u64(self.openness, from.openness.number());
        out.add_i64(self.size, from.size);
        out.add_i64(self.fresh, from.fresh_at.us());
        if let Some(category) = from.category.and_then(|it| u64::try_from(it).ok()) {
            out.add_u64(self.category, category);
        }
        if let Some(region) = from.region_code.as_deref().and_then(region_number) {
            out.add_u64(self.region, region);
        }
        let times = [(self.starts, from.starts_at), (self.ends, from.ends_at)];
        for (field, at) in times {
            if let Some(at) = at.map(Timestamp::us) {
                out.add_i64(field, at);
            }
        }
        if let Some(fee) = from.fee_krw {
            out.add_i64(self.fee, fee);
        }
    }

    /// What was stored of a document.
    pub fn stored(&self, document: &TantivyDocument) -> Stored {
        let text = |field| {
            let value = document.get_first(field);
            value.and_then(|it| it.as_str()).unwrap_or_default().to_owned()
        };
        Stored { title: text(self.title), text: text(self.text), place: text(self.place) }
    }
}
