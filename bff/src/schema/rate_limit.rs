//! What the caller may still ask for.

use async_graphql::{Context, Object, SimpleObject};
use moim_kit::Timestamp;

use super::scalar::DateTime;
use crate::budget::Charge;

/// The bucket that the operation being resolved was charged to.
#[derive(Clone, Copy, Debug)]
pub struct Charged {
    /// What it was charged.
    pub charge: Charge,
    /// When.
    pub at: Timestamp,
}

/// Reads of the endpoint itself.
#[derive(Default)]
pub struct RateLimitQuery;

#[Object]
impl RateLimitQuery {
    /// Cost of this request and what is left; also sent as extensions.cost. Null where requests are not counted.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        let Charged { charge, at } = ctx.data_opt::<Charged>()?;
        let points = |points| i32::try_from(points).unwrap_or(i32::MAX);
        Some(RateLimit {
            cost: points(charge.requested),
            limit: points(charge.limit),
            remaining: points(charge.left),
            reset_at: DateTime::from_us(at.after(charge.full_in).us()),
        })
    }
}

/// Request budget of the caller, a bucket of points that fills by itself: a member's, or that of all strangers of an
/// address.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// Points this request asked for, before execution.
    cost: i32,
    /// Points of a full bucket.
    limit: i32,
    /// Points left.
    remaining: i32,
    /// When the bucket is full again.
    reset_at: DateTime,
}
