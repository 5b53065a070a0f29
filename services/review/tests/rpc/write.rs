//! Writing and taking back: who may, what it makes of the rating, and what happens twice or at once.

use futures::future::join_all;
use moim_kit::Code;
use moim_kit::seen::Seen;
use prost::Message as _;

use crate::*;

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
        let paying = world.guest(world.schedule, AttendanceState::PendingPayment).await;
        let offered = world.guest(world.schedule, AttendanceState::Offered).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        for (who, schedule, rating, body, reason) in [
            (early, later, 5, "a", "SCHEDULE_NOT_ENDED"),
            (paying, world.schedule, 5, "a", "NOT_ATTENDED"),
            (offered, world.schedule, 5, "a", "NOT_ATTENDED"),
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

    async fn writing_the_same_again_is_no_new_version(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        let first = world.write(member, world.schedule, 4, "좋았어요").await.unwrap();
        world.bed.clock.set(world.bed.clock.now().after(HOUR));
        let same = world.write(member, world.schedule, 4, " 좋았어요 ").await.unwrap();
        assert_eq!(same, first);
        let other = world.write(member, world.schedule, 5, "좋았어요").await.unwrap();
        assert_eq!((other.rating, other.id.as_str()), (5, first.id.as_str()));
        world.told("review", Kind::State, 2).await;
        world.told("rating", Kind::State, 2).await;
    }

    async fn a_key_twice_answers_as_the_first_time_and_with_other_words_is_refused(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        let keyed = || world.bed.call(member).keyed(Some("key"));
        let written = world.write_by(keyed(), world.schedule, 5, "하나").await.unwrap();
        world.write(member, world.schedule, 1, "둘").await.unwrap();
        let again = world.write_by(keyed(), world.schedule, 5, "하나").await.unwrap();
        assert_eq!(again, written, "as it was then");
        let fault = world.write_by(keyed(), world.schedule, 5, "셋").await.unwrap_err();
        assert_eq!(fault.code(), Code::IdempotencyKeyReused);
        let delete = async || {
            let request = keyed().request(DeleteRequest { review_id: written.id.clone() });
            world.client.clone().delete(request).await.map(tonic::Response::into_inner)
        };
        assert_eq!(delete().await.unwrap(), delete().await.unwrap());
        world.told("rating", Kind::State, 3).await;
    }

    async fn many_who_review_at_once_leave_the_exact_sum(bed: Bed) {
        let world = World::new(bed).await;
        let mut people = Vec::new();
        for _ in 0..12 {
            people.push(world.guest(world.schedule, AttendanceState::Attended).await);
        }
        let told = join_all((1..).zip(&people).map(async |(n, member)| {
            let rating = 1 + n % 5;
            let review = world.write(*member, world.schedule, rating, "하나").await.unwrap();
            let changed = 1 + (n + 2) % 5;
            world.write(*member, world.schedule, changed, "둘").await.unwrap();
            if n % 3 == 0 {
                world.delete(*member, &review.id).await.unwrap();
                return 0;
            }
            i64::from(changed)
        }));
        let sum: i64 = told.await.into_iter().sum();
        let told = world.told("rating", Kind::State, 12 + 12 + 4).await;
        let mut versions: Vec<_> = told.iter().map(|fact| fact.version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=28).collect::<Vec<_>>(), "without gaps");
        let newest = told.iter().max_by_key(|fact| fact.version).unwrap();
        let state = RatingState::decode(newest.payload.clone()).unwrap();
        assert_eq!((state.review_count, state.rating_sum), (8, sum));
    }

    async fn one_who_reviews_many_times_at_once_has_one_review(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        let writes = (1..=5).map(|rating| world.write(member, world.schedule, rating, "하나"));
        let written = join_all(writes).await;
        let ids: Vec<_> = written.into_iter().map(|review| review.unwrap().id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        let told = world.told("rating", Kind::State, 5).await;
        assert!(told.iter().all(|fact| {
            RatingState::decode(fact.payload.clone()).unwrap().review_count == 1
        }));
        world.told("review", Kind::Event, 1).await;
    }

    async fn whoever_is_ahead_of_the_bus_is_told_to_try_again_and_then_may(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Going).await;
        world.log.hold();
        let attendance = AttendanceId::fresh();
        let fact = AttendanceFact {
            id: attendance.to_string(),
            schedule_id: world.schedule.to_string(),
            member_id: member.to_string(),
            state: AttendanceState::Attended.into(),
            ..AttendanceFact::default()
        };
        world.log.push("attendance", attendance.uuid(), 1, &fact);
        let mut seen = Seen::default();
        seen.merge([Mark::new("attendance", attendance.uuid(), 1, world.bed.clock.now())]);
        let call = || world.bed.call(member).having_seen(seen.clone());
        let fault = world.write_by(call(), world.schedule, 5, "하나").await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("COPY_BEHIND", Code::Unavailable));
        assert!(fault.code().is_retryable());
        world.log.release();
        assert_eq!(world.write_by(call(), world.schedule, 5, "하나").await.unwrap().rating, 5);
    }

    async fn a_host_or_card_that_is_still_on_its_way_is_worth_another_try(bed: Bed) {
        let world = World::new(bed).await;
        let unknown = ScheduleId::fresh();
        let state = ScheduleState {
            gathering_id: GatheringId::fresh().to_string(),
            ends_at_us: world.bed.clock.now().before(HOUR).us(),
            ..ScheduleState::default()
        };
        world.log.push("schedule", unknown.uuid(), 1, &state);
        let member = world.guest(unknown, AttendanceState::Attended).await;
        let fault = world.write(member, unknown, 5, "하나").await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("COPY_BEHIND", Code::Unavailable));
        world.told("review", Kind::State, 0).await;
    }
}
