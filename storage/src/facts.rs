//! A fact as a row: of the outbox, parked, or dead.

use moim_kit::bus::{Fact, Kind};
use moim_kit::{Fault, Timestamp};
use uuid::Uuid;

/// The columns every such table has.
#[derive(sqlx::FromRow)]
pub(crate) struct FactRow {
    id: String,
    noun: String,
    aggregate_id: String,
    version: i64,
    payload: Vec<u8>,
    trace: String,
    created_at_us: i64,
    kind: String,
    topic: Option<String>,
}

impl TryFrom<FactRow> for Fact {
    type Error = Fault;

    fn try_from(row: FactRow) -> Result<Self, Fault> {
        let uuid = |text: &str| text.parse::<Uuid>().map_err(Fault::internal);
        let kind = Kind::from_word(&row.kind)
            .ok_or_else(|| Fault::internal(format!("a fact of unknown kind {:?}", row.kind)))?;
        Ok(Self {
            id: uuid(&row.id)?,
            kind,
            noun: row.noun,
            aggregate: uuid(&row.aggregate_id)?,
            version: row.version,
            payload: row.payload.into(),
            trace: row.trace,
            at: Timestamp::from_us(row.created_at_us),
            topic: row.topic.as_deref().map(uuid).transpose()?,
        })
    }
}
