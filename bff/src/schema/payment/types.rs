//! Wallets, their ledger and orders; nothing here costs a call.

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::{OrderId, ScheduleId, WalletEntryId};
use moim_proto::payment::v1 as proto;

use super::enums::{OrderState, WalletEntryKind};
use crate::schema::global_id::encode;
use crate::schema::scalar::DateTime;

/// Prepaid KRW of the viewer.
#[derive(SimpleObject, Clone, Copy, Debug)]
#[graphql(complex)]
pub struct Wallet {
    /// Spendable now.
    pub balance: i32,
    /// Set aside by running orders.
    pub held: i32,
}

/// A line of the wallet's ledger; never changed, only countered.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct WalletEntry {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Why money moved.
    pub kind: WalletEntryKind,
    /// Signed KRW.
    pub amount: i32,
    /// Sum of all lines up to this one; what running orders hold is still in it.
    pub balance_after: i32,
    /// When it moved.
    pub created_at: DateTime,
    #[graphql(skip)]
    pub order_id: Option<OrderId>,
}

/// Payment for a seat: hold the seat, hold the money, capture, confirm; undone backwards on failure.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Order {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// KRW.
    pub amount: i32,
    /// How far it has come.
    pub state: OrderState,
    /// When it was agreed to.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    #[graphql(skip)]
    pub schedule_id: ScheduleId,
    #[graphql(skip)]
    pub failure: Option<Failure>,
}

/// Why an order was released, in both languages.
#[derive(Clone, Debug)]
pub struct Failure {
    pub english: String,
    pub korean: String,
}

/// An amount as the schema carries it; the rooms keep amounts far below its bounds.
pub fn krw(amount: i64) -> Result<i32, Fault> {
    amount.try_into().map_err(Fault::internal)
}

impl TryFrom<Option<proto::Wallet>> for Wallet {
    type Error = Fault;

    fn try_from(wallet: Option<proto::Wallet>) -> Result<Self, Fault> {
        let wallet = wallet.ok_or_else(|| Fault::internal("a wallet is missing"))?;
        Ok(Self { balance: krw(wallet.balance_krw)?, held: krw(wallet.held_krw)? })
    }
}

impl TryFrom<proto::WalletEntry> for WalletEntry {
    type Error = Fault;

    fn try_from(entry: proto::WalletEntry) -> Result<Self, Fault> {
        let id: WalletEntryId = entry.id.parse().map_err(Fault::internal)?;
        let order_id = entry.order_id.map(|id| id.parse()).transpose();
        Ok(Self {
            id: encode(id),
            kind: entry.kind.try_into()?,
            amount: krw(entry.amount_krw)?,
            balance_after: krw(entry.balance_after_krw)?,
            created_at: DateTime::from_us(entry.created_at_us),
            order_id: order_id.map_err(Fault::internal)?,
        })
    }
}

impl TryFrom<proto::Order> for Order {
    type Error = Fault;

    fn try_from(order: proto::Order) -> Result<Self, Fault> {
        let id: OrderId = order.id.parse().map_err(Fault::internal)?;
        let (english, korean) = (order.failure_message, order.failure_message_ko);
        let failure = (!english.is_empty()).then_some(Failure { english, korean });
        Ok(Self {
            id: encode(id),
            amount: krw(order.amount_krw)?,
            state: order.state.try_into()?,
            created_at: DateTime::from_us(order.created_at_us),
            updated_at: DateTime::from_us(order.updated_at_us),
            schedule_id: order.schedule_id.parse().map_err(Fault::internal)?,
            failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_beyond_the_schema_is_a_defect_and_no_panic() {
        assert_eq!(krw(-12_000).ok(), Some(-12_000));
        assert_eq!(krw(i64::from(i32::MAX)).ok(), Some(i32::MAX));
        for amount in [i64::from(i32::MAX) + 1, i64::MIN, i64::MAX] {
            assert_eq!(krw(amount).unwrap_err().code(), moim_kit::Code::Internal);
        }
    }
}
