//! What clients send to move money.

use async_graphql::InputObject;

/// Input of walletTopUp.
#[derive(InputObject)]
pub struct WalletTopUpInput {
    /// KRW, positive.
    pub amount: i32,
    /// What the payment provider's checkout gave for this payment, opened there with the idempotency key as its
    /// order id. The sandbox needs none.
    pub payment_key: Option<String>,
}
