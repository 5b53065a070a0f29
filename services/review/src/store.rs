//! What the room keeps, in SQL; every statement about it stands here.

use std::collections::HashMap;

use moim_kit::id::{GatheringId, Id, MemberId, Noun, ReviewId, ScheduleId};
use moim_kit::page::PageSpec;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Keyset, Outbox, Tx, View, args};

use crate::model::{Card, Rating, Review, Schedule};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT r.id, r.schedule_id, r.gathering_id, r.author_id, r.rating, r.body, r.deleted, ",
            "r.created_at_us, r.updated_at_us, r.version, c.nickname, c.avatar_url ",
            "FROM review r JOIN card c ON c.member_id = r.author_id ",
            $tail
        )
    };
}

const KEEP_CARD: &str = "
INSERT INTO card (member_id, nickname, avatar_url, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (member_id) DO UPDATE
SET nickname = excluded.nickname, avatar_url = excluded.avatar_url, version = excluded.version";
const KEEP_GATHERING: &str = "
INSERT INTO gathering_copy (id, host_id) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET host_id = excluded.host_id";
const KEEP_SCHEDULE: &str = "
INSERT INTO schedule_copy (id, gathering_id, title, ends_at_us) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, ends_at_us = excluded.ends_at_us";
const KEEP_ATTENDANCE: &str = "
INSERT INTO attendance_copy (id, schedule_id, member_id, attended) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET attended = excluded.attended";
const FIND_CARD: &str = "SELECT nickname, avatar_url FROM card WHERE member_id = $1";
const FIND_HOST: &str = "SELECT host_id FROM gathering_copy WHERE id = $1";
const FIND_SCHEDULE: &str =
    "SELECT gathering_id, title, ends_at_us FROM schedule_copy WHERE id = $1";
const FIND_ATTENDED: &str = "
SELECT id FROM attendance_copy WHERE schedule_id = $1 AND member_id = $2 AND attended";
// Writing a row to itself locks it on both databases.
const LOCK_RATING: &str = "
INSERT INTO rating (gathering_id, review_count, rating_sum, version) VALUES ($1, 0, 0, 0)
ON CONFLICT (gathering_id) DO UPDATE SET version = rating.version
RETURNING review_count, rating_sum, version";
const UPDATE_RATING: &str =
    "UPDATE rating SET review_count = $2, rating_sum = $3, version = $4 WHERE gathering_id = $1";
const SAVE: &str = "
INSERT INTO review (id, schedule_id, gathering_id, author_id, rating, body, deleted, created_at_us,
    updated_at_us, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET rating = excluded.rating, body = excluded.body,
    deleted = excluded.deleted, updated_at_us = excluded.updated_at_us, version = excluded.version";
const FIND_OWN: &str = select!("WHERE r.schedule_id = $1 AND r.author_id = $2");
const FIND: &str = select!("WHERE r.id = $1");
const FIND_MANY: &str = select!("WHERE NOT r.deleted AND r.id IN ({ids})");

const NEWEST: Keyset = Keyset { key: "created_at_us", id: "id", descending: true };

/// Whose reviews a list holds.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Gathering,
    Schedule,
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    id: String,
    schedule_id: String,
    gathering_id: String,
    author_id: String,
    rating: i64,
    body: String,
    deleted: bool,
    created_at_us: i64,
    updated_at_us: i64,
    version: i64,
    nickname: String,
    avatar_url: Option<String>,
}

impl TryFrom<ReviewRow> for Review {
    type Error = Fault;

    fn try_from(row: ReviewRow) -> Result<Self, Fault> {
        Ok(Self {
            id: own(&row.id)?,
            schedule: own(&row.schedule_id)?,
            gathering: own(&row.gathering_id)?,
            author: Card {
                member: own(&row.author_id)?,
                nickname: row.nickname,
                avatar_url: row.avatar_url,
            },
            rating: i32::try_from(row.rating).map_err(Fault::internal)?,
            body: row.body,
            deleted: row.deleted,
            created_at: Timestamp::from_us(row.created_at_us),
            updated_at: Timestamp::from_us(row.updated_at_us),
            version: row.version,
        })
    }
}

/// The room's tables.
#[derive(Clone)]
pub struct Store(Outbox);

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self(outbox)
    }

    /// Starts a transaction that carries the facts it causes.
    pub async fn begin(&self) -> Result<Tx, Fault> {
        Ok(self.0.begin().await?)
    }

    /// Reviews by id, those that stand.
    pub async fn list_reviews(
        &self,
        view: &View,
        ids: Vec<ReviewId>,
    ) -> Result<Vec<Review>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        let rows: Vec<ReviewRow> = view.fetch_in(FIND_MANY, vec![], list).await?;
        rows.into_iter().map(Review::try_from).collect()
    }

    /// One page of the reviews of each, newest first; rows come in the order of travel, one more
    /// than asked where there are more.
    pub async fn list_of<N: Noun>(
        &self,
        view: &View,
        of: Of,
        ids: &[Id<N>],
        page: &PageSpec,
    ) -> Result<HashMap<String, Vec<Review>>, Fault> {
        let column = match of {
            Of::Gathering => "gathering_id",
            Of::Schedule => "schedule_id",
        };
        let mut args = args![page.fetch()];
        let condition = NEWEST.condition(page, &mut args);
        let sql = format!(
            "{columns} JOIN (
                SELECT id, ROW_NUMBER() OVER (PARTITION BY {column} ORDER BY {order}) AS nth
                FROM review WHERE {column} IN ({{ids}}) AND NOT deleted AND {condition}
             ) AS ranked ON ranked.id = r.id
             WHERE ranked.nth <= $1 ORDER BY r.{column}, ranked.nth",
            columns = select!(""),
            order = NEWEST.order(page),
        );
        let list = ids.iter().map(|id| Arg::from(*id)).collect();
        let rows: Vec<ReviewRow> = view.fetch_in(&sql, args, list).await?;
        let mut lists: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            let review = Review::try_from(row)?;
            let id = match of {
                Of::Gathering => review.gathering.to_string(),
                Of::Schedule => review.schedule.to_string(),
            };
            lists.entry(id).or_default().push(review);
        }
        Ok(lists)
    }
}

pub async fn keep_card(tx: &mut Tx, card: &Card, version: i64) -> Result<(), Fault> {
    let args = args![card.member, &card.nickname, card.avatar_url.as_deref(), version];
    tx.execute(KEEP_CARD, args).await?;
    Ok(())
}

pub async fn keep_gathering(tx: &mut Tx, id: GatheringId, host: MemberId) -> Result<(), Fault> {
    tx.execute(KEEP_GATHERING, args![id, host]).await?;
    Ok(())
}

pub async fn keep_schedule(tx: &mut Tx, it: &Schedule) -> Result<(), Fault> {
    tx.execute(KEEP_SCHEDULE, args![it.id, it.gathering, &it.title, it.ends_at]).await?;
    Ok(())
}

pub async fn keep_attendance(
    tx: &mut Tx,
    id: &str,
    of: (ScheduleId, MemberId),
    attended: bool,
) -> Result<(), Fault> {
    tx.execute(KEEP_ATTENDANCE, args![id, of.0, of.1, attended]).await?;
    Ok(())
}

pub async fn find_card(tx: &mut Tx, member: MemberId) -> Result<Option<Card>, Fault> {
    let row: Option<(String, Option<String>)> = tx.fetch_optional(FIND_CARD, args![member]).await?;
    Ok(row.map(|(nickname, avatar_url)| Card { member, nickname, avatar_url }))
}

pub async fn find_host(tx: &mut Tx, gathering: GatheringId) -> Result<Option<MemberId>, Fault> {
    let row: Option<(String,)> = tx.fetch_optional(FIND_HOST, args![gathering]).await?;
    row.map(|(host,)| own(&host)).transpose()
}

pub async fn find_schedule(tx: &mut Tx, id: ScheduleId) -> Result<Option<Schedule>, Fault> {
    let row: Option<(String, String, i64)> = tx.fetch_optional(FIND_SCHEDULE, args![id]).await?;
    row.map(|(gathering, title, ends)| {
        Ok(Schedule { id, gathering: own(&gathering)?, title, ends_at: Timestamp::from_us(ends) })
    })
    .transpose()
}

pub async fn has_attended(tx: &mut Tx, of: (ScheduleId, MemberId)) -> Result<bool, Fault> {
    Ok(tx.fetch_optional::<(String,)>(FIND_ATTENDED, args![of.0, of.1]).await?.is_some())
}

/// A gathering's rating, locked: one review of the gathering is written after another.
pub async fn lock_rating(tx: &mut Tx, gathering: GatheringId) -> Result<Rating, Fault> {
    let row: Option<(i64, i64, i64)> = tx.fetch_optional(LOCK_RATING, args![gathering]).await?;
    let (count, sum, version) = row.ok_or_else(|| Fault::internal("a rating vanished"))?;
    Ok(Rating { count, sum, version })
}

/// Writes a review and what it makes of the locked rating.
pub async fn save(tx: &mut Tx, review: &Review, rating: Rating) -> Result<(), Fault> {
    let args = args![
        review.id,
        review.schedule,
        review.gathering,
        review.author.member,
        review.rating,
        &review.body,
        review.deleted,
        review.created_at,
        review.updated_at,
        review.version,
    ];
    tx.execute(SAVE, args).await?;
    let args = args![review.gathering, rating.count, rating.sum, rating.version];
    tx.execute(UPDATE_RATING, args).await?;
    Ok(())
}

pub async fn find_own(
    tx: &mut Tx,
    schedule: ScheduleId,
    author: MemberId,
) -> Result<Option<Review>, Fault> {
    let row: Option<ReviewRow> = tx.fetch_optional(FIND_OWN, args![schedule, author]).await?;
    row.map(Review::try_from).transpose()
}

pub async fn find(tx: &mut Tx, id: ReviewId) -> Result<Option<Review>, Fault> {
    let row: Option<ReviewRow> = tx.fetch_optional(FIND, args![id]).await?;
    row.map(Review::try_from).transpose()
}

/// An id that this room wrote itself.
fn own<N: Noun>(text: &str) -> Result<Id<N>, Fault> {
    text.parse().map_err(Fault::internal)
}
