//! Entry points for writing notifications.

use async_graphql::{Context, Object, Result};
use moim_kit::{Fault, id};
use moim_proto::notification::v1::MarkReadRequest;

use super::SERVICE;
use super::input::NotificationMarkReadInput;
use crate::schema::error::payload;
use crate::schema::global_id::decode;
use crate::schema::member::find_viewer;
use crate::schema::member::types::Viewer;
use crate::schema::scope::Scope;

/// Writes of the notification service.
#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks everything up to a notification as read.
    async fn notification_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: NotificationMarkReadInput,
    ) -> Result<Option<NotificationMarkReadPayload>> {
        let scope = Scope::of(ctx)?;
        let marked: Result<_, Fault> = async {
            let up_to_id = decode::<id::Notification>(&input.up_to_id);
            let request = scope.keyed(ctx)?.request(MarkReadRequest { up_to_id });
            Ok(scope.upstream().notification.mark_read(request).await?)
        }
        .await;
        if let Err(fault) = marked {
            return NotificationMarkReadPayload::new(scope, SERVICE, Err(fault));
        }
        // What was marked stays marked, even if the viewer cannot be shown right now.
        let Some(viewer) = find_viewer(scope).await? else {
            return Err(scope.fail(SERVICE)(Fault::unauthenticated()));
        };
        NotificationMarkReadPayload::new(scope, SERVICE, Ok(viewer))
    }
}

payload! {
    NotificationMarkReadPayload(viewer: Viewer) of "notificationMarkRead", "The viewer, with fewer unread";
}
