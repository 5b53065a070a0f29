//! Lists of documents as clients' builds write them, each hash held against its text.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::sent_once::Digest;
use super::wanted::bare;

const APOLLO: &str = "apollo-persisted-query-manifest";
const APOLLO_VERSION: u32 = 1;

/// A list that the endpoint does not go by, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("the list of documents {file} is wrong: {why}")]
pub struct BadManifest {
    file: PathBuf,
    why: String,
}

impl BadManifest {
    pub(super) fn new(file: &Path, why: impl Into<String>) -> Self {
        Self { file: file.to_owned(), why: why.into() }
    }
}

/// Texts by id.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    texts: HashMap<String, Arc<str>>,
}

/// One line of a list.
#[derive(Debug)]
pub(super) struct Line {
    pub id: String,
    pub text: String,
}

impl Manifest {
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, id: &str) -> Option<Arc<str>> {
        self.texts.get(id).cloned()
    }

    /// Adds a line; the same id cannot mean two texts.
    pub(super) fn add(&mut self, line: Line) -> Result<(), String> {
        let Line { id, text } = line;
        let known = self.texts.entry(bare(&id).to_owned()).or_insert_with(|| text.as_str().into());
        if **known == text { Ok(()) } else { Err(format!("{id} is the id of two documents")) }
    }
}

/// What Apollo's tool writes.
#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u32,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

/// Reads a list, whoever wrote it: relay-compiler and graphql-codegen write an object of texts by their
/// hashes, Apollo an object with a `format`.
pub(super) fn read(json: &[u8]) -> Result<Vec<Line>, String> {
    if let Ok(texts) = serde_json::from_slice::<HashMap<String, String>>(json) {
        let line = |(id, text): (String, String)| {
            if Digest::read(bare(&id)).is_none() {
                return Err(format!("{id} is not a SHA-256; set that algorithm in its tool"));
            }
            hashed(Line { id, text })
        };
        return texts.into_iter().map(line).collect();
    }
    let list: Apollo = serde_json::from_slice(json).map_err(|error| {
        format!("it is neither an object of texts nor a list of Apollo's: {error}")
    })?;
    if list.format != APOLLO || list.version != APOLLO_VERSION {
        return Err(format!("only {APOLLO} of version {APOLLO_VERSION} can be read"));
    }
    let line = |Operation { id, body }| {
        let line = Line { id, text: body };
        // Their ids may be anything that the client sends, too; only what says that it is a hash is held to it.
        if line.id.starts_with("sha256:") { hashed(line) } else { Ok(line) }
    };
    list.operations.into_iter().map(line).collect()
}

/// A line whose id is the hash of its text, in small letters.
fn hashed(line: Line) -> Result<Line, String> {
    let hash = Digest::of(&line.text).to_hex();
    if bare(&line.id).eq_ignore_ascii_case(&hash) {
        Ok(Line { id: hash, text: line.text })
    } else {
        Err(format!("{} is not the SHA-256 of its text", line.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{__typename}";
    const HASH: &str = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

    fn apollo(id: &str) -> String {
        format!(
            r#"{{"format":"{APOLLO}","version":1,"operations":[
                {{"id":"{id}","name":"A","type":"query","body":"{TEXT}"}}]}}"#
        )
    }

    #[test]
    fn lists_of_every_tool_are_read() {
        for (json, id) in [
            (format!(r#"{{"{HASH}":"{TEXT}"}}"#), HASH),
            (format!(r#"{{"sha256:{HASH}":"{TEXT}"}}"#), HASH),
            (apollo("anything"), "anything"),
            (apollo(HASH), HASH),
            (apollo(&format!("sha256:{HASH}")), HASH),
        ] {
            let [line] = &read(json.as_bytes()).unwrap()[..] else { panic!("{json}") };
            assert_eq!((line.id.as_str(), line.text.as_str()), (id, TEXT), "{json}");
        }
        assert!(read(b"{}").unwrap().is_empty());
    }

    #[test]
    fn lists_that_are_wrong_are_refused_with_a_word_why() {
        let other = HASH.replace('e', "f");
        for (json, word) in [
            (String::new(), "neither"),
            ("[]".to_owned(), "neither"),
            (r#"{"x":1}"#.to_owned(), "neither"),
            (format!(r#"{{"{other}":"{TEXT}"}}"#), "not the SHA-256 of its text"),
            (format!(r#"{{"{HASH}":"{TEXT} "}}"#), "not the SHA-256 of its text"),
            (r#"{"d41d8cd98f00b204e9800998ecf8427e":""}"#.to_owned(), "is not a SHA-256"),
            (apollo(&format!("sha256:{other}")), "not the SHA-256 of its text"),
            (apollo("x").replace("\"version\":1", "\"version\":2"), "version 1"),
            (apollo("x").replace(APOLLO, "other"), "version 1"),
        ] {
            let why = read(json.as_bytes()).unwrap_err();
            assert!(why.contains(word), "{json}: {why}");
        }
    }

    #[test]
    fn one_id_means_one_text() {
        let line = |text: &str| Line { id: "x".to_owned(), text: text.to_owned() };
        let mut manifest = Manifest::default();
        assert_eq!(manifest.add(line("a")), Ok(()));
        assert_eq!(manifest.add(line("a")), Ok(()));
        assert!(manifest.add(line("b")).unwrap_err().contains("two documents"));
    }
}
