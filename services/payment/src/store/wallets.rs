//! Wallets, what is held of them, and the ledger. Journals and entries are only ever inserted.

use moim_kit::id::{MemberId, OrderId, WalletEntryId};
use moim_kit::page::{PageOf, PageSpec};
use moim_kit::{Code, Fault, Timestamp};
use moim_storage::{Arg, Keyset, Tx, View, args, violates};
use uuid::Uuid;

use super::Store;
use super::rows::{EntryRow, all};
use crate::ledger::{Account, Journal, Krw};
use crate::model::{Entry, Wallet};

const FIND: &str = "SELECT balance_krw, held_krw FROM wallet WHERE member_id = $1";
const OPEN: &str = "
INSERT INTO wallet (member_id, balance_krw, held_krw, last_sequence, version)
VALUES ($1, 0, 0, 0, 1)
ON CONFLICT (member_id) DO UPDATE SET version = wallet.version
RETURNING balance_krw, held_krw";
/// Decides about the last money: of all orders that come at once, as many succeed as it pays for.
pub(super) const HOLD: &str = "
UPDATE wallet SET held_krw = held_krw + $2, version = version + 1
WHERE member_id = $1 AND balance_krw - held_krw >= $2";
#[cfg(test)]
pub(super) const HOLD_CARELESS: &str =
    "UPDATE wallet SET held_krw = held_krw + $2, version = version + 1 WHERE member_id = $1";
const INSERT_HOLD: &str = "
INSERT INTO hold (order_id, member_id, amount_krw, state, updated_at_us)
VALUES ($1, $2, $3, 'HELD', $4)";
pub(super) const CLOSE_HOLD: &str = "
UPDATE hold SET state = $2, updated_at_us = $3 WHERE order_id = $1 AND state = 'HELD'
RETURNING member_id, amount_krw";
#[cfg(test)]
pub(super) const CLOSE_HOLD_CARELESS: &str = "
UPDATE hold SET state = $2, updated_at_us = $3 WHERE order_id = $1 RETURNING member_id, amount_krw";
const LET_GO: &str = "
UPDATE wallet SET held_krw = held_krw - $2, version = version + 1 WHERE member_id = $1";
const SPEND: &str = "
UPDATE wallet SET balance_krw = balance_krw - $2, held_krw = held_krw - $2,
    last_sequence = last_sequence + 1, version = version + 1
WHERE member_id = $1 RETURNING balance_krw, held_krw, last_sequence";
const FILL: &str = "
UPDATE wallet SET balance_krw = balance_krw + $2, last_sequence = last_sequence + 1,
    version = version + 1
WHERE member_id = $1 AND balance_krw + $2 <= $3 RETURNING balance_krw, held_krw, last_sequence";
const INSERT_JOURNAL: &str =
    "INSERT INTO journal (id, kind, subject_id, created_at_us) VALUES ($1, $2, $3, $4)";
const INSERT_ENTRY: &str = "
INSERT INTO entry (id, journal_id, account, owner_id, amount_krw, balance_after_krw, sequence,
    created_at_us)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Columns of an entry of a wallet with its journal.
macro_rules! entries {
    () => {
        "SELECT entry.id AS id, kind, subject_id, amount_krw, balance_after_krw, sequence, \
         entry.created_at_us AS created_at_us \
         FROM entry JOIN journal ON journal.id = entry.journal_id \
         WHERE account = 'WALLET' AND owner_id = $1"
    };
}
const LIST_OWN: &str = concat!(entries!(), " AND entry.id IN ({ids})");
const NEWEST: Keyset = Keyset { key: "sequence", id: "entry.id", descending: true };

/// A wallet after a move, and the number of the entry that moved it.
type Moved = (i64, i64, i64);

impl Store {
    /// A member's wallet; empty when it was never used.
    pub async fn find_wallet(&self, view: &View, member: MemberId) -> Result<Wallet, Fault> {
        let row = view.fetch_optional(FIND, args![member]).await?;
        Ok(wallet(row.unwrap_or_default()))
    }

    /// The same, locked until the transaction ends.
    pub async fn lock_wallet(&self, tx: &mut Tx, member: MemberId) -> Result<Wallet, Fault> {
        let row = tx.fetch_optional(OPEN, args![member]).await?;
        Ok(wallet(row.unwrap_or_default()))
    }

    /// Sets money aside for an order; otherwise answers how much is missing.
    pub async fn hold(
        &self,
        tx: &mut Tx,
        order: OrderId,
        member: MemberId,
        amount: Krw,
        now: Timestamp,
    ) -> Result<Result<(), Krw>, Fault> {
        let args = args![member, amount.get()];
        if tx.execute(self.guards.hold_money, args).await.map_err(overdrawn)? == 1 {
            tx.execute(INSERT_HOLD, args![order, member, amount.get(), now]).await?;
            return Ok(Ok(()));
        }
        let row = tx.fetch_optional(FIND, args![member]).await?;
        let missing = amount.get() - wallet(row.unwrap_or_default()).spendable_krw();
        // Money came in between the two statements: the next try finds it.
        let contended = || Fault::new(Code::Conflict, "CONFLICT", "The wallet was changing.");
        Krw::try_new(missing).map(Err).ok_or_else(contended)
    }

    /// Takes the money that was set aside for an order.
    pub async fn capture(
        &self,
        tx: &mut Tx,
        order: OrderId,
        journal: &Journal,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (member, amount) = self.close_hold(tx, order, "CAPTURED", now).await?;
        let moved: Option<Moved> = tx.fetch_optional(SPEND, args![member, amount]).await?;
        self.post(tx, journal, moved.ok_or_else(no_wallet)?, now).await
    }

    /// Gives free the money that was set aside for an order.
    pub async fn void(&self, tx: &mut Tx, order: OrderId, now: Timestamp) -> Result<(), Fault> {
        let (member, amount) = self.close_hold(tx, order, "RELEASED", now).await?;
        tx.execute(LET_GO, args![member, amount]).await?;
        Ok(())
    }

    /// Puts money into a wallet as long as it then holds no more than `largest`; `None` when it would.
    pub async fn fill(
        &self,
        tx: &mut Tx,
        member: MemberId,
        amount: Krw,
        largest: i64,
        journal: &Journal,
        now: Timestamp,
    ) -> Result<Option<Wallet>, Fault> {
        let args = args![member, amount.get(), largest];
        let Some(moved) = tx.fetch_optional::<Moved>(FILL, args).await? else { return Ok(None) };
        self.post(tx, journal, moved, now).await?;
        Ok(Some(wallet((moved.0, moved.1))))
    }

    async fn close_hold(
        &self,
        tx: &mut Tx,
        order: OrderId,
        state: &str,
        now: Timestamp,
    ) -> Result<(String, i64), Fault> {
        let row = tx.fetch_optional(self.guards.close_hold, args![order, state, now]).await?;
        row.ok_or_else(|| Fault::internal("nothing is held for this order"))
    }

    /// Writes a journal and its lines, once for each subject and kind.
    async fn post(
        &self,
        tx: &mut Tx,
        journal: &Journal,
        (balance, _, sequence): Moved,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let id = Uuid::now_v7();
        tx.execute(INSERT_JOURNAL, args![id, journal.kind().word(), journal.subject(), now])
            .await?;
        for (account, amount) in journal.lines() {
            let own = matches!(account, Account::Wallet(_));
            let (balance, sequence) = (own.then_some(balance), own.then_some(sequence));
            let (word, owner) = (account.word(), account.owner());
            let entry = WalletEntryId::fresh();
            let args = args![entry, id, word, owner, amount, balance, sequence, now];
            tx.execute(INSERT_ENTRY, args).await?;
        }
        Ok(())
    }

    /// A page of a wallet's entries, newest first.
    pub async fn list_entries(
        &self,
        view: &View,
        member: MemberId,
        page: &PageSpec,
    ) -> Result<PageOf<Entry>, Fault> {
        let mut args = args![member, page.fetch()];
        let condition = NEWEST.condition(page, &mut args);
        let order = NEWEST.order(page);
        let sql = format!("{} AND {condition} ORDER BY {order} LIMIT $2", entries!());
        let rows: Vec<EntryRow> = view.fetch_all(&sql, args).await?;
        Ok(page.page(all(rows)?, Entry::cursor))
    }

    /// Lines of a member's own wallet by id, those that exist.
    pub async fn list_own_entries(
        &self,
        view: &View,
        member: MemberId,
        ids: Vec<WalletEntryId>,
    ) -> Result<Vec<Entry>, Fault> {
        let list = ids.into_iter().map(Arg::from).collect();
        all(view.fetch_in::<EntryRow>(LIST_OWN, args![member], list).await?)
    }
}

fn wallet((balance_krw, held_krw): (i64, i64)) -> Wallet {
    Wallet { balance_krw, held_krw }
}

fn no_wallet() -> Fault {
    Fault::internal("there is no such wallet")
}

/// The constraint is the second wall: it stands should the condition ever be lost.
fn overdrawn(error: moim_storage::Error) -> Fault {
    let fault = Fault::new(Code::InsufficientBalance, "INSUFFICIENT_BALANCE", "Too little money.");
    violates("insufficient_balance", "insufficient_balance", fault)(error)
}
