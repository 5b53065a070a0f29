//! The room's calls over real sockets, on both databases: one house with a scripted town around it.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod attend;
mod burst;
mod calendar;
mod facts;
mod fees;
mod holds;
mod lead;
mod line;
mod moves;
mod offers;
mod pay;
mod read;
mod record;
mod returns;
mod till;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moim_kit::bus::{Fact, Kind, Log};
use moim_kit::id::{GatheringId, MemberId, MembershipId};
use moim_kit::seen::{Mark, Seen};
use moim_kit::serve::Room;
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault, Timestamp};
use moim_proto::gathering::v1::{
    GatheringState, MembershipRole, MembershipState, MembershipStatus,
};
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1::schedule_service_client::ScheduleServiceClient;
use moim_proto::schedule::v1::*;
use moim_schedule::{Config, MIGRATIONS};
use moim_testbed::{Bed, ScriptedLog};
use prost::Message;
use tonic::{Response, Status};
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

type Client = ScheduleServiceClient<Wire>;

/// A room behind a socket, and what the member and gathering rooms would tell it.
struct World {
    bed: Bed,
    room: Room,
    client: Client,
    members: Arc<ScriptedLog>,
    gatherings: Arc<ScriptedLog>,
    payments: Arc<ScriptedLog>,
    script: Mutex<Script>,
}

type Logs = [(&'static str, Arc<dyn Log>); 3];

fn logs(
    members: &Arc<ScriptedLog>,
    gatherings: &Arc<ScriptedLog>,
    payments: &Arc<ScriptedLog>,
) -> Logs {
    [("member", members.clone()), ("gathering", gatherings.clone()), ("payment", payments.clone())]
}

/// Nobody tells anything.
fn silent() -> Logs {
    logs(&ScriptedLog::new(), &ScriptedLog::new(), &ScriptedLog::new())
}

#[derive(Default)]
struct Script {
    memberships: HashMap<(GatheringId, MemberId), (MembershipId, i64)>,
    last_card: Option<Mark>,
    last_membership: Option<Mark>,
}

impl World {
    async fn new(bed: Bed) -> Self {
        Self::with(bed, Config::default()).await
    }

    async fn with(bed: Bed, config: Config) -> Self {
        let (members, gatherings) = (ScriptedLog::new(), ScriptedLog::new());
        let payments = ScriptedLog::new();
        let ground = bed.ground("schedule", &MIGRATIONS).await;
        let logs = logs(&members, &gatherings, &payments);
        let room = moim_schedule::open(config, ground, logs).await.unwrap();
        let client = Client::new(bed.serve(&room).await);
        Self { bed, room, client, members, gatherings, payments, script: Mutex::default() }
    }

    /// The same room once more, as another process on the same database.
    async fn second_room(&self) -> Client {
        self.second_room_with(Config::default()).await
    }

    async fn second_room_with(&self, config: Config) -> Client {
        let ground = self.bed.ground("schedule", &MIGRATIONS).await;
        let logs = logs(&self.members, &self.gatherings, &self.payments);
        let room = moim_schedule::open(config, ground, logs).await.unwrap();
        Client::new(self.bed.serve(&room).await)
    }

    fn now(&self) -> Timestamp {
        self.bed.clock.now()
    }

    /// Somebody signed up with the member room.
    fn member(&self, nickname: &str) -> MemberId {
        let id = MemberId::fresh();
        self.tell_card(id, 1, nickname);
        id
    }

    fn tell_card(&self, id: MemberId, version: i64, nickname: &str) {
        let state = MemberState {
            id: id.to_string(),
            nickname: nickname.to_owned(),
            ..MemberState::default()
        };
        self.members.push("member", id.uuid(), version, &state);
        let mark = Mark::new("member", id.uuid(), version, self.now());
        self.script.lock().unwrap().last_card = Some(mark);
    }

    /// Somebody started a gathering.
    fn gathering(&self, host: MemberId) -> GatheringId {
        let id = GatheringId::fresh();
        let state = GatheringState {
            id: id.to_string(),
            title: "한강 달리기".to_owned(),
            host_id: host.to_string(),
            ..GatheringState::default()
        };
        self.gatherings.push("gathering", id.uuid(), 1, &state);
        self.standing(id, host, MembershipRole::Host, MembershipStatus::Active);
        id
    }

    /// A membership is as told from now on.
    fn standing(
        &self,
        gathering: GatheringId,
        member: MemberId,
        role: MembershipRole,
        status: MembershipStatus,
    ) {
        let mut script = self.script.lock().unwrap();
        let entry = script.memberships.entry((gathering, member));
        let (id, version) = entry.or_insert((MembershipId::fresh(), 0));
        *version += 1;
        let state = MembershipState {
            id: id.to_string(),
            gathering_id: gathering.to_string(),
            member_id: member.to_string(),
            role: role.into(),
            status: status.into(),
        };
        self.gatherings.push("membership", id.uuid(), *version, &state);
        let mark = Mark::new("membership", id.uuid(), *version, self.now());
        script.last_membership = Some(mark);
    }

    fn joins(&self, gathering: GatheringId, member: MemberId) {
        self.standing(gathering, member, MembershipRole::Member, MembershipStatus::Active);
    }

    fn leaves(&self, gathering: GatheringId, member: MemberId) {
        self.standing(gathering, member, MembershipRole::Member, MembershipStatus::Left);
    }

    /// A fresh member of a gathering.
    fn guest(&self, gathering: GatheringId, nickname: &str) -> MemberId {
        let member = self.member(nickname);
        self.joins(gathering, member);
        member
    }

    /// Everything told up to now, as a client that has seen it would say.
    fn seen(&self) -> Seen {
        let script = self.script.lock().unwrap();
        let mut seen = Seen::default();
        seen.merge(script.last_card.iter().chain(&script.last_membership).cloned());
        seen
    }

    /// A call by somebody who has seen everything, with a fresh key.
    fn by(&self, member: MemberId) -> Call {
        let key = Uuid::now_v7().to_string();
        self.bed.call(member).having_seen(self.seen()).keyed(Some(&key))
    }

    fn by_nobody(&self) -> Call {
        self.bed.anonymous().having_seen(self.seen())
    }

    /// Waits for everything told, longer than one call would.
    async fn all_arrived(&self) {
        for _ in 0..40 {
            let request = self.by_nobody().request(BatchGetRequest::default());
            if self.client.clone().batch_get(request).await.is_ok() {
                return;
            }
        }
        panic!("the copies never arrived");
    }

    /// A schedule tomorrow, for two hours.
    fn plan(&self, gathering: GatheringId, capacity: i32) -> CreateRequest {
        let starts_at = self.now().after(DAY);
        CreateRequest {
            gathering_id: gathering.to_string(),
            title: "저녁 달리기".to_owned(),
            description: "여의도에서 만나요".to_owned(),
            place: "여의나루역 2번 출구".to_owned(),
            starts_at_us: starts_at.us(),
            ends_at_us: starts_at.after(HOUR * 2).us(),
            time_zone: "Asia/Seoul".to_owned(),
            capacity,
            ..CreateRequest::default()
        }
    }

    async fn create(&self, host: MemberId, request: CreateRequest) -> Schedule {
        let answer = self.client.clone().create(self.by(host).request(request)).await;
        answer.unwrap().into_inner().schedule.unwrap()
    }

    /// A host with a gathering and a schedule of so many seats.
    async fn meetup(&self, capacity: i32) -> (MemberId, GatheringId, Schedule) {
        let host = self.member("모임장");
        let gathering = self.gathering(host);
        let schedule = self.create(host, self.plan(gathering, capacity)).await;
        (host, gathering, schedule)
    }

    async fn try_attend(&self, member: MemberId, schedule: &Schedule) -> Result<Attendance, Fault> {
        let request = attend(schedule);
        let answer = self.client.clone().attend(self.by(member).request(request)).await;
        answer.map(|answer| answer.into_inner().attendance.unwrap()).map_err(Fault::from)
    }

    async fn attend(&self, member: MemberId, schedule: &Schedule) -> Attendance {
        self.try_attend(member, schedule).await.unwrap()
    }

    async fn try_withdraw(
        &self,
        member: MemberId,
        schedule: &Schedule,
    ) -> Result<Attendance, Fault> {
        let request = WithdrawRequest { schedule_id: schedule.id.clone() };
        let answer = self.client.clone().withdraw(self.by(member).request(request)).await;
        answer.map(|answer| answer.into_inner().attendance.unwrap()).map_err(Fault::from)
    }

    async fn try_update(
        &self,
        member: MemberId,
        request: UpdateRequest,
    ) -> Result<Schedule, Fault> {
        let answer = self.client.clone().update(self.by(member).request(request)).await;
        answer.map(|answer| answer.into_inner().schedule.unwrap()).map_err(Fault::from)
    }

    async fn try_cancel(
        &self,
        member: MemberId,
        schedule: &Schedule,
        reason: &str,
    ) -> Result<Schedule, Fault> {
        let request = CancelRequest { schedule_id: schedule.id.clone(), reason: reason.to_owned() };
        let answer = self.client.clone().cancel(self.by(member).request(request)).await;
        answer.map(|answer| answer.into_inner().schedule.unwrap()).map_err(Fault::from)
    }

    /// A schedule as a call sees it.
    async fn see(&self, call: Call, id: &str) -> Schedule {
        let request = call.request(BatchGetRequest { ids: vec![id.to_owned()] });
        let found = self.client.clone().batch_get(request).await.unwrap().into_inner();
        found.schedules.into_iter().next().unwrap()
    }

    /// Nicknames of a schedule's attendances in a state, in order, as a member sees them.
    async fn nicknames(
        &self,
        viewer: MemberId,
        schedule: &Schedule,
        state: AttendanceState,
    ) -> Vec<String> {
        let list = self.list(self.by(viewer), schedule, state, first(100)).await;
        list.attendances.into_iter().map(|of| of.member.unwrap().nickname).collect()
    }

    async fn list(
        &self,
        call: Call,
        schedule: &Schedule,
        state: AttendanceState,
        page: PageRequest,
    ) -> AttendanceList {
        let request = BatchListAttendancesRequest {
            schedule_ids: vec![schedule.id.clone()],
            state: state.into(),
            page: Some(page),
        };
        let answer = self.client.clone().batch_list_attendances(call.request(request)).await;
        answer.unwrap().into_inner().lists.remove(0)
    }

    /// Waits until the room has told as many states of a noun, and answers them in order.
    async fn told(&self, noun: &str, count: usize) -> Vec<Fact> {
        self.told_as(Kind::State, noun, count).await
    }

    /// The same of events, decoded.
    async fn events<M: Message + Default>(&self, noun: &str, count: usize) -> Vec<M> {
        let facts = self.told_as(Kind::Event, noun, count).await;
        facts.into_iter().map(|fact| M::decode(fact.payload).unwrap()).collect()
    }

    async fn told_as(&self, kind: Kind, noun: &str, count: usize) -> Vec<Fact> {
        for _ in 0..400 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            let facts = entries.into_iter().map(|entry| entry.fact);
            let told: Vec<_> =
                facts.filter(|fact| fact.kind == kind && fact.noun == noun).collect();
            assert!(told.len() <= count, "more was told of {noun} than expected");
            if told.len() == count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("fewer than {count} facts of {noun} were told");
    }
}

fn attend(schedule: &Schedule) -> AttendRequest {
    AttendRequest {
        schedule_id: schedule.id.clone(),
        join_waitlist: true,
        ..AttendRequest::default()
    }
}

fn first(count: i32) -> PageRequest {
    PageRequest { first: Some(count), ..PageRequest::default() }
}

fn last(count: i32) -> PageRequest {
    PageRequest { last: Some(count), ..PageRequest::default() }
}

/// The fault of a call that must not succeed.
fn refused<T: Debug>(answer: Result<Response<T>, Status>) -> Fault {
    Fault::from(answer.unwrap_err())
}
