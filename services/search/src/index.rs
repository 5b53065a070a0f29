//! The index on disk: opened or built anew, written, committed with how far it has come, and swapped.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moim_kit::Fault;
use parking_lot::Mutex;
use tantivy::indexer::LogMergePolicy;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Term};
use uuid::Uuid;

use crate::analysis::Analyzer;
use crate::model::{Document, Kind};
use crate::schema::{self, Fields};

/// Memory for documents that are not on disk yet.
const BUDGET: usize = 32 * 1024 * 1024;
/// Names the directory that is searched.
const CURRENT: &str = "current";
const FINGERPRINT: &str = "fingerprint";
/// Names the replica whose rows the indexes were made from.
const REPLICA: &str = "replica";
/// The engine's list of its files, without which it neither checks nor removes them.
const MANAGED: &str = ".managed.json";
/// Merged once so many of a segment's documents are gone: what is searched and counted stays near to what is there.
const GONE_BEFORE_MERGE: f32 = 0.3;

/// Why the index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The engine says so.
    #[error("the index: {0}")]
    Index(#[from] tantivy::TantivyError),
    /// The files cannot be read or written.
    #[error("the index's directory: {0}")]
    Directory(#[from] io::Error),
    /// It could not be opened again after it had failed.
    #[error("the index is not open for writing")]
    Closed,
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::internal(broken)
    }
}

/// One index, open for reading and writing.
pub struct Shelf {
    path: PathBuf,
    index: Index,
    reader: IndexReader,
    writer: Mutex<Option<IndexWriter>>,
    covered: Mutex<i64>,
    analyzer: Arc<Analyzer>,
    fields: Fields,
}

/// What is searched, open for reading while another process may write it.
pub struct Pane {
    reader: IndexReader,
    fields: Fields,
}

/// The index that is searched, and the one that is to take its place.
pub struct Opened {
    /// What is searched meanwhile; nothing when all is to be built.
    pub current: Option<Shelf>,
    /// What is being built, from the number it has covered on.
    pub next: Option<Shelf>,
}

/// Opens what stands under a directory. An index that was made by other rules, or is torn, is built anew.
pub fn open(root: &Path, analyzer: &Arc<Analyzer>) -> Result<Opened, Broken> {
    fs::create_dir_all(root)?;
    let (fields, words) = (fields_print(), words_print(analyzer));
    let named = fs::read_to_string(root.join(CURRENT)).unwrap_or_default();
    let mut current = None;
    let mut is_new = false;
    let mut next = None;
    let mut missing = (!named.is_empty()).then_some("it is not there");
    for (number, path) in directories(root)? {
        let print = fs::read_to_string(path.join(FINGERPRINT)).unwrap_or_default();
        let is_named = named.trim() == number.to_string();
        // Other fields cannot be asked; other words can, until the new index is there.
        let rest = print.strip_prefix(&fields);
        let shelf = match rest.map(|_| Shelf::open(&path, analyzer)) {
            Some(Ok(shelf)) => Some(shelf),
            Some(Err(error)) => {
                lost(&path, &error);
                None
            }
            None => {
                if is_named {
                    lost(&path, &"it was made by other rules");
                }
                None
            }
        };
        if is_named {
            missing = None;
        }
        let same = rest.is_some_and(|it| it == words);
        match shelf {
            Some(shelf) if is_named => {
                current = Some(shelf);
                is_new = same;
            }
            Some(shelf) if same && next.is_none() => next = Some(shelf),
            _ => fs::remove_dir_all(&path)?,
        }
    }
    if let Some(why) = missing {
        lost(root, &why);
    }
    if !is_new && next.is_none() {
        next = Some(begin(root, analyzer)?);
    }
    Ok(Opened { current, next })
}

/// Throws away what has covered more rows than there are, for the numbers of those that come would be passed over:
/// the rows are of an older day than the index.
pub fn within(
    root: &Path,
    analyzer: &Arc<Analyzer>,
    mut opened: Opened,
    newest: i64,
) -> Result<Opened, Broken> {
    let ahead = |shelf: &mut Shelf| shelf.covered() > newest;
    let gone = [opened.current.take_if(ahead), opened.next.take_if(ahead)];
    let gone: Vec<_> = gone.into_iter().flatten().collect();
    let any = !gone.is_empty();
    for shelf in gone {
        let path = shelf.path.clone();
        lost(&path, &format_args!("it covers {} rows of {newest}", shelf.covered()));
        drop(shelf);
        fs::remove_dir_all(path)?;
    }
    if any && opened.next.is_none() {
        opened.next = Some(begin(root, analyzer)?);
    }
    Ok(opened)
}

fn lost(path: &Path, why: &dyn std::fmt::Display) {
    let path = path.display();
    tracing::warn!(%path, %why, "an index cannot be used; it is made anew from the rows");
}

/// Throws away what was made from the rows of another replica, whose numbers mean something else.
pub fn belong(root: &Path, replica: &str) -> Result<(), Broken> {
    let place = root.join(REPLICA);
    if fs::read_to_string(&place).is_ok_and(|it| it == replica) {
        return Ok(());
    }
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(root)?,
    }
    Ok(write_whole(&place, replica)?)
}

/// Looks at the index that is searched under a directory; nothing when there is none that can be asked.
pub fn look(root: &Path) -> Result<Option<Pane>, Broken> {
    let Ok(named) = fs::read_to_string(root.join(CURRENT)) else { return Ok(None) };
    let path = root.join(format!("index-{}", named.trim()));
    let print = fs::read_to_string(path.join(FINGERPRINT)).unwrap_or_default();
    if !print.starts_with(&fields_print()) {
        return Ok(None);
    }
    let index = Index::open_in_dir(&path)?;
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok(Some(Pane { reader, fields: schema::build().1 }))
}

/// Begins a new index beside those that stand.
pub fn begin(root: &Path, analyzer: &Arc<Analyzer>) -> Result<Shelf, Broken> {
    let newest = directories(root)?.last().map_or(0, |(number, _)| *number);
    // The one that is searched may have been thrown away; its number is not given again.
    let named = fs::read_to_string(root.join(CURRENT)).ok().and_then(|it| it.trim().parse().ok());
    let path = root.join(format!("index-{}", newest.max(named.unwrap_or(0)) + 1));
    fs::create_dir_all(&path)?;
    Index::create_in_dir(&path, schema::build().0)?;
    let shelf = Shelf::open(&path, analyzer)?;
    // Written last: a directory without it was never finished.
    write_whole(&path.join(FINGERPRINT), &(fields_print() + &words_print(analyzer)))?;
    Ok(shelf)
}

/// Makes an index the one that is searched, and removes those before it; who still reads one may go on.
pub fn swap(root: &Path, next: &Shelf) -> Result<(), Broken> {
    let name = next.path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    #[cfg(feature = "crash")]
    moim_storage::crash::pass("index_finished");
    write_whole(&root.join(CURRENT), name.trim_start_matches("index-"))?;
    #[cfg(feature = "crash")]
    moim_storage::crash::pass("index_swapped");
    for (_, path) in directories(root)?.into_iter().filter(|(_, path)| *path != next.path) {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}

/// Equal for indexes of the same fields.
fn fields_print() -> String {
    format!("{}-{}-", schema::EDITION, tantivy::version_string())
}

/// Equal for indexes of the same words.
fn words_print(analyzer: &Analyzer) -> String {
    analyzer.fingerprint().to_owned()
}

/// The indexes under a directory, by number.
fn directories(root: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let number = name.strip_prefix("index-").and_then(|it| it.parse().ok());
        found.extend(number.map(|number| (number, path.clone())));
    }
    found.sort();
    Ok(found)
}

fn writer(index: &Index) -> Result<IndexWriter, Broken> {
    let writer = index.writer_with_num_threads(1, BUDGET)?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(GONE_BEFORE_MERGE);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

/// All of it or nothing, whatever happens meanwhile.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = fs::File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    match path.parent() {
        Some(directory) => fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

impl Pane {
    /// What was visible when it was opened.
    pub fn searcher(&self) -> tantivy::Searcher {
        self.reader.searcher()
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Shelf {
    fn open(path: &Path, analyzer: &Arc<Analyzer>) -> Result<Self, Broken> {
        let index = Index::open_in_dir(path)?;
        schema::teach(&index);
        if !path.join(MANAGED).exists() || !index.validate_checksum()?.is_empty() {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        let covered = index.load_metas()?.payload.and_then(|it| it.parse().ok()).unwrap_or(0);
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = Mutex::new(Some(writer(&index)?));
        Ok(Self {
            path: path.to_owned(),
            index,
            reader,
            writer,
            covered: Mutex::new(covered),
            analyzer: analyzer.clone(),
            fields: schema::build().1,
        })
    }

    /// The number that was covered with the last commit.
    pub fn covered(&self) -> i64 {
        *self.covered.lock()
    }

    /// Puts in a document's newest state in place of what stood there.
    pub fn put(&self, document: &Document) -> Result<(), Broken> {
        let prepared = self.fields.document(&self.analyzer, document);
        let writer = self.writer.lock();
        let writer = writer.as_ref().ok_or(Broken::Closed)?;
        writer.delete_term(self.term(document.kind, document.id));
        writer.add_document(prepared)?;
        Ok(())
    }

    /// Takes a document out.
    pub fn remove(&self, kind: Kind, id: Uuid) -> Result<(), Broken> {
        let writer = self.writer.lock();
        writer.as_ref().ok_or(Broken::Closed)?.delete_term(self.term(kind, id));
        Ok(())
    }

    /// Makes all of it last, with the number it has covered, and visible.
    pub fn commit(&self, covered: i64) -> Result<(), Broken> {
        let mut writer = self.writer.lock();
        let mut prepared = writer.as_mut().ok_or(Broken::Closed)?.prepare_commit()?;
        prepared.set_payload(&covered.to_string());
        #[cfg(feature = "crash")]
        moim_storage::crash::pass("index_prepared");
        prepared.commit()?;
        #[cfg(feature = "crash")]
        moim_storage::crash::pass("index_committed");
        *self.covered.lock() = covered;
        Ok(self.reader.reload()?)
    }

    /// Forgets what was not committed and opens the files once more: an engine that has failed, as on a full disk,
    /// never writes again.
    pub fn recover(&self) -> Result<(), Broken> {
        let mut open = self.writer.lock();
        // It holds the lock that the next one needs.
        drop(open.take());
        *open = Some(writer(&self.index)?);
        Ok(())
    }

    /// Waits until segments are merged; the shelf is for reading from then on.
    pub fn settle(self) -> Result<IndexReader, Broken> {
        self.writer.into_inner().ok_or(Broken::Closed)?.wait_merging_threads()?;
        self.reader.reload()?;
        Ok(self.reader)
    }

    /// What is visible now.
    pub fn searcher(&self) -> tantivy::Searcher {
        self.reader.searcher()
    }

    /// The fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// What texts are analysed by.
    pub fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn term(&self, kind: Kind, id: Uuid) -> Term {
        Term::from_field_text(self.fields.key, &schema::key(kind, id))
    }
}
