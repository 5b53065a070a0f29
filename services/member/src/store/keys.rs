//! Seeds of the keys that sign access tokens.

use moim_kit::{Fault, Timestamp};
use moim_storage::args;

use crate::store::Store;
use crate::token::{Seed, public_key};

const LIST: &str = "SELECT seed FROM signing_key ORDER BY generation DESC";
const INSERT_FIRST: &str = "
INSERT INTO signing_key (generation, kid, seed, created_at_us) VALUES (1, $1, $2, $3)
ON CONFLICT (generation) DO NOTHING";

#[derive(sqlx::FromRow)]
struct KeyRow {
    seed: Vec<u8>,
}

impl KeyRow {
    fn seed(self) -> Result<Seed, Fault> {
        self.seed.try_into().map_err(|_| Fault::internal("a signing key is not 32 bytes"))
    }
}

impl Store {
    /// Every key that tokens may be signed with, the one that signs first.
    pub async fn list_seeds(&self) -> Result<Vec<Seed>, Fault> {
        let rows: Vec<KeyRow> = self.db.fetch_all(LIST, args![]).await?;
        rows.into_iter().map(KeyRow::seed).collect()
    }

    /// The key that signs; the first process to ask makes it.
    pub async fn signing_seed(&self, fresh: Seed, now: Timestamp) -> Result<Seed, Fault> {
        if let Some(seed) = self.list_seeds().await?.first() {
            return Ok(*seed);
        }
        let mut tx = self.outbox.begin().await?;
        // Two processes may start at once: one row wins and both read it.
        let args = args![public_key(&fresh).kid, fresh.to_vec(), now];
        tx.execute(INSERT_FIRST, args).await?;
        let row: Option<KeyRow> = tx.fetch_optional(LIST, args![]).await?;
        tx.commit().await?;
        row.ok_or_else(|| Fault::internal("there is no signing key"))?.seed()
    }
}
