//! Copies of other rooms' aggregates: cards and rosters.

use std::collections::HashMap;

use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId};
use moim_storage::{Arg, Tx, View, args};

use super::Store;
use crate::model::{Card, Role};

const KEEP_CARD: &str = "
INSERT INTO card (member_id, nickname, avatar_url, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (member_id) DO UPDATE
SET nickname = excluded.nickname, avatar_url = excluded.avatar_url, version = excluded.version
WHERE card.version < excluded.version";
const FIND_CARD: &str = "SELECT nickname, avatar_url FROM card WHERE member_id = $1";
const KEEP_MEMBERSHIP: &str = "
INSERT INTO roster (gathering_id, member_id, role, status, version) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (gathering_id, member_id) DO UPDATE
SET role = excluded.role, status = excluded.status, version = excluded.version";
// Writing a row to itself locks it on both databases.
const LOCK_ROLE: &str = "
UPDATE roster SET version = version
WHERE gathering_id = $1 AND member_id = $2 AND status = 'ACTIVE' RETURNING role";
const LIST_ROLES: &str = "
SELECT gathering_id, role FROM roster
WHERE member_id = $1 AND status = 'ACTIVE' AND gathering_id IN ({ids})";

const ACTIVE: &str = "ACTIVE";

impl Store {
    pub async fn keep_card(&self, tx: &mut Tx, card: &Card, version: i64) -> Result<(), Fault> {
        let args = args![card.member, &card.nickname, card.avatar_url.as_deref(), version];
        tx.execute(KEEP_CARD, args).await?;
        Ok(())
    }

    pub async fn find_card(&self, member: MemberId) -> Result<Option<Card>, Fault> {
        let row: Option<(String, Option<String>)> =
            self.db().fetch_optional(FIND_CARD, args![member]).await?;
        Ok(row.map(|(nickname, avatar_url)| Card { member, nickname, avatar_url }))
    }

    /// Keeps a membership under its status' name; true when it was active and is not any more.
    pub async fn keep_membership(
        &self,
        tx: &mut Tx,
        of: (GatheringId, MemberId),
        role: Role,
        status: &str,
        version: i64,
    ) -> Result<bool, Fault> {
        let was_active = self.lock_role(tx, of.0, of.1).await?.is_some();
        let args = args![of.0, of.1, role.word(), status, version];
        tx.execute(KEEP_MEMBERSHIP, args).await?;
        Ok(was_active && status != ACTIVE)
    }

    /// Role of an active member, who then stays so until this transaction ends.
    pub async fn lock_role(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
        member: MemberId,
    ) -> Result<Option<Role>, Fault> {
        let row = tx.fetch_optional::<(String,)>(LOCK_ROLE, args![gathering, member]).await?;
        row.map(|(word,)| role(&word)).transpose()
    }

    /// Roles of one member in several gatherings, where active.
    pub async fn list_roles(
        &self,
        view: &View,
        member: MemberId,
        gatherings: impl IntoIterator<Item = GatheringId>,
    ) -> Result<HashMap<GatheringId, Role>, Fault> {
        let list = gatherings.into_iter().map(Arg::from).collect();
        let rows: Vec<(String, String)> = view.fetch_in(LIST_ROLES, args![member], list).await?;
        let parse =
            |(id, word): (String, String)| Ok((id.parse().map_err(Fault::internal)?, role(&word)?));
        rows.into_iter().map(parse).collect()
    }
}

fn role(word: &str) -> Result<Role, Fault> {
    Role::from_word(word)
        .ok_or_else(|| Fault::internal(format!("unknown role {word:?} in the roster")))
}
