//! The room's calls over real sockets, on both databases, with scripted rooms around it.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod read;
mod write;

use std::sync::Arc;
use std::time::Duration;

use moim_kit::bus::{Fact, Kind, Log};
use moim_kit::id::{AttendanceId, GatheringId, MemberId, ScheduleId};
use moim_kit::seen::Mark;
use moim_kit::serve::{Gate as _, Room};
use moim_kit::wire::Wire;
use moim_kit::{Call, Fault};
use moim_proto::gathering::v1::GatheringState;
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_proto::review::v1::review_service_client::ReviewServiceClient;
use moim_proto::review::v1::*;
use moim_proto::schedule::v1::{AttendanceFact, AttendanceState, ScheduleState};
use moim_review::{Config, MIGRATIONS};
use moim_storage::Copies;
use moim_testbed::{Bed, ScriptedLog};

const HOUR: Duration = Duration::from_secs(3_600);

struct World {
    bed: Bed,
    room: Room,
    client: ReviewServiceClient<Wire>,
    copies: Copies,
    log: Arc<ScriptedLog>,
    gathering: GatheringId,
    schedule: ScheduleId,
}

impl World {
    /// A meetup that ended an hour ago.
    async fn new(bed: Bed) -> Self {
        let log = ScriptedLog::new();
        let ground = bed.ground("review", &MIGRATIONS).await;
        let copies = ground.copies(&["member", "gathering", "schedule", "attendance"]);
        let quiet: Arc<dyn Log> = ScriptedLog::new();
        let logs: [(&'static str, Arc<dyn Log>); 3] =
            [("member", log.clone()), ("gathering", quiet.clone()), ("schedule", quiet)];
        let room = moim_review::open(Config::default(), ground, logs).await.unwrap();
        let client = ReviewServiceClient::new(bed.serve(&room).await);
        let (gathering, schedule) = (GatheringId::fresh(), ScheduleId::fresh());
        let host_id = MemberId::fresh().to_string();
        let state = GatheringState { host_id, ..GatheringState::default() };
        log.push("gathering", gathering.uuid(), 1, &state);
        let world = Self { bed, room, client, copies, log, gathering, schedule };
        let ended = world.bed.clock.now().before(HOUR).us();
        world.tell_schedule(schedule, 1, ended);
        world
    }

    fn tell_schedule(&self, id: ScheduleId, version: i64, ends_at_us: i64) {
        let gathering_id = self.gathering.to_string();
        let state = ScheduleState { gathering_id, ends_at_us, ..ScheduleState::default() };
        self.log.push("schedule", id.uuid(), version, &state);
    }

    /// A member whose attendance at the schedule is in this state.
    async fn guest(&self, schedule: ScheduleId, state: AttendanceState) -> MemberId {
        let (member, attendance) = (MemberId::fresh(), AttendanceId::fresh());
        let card = MemberState { nickname: "하나".to_owned(), ..MemberState::default() };
        self.log.push("member", member.uuid(), 1, &card);
        let fact = AttendanceFact {
            id: attendance.to_string(),
            schedule_id: schedule.to_string(),
            member_id: member.to_string(),
            state: state.into(),
            ..AttendanceFact::default()
        };
        self.log.push("attendance", attendance.uuid(), 2, &fact);
        // An older version that comes late changes nothing.
        let going = AttendanceFact { state: AttendanceState::Going.into(), ..fact };
        self.log.push("attendance", attendance.uuid(), 1, &going);
        let mark = Mark::new("attendance", attendance.uuid(), 2, self.bed.clock.now());
        self.copies.arrived(&[mark]).await.unwrap();
        member
    }

    async fn write(
        &self,
        member: MemberId,
        schedule: ScheduleId,
        rating: i32,
        body: &str,
    ) -> Result<Review, Fault> {
        self.write_by(self.bed.call(member), schedule, rating, body).await
    }

    async fn write_by(
        &self,
        call: Call,
        schedule: ScheduleId,
        rating: i32,
        body: &str,
    ) -> Result<Review, Fault> {
        let schedule_id = schedule.to_string();
        let request = WriteRequest { schedule_id, rating, body: body.to_owned() };
        let answer = self.client.clone().write(call.request(request)).await;
        answer.map(|answer| answer.into_inner().review.unwrap()).map_err(Fault::from)
    }

    async fn delete(&self, member: MemberId, id: &str) -> Result<(), Fault> {
        let request = DeleteRequest { review_id: id.to_owned() };
        let answer = self.client.clone().delete(self.bed.call(member).request(request)).await;
        answer.map(|_| ()).map_err(Fault::from)
    }

    async fn of_gatherings(
        &self,
        gathering_ids: Vec<String>,
        page: PageRequest,
    ) -> Result<Vec<ReviewList>, Fault> {
        let request = BatchListOfGatheringsRequest { gathering_ids, page: Some(page) };
        let call = self.bed.anonymous();
        let answer = self.client.clone().batch_list_of_gatherings(call.request(request)).await;
        answer.map(|answer| answer.into_inner().lists).map_err(Fault::from)
    }

    async fn of_schedules(
        &self,
        schedule_ids: Vec<String>,
        page: PageRequest,
    ) -> Result<Vec<ReviewList>, Fault> {
        let request = BatchListOfSchedulesRequest { schedule_ids, page: Some(page) };
        let call = self.bed.anonymous();
        let answer = self.client.clone().batch_list_of_schedules(call.request(request)).await;
        answer.map(|answer| answer.into_inner().lists).map_err(Fault::from)
    }

    async fn get(&self, ids: Vec<String>) -> Result<Vec<Review>, Fault> {
        let request = self.bed.anonymous().request(BatchGetRequest { ids });
        let answer = self.client.clone().batch_get(request).await;
        answer.map(|answer| answer.into_inner().reviews).map_err(Fault::from)
    }

    /// Waits until the room has told as many facts of a noun and kind.
    async fn told(&self, noun: &str, kind: Kind, count: usize) -> Vec<Fact> {
        for _ in 0..400 {
            let entries = self.room.log.read(0, 1_000).await.unwrap().into_iter();
            let facts = entries.map(|entry| entry.fact);
            let told: Vec<_> = facts.filter(|it| it.noun == noun && it.kind == kind).collect();
            assert!(told.len() <= count, "more was told of {noun} than expected");
            if told.len() == count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("fewer than {count} facts of {noun} were told");
    }
}

fn bodies(list: &ReviewList) -> String {
    list.reviews.iter().map(|review| review.body.as_str()).collect()
}

fn first(count: i32) -> PageRequest {
    PageRequest { first: Some(count), ..PageRequest::default() }
}

fn last(count: i32) -> PageRequest {
    PageRequest { last: Some(count), ..PageRequest::default() }
}
