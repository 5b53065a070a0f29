//! The room's calls.

use std::sync::Arc;

use async_trait::async_trait;
use moim_kit::page::{PageArgs, PageSpec};
use moim_kit::{Clock, Fault};
use moim_proto::search::v1 as proto;
use moim_proto::search::v1::search_service_server::SearchService;
use tonic::{Request, Response, Status};

use crate::convert;
use crate::indexer::{Library, blocking};
use crate::model::{self, Filter};
use crate::search::{Ask, RESULTS, Search};
use crate::suggest;
use crate::votes::MOST_POPULAR;

/// Refuses whoever may not see how queries are understood.
pub type Trusts = Arc<dyn Fn(&tonic::metadata::MetadataMap) -> Result<(), Status> + Send + Sync>;

/// Answers the calls of `moim.search.v1.SearchService`.
pub struct Server {
    pub library: Arc<Library>,
    pub clock: Clock,
    pub trusts: Trusts,
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl SearchService for Server {
    async fn search(
        &self,
        request: Request<proto::SearchRequest>,
    ) -> Answer<proto::SearchResponse> {
        Ok(Response::new(self.find(request.into_inner()).await?))
    }

    async fn suggest(
        &self,
        request: Request<proto::SuggestRequest>,
    ) -> Answer<proto::SuggestResponse> {
        let asked = request.into_inner();
        let count = within(asked.first, suggest::MOST);
        let terms = self.library.suggestions.load().complete(&asked.prefix, count);
        Ok(Response::new(proto::SuggestResponse { terms }))
    }

    async fn list_popular(
        &self,
        request: Request<proto::ListPopularRequest>,
    ) -> Answer<proto::ListPopularResponse> {
        let count = within(request.into_inner().first, MOST_POPULAR);
        let terms = self.library.votes.best(count).into_iter().map(convert::popular).collect();
        Ok(Response::new(proto::ListPopularResponse { terms }))
    }

    async fn explain(
        &self,
        request: Request<proto::ExplainRequest>,
    ) -> Answer<proto::ExplainResponse> {
        (self.trusts)(request.metadata())?;
        let proto::ExplainRequest { query, first } = request.into_inner();
        let args = PageArgs { first: Some(first), ..PageArgs::default() };
        let page = PageSpec::try_new(args, RESULTS)?;
        let (library, now) = (self.library.clone(), self.clock.now());
        let text = blocking(move || {
            let filter = Filter::default();
            let ask = Ask { query: &query, kinds: &[], filter: &filter, page: &page, now };
            on(&library, |search| search.explain(&ask))
        });
        Ok(Response::new(proto::ExplainResponse { text: text.await? }))
    }
}

impl Server {
    async fn find(&self, asked: proto::SearchRequest) -> Result<proto::SearchResponse, Fault> {
        model::query(&asked.query)?;
        let page = convert::page_spec(asked.page.as_ref(), RESULTS)?;
        let kinds = convert::kinds(&asked.kinds);
        let filter = convert::filter(asked.filter);
        let (library, now) = (self.library.clone(), self.clock.now());
        let query = asked.query.clone();
        let answer = blocking(move || {
            let ask = Ask { query: &query, kinds: &kinds, filter: &filter, page: &page, now };
            on(&library, |search| search.find(&ask))
        });
        let answer = answer.await?;
        // A vote is for what finds something, and for the first page of it.
        if let Some(term) = answer.term.filter(|_| page.cursor.is_none()) {
            self.library.votes.cast(&term, &asked.voter);
        }
        Ok(convert::response(answer.page, answer.total, answer.corrected))
    }
}

/// Runs on the newest state of the index.
fn on<T>(library: &Library, run: impl FnOnce(&Search<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let shelf = library.shelf();
    let shelf = shelf.ok_or_else(|| Fault::unavailable("INDEX_MISSING", "there is no index"))?;
    let searcher = shelf.searcher();
    run(&Search { searcher: &searcher, fields: shelf.fields(), analyzer: shelf.analyzer() })
}

fn within(asked: i32, most: usize) -> usize {
    usize::try_from(asked).unwrap_or(0).min(most)
}
