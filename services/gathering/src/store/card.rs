//! Cards: what is kept of each member; a card never goes back to an older version.

use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_storage::{Tx, args};

use super::Store;
use crate::model::Card;

const FIND: &str = "SELECT nickname, avatar_url FROM card WHERE member_id = $1";
const SAVE: &str = "
INSERT INTO card (member_id, nickname, avatar_url, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (member_id) DO UPDATE SET
    nickname = excluded.nickname, avatar_url = excluded.avatar_url, version = excluded.version
WHERE card.version < excluded.version";
const LOCK: &str = "UPDATE card SET version = version WHERE member_id = $1";
const COUNT_HOSTED: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) AS hosted FROM gathering WHERE host_id = $1";

#[derive(sqlx::FromRow)]
struct CardRow {
    nickname: String,
    avatar_url: Option<String>,
}

impl Store {
    pub async fn find_card(&self, member: MemberId) -> Result<Option<Card>, Fault> {
        let row: Option<CardRow> = self.db().fetch_optional(FIND, args![member]).await?;
        Ok(row.map(|CardRow { nickname, avatar_url }| Card { member, nickname, avatar_url }))
    }
}

/// Keeps a version of a card unless a newer one is there.
pub async fn save_card(tx: &mut Tx, card: Card, version: i64) -> Result<(), Fault> {
    tx.execute(SAVE, args![card.member, card.nickname, card.avatar_url, version]).await?;
    Ok(())
}

/// How many gatherings a member hosts; nobody else can give them one before the transaction ends.
pub async fn count_hosted(tx: &mut Tx, member: MemberId) -> Result<i64, Fault> {
    tx.execute(LOCK, args![member]).await?;
    let row = tx.fetch_optional::<(i64,)>(COUNT_HOSTED, args![member]).await?;
    Ok(row.unwrap_or_default().0)
}
