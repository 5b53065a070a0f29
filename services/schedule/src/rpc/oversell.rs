//! The negative control: without the condition on seats the same burst oversells, whether they are taken or
//! held, so its test can fail.
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

/// What came of a burst: seats given or held, places in line given, seats counted, and what was refused.
#[derive(Debug, Default)]
struct Burst {
    seated: usize,
    waiting: usize,
    counted: i64,
    refused: Vec<Fault>,
}

async fn burst(stage: &Stage, fee_krw: i32) -> Burst {
    let (_, gathering, schedule) = stage.meetup_for(SEATS, fee_krw, None).await;
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
            Ok(AttendanceState::Going | AttendanceState::PendingPayment) => burst.seated += 1,
            Ok(_) => burst.waiting += 1,
            Err(fault) => burst.refused.push(fault),
        }
    }
    let id = schedule.id.parse().unwrap();
    let kept =
        stage.server.store.list_schedules(&stage.server.reads.primary(), vec![id]).await.unwrap();
    burst.counted = kept[0].taken().into();
    burst
}

/// Free, and at a price.
const FEES: [i32; 2] = [0, 1_000];

moim_testbed::on_both_databases! {
    async fn with_its_condition_the_write_alone_holds_the_line(bed: Bed) {
        let stage = Stage::new(&unchecked_ground(&bed).await, Store::new);
        for fee in FEES {
            let burst = burst(&stage, fee).await;
            assert_eq!((burst.seated, burst.waiting, burst.counted), (20, 180, 20));
        }
    }

    async fn without_condition_and_constraint_the_burst_oversells(bed: Bed) {
        let stage = Stage::new(&unchecked_ground(&bed).await, Store::careless);
        for fee in FEES {
            let burst = burst(&stage, fee).await;
            assert!(burst.seated > 20 && burst.counted > 20, "{burst:?}");
        }
    }

    async fn without_condition_the_constraint_still_holds(bed: Bed) {
        let stage = Stage::new(&bed.ground("schedule", &MIGRATIONS).await, Store::careless);
        for fee in FEES {
            let burst = burst(&stage, fee).await;
            assert_eq!((burst.seated, burst.waiting, burst.counted), (20, 0, 20));
            assert_eq!(burst.refused.len(), 180);
            let full = |fault: &Fault| fault.reason() == Reason::ScheduleFull.name();
            assert!(burst.refused.iter().all(full));
        }
    }
}
