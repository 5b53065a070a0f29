//! Members by id, nickname and address.

use moim_kit::id::MemberId;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Arg, Tx, View, args, violates};

use crate::fault::Reason;
use crate::model::{Email, Member, Nickname, Viewed, nickname_key};
use crate::store::{PasswordHash, Store};

/// `$1` is who looks.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, version, email, nickname, avatar_url, bio, joined_at_us, EXISTS (
                SELECT 1 FROM block
                WHERE block.member_id = CAST($1 AS TEXT) AND block.blocked_id = member.id
            ) AS viewer_has_blocked
            FROM member WHERE ",
            $condition
        )
    };
}

const FIND: &str = select!("id = $2");
const FIND_BY_NICKNAME: &str = select!("nickname_key = $2");
const LIST: &str = select!("id IN ({ids})");
const FIND_CREDENTIALS: &str = "SELECT id, password_hash FROM member WHERE email = $1";
const FIND_BARE: &str = "
SELECT id, version, email, nickname, avatar_url, bio, joined_at_us FROM member WHERE id = $1";
const LOCK: &str = "
UPDATE member SET version = version WHERE id = $1
RETURNING id, version, email, nickname, avatar_url, bio, joined_at_us";
const INSERT: &str = "
INSERT INTO member (
    id, version, email, password_hash, nickname, nickname_key, avatar_url, bio, joined_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING";
const UPDATE: &str = "
UPDATE member SET version = $2, nickname = $3, nickname_key = $4, avatar_url = $5, bio = $6
WHERE id = $1";

#[derive(sqlx::FromRow)]
struct MemberRow {
    id: String,
    version: i64,
    email: String,
    nickname: String,
    avatar_url: Option<String>,
    bio: Option<String>,
    joined_at_us: i64,
}

impl TryFrom<MemberRow> for Member {
    type Error = Fault;

    fn try_from(row: MemberRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.parse().map_err(Fault::internal)?,
            version: row.version,
            email: row.email,
            nickname: row.nickname,
            avatar_url: row.avatar_url,
            bio: row.bio,
            joined_at: Timestamp::from_us(row.joined_at_us),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ViewedRow {
    #[sqlx(flatten)]
    member: MemberRow,
    viewer_has_blocked: bool,
}

impl TryFrom<ViewedRow> for Viewed {
    type Error = Fault;

    fn try_from(row: ViewedRow) -> Result<Self, Fault> {
        Ok((row.member.try_into()?, row.viewer_has_blocked))
    }
}

impl Store {
    pub async fn find(
        &self,
        view: &View,
        viewer: Option<MemberId>,
        id: MemberId,
    ) -> Result<Option<Viewed>, Fault> {
        let row: Option<ViewedRow> = view.fetch_optional(FIND, args![viewer, id]).await?;
        row.map(TryInto::try_into).transpose()
    }

    pub async fn find_by_nickname(
        &self,
        view: &View,
        viewer: Option<MemberId>,
        nickname: &Nickname,
    ) -> Result<Option<Viewed>, Fault> {
        let args = args![viewer, nickname.key()];
        let row: Option<ViewedRow> = view.fetch_optional(FIND_BY_NICKNAME, args).await?;
        row.map(TryInto::try_into).transpose()
    }

    pub async fn list(
        &self,
        view: &View,
        viewer: Option<MemberId>,
        ids: &[MemberId],
    ) -> Result<Vec<Viewed>, Fault> {
        let list = ids.iter().map(|id| Arg::from(*id)).collect();
        let rows: Vec<ViewedRow> = view.fetch_in(LIST, args![viewer], list).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    pub async fn find_credentials(
        &self,
        email: &Email,
    ) -> Result<Option<(MemberId, PasswordHash)>, Fault> {
        let row: Option<(String, String)> =
            self.db.fetch_optional(FIND_CREDENTIALS, args![email.as_str()]).await?;
        row.map(|(id, hash)| Ok((id.parse().map_err(Fault::internal)?, PasswordHash(hash))))
            .transpose()
    }
}

/// A member as the transaction sees them.
pub(crate) async fn find_member(tx: &mut Tx, id: MemberId) -> Result<Option<Member>, Fault> {
    let row: Option<MemberRow> = tx.fetch_optional(FIND_BARE, args![id]).await?;
    row.map(TryInto::try_into).transpose()
}

/// A member, whom nobody else changes until the transaction ends.
pub(crate) async fn lock_member(tx: &mut Tx, id: MemberId) -> Result<Option<Member>, Fault> {
    let row: Option<MemberRow> = tx.fetch_optional(LOCK, args![id]).await?;
    row.map(TryInto::try_into).transpose()
}

/// Keeps a new member, unless the address or the nickname is someone's.
pub(crate) async fn insert_member(
    tx: &mut Tx,
    member: &Member,
    password: &PasswordHash,
) -> Result<(), Fault> {
    let args = args![
        member.id,
        member.version,
        &member.email,
        &password.0,
        &member.nickname,
        nickname_key(&member.nickname),
        member.avatar_url.as_deref(),
        member.bio.as_deref(),
        member.joined_at,
    ];
    if tx.execute(INSERT, args).await? == 1 {
        return Ok(());
    }
    // Both may be taken: which is told must not depend on the order a database checks them in.
    let email = args![&member.email];
    let taken = tx.fetch_optional::<(String, String)>(FIND_CREDENTIALS, email).await?.is_some();
    Err(if taken { Reason::EmailTaken } else { Reason::NicknameTaken }.into())
}

/// Keeps the next version of a locked member.
pub(crate) async fn update_member(tx: &mut Tx, member: &Member) -> Result<(), Fault> {
    let args = args![
        member.id,
        member.version,
        &member.nickname,
        nickname_key(&member.nickname),
        member.avatar_url.as_deref(),
        member.bio.as_deref(),
    ];
    let taken = violates("nickname_taken", "member.nickname_key", Reason::NicknameTaken);
    tx.execute(UPDATE, args).await.map_err(taken)?;
    Ok(())
}
