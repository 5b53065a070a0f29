//! Gatherings in the database: browsing, changing, and seats by conditional writes.

use moim_kit::id::GatheringId;
use moim_kit::page::{Cursor, PageOf, PageSpec};
use moim_kit::{Code, Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args, violates};

use super::{own_id, own_word, small};
use crate::fault::Reason;
use crate::model::{Card, Category, Filter, Gathering, JoinPolicy, Rating, Sort};
use crate::region;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT g.id, g.title, g.description, g.category, g.region_code, g.image_url, ",
            "g.join_policy, g.closed, g.capacity, g.member_count, g.activity_at_us, ",
            "g.created_at_us, g.version, g.host_id, c.nickname, c.avatar_url, ",
            "r.review_count, r.rating_sum ",
            "FROM gathering g JOIN card c ON c.member_id = g.host_id ",
            "LEFT JOIN rating r ON r.gathering_id = g.id ",
            $tail
        )
    };
}

const BROWSE: &str = select!("");
const FIND: &str = select!("WHERE g.id = $1");
const FIND_MANY: &str = select!("WHERE g.id IN ({ids})");
const LOCK: &str = "UPDATE gathering SET version = version WHERE id = $1";
const INSERT: &str = "
INSERT INTO gathering (id, host_id, title, description, category, region_code, image_url, join_policy,
    closed, capacity, member_count, activity_at_us, created_at_us, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const UPDATE: &str = "
UPDATE gathering SET host_id = $2, title = $3, description = $4, category = $5, region_code = $6,
    image_url = $7, join_policy = $8, closed = $9, capacity = $10, activity_at_us = $11, version = $12
WHERE id = $1 AND version + 1 = $12";
const TAKE_SEAT: &str = "
UPDATE gathering SET member_count = member_count + 1, activity_at_us = $2, version = version + 1
WHERE id = $1 AND NOT closed AND member_count < capacity
RETURNING member_count, version";
const FREE_SEAT: &str = "
UPDATE gathering SET member_count = member_count - 1, version = version + 1
WHERE id = $1 AND member_count > 0
RETURNING member_count, version";

const ACTIVE: Keyset = Keyset { key: "g.activity_at_us", id: "g.id", descending: true };
const NEWEST: Keyset = Keyset { key: "g.created_at_us", id: "g.id", descending: true };
const POPULAR: Keyset = Keyset { key: "g.member_count", id: "g.id", descending: true };

#[derive(sqlx::FromRow)]
struct GatheringRow {
    id: String,
    title: String,
    description: String,
    category: String,
    region_code: String,
    image_url: Option<String>,
    join_policy: String,
    closed: bool,
    capacity: i64,
    member_count: i64,
    activity_at_us: i64,
    created_at_us: i64,
    version: i64,
    host_id: String,
    nickname: String,
    avatar_url: Option<String>,
    review_count: Option<i64>,
    rating_sum: Option<i64>,
}

impl TryFrom<GatheringRow> for Gathering {
    type Error = Fault;

    fn try_from(row: GatheringRow) -> Result<Self, Fault> {
        Ok(Self {
            id: own_id(&row.id)?,
            host: Card {
                member: own_id(&row.host_id)?,
                nickname: row.nickname,
                avatar_url: row.avatar_url,
            },
            title: row.title,
            description: row.description,
            category: own_word(Category::from_word(&row.category), &row.category)?,
            region: own_word(region::find(&row.region_code), &row.region_code)?,
            image_url: row.image_url,
            join_policy: own_word(JoinPolicy::from_word(&row.join_policy), &row.join_policy)?,
            closed: row.closed,
            capacity: small(row.capacity)?,
            member_count: small(row.member_count)?,
            activity_at: Timestamp::from_us(row.activity_at_us),
            created_at: Timestamp::from_us(row.created_at_us),
            version: row.version,
            rating: Rating {
                count: row.review_count.unwrap_or_default(),
                sum: row.rating_sum.unwrap_or_default(),
            },
        })
    }
}

/// A page of gatherings, in the order asked for.
pub async fn list_gatherings(
    view: &View,
    filter: &Filter,
    sort: Sort,
    page: &PageSpec,
) -> Result<PageOf<Gathering>, Fault> {
    let keyset = match sort {
        Sort::Active => ACTIVE,
        Sort::Newest => NEWEST,
        Sort::Popular => POPULAR,
    };
    let mut args = Vec::new();
    // Only the conditions asked for stand in the text, so that each finds its index.
    let mut conditions = vec![keyset.condition(page, &mut args)];
    let mut equal = |column: &str, value: &str| {
        args.push(Arg::from(value));
        conditions.push(format!("{column} = ${}", args.len()));
    };
    if let Some(category) = filter.category {
        equal("g.category", category.word());
    }
    if let Some(region) = filter.region {
        equal("g.region_code", region.code);
    }
    if filter.open_only {
        conditions.push("NOT g.closed AND g.member_count < g.capacity".to_owned());
    }
    args.push(page.fetch().into());
    let (conditions, order, limit) = (conditions.join(" AND "), keyset.order(page), args.len());
    let sql = format!("{BROWSE}WHERE {conditions} ORDER BY {order} LIMIT ${limit}");
    let rows: Vec<GatheringRow> = view.fetch_all(&sql, args).await?;
    let gatherings = convert(rows)?;
    Ok(page.page(gatherings, |gathering| Cursor {
        key: match sort {
            Sort::Active => gathering.activity_at.us(),
            Sort::Newest => gathering.created_at.us(),
            Sort::Popular => gathering.member_count.into(),
        },
        id: gathering.id.uuid(),
    }))
}

pub async fn find_gatherings(view: &View, ids: &[GatheringId]) -> Result<Vec<Gathering>, Fault> {
    let list = ids.iter().map(|id| Arg::from(*id)).collect();
    convert(view.fetch_in(FIND_MANY, args![], list).await?)
}

fn convert(rows: Vec<GatheringRow>) -> Result<Vec<Gathering>, Fault> {
    rows.into_iter().map(Gathering::try_from).collect()
}

/// The gathering as it is, held until the transaction ends: everything within one gathering
/// happens one after another, so that what the model decides still holds when it is written.
pub async fn lock_gathering(tx: &mut Tx, id: GatheringId) -> Result<Gathering, Fault> {
    if tx.execute(LOCK, args![id]).await? == 0 {
        return Err(Reason::GatheringNotFound.into());
    }
    let row: Option<GatheringRow> = tx.fetch_optional(FIND, args![id]).await?;
    row.ok_or(Reason::GatheringNotFound)?.try_into()
}

pub async fn insert_gathering(tx: &mut Tx, gathering: &Gathering) -> Result<(), Fault> {
    let args = args![
        gathering.id,
        gathering.host.member,
        &gathering.title,
        &gathering.description,
        gathering.category.word(),
        gathering.region.code,
        gathering.image_url.clone(),
        gathering.join_policy.word(),
        gathering.closed,
        gathering.capacity,
        gathering.member_count,
        gathering.activity_at,
        gathering.created_at,
        gathering.version,
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// Writes the next version of a gathering; the number of its members is not touched.
pub async fn update_gathering(tx: &mut Tx, gathering: &Gathering) -> Result<(), Fault> {
    let args = args![
        gathering.id,
        gathering.host.member,
        &gathering.title,
        &gathering.description,
        gathering.category.word(),
        gathering.region.code,
        gathering.image_url.clone(),
        gathering.join_policy.word(),
        gathering.closed,
        gathering.capacity,
        gathering.activity_at,
        gathering.version,
    ];
    let too_small =
        violates("capacity_too_small", "gathering.member_count", Reason::CapacityTooSmall);
    if tx.execute(UPDATE, args).await.map_err(too_small)? == 0 {
        return Err(overtaken());
    }
    Ok(())
}

/// Takes a seat if there is one and the gathering is not closed: one write decides the race.
pub async fn take_seat(
    tx: &mut Tx,
    gathering: Gathering,
    now: Timestamp,
) -> Result<Gathering, Fault> {
    let row = tx.fetch_optional::<(i64, i64)>(TAKE_SEAT, args![gathering.id, now]).await?;
    let (member_count, version) = row.ok_or(Reason::GatheringFull)?;
    Ok(Gathering { member_count: small(member_count)?, version, activity_at: now, ..gathering })
}

/// Gives a seat back.
pub async fn free_seat(tx: &mut Tx, gathering: Gathering) -> Result<Gathering, Fault> {
    let row = tx.fetch_optional::<(i64, i64)>(FREE_SEAT, args![gathering.id]).await?;
    let (member_count, version) = row.ok_or_else(overtaken)?;
    Ok(Gathering { member_count: small(member_count)?, version, ..gathering })
}

/// Cannot happen while the gathering is locked first; kept so that a lost lock is no lost update.
pub(super) fn overtaken() -> Fault {
    Fault::new(Code::Conflict, "CONFLICT", "Someone else was changing this; try again.")
        .in_korean("다른 변경과 겹쳤습니다. 다시 시도해 주세요.")
}
