//! Reminders: once for each start, to those who had a seat in time, however many processes send them.

use std::time::Duration;

use moim_kit::Timestamp;
use moim_kit::id::MemberId;
use moim_notification::Config;
use moim_proto::notification::v1::NotificationKind;
use moim_proto::schedule::v1::{AttendanceFact, AttendanceState, ScheduleState};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::stage::Stage;

const HOUR: Duration = Duration::from_secs(3_600);

fn state(id: Uuid, starts_at: Timestamp, cancel_reason: Option<&str>) -> ScheduleState {
    ScheduleState {
        id: id.to_string(),
        title: "저녁 달리기".to_owned(),
        starts_at_us: starts_at.us(),
        time_zone: "Asia/Seoul".to_owned(),
        cancel_reason: cancel_reason.map(str::to_owned),
        ..ScheduleState::default()
    }
}

impl Stage {
    fn schedule(&self, starts_at: Timestamp) -> Uuid {
        let id = Uuid::now_v7();
        self.schedules.push("schedule", id, 1, &state(id, starts_at, None));
        id
    }

    fn attends(&self, schedule: Uuid, state: AttendanceState) -> MemberId {
        let member = MemberId::fresh();
        let id = Uuid::now_v7();
        let fact = AttendanceFact {
            id: id.to_string(),
            schedule_id: schedule.to_string(),
            member_id: member.to_string(),
            state: state.into(),
            ..AttendanceFact::default()
        };
        self.schedules.push("attendance", id, 1, &fact);
        member
    }

    /// Returns once everything pushed up to now was taken in.
    async fn all_arrived(&self) {
        let last = MemberId::fresh();
        let event = moim_proto::schedule::v1::AttendanceEvent {
            schedule_id: Uuid::now_v7().to_string(),
            member_id: last.to_string(),
            ..Default::default()
        };
        self.tell_seat(&event);
        self.heard(last, 1).await;
    }
}

on_both_databases! {
    async fn who_goes_is_reminded_once_for_each_start_though_two_processes_sweep(bed: Bed) {
        let stage = Stage::set(bed).await;
        let _second = stage.second_room(Config::default()).await;
        let start = stage.bed.clock.now().after(HOUR * 48);
        let schedule = stage.schedule(start);
        let called_off = stage.schedule(start);
        let [going, waiting] = [AttendanceState::Going, AttendanceState::Waitlisted]
            .map(|state| stage.attends(schedule, state));
        let spared = stage.attends(called_off, AttendanceState::Going);
        let [paying, offered] = [AttendanceState::PendingPayment, AttendanceState::Offered]
            .map(|state| stage.attends(schedule, state));
        stage.schedules.push("schedule", called_off, 2, &state(called_off, start, Some("비")));
        stage.all_arrived().await;
        assert!(stage.list(going).await.is_empty(), "it is not due yet");

        stage.bed.clock.set(start.before(HOUR * 23));
        let reminded = stage.heard(going, 1).await.remove(0);
        assert_eq!(reminded.kind(), NotificationKind::ScheduleReminder);
        assert_eq!(reminded.subject.unwrap().id, schedule.to_string());
        stage.schedules.push("schedule", schedule, 2, &state(schedule, start, None));
        let late = stage.attends(schedule, AttendanceState::Going);
        stage.all_arrived().await;
        // Heard of after the reminder was sent, but had the seat before it was due.
        stage.heard(late, 1).await;
        stage.heard(going, 1).await;

        stage.bed.clock.reset();
        let other = start.after(HOUR * 48);
        stage.schedules.push("schedule", schedule, 3, &state(schedule, other, None));
        stage.all_arrived().await;
        stage.bed.clock.set(other.before(HOUR * 2));
        stage.heard(going, 2).await;
        for nobody in [waiting, spared, paying, offered] {
            assert!(stage.list(nobody).await.is_empty());
        }
    }

    async fn what_started_or_was_joined_on_short_notice_is_no_reminder(bed: Bed) {
        let stage = Stage::set(bed).await;
        let now = stage.bed.clock.now();
        let soon = stage.schedule(now.after(HOUR));
        let past = stage.schedule(now.after(HOUR * 30));
        let control = stage.schedule(now.after(HOUR * 90));
        let members = [soon, past].map(|id| stage.attends(id, AttendanceState::Going));
        let reminded = stage.attends(control, AttendanceState::Going);
        stage.all_arrived().await;
        stage.bed.clock.set(now.after(HOUR * 70));
        stage.heard(reminded, 1).await;
        for member in members {
            assert!(stage.list(member).await.is_empty());
        }
    }
}
