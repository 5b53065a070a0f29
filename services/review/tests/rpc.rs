//! The room's calls over real sockets, on both databases, with scripted rooms around it.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::sync::Arc;
use std::time::Duration;

use moim_kit::bus::{Fact, Kind, Log};
use moim_kit::id::{AttendanceId, GatheringId, MemberId, ScheduleId};
use moim_kit::seen::Mark;
use moim_kit::serve::{Gate as _, Room};
use moim_kit::wire::Wire;
use moim_kit::{Code, Fault};
use moim_proto::gathering::v1::GatheringState;
use moim_proto::member::v1::MemberState;
use moim_proto::page::v1::PageRequest;
use moim_proto::review::v1::review_service_client::ReviewServiceClient;
use moim_proto::review::v1::*;
use moim_proto::schedule::v1::{AttendanceFact, AttendanceState, ScheduleState};
use moim_review::{Config, MIGRATIONS};
use moim_storage::Copies;
use moim_testbed::{Bed, ScriptedLog};
use prost::Message as _;

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
        let schedule_id = schedule.to_string();
        let request = WriteRequest { schedule_id, rating, body: body.to_owned() };
        let call = self.bed.call(member);
        let answer = self.client.clone().write(call.request(request)).await;
        answer.map(|answer| answer.into_inner().review.unwrap()).map_err(Fault::from)
    }

    async fn delete(&self, member: MemberId, id: &str) -> Result<(), Fault> {
        let request = DeleteRequest { review_id: id.to_owned() };
        let answer = self.client.clone().delete(self.bed.call(member).request(request)).await;
        answer.map(|_| ()).map_err(Fault::from)
    }

    async fn list(&self, page: PageRequest) -> ReviewList {
        let gathering_ids = vec![self.gathering.to_string()];
        let request = BatchListOfGatheringsRequest { gathering_ids, page: Some(page) };
        let call = self.bed.anonymous();
        let answer = self.client.clone().batch_list_of_gatherings(call.request(request)).await;
        answer.unwrap().into_inner().lists.remove(0)
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

moim_testbed::on_both_databases! {
    async fn a_review_is_written_rewritten_deleted_and_written_again(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        let other = world.guest(world.schedule, AttendanceState::Attended).await;
        let first = world.write(member, world.schedule, 5, " 좋았어요 ").await.unwrap();
        assert_eq!((first.rating, first.body.as_str()), (5, "좋았어요"));
        world.write(other, world.schedule, 2, "추웠어요").await.unwrap();
        let again = world.write(member, world.schedule, 3, "괜찮았어요").await.unwrap();
        assert_eq!(again.id, first.id);
        assert_eq!(world.delete(other, &first.id).await.unwrap_err().reason(), "NOT_ALLOWED");
        world.delete(member, &first.id).await.unwrap();
        let gone = world.delete(member, &first.id).await.unwrap_err();
        assert_eq!(gone.reason(), "REVIEW_NOT_FOUND");
        assert_eq!(world.write(member, world.schedule, 4, "다시").await.unwrap().id, first.id);
        let told = world.told("rating", Kind::State, 5).await;
        let states = told.iter().map(|fact| {
            let state = RatingState::decode(fact.payload.clone()).unwrap();
            (fact.version, state.review_count, state.rating_sum)
        });
        let expected = [(1, 1, 5), (2, 2, 7), (3, 2, 5), (4, 1, 2), (5, 2, 6)];
        assert_eq!(states.collect::<Vec<_>>(), expected);
        world.told("review", Kind::State, 5).await;
        world.told("review", Kind::Event, 2).await;
    }

    async fn only_who_was_there_reviews_what_is_over(bed: Bed) {
        let world = World::new(bed).await;
        let later = ScheduleId::fresh();
        world.tell_schedule(later, 1, world.bed.clock.now().after(HOUR).us());
        let early = world.guest(later, AttendanceState::Attended).await;
        let absent = world.guest(world.schedule, AttendanceState::NoShow).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        for (who, schedule, rating, body, reason) in [
            (early, later, 5, "a", "SCHEDULE_NOT_ENDED"),
            (absent, world.schedule, 5, "a", "NOT_ATTENDED"),
            (early, world.schedule, 5, "a", "NOT_ATTENDED"),
            (member, ScheduleId::fresh(), 5, "a", "SCHEDULE_NOT_FOUND"),
            (member, world.schedule, 0, "a", "RATING_INVALID"),
            (member, world.schedule, 6, "a", "RATING_INVALID"),
            (member, world.schedule, 5, " ", "BODY_INVALID"),
        ] {
            assert_eq!(world.write(who, schedule, rating, body).await.unwrap_err().reason(), reason);
        }
        let request = WriteRequest::default();
        let nobody = world.client.clone().write(world.bed.anonymous().request(request)).await;
        assert_eq!(Fault::from(nobody.unwrap_err()).code(), Code::Unauthenticated);
    }

    async fn pages_are_newest_first_both_ways(bed: Bed) {
        let world = World::new(bed).await;
        for body in ["a", "b", "c"] {
            let member = world.guest(world.schedule, AttendanceState::Attended).await;
            world.write(member, world.schedule, 5, body).await.unwrap();
        }
        let bodies = |list: &ReviewList| -> String {
            list.reviews.iter().map(|review| review.body.as_str()).collect()
        };
        let newest = world.list(PageRequest { first: Some(2), ..PageRequest::default() }).await;
        assert_eq!(bodies(&newest), "cb");
        let page = newest.page.unwrap();
        assert!(page.has_next_page);
        let after = Some(page.cursors[1].clone());
        let rest = PageRequest { first: Some(2), after, ..PageRequest::default() };
        assert_eq!(bodies(&world.list(rest).await), "a");
        let oldest = world.list(PageRequest { last: Some(2), ..PageRequest::default() }).await;
        assert_eq!(bodies(&oldest), "ba");
    }
}
