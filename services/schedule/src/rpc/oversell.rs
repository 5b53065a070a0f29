//! The negative control: without the condition on seats the same burst oversells, so its test can fail.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use futures::future::join_all;
use moim_kit::Fault;
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_proto::schedule::v1::AttendanceState;

use super::stage::{Stage, unchecked_ground};
use crate::store::Store;
use crate::{MIGRATIONS, Reason};

const SEATS: i32 = 20;
const PEOPLE: usize = 200;

/// What came of a burst: seats given, places in line given, seats counted, and what was refused.
#[derive(Debug, Default)]
struct Burst {
    going: usize,
    waiting: usize,
    counted: i64,
    refused: Vec<Fault>,
}

async fn burst(stage: &Stage) -> Burst {
    let (_, gathering, schedule) = stage.meetup(SEATS).await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let member = stage.member(&format!("회원{n}")).await;
        let (role, status) = (MembershipRole::Member, MembershipStatus::Active);
        stage.standing(gathering, member, role, status).await;
        people.push(member);
    }
    let tries = people.iter().map(async |member| {
        // Patient as a client is: what is retryable is tried again.
        loop {
            match stage.attend(*member, &schedule.id, true).await {
                Err(fault) if fault.code().is_retryable() => {}
                answer => return answer,
            }
        }
    });
    let mut burst = Burst::default();
    for answer in join_all(tries).await {
        match answer.map(|attendance| attendance.state()) {
            Ok(AttendanceState::Going) => burst.going += 1,
            Ok(_) => burst.waiting += 1,
            Err(fault) => burst.refused.push(fault),
        }
    }
    let id = schedule.id.parse().unwrap();
    let kept = stage.server.store.list_schedules(vec![id]).await.unwrap();
    burst.counted = kept[0].going_count.into();
    burst
}

moim_testbed::on_both_databases! {
    async fn with_its_condition_the_write_alone_holds_the_line(bed: Bed) {
        let ground = unchecked_ground(&bed).await;
        let burst = burst(&Stage::new(&ground, Store::new)).await;
        assert_eq!((burst.going, burst.waiting, burst.counted), (20, 180, 20));
    }

    async fn without_condition_and_constraint_the_burst_oversells(bed: Bed) {
        let ground = unchecked_ground(&bed).await;
        let burst = burst(&Stage::new(&ground, Store::careless)).await;
        assert!(burst.going > 20 && burst.counted > 20, "{burst:?}");
    }

    async fn without_condition_the_constraint_still_holds(bed: Bed) {
        let ground = bed.ground("schedule", &MIGRATIONS).await;
        let burst = burst(&Stage::new(&ground, Store::careless)).await;
        assert_eq!((burst.going, burst.waiting, burst.counted), (20, 0, 20));
        assert_eq!(burst.refused.len(), 180);
        assert!(burst.refused.iter().all(|fault| fault.reason() == Reason::ScheduleFull.name()));
    }
}
