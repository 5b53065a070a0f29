//! Three months of meetups, day by day: announced, filled up, held, who came written down, and talked about.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use moim_kit::{Fault, Timestamp};
use moim_proto::schedule::v1::{AttendRequest, CreateRequest, RecordAttendanceRequest};

use super::content::{GatheringPlan, SchedulePlan};
use super::progress;
use super::settlers::{Settlers, patiently};
use super::talks::Talks;
use crate::house::House;

const HOUR: Duration = Duration::from_secs(3_600);
/// How long before it starts a meetup is announced.
const ANNOUNCED_HOURS: i64 = 14 * 24;
/// The first day anything was announced, in days before today.
const FIRST_DAY: i64 = 72;
/// The hour of the day at which the town acts.
const NOON: i64 = 12;
/// The hour at which people talk.
const EVENING: i64 = 20;
const SIDE_BY_SIDE: usize = 8;

/// Holds meetups against the town's clock.
pub struct Calendar<'a> {
    house: &'a House,
    settlers: &'a Settlers<'a>,
    plans: &'a [GatheringPlan],
    ids: &'a [String],
    today: Timestamp,
}

/// A meetup that was announced, and the places people took.
struct Announced<'a> {
    plan: &'a SchedulePlan,
    id: String,
    attendances: Vec<String>,
}

impl<'a> Calendar<'a> {
    /// Of gatherings with these plans and ids.
    pub fn new(
        house: &'a House,
        settlers: &'a Settlers<'a>,
        plans: &'a [GatheringPlan],
        ids: &'a [String],
        today: Timestamp,
    ) -> Self {
        Self { house, settlers, plans, ids, today }
    }

    /// Lives through every day up to today.
    pub async fn hold(&self, meetups: &[SchedulePlan], talks: &Talks<'_>) -> Result<(), Fault> {
        let bar = progress(meetups.len(), "meetups");
        let mut open: Vec<Announced<'_>> = Vec::new();
        let mut reviewed = Vec::new();
        for day in -FIRST_DAY..=0 {
            // Today nothing is done before midnight has passed, whatever the hour is now.
            let hours = if day == 0 { 0 } else { day * 24 + NOON };
            let previous = if day == -FIRST_DAY { i64::MIN } else { (day - 1) * 24 + NOON };
            self.house.clock.set(at_hours(self.today, hours));

            let (over, still_open) = open
                .into_iter()
                .partition(|it| it.plan.starts_in_hours + it.plan.length_hours <= hours);
            open = still_open;
            // Of those that were over yesterday; what was recorded then is known everywhere by now.
            talks.review(std::mem::take(&mut reviewed)).await?;
            let over: Vec<Announced<'_>> = over;
            reviewed.extend(over.iter().map(|it| (it.id.clone(), it.plan.reviews.as_slice())));
            stream::iter(over)
                .map(|meetup| self.write_down(meetup))
                .buffered(SIDE_BY_SIDE)
                .try_collect::<()>()
                .await?;

            let due = |plan: &&SchedulePlan| {
                let announced = plan.starts_in_hours - ANNOUNCED_HOURS;
                announced <= hours && announced > previous || day == 0 && announced > hours
            };
            let fresh: Vec<_> = stream::iter(meetups.iter().filter(due))
                .map(|plan| async {
                    let announced = self.announce(plan).await?;
                    bar.inc(1);
                    Ok::<_, Fault>(announced)
                })
                .buffered(SIDE_BY_SIDE)
                .try_collect()
                .await?;
            open.extend(fresh);
            talks.chat(day, at_hours(self.today, day * 24 + EVENING)).await?;
        }
        bar.finish();
        Ok(())
    }

    async fn announce(&self, plan: &'a SchedulePlan) -> Result<Announced<'a>, Fault> {
        let host = self.plans[plan.gathering].host;
        let starts_at = at_hours(self.today, plan.starts_in_hours);
        let length = HOUR * u32::try_from(plan.length_hours).unwrap_or(1);
        let call = self.settlers.call(host)?;
        let created = patiently(|| {
            let request = call.request(CreateRequest {
                gathering_id: self.ids[plan.gathering].clone(),
                title: plan.title.clone(),
                description: plan.description.clone(),
                place: plan.place.clone(),
                starts_at_us: starts_at.us(),
                ends_at_us: starts_at.after(length).us(),
                time_zone: "Asia/Seoul".to_owned(),
                capacity: plan.capacity,
                ..CreateRequest::default()
            });
            let mut rooms = self.house.upstream.schedule.clone();
            async move { rooms.create(request).await }
        });
        let schedule = created.await?.into_inner().schedule;
        let id = schedule.ok_or_else(|| Fault::internal("no schedule in the answer"))?.id;
        let mut attendances = Vec::with_capacity(plan.attendees.len());
        for &person in &plan.attendees {
            attendances.push(self.attend(&id, person).await?);
        }
        Ok(Announced { plan, id, attendances })
    }

    async fn attend(&self, schedule: &str, person: usize) -> Result<String, Fault> {
        let call = self.settlers.call(person)?;
        let attended = patiently(|| {
            let request = call.request(AttendRequest {
                schedule_id: schedule.to_owned(),
                join_waitlist: true,
                allow_overlap: false,
                ..AttendRequest::default()
            });
            let mut rooms = self.house.upstream.schedule.clone();
            async move { rooms.attend(request).await }
        });
        let attendance = attended.await?.into_inner().attendance;
        Ok(attendance.ok_or_else(|| Fault::internal("no attendance in the answer"))?.id)
    }

    async fn write_down(&self, meetup: Announced<'_>) -> Result<(), Fault> {
        let host = self.plans[meetup.plan.gathering].host;
        let mut rooms = self.house.upstream.schedule.clone();
        for (attendance_id, &attended) in meetup.attendances.into_iter().zip(&meetup.plan.came) {
            let request = RecordAttendanceRequest { attendance_id, attended };
            rooms.record_attendance(self.settlers.call(host)?.request(request)).await?;
        }
        Ok(())
    }
}

fn at_hours(today: Timestamp, hours: i64) -> Timestamp {
    let span = HOUR * u32::try_from(hours.unsigned_abs()).unwrap_or(u32::MAX);
    if hours < 0 { today.before(span) } else { today.after(span) }
}
