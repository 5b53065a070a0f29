//! What each route does: its calls, as few and as soon as they can be made, and its answer.

use std::collections::{HashMap, HashSet};

use futures::future::try_join;
use moim_bff::Upstream;
use moim_kit::{Call, Fault};
use moim_proto::gathering::v1::{Gathering, ListRequest, ListSort};
use moim_proto::member::v1::get_request::By;
use moim_proto::member::v1::{BatchGetRequest, Card, GetRequest, Member};
use moim_proto::page::v1::PageRequest;
use moim_proto::schedule::v1::{
    Attendance, AttendanceList, AttendanceState, BatchListAttendancesRequest, BatchListRequest,
    Schedule, ScheduleList,
};

use super::shapes::{
    Came, Edges, Gatherings, Going, Host, Hosted, Meetup, OneMember, Popular, Profile, Who,
    instant, member_id, written,
};

/// One member by nickname.
pub(super) async fn member(
    call: Call,
    upstream: &Upstream,
    nickname: String,
) -> Result<Vec<u8>, Fault> {
    let request = call.request(GetRequest { by: Some(By::Nickname(nickname)) });
    let answer = upstream.member.clone().get(request).await?.into_inner();
    let member = answer.member.ok_or_else(|| missing("member"))?;
    written(OneMember {
        member: Profile {
            id: member_id(&member.id)?,
            nickname: &member.nickname,
            avatar_url: member.avatar_url.as_deref(),
            bio: member.bio.as_deref(),
            joined_at: instant(member.joined_at_us),
        },
    })
}

/// Gatherings with their hosts and their first three schedules.
pub(super) async fn list(call: Call, upstream: &Upstream, first: i32) -> Result<Vec<u8>, Fault> {
    let gatherings = gatherings(&call, upstream, ListSort::Active, first).await?;
    let hosts =
        gatherings.iter().map(|it| card(it.host.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let (members, schedules) = try_join(
        members(&call, upstream, hosts.iter().map(|host| host.id.as_str())),
        schedules(&call, upstream, &gatherings),
    )
    .await?;
    let rows = gatherings.iter().zip(hosts).zip(&schedules);
    let edges = Edges::try_of(rows, |((gathering, host), list)| {
        Ok(Hosted {
            title: &gathering.title,
            host: Host {
                id: member_id(&host.id)?,
                nickname: &host.nickname,
                bio: bio(&members, &host.id)?,
            },
            schedules: Edges::try_of(&list.schedules, |schedule| {
                Ok(Going { title: &schedule.title, going_count: schedule.going_count })
            })?,
        })
    })?;
    written(Gatherings { gatherings: edges })
}

/// Gatherings, their first three schedules, the first five who came to each, and what they say of themselves.
pub(super) async fn levels(call: Call, upstream: &Upstream, first: i32) -> Result<Vec<u8>, Fault> {
    let gatherings = gatherings(&call, upstream, ListSort::Popular, first).await?;
    let schedules = schedules(&call, upstream, &gatherings).await?;
    let all: Vec<&Schedule> = schedules.iter().flat_map(|list| &list.schedules).collect();
    let attendances = attendances(&call, upstream, &all).await?;
    let came = attendances.iter().flat_map(|list| &list.attendances);
    let came = came.map(|it| card(it.member.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let members = members(&call, upstream, came.iter().map(|card| card.id.as_str())).await?;
    let lists: HashMap<&str, &AttendanceList> =
        all.iter().map(|schedule| schedule.id.as_str()).zip(&attendances).collect();
    let meetup = |schedule| shown(schedule, &lists, &members);
    let edges = Edges::try_of(gatherings.iter().zip(&schedules), |(gathering, list)| {
        let schedules = Edges::try_of(&list.schedules, meetup)?;
        Ok(Popular { title: &gathering.title, schedules })
    })?;
    written(Gatherings { gatherings: edges })
}

fn shown<'a>(
    schedule: &'a Schedule,
    lists: &HashMap<&str, &'a AttendanceList>,
    members: &'a HashMap<String, Member>,
) -> Result<Meetup<'a>, Fault> {
    let list = lists.get(schedule.id.as_str()).ok_or_else(|| missing("list"))?;
    let came = |attendance: &'a Attendance| {
        let card = card(attendance.member.as_ref())?;
        let who = Who { nickname: &card.nickname, bio: bio(members, &card.id)? };
        Ok(Came { state: state(attendance.state)?, member: who })
    };
    Ok(Meetup {
        title: &schedule.title,
        starts_at: instant(schedule.starts_at_us),
        attendances: Edges::try_of(&list.attendances, came)?,
    })
}

async fn gatherings(
    call: &Call,
    upstream: &Upstream,
    sort: ListSort,
    first: i32,
) -> Result<Vec<Gathering>, Fault> {
    let request = call.request(ListRequest {
        category: None,
        region_code: None,
        open_only: false,
        sort: sort.into(),
        page: page(first),
    });
    Ok(upstream.gathering.clone().list(request).await?.into_inner().gatherings)
}

async fn schedules(
    call: &Call,
    upstream: &Upstream,
    gatherings: &[Gathering],
) -> Result<Vec<ScheduleList>, Fault> {
    let request = call.request(BatchListRequest {
        gathering_ids: gatherings.iter().map(|gathering| gathering.id.clone()).collect(),
        from_us: None,
        until_us: None,
        page: page(3),
    });
    Ok(upstream.schedule.clone().batch_list(request).await?.into_inner().lists)
}

async fn attendances(
    call: &Call,
    upstream: &Upstream,
    schedules: &[&Schedule],
) -> Result<Vec<AttendanceList>, Fault> {
    let request = call.request(BatchListAttendancesRequest {
        schedule_ids: schedules.iter().map(|schedule| schedule.id.clone()).collect(),
        state: AttendanceState::Attended.into(),
        page: page(5),
    });
    Ok(upstream.schedule.clone().batch_list_attendances(request).await?.into_inner().lists)
}

async fn members(
    call: &Call,
    upstream: &Upstream,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, Member>, Fault> {
    let mut met = HashSet::new();
    let ids = ids.filter(|id| met.insert(*id)).map(str::to_owned).collect();
    let request = call.request(BatchGetRequest { ids });
    let members = upstream.member.clone().batch_get(request).await?.into_inner().members;
    Ok(members.into_iter().map(|member| (member.id.clone(), member)).collect())
}

fn page(first: i32) -> Option<PageRequest> {
    Some(PageRequest { first: Some(first), ..PageRequest::default() })
}

fn card(card: Option<&Card>) -> Result<&Card, Fault> {
    card.ok_or_else(|| missing("card"))
}

fn bio<'a>(members: &'a HashMap<String, Member>, id: &str) -> Result<Option<&'a str>, Fault> {
    Ok(members.get(id).ok_or_else(|| missing("member"))?.bio.as_deref())
}

fn state(state: i32) -> Result<&'static str, Fault> {
    match AttendanceState::try_from(state) {
        Ok(AttendanceState::PendingPayment) => Ok("PENDING_PAYMENT"),
        Ok(AttendanceState::Offered) => Ok("OFFERED"),
        Ok(AttendanceState::Going) => Ok("GOING"),
        Ok(AttendanceState::Waitlisted) => Ok("WAITLISTED"),
        Ok(AttendanceState::Withdrawn) => Ok("WITHDRAWN"),
        Ok(AttendanceState::Attended) => Ok("ATTENDED"),
        Ok(AttendanceState::NoShow) => Ok("NO_SHOW"),
        Ok(AttendanceState::Unspecified) | Err(_) => Err(missing("state")),
    }
}

fn missing(what: &str) -> Fault {
    Fault::internal(format!("no {what} in the answer"))
}
