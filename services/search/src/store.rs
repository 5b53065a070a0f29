//! What the room keeps, in SQL; every statement about it stands here.

use moim_kit::{Fault, Timestamp};
use moim_storage::{Outbox, Tx, args};
use uuid::Uuid;

use crate::model::{Document, Kind, Openness};

const KEEP: &str = "
INSERT INTO document (kind, id, version, sequence, gone, title, body, place, gathering_id, category,
    region_code, region_name, starts_at_us, ends_at_us, fee_krw, openness, size, fresh_at_us)
VALUES ($1, $2, $3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM document), $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, sequence = excluded.sequence,
    gone = excluded.gone, title = excluded.title, body = excluded.body, place = excluded.place,
    gathering_id = excluded.gathering_id, category = excluded.category,
    region_code = excluded.region_code, region_name = excluded.region_name,
    starts_at_us = excluded.starts_at_us, ends_at_us = excluded.ends_at_us,
    fee_krw = excluded.fee_krw, openness = excluded.openness, size = excluded.size,
    fresh_at_us = excluded.fresh_at_us
WHERE document.version < excluded.version";
// A schedule is found by the category and region of its gathering.
const FOLLOW: &str = "
UPDATE document SET sequence = (SELECT MAX(sequence) + 1 FROM document)
WHERE kind = 'schedule' AND gathering_id = $1";
const FIND_PLACE: &str =
    "SELECT category, region_code FROM document WHERE kind = 'gathering' AND id = $1";
const LIST_AFTER: &str = "
SELECT d.kind, d.id, d.version, d.sequence, d.gone, d.title, d.body, d.place, d.starts_at_us,
    d.ends_at_us, d.fee_krw, d.openness, d.size, d.fresh_at_us,
    COALESCE(g.category, d.category) AS category,
    COALESCE(g.region_code, d.region_code) AS region_code,
    COALESCE(g.region_name, d.region_name) AS region_name
FROM document d LEFT JOIN document g ON g.kind = 'gathering' AND g.id = d.gathering_id
WHERE d.sequence > $1 OR d.sequence = $1 AND (d.kind, d.id) > ($2, $3)
ORDER BY d.sequence, d.kind, d.id LIMIT $4";
const LIST_TITLES: &str = "
SELECT title, size FROM document WHERE kind = 'gathering' AND NOT gone ORDER BY size DESC, id LIMIT $1";
const NAME_REPLICA: &str =
    "INSERT INTO replica (id, name) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
const FIND_NEWEST: &str = "SELECT COALESCE(MAX(sequence), 0) FROM document";
const FIND_REPLICA: &str = "SELECT name FROM replica WHERE id = 1";
const FIND_POPULAR: &str = "SELECT snapshot FROM popular WHERE id = 1";
const KEEP_POPULAR: &str = "
INSERT INTO popular (id, snapshot) VALUES (1, $1)
ON CONFLICT (id) DO UPDATE SET snapshot = excluded.snapshot";

/// A place in the order of what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub sequence: i64,
    kind: String,
    id: String,
}

impl Mark {
    /// Behind everything with this number.
    pub fn behind(sequence: i64) -> Self {
        // Sorts behind every kind.
        Self { sequence, kind: "~".to_owned(), id: String::new() }
    }
}

/// What has become of something.
#[derive(Clone, Debug)]
pub struct Change {
    pub mark: Mark,
    pub gone: bool,
    pub document: Document,
}

#[derive(sqlx::FromRow)]
struct DocumentRow {
    kind: String,
    id: String,
    version: i64,
    sequence: i64,
    gone: bool,
    title: String,
    body: String,
    place: String,
    starts_at_us: Option<i64>,
    ends_at_us: Option<i64>,
    fee_krw: Option<i64>,
    openness: i64,
    size: i64,
    fresh_at_us: i64,
    category: Option<i64>,
    region_code: Option<String>,
    region_name: String,
}

impl TryFrom<DocumentRow> for Change {
    type Error = Fault;

    fn try_from(row: DocumentRow) -> Result<Self, Fault> {
        let kind = Kind::from_name(&row.kind).ok_or_else(|| Fault::internal("an unknown kind"))?;
        let document = Document {
            kind,
            id: row.id.parse().map_err(Fault::internal)?,
            version: row.version,
            title: row.title,
            text: row.body,
            place: row.place,
            category: row.category.and_then(|it| i32::try_from(it).ok()),
            region_code: row.region_code,
            region_name: row.region_name,
            starts_at: row.starts_at_us.map(Timestamp::from_us),
            ends_at: row.ends_at_us.map(Timestamp::from_us),
            fee_krw: row.fee_krw,
            openness: Openness::from_number(row.openness.unsigned_abs()),
            size: row.size,
            fresh_at: Timestamp::from_us(row.fresh_at_us),
        };
        let mark = Mark { sequence: row.sequence, kind: row.kind, id: row.id };
        Ok(Self { mark, gone: row.gone, document })
    }
}

/// The room's tables.
#[derive(Clone)]
pub struct Store(Outbox);

impl Store {
    pub fn new(outbox: Outbox) -> Self {
        Self(outbox)
    }

    /// What this replica is called; a new one takes the name that is offered.
    pub async fn name(&self, offered: &str) -> Result<String, Fault> {
        let mut tx = self.0.begin().await?;
        tx.execute(NAME_REPLICA, args![offered]).await?;
        let row: Option<(String,)> = tx.fetch_optional(FIND_REPLICA, args![]).await?;
        tx.commit().await?;
        row.map(|it| it.0).ok_or_else(|| Fault::internal("a replica without a name"))
    }

    /// The number of what has changed last.
    pub async fn newest(&self) -> Result<i64, Fault> {
        let row: Option<(i64,)> = self.0.db().fetch_optional(FIND_NEWEST, args![]).await?;
        Ok(row.unwrap_or_default().0)
    }

    /// What has changed after a place, in order.
    pub async fn list_after(&self, mark: &Mark, count: i64) -> Result<Vec<Change>, Fault> {
        let args = args![mark.sequence, mark.kind.as_str(), mark.id.as_str(), count];
        let rows: Vec<DocumentRow> = self.0.db().fetch_all(LIST_AFTER, args).await?;
        rows.into_iter().map(Change::try_from).collect()
    }

    /// Titles of gatherings with their sizes, the largest first.
    pub async fn list_titles(&self, count: i64) -> Result<Vec<(String, i64)>, Fault> {
        Ok(self.0.db().fetch_all(LIST_TITLES, args![count]).await?)
    }

    pub async fn find_popular(&self) -> Result<Option<String>, Fault> {
        let row: Option<(String,)> = self.0.db().fetch_optional(FIND_POPULAR, args![]).await?;
        Ok(row.map(|it| it.0))
    }

    pub async fn keep_popular(&self, snapshot: &str) -> Result<(), Fault> {
        let mut tx = self.0.begin().await?;
        tx.execute(KEEP_POPULAR, args![snapshot]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Keeps the newest state of something, and lets the schedules of a gathering follow it.
pub async fn keep(
    tx: &mut Tx,
    document: &Document,
    gathering: Option<Uuid>,
    gone: bool,
) -> Result<(), Fault> {
    let follows = document.kind == Kind::Gathering && moved(tx, document).await?;
    let args = args![
        document.kind.name(),
        document.id.to_string(),
        document.version,
        gone,
        document.title.as_str(),
        document.text.as_str(),
        document.place.as_str(),
        gathering.map(|it| it.to_string()),
        document.category.map(i64::from),
        document.region_code.as_deref(),
        document.region_name.as_str(),
        document.starts_at.map(Timestamp::us),
        document.ends_at.map(Timestamp::us),
        document.fee_krw,
        i64::try_from(document.openness.number()).unwrap_or_default(),
        document.size,
        document.fresh_at.us(),
    ];
    tx.execute(KEEP, args).await?;
    if follows {
        tx.execute(FOLLOW, args![document.id.to_string()]).await?;
    }
    Ok(())
}

/// Whether a gathering is new, or has another category or region than was known.
async fn moved(tx: &mut Tx, document: &Document) -> Result<bool, Fault> {
    let id = document.id.to_string();
    let row: Option<(Option<i64>, Option<String>)> =
        tx.fetch_optional(FIND_PLACE, args![id]).await?;
    let place = (document.category.map(i64::from), document.region_code.clone());
    Ok(row.is_none_or(|known| known != place))
}
