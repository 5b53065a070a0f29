//! Whether the ledger agrees with itself; each look is one statement, so that it sees one instant.

use moim_kit::Fault;
use moim_storage::{Db, args};

const TOTAL: &str = "SELECT CAST(COALESCE(SUM(amount_krw), 0) AS BIGINT) FROM entry";
const UNBALANCED: &str = "
SELECT journal_id FROM entry GROUP BY journal_id HAVING SUM(amount_krw) <> 0 ORDER BY journal_id
LIMIT 20";
const WRONG_BALANCE: &str = "
SELECT wallet.member_id FROM wallet LEFT JOIN (
    SELECT owner_id, SUM(amount_krw) AS total FROM entry WHERE account = 'WALLET' GROUP BY owner_id
) AS told ON told.owner_id = wallet.member_id
WHERE wallet.balance_krw <> COALESCE(told.total, 0) ORDER BY wallet.member_id LIMIT 20";
const NO_WALLET: &str = "
SELECT DISTINCT owner_id FROM entry
WHERE account = 'WALLET' AND owner_id NOT IN (SELECT member_id FROM wallet) ORDER BY owner_id
LIMIT 20";
const WRONG_HOLD: &str = "
SELECT wallet.member_id FROM wallet LEFT JOIN (
    SELECT member_id, SUM(amount_krw) AS total FROM hold WHERE state = 'HELD' GROUP BY member_id
) AS told ON told.member_id = wallet.member_id
WHERE wallet.held_krw <> COALESCE(told.total, 0) ORDER BY wallet.member_id LIMIT 20";

/// What is wrong in a room's ledger, a sentence each; of each kind the first few.
pub async fn audit(db: &Db) -> Result<Vec<String>, Fault> {
    let mut wrong = Vec::new();
    let total = db.fetch_optional::<(i64,)>(TOTAL, args![]).await?.unwrap_or_default().0;
    if total != 0 {
        wrong.push(format!("all entries together are {total} KRW instead of nothing"));
    }
    for (sql, what) in [
        (UNBALANCED, "journal does not sum to zero"),
        (WRONG_BALANCE, "wallet's balance is not the sum of its entries"),
        (NO_WALLET, "entries belong to a wallet that is not there"),
        (WRONG_HOLD, "what is held of a wallet is not the sum of its holds"),
    ] {
        let rows: Vec<(String,)> = db.fetch_all(sql, args![]).await?;
        wrong.extend(rows.into_iter().map(|(id,)| format!("{what}: {id}")));
    }
    Ok(wrong)
}
