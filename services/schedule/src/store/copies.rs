//! Copies of other rooms' aggregates, and the key that calendar links are signed with.

use std::collections::HashMap;

use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId};
use moim_storage::{Arg, Tx, View, args};

use super::Store;
use super::rows::parsed;
use crate::model::{Card, Role};

const KEEP_CARD: &str = "
INSERT INTO card (member_id, nickname, avatar_url, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (member_id) DO UPDATE
SET nickname = excluded.nickname, avatar_url = excluded.avatar_url, version = excluded.version";
const KEEP_GATHERING: &str = "
INSERT INTO gathering_copy (id, title, version) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, version = excluded.version";
const KEEP_MEMBERSHIP: &str = "
INSERT INTO roster (gathering_id, member_id, role, status, version) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (gathering_id, member_id) DO UPDATE
SET role = excluded.role, status = excluded.status, version = excluded.version";
const FIND_TITLE: &str = "SELECT title FROM gathering_copy WHERE id = $1";
const FIND_ROLE: &str = "
SELECT role FROM roster WHERE gathering_id = $1 AND member_id = $2 AND status = 'ACTIVE'";
const LIST_ROSTER: &str = "
SELECT member_id FROM roster WHERE gathering_id = $1 AND status = 'ACTIVE' ORDER BY member_id";
const LIST_ROLES: &str = "
SELECT gathering_id, role FROM roster
WHERE member_id = $1 AND status = 'ACTIVE' AND gathering_id IN ({ids})";
// Writing a row to itself locks it on both databases.
const LOCK_CARD: &str = "
UPDATE card SET version = version WHERE member_id = $1 RETURNING nickname, avatar_url";
const LOCK_MEMBERSHIP: &str = "
UPDATE roster SET version = version
WHERE gathering_id = $1 AND member_id = $2 AND status = 'ACTIVE' RETURNING role";
const KEEP_SECRET: &str = "
INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
const FIND_SECRET: &str = "SELECT value FROM secret WHERE name = $1";

const ACTIVE: &str = "ACTIVE";

impl Store {
    pub async fn keep_card(&self, tx: &mut Tx, card: &Card, version: i64) -> Result<(), Fault> {
        let avatar_url = card.avatar_url.as_deref();
        let args = args![card.member_id, &card.nickname, avatar_url, version];
        tx.execute(KEEP_CARD, args).await?;
        Ok(())
    }

    pub async fn keep_gathering(
        &self,
        tx: &mut Tx,
        id: GatheringId,
        title: &str,
        version: i64,
    ) -> Result<(), Fault> {
        tx.execute(KEEP_GATHERING, args![id, title, version]).await?;
        Ok(())
    }

    /// Keeps a membership under its status' name; only `ACTIVE` ones count for anything.
    pub async fn keep_membership(
        &self,
        tx: &mut Tx,
        of: (GatheringId, MemberId),
        role: Role,
        status: &str,
        version: i64,
    ) -> Result<bool, Fault> {
        let args = args![of.0, of.1, role.word(), status, version];
        tx.execute(KEEP_MEMBERSHIP, args).await?;
        Ok(status == ACTIVE)
    }

    /// Title of a gathering this room has heard of.
    pub async fn find_gathering_title(
        &self,
        view: &View,
        id: GatheringId,
    ) -> Result<Option<String>, Fault> {
        let row: Option<(String,)> = view.fetch_optional(FIND_TITLE, args![id]).await?;
        Ok(row.map(|(title,)| title))
    }

    /// The same as this transaction sees it; empty for one that was never heard of.
    pub async fn title_of(&self, tx: &mut Tx, id: GatheringId) -> Result<String, Fault> {
        let row: Option<(String,)> = tx.fetch_optional(FIND_TITLE, args![id]).await?;
        Ok(row.unwrap_or_default().0)
    }

    /// Everybody active in a gathering, as far as this room has heard.
    pub async fn list_roster(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
    ) -> Result<Vec<MemberId>, Fault> {
        let rows: Vec<(String,)> = tx.fetch_all(LIST_ROSTER, args![gathering]).await?;
        rows.into_iter().map(|(id,)| parsed(&id)).collect()
    }

    /// Role of an active member.
    pub async fn find_role(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
        member: MemberId,
    ) -> Result<Option<Role>, Fault> {
        let row = tx.fetch_optional::<(String,)>(FIND_ROLE, args![gathering, member]).await?;
        row.map(|(word,)| role(&word)).transpose()
    }

    /// Roles of one member in several gatherings, where active.
    pub async fn list_roles(
        &self,
        view: &View,
        member: MemberId,
        gatherings: Vec<GatheringId>,
    ) -> Result<HashMap<GatheringId, Role>, Fault> {
        let list = gatherings.into_iter().map(Arg::from).collect();
        let rows: Vec<(String, String)> = view.fetch_in(LIST_ROLES, args![member], list).await?;
        rows.into_iter().map(|(id, word)| Ok((parsed(&id)?, role(&word)?))).collect()
    }

    /// A member's card, locked: whatever else this member signs up for waits for this transaction.
    pub async fn lock_card(&self, tx: &mut Tx, member: MemberId) -> Result<Option<Card>, Fault> {
        let row: Option<(String, Option<String>)> =
            tx.fetch_optional(LOCK_CARD, args![member]).await?;
        Ok(row.map(|(nickname, avatar_url)| Card { member_id: member, nickname, avatar_url }))
    }

    /// True when the member is active, who then stays so until this transaction ends.
    pub async fn lock_membership(
        &self,
        tx: &mut Tx,
        gathering: GatheringId,
        member: MemberId,
    ) -> Result<bool, Fault> {
        let args = args![gathering, member];
        Ok(tx.fetch_optional::<(String,)>(LOCK_MEMBERSHIP, args).await?.is_some())
    }

    /// The secret of this name; `fresh` becomes it when there was none, in one process only.
    pub async fn keep_secret(&self, name: &str, fresh: [u8; 32]) -> Result<Vec<u8>, Fault> {
        let mut tx = self.begin().await?;
        tx.execute(KEEP_SECRET, args![name, fresh.to_vec()]).await?;
        let row = tx.fetch_optional::<(Vec<u8>,)>(FIND_SECRET, args![name]).await?;
        tx.commit().await?;
        row.map(|(value,)| value).ok_or_else(|| Fault::internal("a secret vanished"))
    }
}

fn role(word: &str) -> Result<Role, Fault> {
    Role::from_word(word)
        .ok_or_else(|| Fault::internal(format!("unknown role {word:?} in the roster")))
}
