//! How the town comes to be: people arrive, start gatherings, and meet day by day until today.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{Datelike as _, TimeZone as _};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use moim_kit::{Fault, Timestamp};
use moim_proto::gathering::v1::{
    Category, CreateRequest, DecideMembershipRequest, JoinPolicy, JoinRequest, Membership,
    MembershipRole, SetMembershipRoleRequest, UpdateRequest,
};

use super::content::{self, GatheringPlan};
use super::fees;
use super::meetups::Calendar;
use super::progress;
use super::registry::Registry;
use super::settlers::{Settlers, patiently};
use super::talks::Talks;
use crate::house::House;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// When the first people arrived, in days before today.
const PEOPLE_ARRIVED: u32 = 90;
/// When the gatherings were started.
const GATHERINGS_STARTED: u32 = 75;
const SIDE_BY_SIDE: usize = 8;

const HELLOS: [&str; 5] = [
    "안녕하세요, 꼭 함께하고 싶어서 신청드려요!",
    "소개글 보고 반해서 왔습니다. 잘 부탁드려요.",
    "초보지만 열심히 참여할게요.",
    "친구 추천으로 알게 됐어요. 환영해 주시면 감사하겠습니다.",
    "매주 꾸준히 나갈 수 있습니다!",
];

/// Founds the town in an empty house and leaves its clock at the present.
pub async fn found(house: &House, registry: &Registry) -> anyhow::Result<()> {
    let (today, days_to_saturday) = today_in_seoul(house.clock.now())?;
    let days_ago = |days: u32| today.before(DAY * days);

    house.clock.set(days_ago(PEOPLE_ARRIVED));
    let settlers = Settlers::settle(house, registry, content::people(content::TOWN_SIZE)).await?;

    house.clock.set(days_ago(GATHERINGS_STARTED));
    let plans = content::gatherings();
    let bar = progress(plans.len(), "gatherings");
    let ids: Vec<String> = stream::iter(&plans)
        .map(|plan| async {
            let id = start(house, &settlers, plan).await?;
            bar.inc(1);
            Ok::<_, Fault>(id)
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    bar.finish();

    let meetups = content::schedules_before_saturday(&plans, days_to_saturday);
    let chats = content::chats(&plans);
    let talks = Talks::new(house, &settlers, &ids, &chats);
    Calendar::new(house, &settlers, &plans, &ids, today).hold(&meetups, &talks).await?;

    house.clock.reset();
    fees::charge(house, &settlers, &plans, &ids, (today, days_to_saturday)).await?;
    for (plan, id) in plans.iter().zip(&ids).filter(|(plan, _)| plan.closed) {
        let request = UpdateRequest {
            gathering_id: id.clone(),
            closed: Some(true),
            ..UpdateRequest::default()
        };
        house.upstream.gathering.clone().update(settlers.call(plan.host)?.request(request)).await?;
    }
    Ok(())
}

/// The start of today in Seoul, and how many days it is to Saturday.
fn today_in_seoul(now: Timestamp) -> anyhow::Result<(Timestamp, i64)> {
    let seoul = chrono_tz::Asia::Seoul;
    let date = seoul
        .timestamp_micros(now.us())
        .single()
        .context("the system's clock shows no time")?
        .date_naive();
    let midnight = date
        .and_hms_opt(0, 0, 0)
        .and_then(|midnight| midnight.and_local_timezone(seoul).single())
        .context("today has no beginning")?;
    let days_to_saturday = (5 - i64::from(date.weekday().num_days_from_monday())).rem_euclid(7);
    Ok((Timestamp::from_us(midnight.timestamp_micros()), days_to_saturday))
}

async fn start(
    house: &House,
    settlers: &Settlers<'_>,
    plan: &GatheringPlan,
) -> Result<String, Fault> {
    let mut rooms = house.upstream.gathering.clone();
    let category = Category::from_str_name(&format!("CATEGORY_{}", plan.category))
        .ok_or_else(|| Fault::internal("a category that there is not"))?;
    let policy = if plan.approval { JoinPolicy::Approval } else { JoinPolicy::Open };
    let request = CreateRequest {
        title: plan.title.to_owned(),
        description: plan.description.to_owned(),
        category: category.into(),
        region_code: plan.region_code.to_owned(),
        capacity: plan.capacity,
        join_policy: policy.into(),
        image_url: plan.image_url.clone(),
    };
    let created = rooms.create(settlers.call(plan.host)?.request(request)).await?;
    let gathering = created.into_inner().gathering;
    let id = gathering.ok_or_else(|| Fault::internal("no gathering in the answer"))?.id;

    for &person in &plan.members {
        let membership = join(house, settlers, &id, person, plan.approval).await?;
        if plan.approval {
            let request =
                DecideMembershipRequest { membership_id: membership.id.clone(), approve: true };
            rooms.decide_membership(settlers.call(plan.host)?.request(request)).await?;
        }
        if plan.managers.contains(&person) {
            let role = MembershipRole::Manager.into();
            let request = SetMembershipRoleRequest { membership_id: membership.id, role };
            rooms.set_membership_role(settlers.call(plan.host)?.request(request)).await?;
        }
    }
    for &person in &plan.pending {
        join(house, settlers, &id, person, true).await?;
    }
    Ok(id)
}

async fn join(
    house: &House,
    settlers: &Settlers<'_>,
    gathering: &str,
    person: usize,
    says_hello: bool,
) -> Result<Membership, Fault> {
    let call = settlers.call(person)?;
    let hello = HELLOS[person % HELLOS.len()].to_owned();
    let joined = patiently(|| {
        let request = JoinRequest {
            gathering_id: gathering.to_owned(),
            message: says_hello.then(|| hello.clone()),
        };
        let mut rooms = house.upstream.gathering.clone();
        let request = call.request(request);
        async move { rooms.join(request).await }
    });
    let membership = joined.await?.into_inner().membership;
    membership.ok_or_else(|| Fault::internal("no membership in the answer"))
}
