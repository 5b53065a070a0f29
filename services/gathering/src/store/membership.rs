//! Memberships in the database: rosters of many gatherings at once, and one write for every move.

use std::collections::HashMap;

use moim_kit::id::{GatheringId, MemberId, MembershipId};
use moim_kit::page::{Cursor, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args, violates};

use super::gathering::overtaken;
use super::{Store, own_id, own_word};
use crate::fault::Reason;
use crate::model::Card;
use crate::roster::{Membership, Role, Status};

macro_rules! select {
    ($more:literal, $tail:literal) => {
        concat!(
            "SELECT m.id, m.gathering_id, m.member_id, m.role, m.status, m.message, ",
            "m.joined_at_us, m.updated_at_us, m.version, c.nickname, c.avatar_url",
            $more,
            " FROM membership m JOIN card c ON c.member_id = m.member_id ",
            $tail
        )
    };
}

const FIND_MANY: &str = select!("", "WHERE m.id IN ({ids})");
const FIND_OWN: &str = select!("", "WHERE m.gathering_id = $1 AND m.member_id = $2");
const FIND_PAIR: &str =
    select!("", "WHERE m.gathering_id = $1 AND (m.member_id = $2 OR m.id = $3)");
const LIST_OWN_IN: &str = select!("", "WHERE m.member_id = $1 AND m.gathering_id IN ({ids})");
const LIST_OWN: &str = select!(
    "",
    "WHERE m.member_id = $1 AND (CAST($2 AS TEXT) IS NULL OR m.status = $2) AND {cursor}
     ORDER BY {order} LIMIT {limit}"
);
const LIST_MANY: &str = concat!(
    "SELECT * FROM (",
    select!(
        ", ROW_NUMBER() OVER (PARTITION BY m.gathering_id ORDER BY {order}) AS place",
        "WHERE m.status = $1 AND (CAST($2 AS TEXT) IS NULL OR m.role = $2) AND {cursor}
           AND m.gathering_id IN ({ids})"
    ),
    ") AS ranked WHERE place <= {limit} ORDER BY gathering_id, place"
);
const FIND_GATHERING: &str = "SELECT gathering_id FROM membership WHERE id = $1";
const LIST_MANAGERS: &str = "
SELECT member_id FROM membership
WHERE gathering_id = $1 AND status = 'ACTIVE' AND role <> 'MEMBER' ORDER BY member_id";
const SAVE: &str = "
INSERT INTO membership
    (id, gathering_id, member_id, role, status, message, joined_at_us, updated_at_us, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET
    role = excluded.role, status = excluded.status, message = excluded.message,
    joined_at_us = excluded.joined_at_us, updated_at_us = excluded.updated_at_us,
    version = excluded.version
WHERE membership.version = excluded.version - 1";

const ROSTER: Keyset = Keyset { key: "m.joined_at_us", id: "m.id", descending: false };
const NEWEST_CHANGE: Keyset = Keyset { key: "m.updated_at_us", id: "m.id", descending: true };

#[derive(sqlx::FromRow)]
struct MembershipRow {
    id: String,
    gathering_id: String,
    member_id: String,
    role: String,
    status: String,
    message: Option<String>,
    joined_at_us: i64,
    updated_at_us: i64,
    version: i64,
    nickname: String,
    avatar_url: Option<String>,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = Fault;

    fn try_from(row: MembershipRow) -> Result<Self, Fault> {
        Ok(Self {
            id: own_id(&row.id)?,
            gathering: own_id(&row.gathering_id)?,
            member: Card {
                member: own_id(&row.member_id)?,
                nickname: row.nickname,
                avatar_url: row.avatar_url,
            },
            role: own_word(Role::from_word(&row.role), &row.role)?,
            status: own_word(Status::from_word(&row.status), &row.status)?,
            message: row.message,
            joined_at: Timestamp::from_us(row.joined_at_us),
            updated_at: Timestamp::from_us(row.updated_at_us),
            version: row.version,
        })
    }
}

pub async fn find_memberships(view: &View, ids: &[MembershipId]) -> Result<Vec<Membership>, Fault> {
    let list = ids.iter().map(|id| Arg::from(*id)).collect();
    convert(view.fetch_in(FIND_MANY, args![], list).await?)
}

/// A member's own memberships of these gatherings, by gathering.
pub async fn find_own_in(
    view: &View,
    member: Option<MemberId>,
    gatherings: &[GatheringId],
) -> Result<HashMap<GatheringId, Membership>, Fault> {
    let Some(member) = member else { return Ok(HashMap::new()) };
    let list = gatherings.iter().map(|id| Arg::from(*id)).collect();
    let rows = view.fetch_in(LIST_OWN_IN, args![member], list).await?;
    Ok(convert(rows)?.into_iter().map(|own| (own.gathering, own)).collect())
}

/// A member's own memberships, newest change first.
pub async fn list_own(
    view: &View,
    member: MemberId,
    status: Option<Status>,
    page: &PageSpec,
) -> Result<PageOf<Membership>, Fault> {
    let mut args = args![member, status.map(Status::word)];
    let sql = paged(LIST_OWN, NEWEST_CHANGE, page, &mut args);
    let own = convert(view.fetch_all(&sql, args).await?)?;
    Ok(page.page(own, |own| Cursor { key: own.updated_at.us(), id: own.id.uuid() }))
}

/// The same page of the roster of each of several gatherings, in the order people came.
pub async fn list_rosters(
    view: &View,
    gatherings: &[GatheringId],
    status: Status,
    role: Option<Role>,
    page: &PageSpec,
) -> Result<HashMap<GatheringId, PageOf<Membership>>, Fault> {
    let mut args = args![status.word(), role.map(Role::word)];
    let sql = paged(LIST_MANY, ROSTER, page, &mut args);
    let list = gatherings.iter().map(|id| Arg::from(*id)).collect();
    let mut rosters: HashMap<_, Vec<_>> = gatherings.iter().map(|id| (*id, Vec::new())).collect();
    for membership in convert(view.fetch_in(&sql, args, list).await?)? {
        rosters.entry(membership.gathering).or_default().push(membership);
    }
    let cursor = |one: &Membership| Cursor { key: one.joined_at.us(), id: one.id.uuid() };
    Ok(rosters.into_iter().map(|(id, roster)| (id, page.page(roster, cursor))).collect())
}

impl Store {
    /// Which gathering a membership belongs to; that never changes.
    pub async fn find_gathering_of(&self, id: MembershipId) -> Result<GatheringId, Fault> {
        let row = self.db().fetch_optional::<(String,)>(FIND_GATHERING, args![id]).await?;
        own_id(&row.ok_or(Reason::MembershipNotFound)?.0)
    }
}

/// Fills in where a page starts, which way it travels and where it ends.
fn paged(sql: &str, keyset: Keyset, page: &PageSpec, args: &mut Vec<Arg>) -> String {
    let cursor = keyset.condition(page, args);
    args.push(page.fetch().into());
    sql.replace("{cursor}", &cursor)
        .replace("{order}", &keyset.order(page))
        .replace("{limit}", &format!("${}", args.len()))
}

fn convert(rows: Vec<MembershipRow>) -> Result<Vec<Membership>, Fault> {
    rows.into_iter().map(Membership::try_from).collect()
}

/// A member's own membership of a locked gathering.
pub async fn find_own(
    tx: &mut Tx,
    gathering: GatheringId,
    member: MemberId,
) -> Result<Option<Membership>, Fault> {
    let row: Option<MembershipRow> = tx.fetch_optional(FIND_OWN, args![gathering, member]).await?;
    row.map(Membership::try_from).transpose()
}

/// The caller's own membership, if any, and the one they want to change; both of a locked gathering.
pub async fn find_pair(
    tx: &mut Tx,
    gathering: GatheringId,
    caller: MemberId,
    target: MembershipId,
) -> Result<(Option<Membership>, Membership), Fault> {
    let both = convert(tx.fetch_all(FIND_PAIR, args![gathering, caller, target]).await?)?;
    let own = both.iter().find(|one| one.member.member == caller).cloned();
    let target = both.into_iter().find(|one| one.id == target);
    Ok((own, target.ok_or(Reason::MembershipNotFound)?))
}

/// Host and managers of a locked gathering.
pub async fn list_managers(tx: &mut Tx, gathering: GatheringId) -> Result<Vec<MemberId>, Fault> {
    let rows: Vec<(String,)> = tx.fetch_all(LIST_MANAGERS, args![gathering]).await?;
    rows.iter().map(|(id,)| own_id(id)).collect()
}

/// Writes a membership, new or in its next version.
pub async fn save_membership(tx: &mut Tx, membership: &Membership) -> Result<(), Fault> {
    let args = args![
        membership.id,
        membership.gathering,
        membership.member.member,
        membership.role.word(),
        membership.status.word(),
        membership.message.clone(),
        membership.joined_at,
        membership.updated_at,
        membership.version,
    ];
    let twice = violates(
        "already_joined",
        "membership.gathering_id, membership.member_id",
        Reason::AlreadyJoined,
    );
    if tx.execute(SAVE, args).await.map_err(twice)? == 0 {
        return Err(overtaken());
    }
    Ok(())
}
