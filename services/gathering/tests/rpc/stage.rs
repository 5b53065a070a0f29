//! What every test here stands on: an open room, members whose cards it knows, and short ways to call.

use std::sync::Arc;
use std::time::Duration;

use moim_gathering::{Config, MIGRATIONS};
use moim_kit::bus::{Fact, Kind, Log};
use moim_kit::id::MemberId;
use moim_kit::serve::Room;
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault};
use moim_proto::gathering::v1::gathering_service_client::GatheringServiceClient;
use moim_proto::gathering::v1::*;
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_testbed::{Bed, ScriptedLog};
use prost::Message as _;
use tonic::Response;

pub type Client = GatheringServiceClient<Wire>;

/// Calls a method and answers its message, or the fault.
macro_rules! ask {
    ($stage:expr, $call:expr, $method:ident, $request:expr) => {
        $stage
            .client()
            .$method($call.request($request))
            .await
            .map(tonic::Response::into_inner)
            .map_err(moim_kit::Fault::from)
    };
}
pub(crate) use ask;

pub struct Stage {
    pub bed: Bed,
    pub room: Room,
    pub members: Arc<ScriptedLog>,
    pub reviews: Arc<ScriptedLog>,
    client: Client,
}

impl Stage {
    pub async fn set(bed: Bed) -> Self {
        Self::with(bed, Config::default()).await
    }

    pub async fn with(bed: Bed, config: Config) -> Self {
        let (members, reviews) = (ScriptedLog::new(), ScriptedLog::new());
        let room = open(&bed, config, &members, &reviews).await;
        let client = Client::new(bed.serve(&room).await);
        Self { bed, room, members, reviews, client }
    }

    /// The same room once more, as another process on the same database.
    pub async fn second_client(&self) -> Client {
        let room = open(&self.bed, Config::default(), &self.members, &self.reviews).await;
        Client::new(self.bed.serve(&room).await)
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Somebody new; the room hears of them.
    pub fn member(&self, nickname: &str) -> MemberId {
        let id = MemberId::fresh();
        self.tell_card(id, 1, nickname);
        id
    }

    pub fn tell_card(&self, id: MemberId, version: i64, nickname: &str) {
        let state = MemberState {
            id: id.to_string(),
            nickname: nickname.to_owned(),
            avatar_url: Some(format!("https://example.com/{nickname}.png")),
            bio: None,
            joined_at_us: 1,
        };
        self.members.push("member", id.uuid(), version, &state);
    }

    pub fn by(&self, member: MemberId) -> Call {
        self.bed.call(member)
    }

    pub async fn create(&self, host: MemberId, request: CreateRequest) -> Gathering {
        ask!(self, self.by(host), create, request).unwrap().gathering.unwrap()
    }

    pub async fn update(&self, who: MemberId, request: UpdateRequest) -> Result<Gathering, Fault> {
        ask!(self, self.by(who), update, request).map(|answer| answer.gathering.unwrap())
    }

    pub async fn join(&self, who: MemberId, gathering: &Gathering) -> Result<Membership, Fault> {
        self.join_saying(who, gathering, None).await
    }

    pub async fn join_saying(
        &self,
        who: MemberId,
        gathering: &Gathering,
        message: Option<&str>,
    ) -> Result<Membership, Fault> {
        let gathering_id = gathering.id.clone();
        let request = JoinRequest { gathering_id, message: message.map(str::to_owned) };
        ask!(self, self.by(who), join, request).map(|answer| answer.membership.unwrap())
    }

    pub async fn leave(&self, who: MemberId, gathering: &Gathering) -> Result<Membership, Fault> {
        let request = LeaveRequest { gathering_id: gathering.id.clone() };
        ask!(self, self.by(who), leave, request).map(|answer| answer.membership.unwrap())
    }

    pub async fn decide(
        &self,
        call: Call,
        target: &Membership,
        approve: bool,
    ) -> Result<Membership, Fault> {
        let request = DecideMembershipRequest { membership_id: target.id.clone(), approve };
        ask!(self, call, decide_membership, request).map(|answer| answer.membership.unwrap())
    }

    pub async fn set_role(
        &self,
        call: Call,
        target: &Membership,
        role: MembershipRole,
    ) -> Result<Membership, Fault> {
        let membership_id = target.id.clone();
        let request = SetMembershipRoleRequest { membership_id, role: role.into() };
        ask!(self, call, set_membership_role, request).map(|answer| answer.membership.unwrap())
    }

    pub async fn remove(
        &self,
        call: Call,
        target: &Membership,
        ban: bool,
    ) -> Result<Membership, Fault> {
        let request = RemoveMembershipRequest { membership_id: target.id.clone(), ban };
        ask!(self, call, remove_membership, request).map(|answer| answer.membership.unwrap())
    }

    /// A gathering as somebody sees it.
    pub async fn get(&self, call: Call, id: &str) -> Option<Gathering> {
        let request = BatchGetRequest { ids: vec![id.to_owned()] };
        ask!(self, call, batch_get, request).unwrap().gatherings.pop()
    }

    /// The first hundred of a roster, as somebody sees it.
    pub async fn roster(
        &self,
        call: Call,
        gathering: &Gathering,
        status: MembershipStatus,
    ) -> Vec<Membership> {
        let request = BatchListMembershipsRequest {
            gathering_ids: vec![gathering.id.clone()],
            status: status.into(),
            role: None,
            page: first(100),
        };
        let answer = ask!(self, call, batch_list_memberships, request).unwrap();
        answer.lists.into_iter().next().unwrap().memberships
    }

    /// States the room told of a noun, once there are `count` of them.
    pub async fn told(&self, noun: &str, count: usize) -> Vec<Fact> {
        self.told_as(Kind::State, noun, count).await
    }

    /// How memberships moved, once there are `count` moves.
    pub async fn moves(&self, count: usize) -> Vec<(Fact, MembershipEvent)> {
        let facts = self.told_as(Kind::Event, "membership", count).await;
        let decoded = facts.into_iter().map(|fact| {
            let event = MembershipEvent::decode(fact.payload.clone()).unwrap();
            (fact, event)
        });
        decoded.collect()
    }

    async fn told_as(&self, kind: Kind, noun: &str, count: usize) -> Vec<Fact> {
        for _ in 0..500 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            let facts = entries.into_iter().map(|entry| entry.fact);
            let facts: Vec<_> =
                facts.filter(|fact| fact.kind == kind && fact.noun == noun).collect();
            if facts.len() >= count {
                return facts;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("fewer than {count} facts of {noun} were told");
    }
}

async fn open(
    bed: &Bed,
    config: Config,
    members: &Arc<ScriptedLog>,
    reviews: &Arc<ScriptedLog>,
) -> Room {
    let ground = bed.ground("gathering", &MIGRATIONS).await;
    let logs: [(&'static str, Arc<dyn Log>); 2] =
        [("member", members.clone()), ("review", reviews.clone())];
    moim_gathering::open(config, ground, logs).await.unwrap()
}

pub fn first(count: i32) -> Option<PageRequest> {
    Some(PageRequest { first: Some(count), ..PageRequest::default() })
}

/// A gathering anybody may join, with some seats.
pub fn open_for(capacity: i32) -> CreateRequest {
    CreateRequest {
        title: "한강 달리기".to_owned(),
        description: "퇴근하고 함께 달려요.\n초보도 환영합니다.".to_owned(),
        category: Category::Sports.into(),
        region_code: "11440".to_owned(),
        capacity,
        join_policy: JoinPolicy::Open.into(),
        image_url: None,
    }
}

/// A gathering that approves those who ask.
pub fn approving(capacity: i32) -> CreateRequest {
    CreateRequest { join_policy: JoinPolicy::Approval.into(), ..open_for(capacity) }
}

/// A change of nothing yet.
pub fn change(gathering: &Gathering) -> UpdateRequest {
    UpdateRequest { gathering_id: gathering.id.clone(), ..UpdateRequest::default() }
}

pub fn reason<T: std::fmt::Debug>(answer: Result<T, Fault>) -> String {
    answer.unwrap_err().reason().to_owned()
}

/// What a write's answer says was written, as pairs of noun and version.
pub fn marks<T>(response: &Response<T>) -> Vec<(String, i64)> {
    let text = response.metadata().get(moim_kit::seen::METADATA).unwrap().to_str().unwrap();
    let seen = moim_kit::seen::Seen::decode_text(text);
    seen.marks().iter().map(|mark| (mark.noun.clone(), mark.version)).collect()
}
