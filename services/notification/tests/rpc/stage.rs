//! What every test here stands on: an open room between two scripted ones, and short ways to call.

use std::sync::Arc;
use std::time::Duration;

use moim_kit::Fault;
use moim_kit::bus::{Kind, Log};
use moim_kit::id::MemberId;
use moim_kit::serve::Room;
use moim_kit::wire::Wire;
use moim_notification::{Config, MIGRATIONS};
use moim_proto::gathering::v1::{MembershipEvent, MembershipMove, MembershipRole};
use moim_proto::member::v1::Card;
use moim_proto::notification::v1::notification_service_client::NotificationServiceClient;
use moim_proto::notification::v1::*;
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1::{
    AttendanceEvent, AttendanceFact, AttendanceState, ScheduleEvent, ScheduleState,
};
use moim_testbed::{Bed, ScriptedLog};
use prost::Message as _;
use uuid::Uuid;

pub type Client = NotificationServiceClient<Wire>;

/// Calls a method as a member and answers its message, or the fault.
macro_rules! ask {
    ($stage:expr, $member:expr, $method:ident, $request:expr) => {
        $stage
            .client()
            .$method($stage.bed.call($member).request($request))
            .await
            .map(tonic::Response::into_inner)
            .map_err(moim_kit::Fault::from)
    };
}
pub(crate) use ask;

pub struct Stage {
    pub bed: Bed,
    pub room: Room,
    pub gatherings: Arc<ScriptedLog>,
    pub schedules: Arc<ScriptedLog>,
    pub payments: Arc<ScriptedLog>,
    client: Client,
}

impl Stage {
    pub async fn set(bed: Bed) -> Self {
        Self::with(bed, Config::default()).await
    }

    pub async fn with(bed: Bed, config: Config) -> Self {
        let logs = || (ScriptedLog::new(), ScriptedLog::new(), ScriptedLog::new());
        let (gatherings, schedules, payments) = logs();
        let room = open(&bed, config, &gatherings, &schedules, &payments).await;
        let client = Client::new(bed.serve(&room).await);
        Self { bed, room, gatherings, schedules, payments, client }
    }

    /// The same room once more, as another process on the same database.
    pub async fn second_room(&self, config: Config) -> Room {
        open(&self.bed, config, &self.gatherings, &self.schedules, &self.payments).await
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Tells what happened to a schedule nobody heard of before, with its state.
    pub fn tell_schedule(&self, version: i64, event: &ScheduleEvent) {
        let id = Uuid::now_v7();
        let state = ScheduleState { id: id.to_string(), ..ScheduleState::default() };
        self.schedules.push("schedule", id, version, &state);
        self.schedules.push_event("schedule", id, version, event);
    }

    /// Tells of a seat that was granted, with the state of its attendance.
    pub fn tell_seat(&self, event: &AttendanceEvent) {
        let id = Uuid::now_v7();
        let state = AttendanceFact {
            id: id.to_string(),
            schedule_id: event.schedule_id.clone(),
            member_id: event.member_id.clone(),
            state: AttendanceState::Withdrawn.into(),
            ..AttendanceFact::default()
        };
        self.schedules.push("attendance", id, 2, &state);
        self.schedules.push_event("attendance", id, 2, event);
    }

    /// A member is told of a decision that many times.
    pub fn decide(&self, member: MemberId, times: usize) {
        for _ in 0..times {
            let event = moved(MembershipMove::Approved, member);
            let id = event.membership_id.parse().unwrap();
            self.gatherings.push_event("membership", id, 2, &event);
        }
    }

    pub async fn list(&self, member: MemberId) -> Vec<Notification> {
        let page = Some(PageRequest { first: Some(100), ..PageRequest::default() });
        let request = ListRequest { unread_only: false, page };
        ask!(self, member, list, request).unwrap().notifications
    }

    /// A member's notifications, newest first, once there are `count`.
    pub async fn heard(&self, member: MemberId, count: usize) -> Vec<Notification> {
        for _ in 0..500 {
            let found = self.list(member).await;
            assert!(found.len() <= count, "more than {count} were sent");
            if found.len() == count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("fewer than {count} were sent");
    }

    pub async fn resume(
        &self,
        member: MemberId,
        after: Option<&str>,
    ) -> Result<ResumeResponse, Fault> {
        ask!(self, member, resume, ResumeRequest { after: after.map(str::to_owned) })
    }

    pub async fn unread(&self, member: MemberId) -> i32 {
        ask!(self, member, count_unread, CountUnreadRequest {}).unwrap().count
    }

    /// What was told to live readers, once there are `count`.
    pub async fn told(&self, count: usize) -> Vec<(Option<Uuid>, Notification)> {
        for _ in 0..500 {
            let entries = self.room.log.read(0, 10_000).await.unwrap();
            if entries.len() >= count {
                assert!(entries.iter().all(|entry| entry.fact.kind == Kind::Event));
                let decode = |payload| NotificationEvent::decode(payload).unwrap().notification;
                return entries
                    .into_iter()
                    .map(|entry| (entry.fact.topic, decode(entry.fact.payload).unwrap()))
                    .collect();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("fewer than {count} were told");
    }
}

async fn open(
    bed: &Bed,
    config: Config,
    gatherings: &Arc<ScriptedLog>,
    schedules: &Arc<ScriptedLog>,
    payments: &Arc<ScriptedLog>,
) -> Room {
    let ground = bed.ground("notification", &MIGRATIONS).await;
    // Whose log an event came in changes nothing, so reviews of these tests come with the schedules.
    let logs: [(_, Arc<dyn Log>); 4] = [
        ("gathering", gatherings.clone()),
        ("schedule", schedules.clone()),
        ("review", ScriptedLog::new()),
        ("payment", payments.clone()),
    ];
    moim_notification::open(config, ground, logs).await.unwrap()
}

/// A membership that somebody else moved.
pub fn moved(how: MembershipMove, member: MemberId) -> MembershipEvent {
    MembershipEvent {
        membership_id: Uuid::now_v7().to_string(),
        gathering_id: Uuid::now_v7().to_string(),
        gathering_title: "한강 달리기".to_owned(),
        member: Some(Card {
            id: member.to_string(),
            nickname: "바다".to_owned(),
            avatar_url: None,
        }),
        actor_id: MemberId::fresh().to_string(),
        r#move: how.into(),
        role: MembershipRole::Manager.into(),
        manager_ids: vec![],
    }
}
