//! Members as others see them, changing oneself, and hiding others.

use moim_kit::call::respond;
use moim_kit::id::MemberId;
use moim_kit::{Call, Caller, Fault, Id};
use moim_proto::member::v1::get_request::By;
use moim_proto::member::v1::*;
use moim_storage::{Idempotency, Replay};
use tonic::Response;

use crate::convert;
use crate::events::tell_member;
use crate::fault::Reason;
use crate::model::{Change, MAX_IDS, Nickname};
use crate::rpc::Rpc;
use crate::store::{delete_block, find_member, insert_block, lock_member, update_member};

impl Rpc {
    pub(super) async fn do_get(
        &self,
        call: &Call,
        request: GetRequest,
    ) -> Result<GetResponse, Fault> {
        let (viewer, view) = (call.viewer(), self.reads.of(call).await);
        let found = match request.by {
            Some(By::Nickname(text)) => match Nickname::parse(&text) {
                Ok(nickname) => self.store.find_by_nickname(&view, viewer, &nickname).await?,
                Err(_) => None,
            },
            Some(By::Id(text)) => self.store.find(&view, viewer, Id::parse(&text, "id")?).await?,
            None => None,
        };
        let member = found.map(convert::member).ok_or(Reason::MemberNotFound)?;
        Ok(GetResponse { member: Some(member) })
    }

    pub(super) async fn do_batch_get(
        &self,
        call: &Call,
        request: BatchGetRequest,
    ) -> Result<BatchGetResponse, Fault> {
        if request.ids.len() > MAX_IDS {
            return Err(Reason::TooManyIds.into());
        }
        // What is no id names nobody.
        let mut ids: Vec<MemberId> =
            request.ids.iter().filter_map(|text| text.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        let view = self.reads.of(call).await;
        let members = self.store.list(&view, call.viewer(), &ids).await?;
        Ok(BatchGetResponse { members: members.into_iter().map(convert::member).collect() })
    }

    pub(super) async fn do_update(
        &self,
        call: &Call,
        caller: Caller,
        request: UpdateRequest,
    ) -> Result<Response<UpdateResponse>, Fault> {
        let change = Change::parse(
            request.nickname.as_deref(),
            request.avatar_url.as_deref(),
            request.bio.as_deref(),
        )?;
        let now = self.clock.now();
        let mut tx = self.outbox.begin().await?;
        let claim = match Idempotency::claim(&mut tx, call, "update", &request, now).await? {
            Replay::Fresh(claim) => claim,
            Replay::Done(response, written) => return Ok(respond(response, written)),
        };
        let member = lock_member(&mut tx, caller.member).await?;
        let member = member.ok_or_else(Fault::unauthenticated)?;
        let member = match member.changed(change) {
            None => member,
            Some(next) => {
                update_member(&mut tx, &next).await?;
                tell_member(&mut tx, &next, call, now);
                next
            }
        };
        let response = UpdateResponse { member: Some(convert::own(member)) };
        claim.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }

    pub(super) async fn do_set_blocked(
        &self,
        call: &Call,
        caller: Caller,
        request: SetBlockedRequest,
    ) -> Result<Response<SetBlockedResponse>, Fault> {
        let id: MemberId = Id::parse(&request.member_id, "memberId")?;
        if id == caller.member {
            return Err(Reason::BlockedSelf.into());
        }
        let now = self.clock.now();
        let mut tx = self.outbox.begin().await?;
        let claim = match Idempotency::claim(&mut tx, call, "set_blocked", &request, now).await? {
            Replay::Fresh(claim) => claim,
            Replay::Done(response, written) => return Ok(respond(response, written)),
        };
        find_member(&mut tx, caller.member).await?.ok_or_else(Fault::unauthenticated)?;
        let member = find_member(&mut tx, id).await?;
        let member = member.ok_or_else(|| Fault::from(Reason::MemberNotFound).at("memberId"))?;
        if request.blocked {
            insert_block(&mut tx, caller.member, id, now).await?;
        } else {
            delete_block(&mut tx, caller.member, id).await?;
        }
        let response =
            SetBlockedResponse { member: Some(convert::member((member, request.blocked))) };
        claim.store(&mut tx, &response).await?;
        Ok(respond(response, tx.commit().await?))
    }
}
