//! Pages of notifications.

use super::types::Notification;
use crate::schema::connection::connection;

connection! {
    NotificationConnection "A page of notifications."
    NotificationEdge "A notification in a page or a stream."
    Notification "The notification itself."
}
