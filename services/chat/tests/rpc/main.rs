//! The room's calls over real sockets, on both databases, with scripted rooms around it.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod facts;
mod read;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moim_chat::{Config, MIGRATIONS};
use moim_kit::bus::Fact;
use moim_kit::id::{GatheringId, MemberId, MembershipId};
use moim_kit::seen::{Mark, Seen};
use moim_kit::serve::{Gate as _, Room};
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault};
use moim_proto::chat::v1::chat_service_client::ChatServiceClient;
use moim_proto::chat::v1::*;
use moim_proto::gathering::v1::{MembershipRole, MembershipState, MembershipStatus};
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_storage::Copies;
use moim_testbed::{Bed, ScriptedLog};

type Client = ChatServiceClient<Wire>;

/// A room behind a socket, and what the member and gathering rooms would tell it.
struct World {
    bed: Bed,
    room: Room,
    client: Client,
    copies: Copies,
    members: Arc<ScriptedLog>,
    gatherings: Arc<ScriptedLog>,
    memberships: Mutex<HashMap<(GatheringId, MemberId), (MembershipId, i64)>>,
}

impl World {
    async fn new(bed: Bed) -> Self {
        Self::with(bed, Config::default()).await
    }

    async fn with(bed: Bed, config: Config) -> Self {
        let (members, gatherings) = (ScriptedLog::new(), ScriptedLog::new());
        let ground = bed.ground("chat", &MIGRATIONS).await;
        let copies = ground.copies(&["member", "membership"]);
        let logs = (members.clone(), gatherings.clone());
        let room = moim_chat::open(config, ground, logs.0, logs.1).await.unwrap();
        let client = Client::new(bed.serve(&room).await);
        Self { bed, room, client, copies, members, gatherings, memberships: Mutex::default() }
    }

    fn mark(&self, noun: &str, id: uuid::Uuid, version: i64) -> Mark {
        Mark::new(noun, id, version, self.bed.clock.now())
    }

    fn tell_card(&self, member: MemberId, version: i64, nickname: &str) -> Mark {
        let state = MemberState {
            id: member.to_string(),
            nickname: nickname.to_owned(),
            ..MemberState::default()
        };
        self.members.push("member", member.uuid(), version, &state);
        self.mark("member", member.uuid(), version)
    }

    /// A membership is as told from now on.
    fn tell_standing(
        &self,
        gathering: GatheringId,
        member: MemberId,
        role: MembershipRole,
        status: MembershipStatus,
    ) -> Mark {
        let mut memberships = self.memberships.lock().unwrap();
        let (id, version) =
            memberships.entry((gathering, member)).or_insert((MembershipId::fresh(), 0));
        *version += 1;
        let state = MembershipState {
            id: id.to_string(),
            gathering_id: gathering.to_string(),
            member_id: member.to_string(),
            role: role.into(),
            status: status.into(),
        };
        self.gatherings.push("membership", id.uuid(), *version, &state);
        self.mark("membership", id.uuid(), *version)
    }

    /// Waits until the room has taken all of this in.
    async fn arrived(&self, marks: &[Mark]) {
        self.copies.arrived(marks).await.unwrap();
    }

    /// Somebody with this role in a gathering, known to the room.
    async fn somebody(&self, gathering: GatheringId, role: MembershipRole) -> MemberId {
        let member = MemberId::fresh();
        let card = self.tell_card(member, 1, "하나");
        let standing = self.tell_standing(gathering, member, role, MembershipStatus::Active);
        self.arrived(&[card, standing]).await;
        member
    }

    async fn guest(&self, gathering: GatheringId) -> MemberId {
        self.somebody(gathering, MembershipRole::Member).await
    }

    async fn leaves(&self, gathering: GatheringId, member: MemberId) {
        let (role, status) = (MembershipRole::Member, MembershipStatus::Left);
        self.arrived(&[self.tell_standing(gathering, member, role, status)]).await;
    }

    /// A call by a member who has seen these writes.
    fn seen(&self, member: MemberId, marks: impl IntoIterator<Item = Mark>) -> Call {
        let mut seen = Seen::default();
        seen.merge(marks);
        self.bed.call(member).having_seen(seen)
    }

    async fn send(&self, call: Call, request: SendRequest) -> Result<SendResponse, Fault> {
        let answer = self.client.clone().send(call.request(request)).await;
        answer.map(tonic::Response::into_inner).map_err(Fault::from)
    }

    /// Somebody says something, under a client id that is the text.
    async fn says(&self, member: MemberId, gathering: GatheringId, text: &str) -> SendResponse {
        self.send(self.bed.call(member), say(gathering, text, text)).await.unwrap()
    }

    async fn delete(&self, member: MemberId, id: &str) -> Result<ChatMessage, Fault> {
        let request = DeleteRequest { message_id: id.to_owned() };
        let answer = self.client.clone().delete(self.bed.call(member).request(request)).await;
        answer.map(|answer| answer.into_inner().message.unwrap()).map_err(Fault::from)
    }

    async fn list(
        &self,
        call: Call,
        gatherings: &[GatheringId],
        page: PageRequest,
    ) -> Result<Vec<ChatMessageList>, Fault> {
        let gathering_ids = gatherings.iter().map(ToString::to_string).collect();
        let request = BatchListRequest { gathering_ids, page: Some(page) };
        let answer = self.client.clone().batch_list(call.request(request)).await;
        answer.map(|answer| answer.into_inner().lists).map_err(Fault::from)
    }

    async fn resume(
        &self,
        member: MemberId,
        gathering: GatheringId,
        after: Option<&str>,
    ) -> Result<ResumeResponse, Fault> {
        let (gathering_id, after) = (gathering.to_string(), after.map(str::to_owned));
        let request = ResumeRequest { gathering_id, after };
        let answer = self.client.clone().resume(self.bed.call(member).request(request)).await;
        answer.map(tonic::Response::into_inner).map_err(Fault::from)
    }

    /// Waits until the room has told as many facts of a noun, and answers them in order.
    async fn told(&self, noun: &str, count: usize) -> Vec<Fact> {
        for _ in 0..400 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            let facts = entries.into_iter().map(|entry| entry.fact);
            let told: Vec<_> = facts.filter(|fact| fact.noun == noun).collect();
            assert!(told.len() <= count, "more was told of {noun} than expected");
            if told.len() == count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("fewer than {count} facts of {noun} were told");
    }
}

fn say(gathering: GatheringId, body: &str, client_id: &str) -> SendRequest {
    SendRequest {
        gathering_id: gathering.to_string(),
        body: body.to_owned(),
        client_id: client_id.to_owned(),
    }
}

fn first(count: i32) -> PageRequest {
    PageRequest { first: Some(count), ..PageRequest::default() }
}

fn last(count: i32) -> PageRequest {
    PageRequest { last: Some(count), ..PageRequest::default() }
}

fn bodies(messages: &[ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_deref().unwrap_or("-")).collect()
}
