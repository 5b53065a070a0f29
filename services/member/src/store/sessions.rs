//! Sessions and the hashes of their refresh tokens.

use moim_kit::id::{MemberId, SessionId};
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args};

use crate::session::{RefreshToken, Session, Standing};
use crate::store::Store;

const INSERT: &str = "
INSERT INTO session (id, member_id, secret, opened_at_us, last_used_at_us, expires_at_us)
VALUES ($1, $2, $3, $4, $4, $5)";
const INSERT_TOKEN: &str = "
INSERT INTO refresh_token (hash, session_id, created_at_us) VALUES ($1, $2, $3)";
const LOCK_OF: &str = "
UPDATE session SET last_used_at_us = last_used_at_us
WHERE id = (SELECT session_id FROM refresh_token WHERE hash = $1)
RETURNING id, member_id, secret, opened_at_us, expires_at_us, revoked_at_us";
const FIND_STANDING: &str = "
SELECT token.used_at_us, successor.used_at_us AS successor_used_at_us
FROM refresh_token AS token LEFT JOIN refresh_token AS successor ON successor.hash = $2
WHERE token.hash = $1";
const SPEND: &str = "
UPDATE refresh_token SET used_at_us = $2 WHERE hash = $1 AND used_at_us IS NULL";
const TOUCH: &str = "UPDATE session SET last_used_at_us = $2, expires_at_us = $3 WHERE id = $1";
const REVOKE: &str = "
UPDATE session SET revoked_at_us = $3
WHERE id = $1 AND member_id = $2 AND revoked_at_us IS NULL RETURNING id";
const FIND: &str = "SELECT id FROM session WHERE id = $1 AND member_id = $2";
const REVOKE_ALL: &str = "
UPDATE session SET revoked_at_us = $2
WHERE member_id = $1 AND revoked_at_us IS NULL AND expires_at_us > $3 RETURNING id";
const LIST_REVOKED: &str = "SELECT id, revoked_at_us FROM session WHERE revoked_at_us > $1";
const SWEEP: &str = "
DELETE FROM session
WHERE id IN (SELECT id FROM session WHERE expires_at_us < $1 ORDER BY expires_at_us LIMIT 10)";

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    member_id: String,
    secret: Vec<u8>,
    opened_at_us: i64,
    expires_at_us: i64,
    revoked_at_us: Option<i64>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Fault;

    fn try_from(row: SessionRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.parse().map_err(Fault::internal)?,
            member: row.member_id.parse().map_err(Fault::internal)?,
            secret: row.secret,
            opened_at: Timestamp::from_us(row.opened_at_us),
            expires_at: Timestamp::from_us(row.expires_at_us),
            revoked: row.revoked_at_us.is_some(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    used_at_us: Option<i64>,
    successor_used_at_us: Option<i64>,
}

impl Store {
    /// Sessions revoked after an instant, and when.
    pub async fn list_revoked(
        &self,
        after: Timestamp,
    ) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        let rows: Vec<(String, i64)> = self.db.fetch_all(LIST_REVOKED, args![after]).await?;
        rows.into_iter()
            .map(|(id, us)| Ok((id.parse().map_err(Fault::internal)?, Timestamp::from_us(us))))
            .collect()
    }

    /// Forgets some sessions that expired before an instant, with their tokens; answers how many.
    pub async fn sweep_sessions(&self, before: Timestamp) -> Result<u64, Fault> {
        let mut tx = self.outbox.begin().await?;
        let swept = tx.execute(SWEEP, args![before]).await?;
        tx.commit().await?;
        Ok(swept)
    }
}

/// Keeps a new session and its first token.
pub(crate) async fn insert_session(
    tx: &mut Tx,
    session: &Session,
    token: &RefreshToken,
) -> Result<(), Fault> {
    let opened_at = session.opened_at;
    let args =
        args![session.id, session.member, session.secret.clone(), opened_at, session.expires_at];
    tx.execute(INSERT, args).await?;
    tx.execute(INSERT_TOKEN, args![token.hash(), session.id, opened_at]).await?;
    Ok(())
}

/// The session a token belongs to, which nobody else changes until the transaction ends.
pub(crate) async fn lock_session_of(
    tx: &mut Tx,
    token: &RefreshToken,
) -> Result<Option<Session>, Fault> {
    let row: Option<SessionRow> = tx.fetch_optional(LOCK_OF, args![token.hash()]).await?;
    row.map(TryInto::try_into).transpose()
}

/// Whether a token and its successor were used.
pub(crate) async fn find_standing(
    tx: &mut Tx,
    token: &RefreshToken,
    successor: &RefreshToken,
) -> Result<Option<Standing>, Fault> {
    let row: Option<StandingRow> =
        tx.fetch_optional(FIND_STANDING, args![token.hash(), successor.hash()]).await?;
    Ok(row.map(|row| Standing {
        used_at: row.used_at_us.map(Timestamp::from_us),
        successor_used: row.successor_used_at_us.is_some(),
    }))
}

/// Spends a token and keeps its successor; false when somebody spent it before.
pub(crate) async fn rotate_token(
    tx: &mut Tx,
    session: SessionId,
    token: &RefreshToken,
    successor: &RefreshToken,
    now: Timestamp,
) -> Result<bool, Fault> {
    if tx.execute(SPEND, args![token.hash(), now]).await? == 0 {
        return Ok(false);
    }
    tx.execute(INSERT_TOKEN, args![successor.hash(), session, now]).await?;
    Ok(true)
}

/// Keeps that a locked session was used.
pub(crate) async fn touch_session(
    tx: &mut Tx,
    session: &Session,
    now: Timestamp,
) -> Result<(), Fault> {
    tx.execute(TOUCH, args![session.id, now, session.expires_at]).await?;
    Ok(())
}

/// Revokes a session of a member; false when they have no such session.
pub(crate) async fn revoke_session(
    tx: &mut Tx,
    member: MemberId,
    session: SessionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    if tx.execute(REVOKE, args![session, member, now]).await? > 0 {
        return Ok(true);
    }
    Ok(tx.fetch_optional::<(String,)>(FIND, args![session, member]).await?.is_some())
}

/// Revokes every session of a locked member whose tokens may still live; answers which.
pub(crate) async fn revoke_all(
    tx: &mut Tx,
    member: MemberId,
    alive_after: Timestamp,
    now: Timestamp,
) -> Result<Vec<SessionId>, Fault> {
    let rows: Vec<(String,)> = tx.fetch_all(REVOKE_ALL, args![member, now, alive_after]).await?;
    rows.into_iter().map(|(id,)| id.parse().map_err(Fault::internal)).collect()
}
