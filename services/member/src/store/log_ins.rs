//! Failed log-ins per account, counted in the database so that every process of this room knows.

use moim_kit::{Fault, Timestamp};
use moim_storage::{Tx, args};
use sha2::{Digest as _, Sha256};

use crate::fault::Reason;
use crate::model::{Email, Limit};
use crate::store::Store;

const FIND_LIMITED: &str = "
SELECT failures FROM log_in_failure WHERE account = $1 AND since_us > $2 AND failures >= $3";
const COUNT: &str = "
INSERT INTO log_in_failure (account, failures, since_us) VALUES ($1, 1, $2)
ON CONFLICT (account) DO UPDATE SET
    failures = CASE WHEN log_in_failure.since_us > $3 THEN log_in_failure.failures + 1 ELSE 1 END,
    since_us = CASE WHEN log_in_failure.since_us > $3 THEN log_in_failure.since_us ELSE $2 END
WHERE log_in_failure.since_us <= $3 OR log_in_failure.failures < $4";
const CLEAR: &str = "
DELETE FROM log_in_failure WHERE account = $1 AND (since_us <= $2 OR failures < $3)";
const FIND: &str = "SELECT failures FROM log_in_failure WHERE account = $1";
const SWEEP: &str = "DELETE FROM log_in_failure WHERE since_us <= $1";

/// Addresses that have no account are counted too, or the limit would tell which have one; they
/// are kept as a hash, for they are nobody's data.
fn account(email: &Email) -> String {
    Sha256::digest(email.as_str()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Refuses when an account has failed too often of late.
    pub async fn check_failures(
        &self,
        email: &Email,
        limit: Limit,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let args = args![account(email), now.before(limit.window), i64::from(limit.failures)];
        match self.db.fetch_optional::<(i64,)>(FIND_LIMITED, args).await? {
            Some(_) => Err(Reason::LogInLimited.into()),
            None => Ok(()),
        }
    }

    /// Forgets failures that are past the window.
    pub async fn sweep_failures(&self, limit: Limit, now: Timestamp) -> Result<(), Fault> {
        let mut tx = self.outbox.begin().await?;
        tx.execute(SWEEP, args![now.before(limit.window)]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Counts a failure; refused when the limit was reached meanwhile, so that guesses made side by
/// side learn no more than guesses made one after another.
pub(crate) async fn count_failure(
    tx: &mut Tx,
    email: &Email,
    limit: Limit,
    now: Timestamp,
) -> Result<(), Fault> {
    let args = args![account(email), now, now.before(limit.window), i64::from(limit.failures)];
    match tx.execute(COUNT, args).await? {
        0 => Err(Reason::LogInLimited.into()),
        _ => Ok(()),
    }
}

/// Forgets an account's failures after a success; refused when the limit was reached meanwhile.
pub(crate) async fn clear_failures(
    tx: &mut Tx,
    email: &Email,
    limit: Limit,
    now: Timestamp,
) -> Result<(), Fault> {
    let account = account(email);
    let args = args![&account, now.before(limit.window), i64::from(limit.failures)];
    let cleared = tx.execute(CLEAR, args).await? > 0;
    if !cleared && tx.fetch_optional::<(i64,)>(FIND, args![account]).await?.is_some() {
        return Err(Reason::LogInLimited.into());
    }
    Ok(())
}
