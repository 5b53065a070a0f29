//! Reads the lists at the start and again when they have changed; a new one that is wrong changes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use moim_kit::task::Tasks;
use parking_lot::RwLock;
use tokio::time::{sleep, timeout};

use super::manifest::{self, BadManifest, Manifest};
use super::sent_once::Digest;
use super::vet::Vetting;

/// Far above any client's; a path that leads to something without end is noticed.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// Between two looks, whatever is asked for.
const LEAST_PAUSE: Duration = Duration::from_millis(10);
/// For one file to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The files that the list is made of.
#[derive(Clone)]
pub(super) struct Source {
    files: Vec<PathBuf>,
}

/// What the files held when they were looked at.
type Seen = Vec<Digest>;

impl Source {
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        Self { files }
    }

    /// The list, and what it was made of.
    pub(super) async fn read<X: Executor>(
        &self,
        vetting: &Vetting<X>,
    ) -> Result<(Seen, Manifest), BadManifest> {
        let texts = self.texts().await?;
        Ok((seen(&texts), self.made_of(&texts, vetting).await?))
    }

    async fn texts(&self) -> Result<Vec<String>, BadManifest> {
        let mut texts = Vec::new();
        for file in &self.files {
            let bad = |why: String| BadManifest::new(file, why);
            let reading = async {
                if tokio::fs::metadata(file).await?.len() > MOST_BYTES {
                    return Err(std::io::Error::other("it is too large"));
                }
                tokio::fs::read_to_string(file).await
            };
            let read = timeout(PATIENCE, reading).await;
            let read = read.map_err(|_| bad("it could not be read in time".to_owned()))?;
            texts.push(read.map_err(|error| bad(error.to_string()))?);
        }
        Ok(texts)
    }

    async fn made_of<X: Executor>(
        &self,
        texts: &[String],
        vetting: &Vetting<X>,
    ) -> Result<Manifest, BadManifest> {
        let mut manifest = Manifest::default();
        for (file, text) in self.files.iter().zip(texts) {
            let bad = |why: String| BadManifest::new(file, why);
            for line in manifest::read(text.as_bytes()).map_err(bad)? {
                if let Some(why) = vetting.refusal(&line.text).await {
                    return Err(bad(format!("{} cannot be answered: {why}", line.id)));
                }
                manifest.add(line).map_err(bad)?;
                // A long list is held against the schema beside everything else that is to be done.
                tokio::task::yield_now().await;
            }
        }
        Ok(manifest)
    }
}

fn seen(texts: &[String]) -> Seen {
    texts.iter().map(|text| Digest::of(text)).collect()
}

/// Looks again and again, until the tasks are told to stop.
pub(super) fn watch<X: Executor>(
    source: Source,
    vetting: Vetting<X>,
    seen: Seen,
    every: Duration,
    listed: Arc<RwLock<Manifest>>,
    tasks: &Tasks,
) {
    let stopping = tasks.token();
    tasks.spawn("documents", async move {
        let looking = Look { source, vetting, seen, complained: None, listed }.for_ever(every);
        stopping.run_until_cancelled(looking).await;
    });
}

struct Look<X> {
    source: Source,
    vetting: Vetting<X>,
    seen: Seen,
    /// What was said last of files that are wrong, which is not said again.
    complained: Option<String>,
    listed: Arc<RwLock<Manifest>>,
}

impl<X: Executor> Look<X> {
    async fn for_ever(mut self, every: Duration) {
        loop {
            sleep(every.max(LEAST_PAUSE)).await;
            let Err(bad) = self.once().await else {
                self.complained = None;
                continue;
            };
            let words = bad.to_string();
            if self.complained.as_ref() != Some(&words) {
                tracing::warn!(error = words, "the list of documents stays as it was");
                self.complained = Some(words);
            }
        }
    }

    async fn once(&mut self) -> Result<(), BadManifest> {
        let texts = self.source.texts().await?;
        let seen = seen(&texts);
        if seen == self.seen {
            return Ok(());
        }
        // What is wrong is not looked through again until it changes.
        self.seen = seen;
        let manifest = self.source.made_of(&texts, &self.vetting).await?;
        tracing::info!(documents = manifest.len(), "the list of documents was read anew");
        *self.listed.write() = manifest;
        Ok(())
    }
}
