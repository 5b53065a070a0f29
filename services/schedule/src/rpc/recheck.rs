//! The negative control of holds: without looking again at what is held, late money gives a seat twice and
//! two sweepers release one twice, so the tests of both can fail.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use futures::future::join;
use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_proto::schedule::v1 as proto;
use moim_proto::schedule::v1::AttendanceState;
use moim_testbed::Bed;

use super::stage::{Stage, TERMS, unchecked_ground};
use crate::model::Schedule;
use crate::store::Store;
use crate::{MIGRATIONS, sweeper};

/// One seat, held for the first of two members; the second waits for it and pays by themselves.
struct Scene<'a> {
    stage: &'a Stage,
    schedule: proto::Schedule,
    orders: [String; 2],
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage) -> Self {
        let (_, gathering, schedule) = stage.meetup_for(1, 1_000, None).await;
        let mut orders = Vec::new();
        for name in ["하나", "둘"] {
            let member: MemberId = stage.member(name).await;
            let (role, status) = (MembershipRole::Member, MembershipStatus::Active);
            stage.standing(gathering, member, role, status).await;
            let place = stage.attend(member, &schedule.id, true).await.unwrap();
            assert_ne!(place.state(), AttendanceState::Going);
            orders.push(place.order_id.unwrap());
        }
        Self { stage, schedule, orders: orders.try_into().unwrap() }
    }

    async fn kept(&self) -> Schedule {
        let id = self.schedule.id.parse().unwrap();
        self.stage
            .server
            .store
            .list_schedules(&self.stage.server.reads.primary(), vec![id])
            .await
            .unwrap()
            .remove(0)
    }

    fn let_the_hold_run_out(&self) {
        let clock = &self.stage.server.clock;
        clock.set(clock.now().after(TERMS.hold + Duration::from_secs(1)));
    }

    /// The first pays once the seat has been passed on, then the second: seats given and held.
    async fn pay_late(&self) -> (Result<(), Fault>, i32, i32) {
        let server = &self.stage.server;
        self.let_the_hold_run_out();
        sweeper::sweep(&server.store, &server.clock).await.unwrap();
        self.stage.pay(&self.orders[0]).await.unwrap();
        let second = self.stage.pay(&self.orders[1]).await;
        let kept = self.kept().await;
        (second, kept.going_count, kept.held_count)
    }

    /// Two sweepers find the same hold and release it: seats given and held, and versions of the seat.
    async fn sweep_twice(&self) -> (bool, i32, usize) {
        let server = &self.stage.server;
        self.let_the_hold_run_out();
        let due = server.store.list_due(server.clock.now()).await.unwrap();
        let (schedule, ids) = due.into_iter().next().unwrap();
        let release = || sweeper::release(&server.store, &server.clock, schedule, ids.clone());
        let (one, two) = join(release(), release()).await;
        let order = self.orders[0].parse().unwrap();
        let told = server.store.told_of_seats(vec![order]).await;
        (one.is_ok() && two.is_ok(), self.kept().await.held_count, told.len())
    }
}

moim_testbed::on_both_databases! {
    async fn late_money_gives_no_seat_and_a_hold_is_released_once(bed: Bed) {
        let stage = Stage::new(&unchecked_ground(&bed).await, Store::new);
        let (second, going, held) = Scene::set(&stage).await.pay_late().await;
        second.unwrap();
        assert_eq!((going, held), (1, 0));
        // The one hold that is left is that of the second, to whom the seat was passed on.
        assert_eq!(Scene::set(&stage).await.sweep_twice().await, (true, 1, 2));
    }

    async fn without_looking_again_late_money_gives_a_seat_twice(bed: Bed) {
        let stage = Stage::new(&unchecked_ground(&bed).await, Store::gullible);
        let (second, going, held) = Scene::set(&stage).await.pay_late().await;
        second.unwrap();
        assert_eq!((going, held), (2, -1), "two seats where there is one");
    }

    async fn without_looking_again_money_that_is_told_twice_counts_twice(bed: Bed) {
        for (store, going) in [(Store::new as fn(_, _) -> _, 1), (Store::gullible, 2)] {
            let bed = if bed.storage.url.is_empty() { Bed::sqlite() } else { Bed::postgres().await.unwrap() };
            let stage = Stage::new(&unchecked_ground(&bed).await, store);
            let scene = Scene::set(&stage).await;
            for _ in 0..2 {
                stage.pay(&scene.orders[0]).await.unwrap();
            }
            assert_eq!(scene.kept().await.going_count, going);
        }
    }

    async fn without_looking_again_two_sweepers_release_a_hold_twice(bed: Bed) {
        let stage = Stage::new(&unchecked_ground(&bed).await, Store::hasty);
        let scene = Scene::set(&stage).await;
        let (both, held, _) = scene.sweep_twice().await;
        assert!(both);
        assert_eq!(held, 0, "a seat came free that the second is being held");
    }

    async fn without_looking_again_the_constraint_still_keeps_the_count(bed: Bed) {
        let stage = Stage::new(&bed.ground("schedule", &MIGRATIONS).await, Store::gullible);
        let (second, going, held) = Scene::set(&stage).await.pay_late().await;
        second.unwrap_err();
        assert_eq!((going, held), (1, 0));
    }
}
