//! Top-ups and the provider's messages: each step by compare-and-set, each look by one process at a time.

use moim_kit::id::MemberId;
use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args, violates};

use super::Store;
use super::rows::{TopUpRow, all, top_up_columns};
use crate::fault::Reason;
use crate::model::{TopUp, TopUpFailure, TopUpState, Wallet};

const INSERT: &str = concat!(
    "INSERT INTO top_up (",
    top_up_columns!(),
    ", next_look_at_us) VALUES ($1, $2, $3, $4, $5, $6, NULL, NULL, NULL, 0, $7, $8)"
);
const FIND_KEY: &str = concat!("SELECT ", top_up_columns!(), " FROM top_up WHERE key = $1");
const COUNT_COMING: &str = "
SELECT COUNT(*), CAST(COALESCE(SUM(amount_krw), 0) AS BIGINT) FROM top_up
WHERE member_id = $1 AND state = 'REQUESTED'";
const LIST_DUE: &str = concat!(
    "SELECT ",
    top_up_columns!(),
    " FROM top_up WHERE next_look_at_us <= $1 ORDER BY next_look_at_us, id LIMIT $2"
);
const CLAIM: &str = concat!(
    "UPDATE top_up SET tries = tries + 1, next_look_at_us = $3 \
     WHERE id = $1 AND next_look_at_us <= $2 RETURNING ",
    top_up_columns!()
);
/// Decides who credits a wallet: of all who read the top-up as it was, one.
pub(super) const MOVE: &str = "
UPDATE top_up SET state = $3, failure = $4, spendable_krw = $5, held_krw = $6, next_look_at_us = $7,
    tries = 0
WHERE id = $1 AND state = $2";
#[cfg(test)]
pub(super) const MOVE_CARELESS: &str = "
UPDATE top_up SET state = $3, failure = $4, spendable_krw = $5, held_krw = $6, next_look_at_us = $7,
    tries = 0
WHERE id = $1 AND $2 <> ''";
// What a message has asked for in between stays: it is due already.
const REST: &str = "
UPDATE top_up SET next_look_at_us = NULL WHERE id = $1 AND state = $2 AND next_look_at_us > $3";
const LOOK: &str = "UPDATE top_up SET next_look_at_us = $2, tries = 0 WHERE key = $1";
const LOOK_AGAIN: &str =
    "UPDATE top_up SET next_look_at_us = $3 WHERE id = $1 AND next_look_at_us = $2";
// Anybody may send anything, so what concerns no top-up leaves nothing behind.
const SEE: &str = "
INSERT INTO webhook (id, seen_at_us)
SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM top_up WHERE key = $3) ON CONFLICT (id) DO NOTHING";
const FORGET: &str = "DELETE FROM webhook WHERE seen_at_us < $1";

/// Where a top-up goes.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub to: TopUpState,
    pub failure: Option<TopUpFailure>,
    pub answer: Option<Wallet>,
    pub next_look: Option<Timestamp>,
}

impl Store {
    /// Writes a new top-up; refused when the key was used by anybody.
    pub async fn insert_top_up(
        &self,
        tx: &mut Tx,
        new: &TopUp,
        next_look: Timestamp,
    ) -> Result<(), Fault> {
        let args = args![
            new.id,
            new.member,
            &new.key,
            new.amount_krw,
            &new.payment_key,
            new.state.word(),
            new.requested_at,
            next_look,
        ];
        let reused = violates("top_up_key", "top_up.key", Reason::IdempotencyKeyReused);
        tx.execute(INSERT, args).await.map_err(reused)?;
        Ok(())
    }

    /// The top-up of a key, as a transaction sees it.
    pub async fn find_keyed(&self, tx: &mut Tx, key: &str) -> Result<Option<TopUp>, Fault> {
        let row: Option<TopUpRow> = tx.fetch_optional(FIND_KEY, args![key]).await?;
        row.map(TopUp::try_from).transpose()
    }

    /// The top-up of a key.
    pub async fn find_top_up(&self, key: &str) -> Result<Option<TopUp>, Fault> {
        let row: Option<TopUpRow> = self.outbox.db().fetch_optional(FIND_KEY, args![key]).await?;
        row.map(TopUp::try_from).transpose()
    }

    /// How many top-ups of a member are undecided, and how much money that is.
    pub async fn count_coming(&self, tx: &mut Tx, member: MemberId) -> Result<(i64, i64), Fault> {
        Ok(tx.fetch_optional(COUNT_COMING, args![member]).await?.unwrap_or_default())
    }

    /// Top-ups that are to be looked at, longest due first.
    pub async fn list_due_top_ups(&self, now: Timestamp, limit: i64) -> Result<Vec<TopUp>, Fault> {
        all(self.outbox.db().fetch_all::<TopUpRow>(LIST_DUE, args![now, limit]).await?)
    }

    /// Takes a due top-up until then; `None` when another process has it.
    pub async fn claim_top_up(
        &self,
        listed: &TopUp,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<TopUp>, Fault> {
        let mut tx = self.begin().await?;
        let row: Option<TopUpRow> = tx.fetch_optional(CLAIM, args![listed.id, now, until]).await?;
        tx.commit().await?;
        row.map(TopUp::try_from).transpose()
    }

    /// Moves a top-up from the state it was read in; false when somebody else has moved it.
    pub async fn move_top_up(&self, tx: &mut Tx, read: &TopUp, turn: Turn) -> Result<bool, Fault> {
        let args = args![
            read.id,
            read.state.word(),
            turn.to.word(),
            turn.failure.map(TopUpFailure::word),
            turn.answer.map(Wallet::spendable_krw),
            turn.answer.map(|wallet| wallet.held_krw),
            turn.next_look,
        ];
        Ok(tx.execute(self.guards.move_top_up, args).await? == 1)
    }

    /// Looks again then at a top-up that was taken until `until`, unless it is due again already.
    pub async fn look_again(
        &self,
        read: &TopUp,
        until: Timestamp,
        then: Timestamp,
    ) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        tx.execute(LOOK_AGAIN, args![read.id, until, then]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Looks no more at a settled top-up, unless it is due again already.
    pub async fn rest_top_up(&self, read: &TopUp, now: Timestamp) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        tx.execute(REST, args![read.id, read.state.word(), now]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has the top-up of a key looked at now, if a message is new and there is such a top-up.
    pub async fn take_notice(
        &self,
        message: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let mut tx = self.begin().await?;
        let is_new = tx.execute(SEE, args![message, now, key]).await? == 1;
        let known = is_new && tx.execute(LOOK, args![key, now]).await? == 1;
        tx.commit().await?;
        Ok(known)
    }

    /// Forgets messages from before an instant.
    pub async fn forget_notices(&self, before: Timestamp) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        tx.execute(FORGET, args![before]).await?;
        tx.commit().await?;
        Ok(())
    }
}
