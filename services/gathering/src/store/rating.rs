//! Ratings: what the reviews of a gathering add up to; never goes back to an older version.

use moim_kit::Fault;
use moim_kit::id::GatheringId;
use moim_storage::{Tx, args};

use crate::model::Rating;

const SAVE: &str = "
INSERT INTO rating (gathering_id, review_count, rating_sum, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (gathering_id) DO UPDATE SET
    review_count = excluded.review_count, rating_sum = excluded.rating_sum,
    version = excluded.version
WHERE rating.version < excluded.version";

/// Keeps a version of a rating unless a newer one is there.
pub async fn save_rating(
    tx: &mut Tx,
    gathering: GatheringId,
    rating: Rating,
    version: i64,
) -> Result<(), Fault> {
    tx.execute(SAVE, args![gathering, rating.count, rating.sum, version]).await?;
    Ok(())
}
