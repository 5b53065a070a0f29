//! What clients send to narrow a search.

use async_graphql::{ID, InputObject};
use moim_proto::search::v1 as proto;

use crate::schema::gathering::Category;
use crate::schema::global_id::decode_region;
use crate::schema::scalar::DateTime;

/// Narrows a search; fields that do not apply to a kind are ignored for it.
#[derive(InputObject, Default)]
pub struct SearchFilter {
    /// Only what is about this.
    pub category: Option<Category>,
    /// Only what is here.
    pub region_id: Option<ID>,
    /// Only schedules that end after this.
    pub starts_from: Option<DateTime>,
    /// Only schedules that start before this.
    pub starts_until: Option<DateTime>,
    /// Only schedules that cost at most so many KRW.
    pub max_fee: Option<i32>,
}

impl From<SearchFilter> for proto::SearchFilter {
    fn from(filter: SearchFilter) -> Self {
        Self {
            category: filter.category.map(Category::into_proto),
            region_id: filter.region_id.map(|id| decode_region(&id)),
            starts_from_us: filter.starts_from.map(DateTime::us),
            starts_until_us: filter.starts_until.map(DateTime::us),
            max_fee_krw: filter.max_fee,
        }
    }
}
