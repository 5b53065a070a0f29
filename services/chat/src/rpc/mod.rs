//! The room's calls, one method each; the work stands in the files beside this one.

#[cfg(test)]
mod race;
mod read;
mod write;

use async_trait::async_trait;
use moim_kit::{Call, Clock};
use moim_proto::chat::v1 as proto;
use moim_proto::chat::v1::chat_service_server::ChatService;
use moim_storage::Reads;
use tonic::{Request, Response, Status};

use crate::events::Cards;
use crate::store::Store;

/// Answers the calls of `moim.chat.v1.ChatService`.
pub struct Server {
    pub store: Store,
    pub reads: Reads,
    pub cards: Cards,
    pub clock: Clock,
    pub resume_limit: u32,
}

type Answer<T> = Result<Response<T>, Status>;

/// Takes a request apart and hands it to the method of the same name.
macro_rules! hand {
    ($self:ident, $request:ident, $method:ident) => {{
        let (call, request) = Call::take($request);
        Ok($self.$method(&call, request).await?)
    }};
}

#[async_trait]
impl ChatService for Server {
    async fn batch_get(
        &self,
        request: Request<proto::BatchGetRequest>,
    ) -> Answer<proto::BatchGetResponse> {
        hand!(self, request, get_messages)
    }

    async fn batch_list(
        &self,
        request: Request<proto::BatchListRequest>,
    ) -> Answer<proto::BatchListResponse> {
        hand!(self, request, list_messages)
    }

    async fn send(&self, request: Request<proto::SendRequest>) -> Answer<proto::SendResponse> {
        hand!(self, request, say)
    }

    async fn delete(
        &self,
        request: Request<proto::DeleteRequest>,
    ) -> Answer<proto::DeleteResponse> {
        hand!(self, request, take_away)
    }

    async fn resume(
        &self,
        request: Request<proto::ResumeRequest>,
    ) -> Answer<proto::ResumeResponse> {
        hand!(self, request, catch_up)
    }
}
