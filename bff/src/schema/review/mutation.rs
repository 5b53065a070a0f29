//! Entry points for writing reviews.

use async_graphql::{Context, ID, Object, Result};
use moim_kit::Fault;
use moim_kit::id::{self, ReviewId};
use moim_proto::review::v1::{DeleteRequest, WriteRequest};

use super::SERVICE;
use super::input::{ReviewDeleteInput, ReviewWriteInput};
use super::types::Review;
use crate::schema::error::payload;
use crate::schema::global_id::{decode, encode};
use crate::schema::scope::Scope;

/// Writes of the review service.
#[derive(Default)]
pub struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Writes or rewrites the viewer's review of a schedule they attended, once it has ended.
    async fn review_write(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ReviewWriteInput,
    ) -> Result<Option<ReviewWritePayload>> {
        let scope = Scope::of(ctx)?;
        let review = async {
            let request = scope.keyed(ctx)?.request(WriteRequest {
                schedule_id: decode::<id::Schedule>(&input.schedule_id),
                rating: input.rating,
                body: input.body,
            });
            scope.upstream().review.write(request).await?.into_inner().review.try_into()
        };
        ReviewWritePayload::new(scope, SERVICE, review.await)
    }

    /// Deletes the viewer's review.
    async fn review_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ReviewDeleteInput,
    ) -> Result<Option<ReviewDeletePayload>> {
        let scope = Scope::of(ctx)?;
        let deleted = async {
            let review_id = decode::<id::Review>(&input.review_id);
            let request = scope.keyed(ctx)?.request(DeleteRequest { review_id });
            let answer = scope.upstream().review.delete(request).await?.into_inner();
            let id: ReviewId = answer.review_id.parse().map_err(Fault::internal)?;
            Ok::<_, Fault>(encode(id))
        };
        ReviewDeletePayload::new(scope, SERVICE, deleted.await)
    }
}

payload! {
    ReviewWritePayload(review: Review) of "reviewWrite", "The review as it is now";
    ReviewDeletePayload(deleted_id: ID) of "reviewDelete", "Id of the review that is gone";
}
