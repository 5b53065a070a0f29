//! Any order of arrivals, withdrawals, resizings and leavers against a model of a fair line.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId};
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1 as proto;
use moim_proto::schedule::v1::AttendanceState;
use moim_testbed::Bed;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::stage::{Stage, call};
use crate::store::Store;
use crate::{MIGRATIONS, Reason, seats};

const PEOPLE: usize = 7;
const CASES: u32 = 48;
const STEPS: usize = 30;

#[derive(Clone, Copy, Debug)]
enum Step {
    Attend { who: usize, join_waitlist: bool },
    Withdraw { who: usize },
    Resize { capacity: i32 },
    Close { closed: bool },
    Leave { who: usize },
    Join { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    prop_oneof![
        6 => (who(), prop::bool::weighted(0.8))
            .prop_map(|(who, join_waitlist)| Step::Attend { who, join_waitlist }),
        3 => who().prop_map(|who| Step::Withdraw { who }),
        2 => (1..6).prop_map(|capacity| Step::Resize { capacity }),
        1 => prop::bool::weighted(0.3).prop_map(|closed| Step::Close { closed }),
        1 => who().prop_map(|who| Step::Leave { who }),
        2 => who().prop_map(|who| Step::Join { who }),
    ]
}

/// A fair line in its simplest form.
#[derive(Debug)]
struct Line {
    capacity: usize,
    closed: bool,
    active: [bool; PEOPLE],
    going: BTreeSet<usize>,
    waiting: Vec<usize>,
}

impl Line {
    fn take(&mut self, step: Step) -> Result<(), Reason> {
        match step {
            Step::Attend { who, .. } if !self.active[who] => return Err(Reason::NotAMember),
            Step::Attend { .. } if self.closed => return Err(Reason::ScheduleClosed),
            Step::Attend { who, .. } if self.has(who) => return Err(Reason::AlreadyAttending),
            Step::Attend { who, join_waitlist } => {
                if self.going.len() < self.capacity && self.waiting.is_empty() {
                    self.going.insert(who);
                } else if join_waitlist {
                    self.waiting.push(who);
                } else {
                    return Err(Reason::ScheduleFull);
                }
            }
            Step::Withdraw { who } if !self.has(who) => return Err(Reason::NotAttending),
            Step::Withdraw { who } => self.drop(who),
            Step::Resize { capacity } => {
                let capacity = usize::try_from(capacity).unwrap();
                if capacity < self.going.len() {
                    return Err(Reason::CapacityTooSmall);
                }
                self.capacity = capacity;
            }
            Step::Close { closed } => self.closed = closed,
            Step::Leave { who } => {
                self.active[who] = false;
                self.drop(who);
            }
            Step::Join { who } => self.active[who] = true,
        }
        while self.going.len() < self.capacity && !self.waiting.is_empty() {
            let next = self.waiting.remove(0);
            self.going.insert(next);
        }
        Ok(())
    }

    fn has(&self, who: usize) -> bool {
        self.going.contains(&who) || self.waiting.contains(&who)
    }

    fn drop(&mut self, who: usize) {
        self.going.remove(&who);
        self.waiting.retain(|other| *other != who);
    }
}

/// A schedule on the stage and the people around it.
struct Scene<'a> {
    stage: &'a Stage,
    host: MemberId,
    gathering: GatheringId,
    people: Vec<MemberId>,
    schedule: String,
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage) -> Self {
        let (host, gathering, schedule) = stage.meetup(2).await;
        let mut people = Vec::new();
        for n in 0..PEOPLE {
            people.push(stage.member(&format!("회원{n}")).await);
        }
        let scene = Self { stage, host, gathering, people, schedule: schedule.id };
        for who in 0..PEOPLE {
            scene.standing(who, MembershipStatus::Active).await;
        }
        scene
    }

    async fn standing(&self, who: usize, status: MembershipStatus) {
        let member = self.people[who];
        self.stage.standing(self.gathering, member, MembershipRole::Member, status).await;
    }

    async fn take(&self, step: Step) -> Result<(), Fault> {
        let server = &self.stage.server;
        let change = |capacity, closed| proto::UpdateRequest {
            schedule_id: self.schedule.clone(),
            capacity,
            closed,
            ..proto::UpdateRequest::default()
        };
        match step {
            Step::Attend { who, join_waitlist } => {
                self.stage.attend(self.people[who], &self.schedule, join_waitlist).await?;
            }
            Step::Withdraw { who } => {
                let request = proto::WithdrawRequest { schedule_id: self.schedule.clone() };
                server.step_back(&call(self.people[who]), request).await?;
            }
            Step::Resize { capacity } => {
                server.change(&call(self.host), change(Some(capacity), None)).await?;
            }
            Step::Close { closed } => {
                server.change(&call(self.host), change(None, Some(closed))).await?;
            }
            Step::Leave { who } => self.standing(who, MembershipStatus::Left).await,
            Step::Join { who } => self.standing(who, MembershipStatus::Active).await,
        }
        Ok(())
    }

    /// Who is in a state, in list order, with their positions.
    async fn list(&self, state: AttendanceState) -> Vec<(usize, Option<i32>)> {
        let request = proto::BatchListAttendancesRequest {
            schedule_ids: vec![self.schedule.clone()],
            state: state.into(),
            page: Some(PageRequest { first: Some(100), ..PageRequest::default() }),
        };
        let answer = self.stage.server.list_attendances(&call(self.host), request).await.unwrap();
        let list = answer.into_inner().lists.remove(0).attendances.into_iter();
        list.map(|of| {
            let id = of.member.unwrap().id.parse().unwrap();
            let who = self.people.iter().position(|member| *member == id).unwrap();
            (who, of.waitlist_position)
        })
        .collect()
    }

    async fn compare(&self, line: &Line) -> TestCaseResult {
        let id = self.schedule.parse().unwrap();
        let kept = self.stage.server.store.list_schedules(vec![id]).await.unwrap().remove(0);
        let going = self.list(AttendanceState::Going).await;
        let waiting = self.list(AttendanceState::Waitlisted).await;
        let seated: BTreeSet<_> = going.iter().map(|(who, _)| *who).collect();
        let queued: Vec<_> = waiting.iter().map(|(who, _)| *who).collect();
        prop_assert_eq!(seated.len(), going.len(), "nobody sits twice");
        prop_assert!(queued.iter().all(|who| !seated.contains(who)), "nobody sits and waits");
        prop_assert!(kept.going_count <= kept.capacity, "never over capacity");
        prop_assert!(kept.going_count == kept.capacity || queued.is_empty(), "no seat is idle");
        prop_assert_eq!(usize::try_from(kept.going_count), Ok(going.len()));
        prop_assert_eq!(usize::try_from(kept.waitlist_count), Ok(waiting.len()));
        let positions = (1..).map(Some).take(waiting.len());
        prop_assert!(waiting.iter().map(|(_, position)| *position).eq(positions));
        prop_assert_eq!(&seated, &line.going);
        prop_assert_eq!(&queued, &line.waiting, "first come, first served");
        Ok(())
    }
}

async fn play(stage: &Stage, steps: Vec<Step>) -> TestCaseResult {
    let scene = Scene::set(stage).await;
    let mut line = Line {
        capacity: 2,
        closed: false,
        active: [true; PEOPLE],
        going: BTreeSet::new(),
        waiting: Vec::new(),
    };
    for step in steps {
        let expected = line.take(step).map_err(|reason| reason.name().to_owned());
        let got = scene.take(step).await.map_err(|fault| fault.reason().to_owned());
        prop_assert_eq!(got, expected, "{:?} of {:?}", step, line);
        scene.compare(&line).await?;
    }
    Ok(())
}

#[test]
fn whatever_happens_the_line_is_fair() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let bed = Bed::sqlite();
    let ground = runtime.block_on(bed.ground("schedule", &MIGRATIONS));
    let stage = Stage::new(&ground, Store::new);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(), STEPS);
    TestRunner::new(config).run(&steps, |steps| runtime.block_on(play(&stage, steps))).unwrap();
}

moim_testbed::on_both_databases! {
    async fn who_leaves_in_the_midst_of_signing_up_keeps_no_place(bed: Bed) {
        let ground = bed.ground("schedule", &MIGRATIONS).await;
        let stage = Stage::new(&ground, Store::new);
        let (_, gathering, schedule) = stage.meetup(2).await;
        let member = stage.member("하나").await;
        let (role, id) = (MembershipRole::Member, schedule.id.parse().unwrap());
        stage.standing(gathering, member, role, MembershipStatus::Active).await;

        let store = &stage.server.store;
        let now = stage.server.clock.now();
        let mut tx = store.begin().await.unwrap();
        assert!(store.lock_membership(&mut tx, gathering, member).await.unwrap());
        let sign_up = async {
            // Long enough for the fact to overtake, if nothing held it back.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let (schedule, state) = store.take_place(&mut tx, id, true, now).await.unwrap();
            let place = seats::arrival(&schedule, state, false, store.terms(), now);
            store.arrive(&mut tx, &schedule, member, place, now).await.unwrap();
            tx.commit().await.unwrap();
        };
        let leave = stage.standing(gathering, member, role, MembershipStatus::Left);
        futures::future::join(sign_up, leave).await;
        let kept = store.list_schedules(vec![id]).await.unwrap().remove(0);
        assert_eq!(kept.going_count, 0);
    }
}
