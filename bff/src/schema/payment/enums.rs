//! Closed sets of the payment service, as clients and as the service spell them.

use async_graphql::Enum;
use moim_proto::payment::v1 as proto;

use crate::schema::enums::same;

/// How far an order has come. CONFIRMED, RELEASED and REFUNDED are final but for CONFIRMED to REFUNDING.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// Agreed to, for when a seat frees up; nothing is held.
    Pending,
    /// The seat is held, the money not yet.
    SeatHeld,
    /// The money is held too.
    MoneyHeld,
    /// The viewer has the seat and has paid.
    Confirmed,
    /// Failed, given up or expired; every hold was undone.
    Released,
    /// The seat was returned; the money is on its way back.
    Refunding,
    /// The money is back.
    Refunded,
}

/// Why money moved.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WalletEntryKind {
    /// The viewer added money.
    TopUp,
    /// A seat was paid.
    Payment,
    /// A seat was returned and its price given back.
    Refund,
}

same! { proto:
    OrderState = OrderState { Pending SeatHeld MoneyHeld Confirmed Released Refunding Refunded }
    WalletEntryKind = WalletEntryKind { TopUp Payment Refund }
}
