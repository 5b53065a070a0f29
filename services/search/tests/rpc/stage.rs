//! An index in a directory of its own, and somebody who searches it.

use std::path::Path;
use std::sync::Arc;

use moim_kit::page::{PageArgs, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_search::{Analyzer, Answer, Ask, Document, Filter, RESULTS, Search, Shelf, begin, swap};
use tempfile::TempDir;

pub const NOW: Timestamp = Timestamp::from_us(1_700_000_000_000_000);

pub struct Stage {
    pub shelf: Shelf,
    directory: TempDir,
}

impl Stage {
    /// With these documents in it.
    pub fn with(documents: &[Document]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shelf = begin(directory.path(), &Arc::new(Analyzer::new())).unwrap();
        documents.iter().for_each(|it| shelf.put(it).unwrap());
        shelf.commit(i64::try_from(documents.len()).unwrap()).unwrap();
        swap(directory.path(), &shelf).unwrap();
        Self { shelf, directory }
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Puts the index down; what is on disk stays.
    pub fn close(self) -> TempDir {
        self.directory
    }

    pub fn find(&self, query: &str, filter: &Filter, first: i32) -> Answer {
        let args = PageArgs { first: Some(first), ..PageArgs::default() };
        self.try_find(query, filter, args).unwrap()
    }

    pub fn try_find(
        &self,
        query: &str,
        filter: &Filter,
        page: PageArgs<'_>,
    ) -> Result<Answer, Fault> {
        let page = PageSpec::try_new(page, RESULTS)?;
        let ask = Ask { query, kinds: &[], filter, page: &page, now: NOW };
        self.search(|it| it.find(&ask))
    }

    pub fn explain(&self, query: &str) -> String {
        let args = PageArgs { first: Some(10), ..PageArgs::default() };
        let page = PageSpec::try_new(args, RESULTS).unwrap();
        let ask = Ask { query, kinds: &[], filter: &Filter::default(), page: &page, now: NOW };
        self.search(|it| it.explain(&ask)).unwrap()
    }

    /// Titles of what is found, best first.
    pub fn titles(&self, query: &str, all: &[Document]) -> Vec<String> {
        let found = self.find(query, &Filter::default(), 20);
        let title = |id| all.iter().find(|it| it.id == id).map(|it| it.title.clone()).unwrap();
        found.page.rows.iter().map(|it| title(it.id)).collect()
    }

    fn search<T>(&self, run: impl FnOnce(&Search<'_>) -> T) -> T {
        let searcher = self.shelf.searcher();
        let (fields, analyzer) = (self.shelf.fields(), self.shelf.analyzer());
        run(&Search { searcher: &searcher, fields, analyzer })
    }
}
