//! Ratings: copied from the review room, shown wherever a gathering is, never going back.

use std::time::Duration;

use moim_kit::Call;
use moim_kit::id::{GatheringId, MemberId};
use moim_kit::seen::{Mark, Seen};
use moim_proto::gathering::v1::*;
use moim_proto::review::v1::RatingState;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, ask, change, first, open_for};

fn id(gathering: &Gathering) -> GatheringId {
    gathering.id.parse().unwrap()
}

/// The review room tells what its reviews add up to.
fn tell(stage: &Stage, gathering: &Gathering, version: i64, count: i64, sum: i64) {
    let state =
        RatingState { gathering_id: gathering.id.clone(), review_count: count, rating_sum: sum };
    stage.reviews.push("rating", id(gathering).uuid(), version, &state);
}

/// A call of somebody who has seen this version of a rating.
fn having_seen(stage: &Stage, who: MemberId, gathering: &Gathering, version: i64) -> Call {
    let mut seen = Seen::default();
    seen.merge([Mark::new("rating", id(gathering).uuid(), version, stage.bed.clock.now())]);
    stage.by(who).having_seen(seen)
}

/// The rating as it is once this version has arrived.
async fn rating_at(stage: &Stage, gathering: &Gathering, version: i64) -> Option<f64> {
    let call = having_seen(stage, MemberId::fresh(), gathering, version);
    stage.get(call, &gathering.id).await.unwrap().rating
}

on_both_databases! {
    async fn a_rating_is_the_mean_of_what_stands_and_absent_without_reviews(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        assert_eq!(gathering.rating, None);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().rating, None);
        tell(&stage, &gathering, 1, 1, 5);
        assert_eq!(rating_at(&stage, &gathering, 1).await, Some(5.0));
        tell(&stage, &gathering, 2, 4, 14);
        assert_eq!(rating_at(&stage, &gathering, 2).await, Some(3.5));
        tell(&stage, &gathering, 3, 0, 0);
        assert_eq!(rating_at(&stage, &gathering, 3).await, None);
    }

    async fn a_rating_is_in_every_answer_that_has_its_gathering(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let other = stage.create(host, open_for(10)).await;
        tell(&stage, &gathering, 1, 2, 9);
        assert_eq!(rating_at(&stage, &gathering, 1).await, Some(4.5));
        let list = ListRequest { page: first(10), ..ListRequest::default() };
        let listed = ask!(stage, stage.bed.anonymous(), list, list).unwrap().gatherings;
        let rating = |wanted: &Gathering| {
            listed.iter().find(|listed| listed.id == wanted.id).unwrap().rating
        };
        assert_eq!((rating(&gathering), rating(&other)), (Some(4.5), None));
        let closing = UpdateRequest { closed: Some(true), ..change(&gathering) };
        assert_eq!(stage.update(host, closing.clone()).await.unwrap().rating, Some(4.5));
        assert_eq!(stage.update(host, closing).await.unwrap().rating, Some(4.5));
    }

    async fn a_rating_told_twice_and_out_of_order_is_the_newest(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        for (version, count, sum) in [(3, 3, 9), (1, 1, 5), (3, 7, 7), (2, 2, 4)] {
            tell(&stage, &gathering, version, count, sum);
        }
        // One more rating behind them tells that all of them have arrived.
        let witness = stage.create(host, open_for(10)).await;
        tell(&stage, &witness, 1, 1, 1);
        assert_eq!(rating_at(&stage, &witness, 1).await, Some(1.0));
        assert_eq!(rating_at(&stage, &gathering, 3).await, Some(3.0));
        tell(&stage, &gathering, 4, 4, 8);
        assert_eq!(rating_at(&stage, &gathering, 4).await, Some(2.0));
    }

    async fn whoever_reviewed_waits_for_a_rating_that_is_late_and_others_do_not(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        stage.reviews.hold();
        tell(&stage, &gathering, 1, 1, 4);
        let others = stage.get(stage.by(host), &gathering.id).await.unwrap();
        assert_eq!(others.rating, None);
        let release = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stage.reviews.release();
        };
        let (own, ()) = tokio::join!(rating_at(&stage, &gathering, 1), release);
        assert_eq!(own, Some(4.0));
    }

    async fn a_rating_of_a_gathering_that_is_not_here_disturbs_nobody(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let foreign = Gathering { id: GatheringId::fresh().to_string(), ..gathering.clone() };
        tell(&stage, &foreign, 1, 1, 1);
        tell(&stage, &gathering, 1, 1, 5);
        assert_eq!(rating_at(&stage, &gathering, 1).await, Some(5.0));
        assert_eq!(stage.told("gathering", 1).await.len(), 1, "a rating is no change of it");
    }
}
