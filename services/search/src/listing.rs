//! What stands in the index, document by document, to be held against what its owners have.

use std::fmt;

use tantivy::Searcher;
use uuid::Uuid;

use crate::model::Kind;
use crate::schema::column;

/// A document as it stands in the index; one that stands twice is listed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    kind: Kind,
    id: Uuid,
    version: i64,
    category: Option<u64>,
    region: Option<u64>,
}

/// All that can be found, in the order of kinds and ids.
pub fn list(searcher: &Searcher) -> tantivy::Result<Vec<Listed>> {
    let mut found = Vec::new();
    for segment in searcher.segment_readers() {
        let fast = segment.fast_fields();
        let (kind, version) = (fast.u64(column::KIND)?, fast.i64(column::VERSION)?);
        let (high, low) = (fast.u64(column::ID_HIGH)?, fast.u64(column::ID_LOW)?);
        let (category, region) = (fast.u64(column::CATEGORY)?, fast.u64(column::REGION)?);
        for doc in segment.doc_ids_alive() {
            let (Some(kind), Some(version)) =
                (kind.first(doc).and_then(Kind::from_number), version.first(doc))
            else {
                continue;
            };
            let (high, low) = (high.first(doc).unwrap_or(0), low.first(doc).unwrap_or(0));
            found.push(Listed {
                kind,
                id: Uuid::from_u64_pair(high, low),
                version,
                category: category.first(doc),
                region: region.first(doc),
            });
        }
    }
    found.sort_unstable();
    Ok(found)
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, id, version, category, region } = self;
        write!(f, "{} {id} {version}", kind.name())?;
        match category {
            Some(category) => write!(f, " {category}")?,
            None => f.write_str(" -")?,
        }
        match region {
            Some(region) => write!(f, " {region:05}"),
            None => f.write_str(" -"),
        }
    }
}
