//! The seam to whoever takes real money: charging, asking, cancelling, and hearing of it.

use std::collections::HashMap;

use async_trait::async_trait;
use moim_kit::id::TopUpId;
use moim_kit::{Fault, Timestamp};

/// A payment that a member wants to make into their wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub top_up: TopUpId,
    /// The provider's order id of it: the idempotency key the member sent.
    pub order: String,
    /// What the provider's checkout gave the client.
    pub payment_key: String,
    pub amount_krw: i64,
    pub requested_at: Timestamp,
}

/// What became of a charge, as the provider knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    /// The money is ours.
    Paid { amount_krw: i64 },
    /// It will never be.
    Declined,
    /// It was paid and given back.
    Cancelled,
    /// Not decided yet, or not known there.
    Unknown,
}

/// What a webhook says: look at this charge again. What it claims beyond that is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The provider's own id of this message; the same one twice is a replay.
    pub id: String,
    /// The provider's order id.
    pub order: String,
}

/// Takes money from outside. Every call may be repeated: the order names the charge.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Takes the money. A fault means that nobody knows whether it was taken: ask with
    /// [`find`](Self::find).
    async fn confirm(&self, charge: &Charge) -> Result<Charged, Fault>;

    /// What became of a charge.
    async fn find(&self, charge: &Charge) -> Result<Charged, Fault>;

    /// Gives back what may have been taken; done when it answers `Cancelled` or `Declined`.
    async fn cancel(&self, charge: &Charge) -> Result<Charged, Fault>;

    /// Reads a webhook, given header names in small letters; refuses one that is not the provider's
    /// (`WEBHOOK_REFUSED`). `None` for one that concerns no charge.
    fn read_webhook(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notice>, Fault>;
}
