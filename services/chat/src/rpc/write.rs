//! Saying something, and taking it away again.

use moim_kit::call::respond;
use moim_kit::id::ChatMessageId;
use moim_kit::{Call, Fault};
use moim_proto::chat::v1 as proto;
use moim_storage::{Idempotency, Replay};
use tonic::Response;

use super::Server;
use crate::fault::Reason;
use crate::{convert, events};

impl Server {
    pub(super) async fn say(
        &self,
        call: &Call,
        request: proto::SendRequest,
    ) -> Result<Response<proto::SendResponse>, Fault> {
        let caller = call.require_caller()?;
        let draft = convert::draft(&request)?;
        let (gathering, member) = (draft.gathering, caller.member);
        let now_so = self.reads.primary();
        if !self.store.list_roles(&now_so, member, [gathering]).await?.contains_key(&gathering) {
            return Err(Reason::NotAMember.into());
        }
        // Before the transaction: the card could not arrive while this one holds the only writer.
        let author = self.cards.present(member, self.clock.now()).await?;
        let mut tx = self.store.begin().await?;
        let now = self.clock.now();
        let key = match Idempotency::claim(&mut tx, call, "Send", &request, now).await? {
            Replay::Done(answer, written) => return Ok(respond(answer, written)),
            Replay::Fresh(key) => key,
        };
        // Two tries of one sender meet at this lock, so that the second finds what the first sent.
        if self.store.lock_role(&mut tx, gathering, member).await?.is_none() {
            return Err(Reason::NotAMember.into());
        }
        let earlier = self.store.find_sent(&mut tx, gathering, member, &draft.client_id).await?;
        let message = if let Some(earlier) = earlier {
            draft.is_again(&earlier)?;
            earlier
        } else {
            let sequence = self.store.next_sequence(&mut tx, gathering).await?;
            let message = draft.sent(author, sequence, self.clock.now());
            self.store.insert_message(&mut tx, &message).await?;
            events::tell_message(&mut tx, &message, &call.trace().to_string(), now);
            message
        };
        let answer = proto::SendResponse {
            cursor: convert::place(&message).encode(convert::LIST),
            message: Some(convert::message(&message, Some(member))),
        };
        key.store(&mut tx, &answer).await?;
        Ok(respond(answer, tx.commit().await?))
    }

    pub(super) async fn take_away(
        &self,
        call: &Call,
        request: proto::DeleteRequest,
    ) -> Result<Response<proto::DeleteResponse>, Fault> {
        let caller = call.require_caller()?;
        let id = ChatMessageId::parse(&request.message_id, "messageId")?;
        let now = self.clock.now();
        let found = self.store.list_messages(&self.reads.primary(), vec![id]).await?;
        let gathering = found.first().ok_or(Reason::MessageNotFound)?.gathering;
        let mut tx = self.store.begin().await?;
        let key = match Idempotency::claim(&mut tx, call, "Delete", &request, now).await? {
            Replay::Done(answer, written) => return Ok(respond(answer, written)),
            Replay::Fresh(key) => key,
        };
        let role = self.store.lock_role(&mut tx, gathering, caller.member).await?;
        // To those outside, a message that is there is as one that is not.
        let role = role.ok_or(Reason::MessageNotFound)?;
        let mut message = self.store.lock_message(&mut tx, id).await?;
        if let Some(gone) = message.deleted(caller.member, role)? {
            self.store.update_message(&mut tx, &gone).await?;
            events::tell_message(&mut tx, &gone, &call.trace().to_string(), now);
            message = gone;
        }
        let message = Some(convert::message(&message, Some(caller.member)));
        let answer = proto::DeleteResponse { message };
        key.store(&mut tx, &answer).await?;
        Ok(respond(answer, tx.commit().await?))
    }
}
