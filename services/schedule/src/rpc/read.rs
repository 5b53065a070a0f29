//! Reading schedules and attendances: a handful of queries for a batch of any size.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use moim_kit::id::{AttendanceId, GatheringId, Noun, ScheduleId};
use moim_kit::page::{Cursor, PageSpec};
use moim_kit::{Call, Fault, Id, Timestamp};
use moim_proto::schedule::v1 as proto;
use moim_storage::View;
use tonic::Response;

use super::Server;
use crate::attendance::Shown;
use crate::convert;
use crate::fault::Reason;
use crate::ics;
use crate::model::{Role, Schedule};
use crate::seats::Viewer;

const MOST_IDS: usize = 200;

const SCHEDULES: u8 = 1;
const ATTENDANCES: u8 = 2;
const OWN_ATTENDANCES: u8 = 3;

impl Server {
    pub(super) async fn get_schedules(
        &self,
        call: &Call,
        request: proto::BatchGetRequest,
    ) -> Result<Response<proto::BatchGetResponse>, Fault> {
        let ids = readable(&request.ids)?;
        let view = self.reads.of(call).await;
        let found = self.store.list_schedules(&view, ids).await?;
        let schedules = self.show(&view, call, &found).await?;
        Ok(Response::new(proto::BatchGetResponse { schedules }))
    }

    pub(super) async fn list_schedules(
        &self,
        call: &Call,
        request: proto::BatchListRequest,
    ) -> Result<Response<proto::BatchListResponse>, Fault> {
        let ids: Vec<GatheringId> = parsed(&request.gathering_ids, "gatheringIds")?;
        let page = page_of_each(request.page.as_ref(), SCHEDULES, ids.len())?;
        let from = request.from_us.map(Timestamp::from_us);
        let until = request.until_us.map(Timestamp::from_us);
        let view = self.reads.of(call).await;
        let found = self.store.list_schedules_of(&view, distinct(&ids), from, until, &page).await?;
        let pages: Vec<_> = in_order(&ids, &found)
            .map(|rows| page.page(rows, |row| cursor(row.starts_at.us(), row.id)))
            .collect();
        let rows: Vec<_> = pages.iter().flat_map(|page| page.rows.iter().cloned()).collect();
        let mut shown = self.show(&view, call, &rows).await?.into_iter();
        let lists = pages
            .iter()
            .map(|page| proto::ScheduleList {
                schedules: shown.by_ref().take(page.rows.len()).collect(),
                page: Some(convert::page(page)),
            })
            .collect();
        Ok(Response::new(proto::BatchListResponse { lists }))
    }

    pub(super) async fn get_attendances(
        &self,
        call: &Call,
        request: proto::BatchGetAttendancesRequest,
    ) -> Result<Response<proto::BatchGetAttendancesResponse>, Fault> {
        let ids: Vec<AttendanceId> = readable(&request.ids)?;
        let view = self.reads.of(call).await;
        let found = self.store.list_shown(&view, ids).await?;
        let roles = self.roles(&view, call, found.iter().map(|shown| shown.gathering_id)).await?;
        let may_see = |shown: &&Shown| {
            shown.may_be_seen_by(call.viewer(), roles.get(&shown.gathering_id).copied())
        };
        let show = |shown| convert::attendance(shown, call.viewer());
        let attendances = found.iter().filter(may_see).map(show).collect();
        Ok(Response::new(proto::BatchGetAttendancesResponse { attendances }))
    }

    pub(super) async fn list_attendances(
        &self,
        call: &Call,
        request: proto::BatchListAttendancesRequest,
    ) -> Result<Response<proto::BatchListAttendancesResponse>, Fault> {
        let ids: Vec<ScheduleId> = parsed(&request.schedule_ids, "scheduleIds")?;
        let state = convert::state_from(request.state)?;
        let page = page_of_each(request.page.as_ref(), ATTENDANCES, ids.len())?;
        let view = self.reads.of(call).await;
        let mut visible = distinct(&ids);
        if !state.is_public() {
            visible = self.led_by_viewer(&view, call, visible).await?;
        }
        let found = self.store.list_attendances_of(&view, visible, state, &page).await?;
        let show = |shown: &Shown| convert::attendance(shown, call.viewer());
        let lists = in_order(&ids, &found)
            .map(|rows| {
                let page = page.page(rows, |row| cursor(row.attendance.ticket, row.attendance.id));
                proto::AttendanceList {
                    attendances: page.rows.iter().map(show).collect(),
                    page: Some(convert::page(&page)),
                }
            })
            .collect();
        Ok(Response::new(proto::BatchListAttendancesResponse { lists }))
    }

    pub(super) async fn list_own_attendances(
        &self,
        call: &Call,
        request: proto::ListViewerAttendancesRequest,
    ) -> Result<Response<proto::ListViewerAttendancesResponse>, Fault> {
        let caller = call.require_caller()?;
        let spec = convert::page_spec(request.page.as_ref(), OWN_ATTENDANCES)?;
        let from = request.from_us.map(Timestamp::from_us);
        let until = request.until_us.map(Timestamp::from_us);
        let view = self.reads.of(call).await;
        let rows = self.store.list_attendances_by(&view, caller.member, from, until, &spec).await?;
        let page = spec.page(rows, |row| cursor(row.starts_at.us(), row.attendance.id));
        let show = |shown| convert::attendance(shown, Some(caller.member));
        Ok(Response::new(proto::ListViewerAttendancesResponse {
            attendances: page.rows.iter().map(show).collect(),
            page: Some(convert::page(&page)),
        }))
    }

    pub(super) async fn calendar(
        &self,
        call: &Call,
        request: proto::GetCalendarRequest,
    ) -> Result<Response<proto::GetCalendarResponse>, Fault> {
        // A link that was not signed here tells nothing, not even whether the schedule exists.
        let id: ScheduleId = request.schedule_id.parse().map_err(|_| Reason::ScheduleNotFound)?;
        if !self.signer.verifies(id, &request.signature) {
            return Err(Reason::ScheduleNotFound.into());
        }
        let mut view = self.reads.of(call).await;
        let mut found = self.store.list_schedules(&view, vec![id]).await?;
        if found.is_empty() {
            // Links carry no seen token, and one may be followed as soon as it was made.
            view = self.reads.primary();
            found = self.store.list_schedules(&view, vec![id]).await?;
        }
        let schedule = found.first().ok_or(Reason::ScheduleNotFound)?;
        let title = self.store.find_gathering_title(&view, schedule.gathering_id).await?;
        let ics = ics::calendar(schedule, &title.unwrap_or_default(), self.clock.now());
        Ok(Response::new(proto::GetCalendarResponse { ics }))
    }

    /// Schedules as the caller sees them, in the same order.
    async fn show(
        &self,
        view: &View,
        call: &Call,
        schedules: &[Schedule],
    ) -> Result<Vec<proto::Schedule>, Fault> {
        let now = self.clock.now();
        let own = match call.viewer() {
            Some(member) => {
                let ids = schedules.iter().map(|schedule| schedule.id).collect();
                self.store.list_own(view, member, ids).await?
            }
            None => HashMap::new(),
        };
        let roles = self.roles(view, call, schedules.iter().map(|of| of.gathering_id)).await?;
        let show = |schedule: &Schedule| {
            let viewer = Viewer {
                signed_in: call.viewer().is_some(),
                belongs: roles.contains_key(&schedule.gathering_id),
                state: None,
            };
            convert::schedule(schedule, viewer, own.get(&schedule.id), &self.signer, now)
        };
        Ok(schedules.iter().map(show).collect())
    }

    /// The caller's roles in gatherings; none when anonymous.
    async fn roles(
        &self,
        view: &View,
        call: &Call,
        gatherings: impl Iterator<Item = GatheringId>,
    ) -> Result<HashMap<GatheringId, Role>, Fault> {
        let Some(member) = call.viewer() else { return Ok(HashMap::new()) };
        let gatherings: HashSet<_> = gatherings.collect();
        self.store.list_roles(view, member, gatherings.into_iter().collect()).await
    }

    /// Those schedules that the caller is host or manager of.
    async fn led_by_viewer(
        &self,
        view: &View,
        call: &Call,
        ids: Vec<ScheduleId>,
    ) -> Result<Vec<ScheduleId>, Fault> {
        if call.viewer().is_none() {
            return Ok(Vec::new());
        }
        let schedules = self.store.list_schedules(view, ids).await?;
        let roles = self.roles(view, call, schedules.iter().map(|of| of.gathering_id)).await?;
        let leads = |of: &&Schedule| roles.get(&of.gathering_id).copied().is_some_and(Role::leads);
        Ok(schedules.iter().filter(leads).map(|schedule| schedule.id).collect())
    }
}

/// The ids among what was asked for; what is no id cannot be found.
fn readable<N: Noun>(texts: &[String]) -> Result<Vec<Id<N>>, Fault> {
    require_few(texts)?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

fn parsed<N: Noun>(texts: &[String], field: &'static str) -> Result<Vec<Id<N>>, Fault> {
    require_few(texts)?;
    texts.iter().map(|text| Id::parse(text, field)).collect()
}

fn require_few(texts: &[String]) -> Result<(), Reason> {
    if texts.len() > MOST_IDS { Err(Reason::TooManyIds) } else { Ok(()) }
}

fn page_of_each(
    request: Option<&moim_proto::page::v1::PageRequest>,
    list: u8,
    lists: usize,
) -> Result<PageSpec, Fault> {
    let page = convert::page_spec(request, list)?;
    if page.cursor.is_some() && lists > 1 {
        return Err(Reason::CursorNeedsOne.into());
    }
    Ok(page)
}

fn distinct<T: Copy + Eq + Hash>(ids: &[T]) -> Vec<T> {
    let mut met = HashSet::new();
    ids.iter().copied().filter(|id| met.insert(*id)).collect()
}

/// What was found for each id, in the order asked for.
fn in_order<K: Eq + Hash, V: Clone>(
    ids: &[K],
    found: &HashMap<K, Vec<V>>,
) -> impl Iterator<Item = Vec<V>> {
    ids.iter().map(|id| found.get(id).cloned().unwrap_or_default())
}

fn cursor<N: Noun>(key: i64, id: Id<N>) -> Cursor {
    Cursor { key, id: id.uuid() }
}
