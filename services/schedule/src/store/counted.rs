//! What becomes of seats, as it is measured.

use moim_kit::metrics::{Catalogue, KeyValue};

/// Counts seats of which this became.
pub(super) fn seats(catalogue: &Catalogue, moved: &'static str, many: i32) {
    let many = u64::try_from(many).unwrap_or_default();
    catalogue.seats.add(many, &[KeyValue::new("move", moved)]);
}
