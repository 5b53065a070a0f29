//! The calls of this room, in the order of the contract.

mod accounts;
mod profiles;
mod sessions;

use std::sync::Arc;

use moim_kit::token::Verifier;
use moim_kit::{Call, Clock};
use moim_proto::member::v1::member_service_server::MemberService;
use moim_proto::member::v1::*;
use moim_storage::{Outbox, Reads};
use tonic::{Request, Response, Status};

use crate::model::Limit;
use crate::password::Passwords;
use crate::session::Lifetimes;
use crate::store::Store;
use crate::token::Signer;

/// Answers the calls.
pub(crate) struct Rpc {
    pub store: Store,
    pub reads: Reads,
    pub outbox: Outbox,
    pub clock: Clock,
    pub verifier: Arc<Verifier>,
    pub passwords: Passwords,
    pub signer: Signer,
    /// An operator's key signs, and the database's do not count.
    pub signer_is_given: bool,
    pub lifetimes: Lifetimes,
    pub limit: Limit,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl MemberService for Rpc {
    async fn sign_up(&self, request: Request<SignUpRequest>) -> Answer<SignUpResponse> {
        let (call, request) = Call::take(request);
        Ok(self.do_sign_up(&call, request).await?)
    }

    async fn log_in(&self, request: Request<LogInRequest>) -> Answer<LogInResponse> {
        let (_, request) = Call::take(request);
        Ok(Response::new(self.do_log_in(request).await?))
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<RefreshResponse> {
        let (_, request) = Call::take(request);
        Ok(Response::new(self.do_refresh(request).await?))
    }

    async fn log_out(&self, request: Request<LogOutRequest>) -> Answer<LogOutResponse> {
        let (call, request) = Call::take(request);
        Ok(Response::new(self.do_log_out(call.require_caller()?, request).await?))
    }

    async fn get_account(&self, request: Request<GetAccountRequest>) -> Answer<GetAccountResponse> {
        let (call, _) = Call::take(request);
        Ok(Response::new(self.do_get_account(&call).await?))
    }

    async fn get(&self, request: Request<GetRequest>) -> Answer<GetResponse> {
        let (call, request) = Call::take(request);
        Ok(Response::new(self.do_get(&call, request).await?))
    }

    async fn batch_get(&self, request: Request<BatchGetRequest>) -> Answer<BatchGetResponse> {
        let (call, request) = Call::take(request);
        Ok(Response::new(self.do_batch_get(&call, request).await?))
    }

    async fn update(&self, request: Request<UpdateRequest>) -> Answer<UpdateResponse> {
        let (call, request) = Call::take(request);
        Ok(self.do_update(&call, call.require_caller()?, request).await?)
    }

    async fn set_blocked(&self, request: Request<SetBlockedRequest>) -> Answer<SetBlockedResponse> {
        let (call, request) = Call::take(request);
        Ok(self.do_set_blocked(&call, call.require_caller()?, request).await?)
    }

    async fn list_signing_keys(
        &self,
        _: Request<ListSigningKeysRequest>,
    ) -> Answer<ListSigningKeysResponse> {
        Ok(Response::new(self.do_list_signing_keys().await?))
    }

    async fn list_revocations(
        &self,
        _: Request<ListRevocationsRequest>,
    ) -> Answer<ListRevocationsResponse> {
        Ok(Response::new(self.do_list_revocations().await?))
    }
}
