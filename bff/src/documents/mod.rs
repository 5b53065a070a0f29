//! Documents that are known beforehand: those a client's build has listed, and those a client has sent once.
//!
//! A list ([`Policy`]) says what may be asked at all; what was sent once (automatic persisted queries) only
//! saves bytes. A request names a document by `documentId`, as Relay does by `doc_id` or `id`, or as Apollo
//! does by `extensions.persistedQuery`; what runs is the text that is known under that name.

mod manifest;
mod sent_once;
mod vet;
mod wanted;
mod watch;

use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use moim_kit::task::Tasks;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

pub use manifest::BadManifest;
pub use wanted::Wanted;

use crate::guard::{self, EdgeCode, Rejection};
use manifest::Manifest;
use sent_once::{Digest, SentOnce};
use vet::Vetting;

/// What may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Anything; no list is read.
    #[default]
    Off,
    /// Anything, and what is listed also by its id.
    Allow,
    /// What is listed, by its id, and nothing else.
    Require,
}

/// Every knob of documents.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What may be asked.
    pub policy: Policy,
    /// Manifests, which together are the list.
    pub files: Vec<PathBuf>,
    /// Between looks at whether they have changed.
    pub poll: Duration,
    /// Bytes of documents that are remembered because they were sent once; none when 0.
    pub sent_once_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::Off,
            files: Vec::new(),
            poll: Duration::from_secs(5),
            sent_once_bytes: 4 * 1024 * 1024,
        }
    }
}

/// The documents of one endpoint; clones share them.
#[derive(Clone)]
pub struct Documents {
    policy: Policy,
    listed: Arc<RwLock<Manifest>>,
    sent_once: Option<SentOnce>,
}

/// The text of a document, and whether it is to be remembered once it was let in.
#[derive(Debug)]
pub struct Found<'a> {
    text: Text<'a>,
    fresh: Option<Digest>,
    listed: bool,
}

#[derive(Debug)]
enum Text<'a> {
    Sent(&'a str),
    Known(Arc<str>),
}

impl Found<'_> {
    /// Whether it stands in a list.
    pub fn is_listed(&self) -> bool {
        self.listed
    }
}

impl Deref for Found<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.text {
            Text::Sent(text) => text,
            Text::Known(text) => text,
        }
    }
}

/// Reads the list, refuses one that is wrong, and goes on looking whether it has changed. Each document must
/// be one the guard of these limits lets in and fit the schema of `executor`.
pub async fn open<X: Executor>(
    settings: &Settings,
    limits: &guard::Limits,
    executor: X,
    tasks: &Tasks,
) -> Result<Documents, BadManifest> {
    let documents = Documents::new(settings);
    if settings.policy != Policy::Off {
        let vetting = Vetting::new(limits.clone(), executor);
        let source = watch::Source::new(settings.files.clone());
        let (seen, listed) = source.read(&vetting).await?;
        *documents.listed.write() = listed;
        watch::watch(source, vetting, seen, settings.poll, Arc::clone(&documents.listed), tasks);
    }
    Ok(documents)
}

impl Documents {
    fn new(settings: &Settings) -> Self {
        // Whoever could add to what may be asked would need no list.
        let remembers = settings.policy != Policy::Require && settings.sent_once_bytes > 0;
        Self {
            policy: settings.policy,
            listed: Arc::default(),
            sent_once: remembers.then(|| SentOnce::new(settings.sent_once_bytes)),
        }
    }

    /// How many are listed.
    pub fn listed(&self) -> usize {
        self.listed.read().len()
    }

    /// The text of the document that a request means, or why it has none.
    pub fn find<'a>(&self, wanted: &'a Wanted) -> Result<Found<'a>, Rejection> {
        let known = wanted.id().and_then(|id| self.listed.read().text(id));
        match (self.policy, known, &wanted.text) {
            (_, Some(known), Some(sent)) if *known != **sent => match self.policy {
                Policy::Require => Err(not_trusted()),
                _ => Err(mismatch()),
            },
            (_, Some(known), _) => {
                Ok(Found { text: Text::Known(known), fresh: None, listed: true })
            }
            // The same words whatever was asked, so that nobody learns what there is.
            (Policy::Require, None, _) => Err(not_trusted()),
            (_, None, Some(sent)) => self.sent(sent, wanted),
            (_, None, None) => self.unsent(wanted),
        }
    }

    /// Remembers a document that the guard has let in, if its sender asked for that.
    pub fn keep(&self, found: &Found<'_>) {
        if let (Some(digest), Some(sent_once)) = (found.fresh, &self.sent_once) {
            sent_once.keep(digest, found);
        }
    }

    fn sent<'a>(&self, text: &'a str, wanted: &Wanted) -> Result<Found<'a>, Rejection> {
        let mut fresh = None;
        if let Some(hash) = &wanted.persisted {
            let digest = Digest::of(text);
            if Digest::read(hash) != Some(digest) {
                return Err(mismatch());
            }
            fresh = self.sent_once.as_ref().map(|_| digest);
        }
        Ok(Found { text: Text::Sent(text), fresh, listed: false })
    }

    fn unsent<'a>(&self, wanted: &Wanted) -> Result<Found<'a>, Rejection> {
        let Some(hash) = &wanted.persisted else {
            let message = "There is no document of that id.";
            return Err(Rejection::new(EdgeCode::DocumentNotFound, message));
        };
        let Some(sent_once) = &self.sent_once else {
            let (code, message) =
                (EdgeCode::PersistedQueryNotSupported, "PersistedQueryNotSupported");
            return Err(Rejection::new(code, message));
        };
        match Digest::read(hash).and_then(|digest| sent_once.text(digest)) {
            Some(text) => Ok(Found { text: Text::Known(text), fresh: None, listed: false }),
            // Apollo's clients go by these words, too.
            None => Err(Rejection::new(EdgeCode::PersistedQueryNotFound, "PersistedQueryNotFound")),
        }
    }
}

impl Default for Documents {
    fn default() -> Self {
        Self::new(&Settings::default())
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("policy", &self.policy).finish_non_exhaustive()
    }
}

fn not_trusted() -> Rejection {
    Rejection::new(EdgeCode::DocumentNotTrusted, "Only known documents are answered here.")
}

fn mismatch() -> Rejection {
    let message = "The document is not the one of that id.";
    Rejection::new(EdgeCode::MalformedRequest, message)
}
