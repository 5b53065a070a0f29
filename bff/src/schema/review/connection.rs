//! Pages of reviews.

use super::types::Review;
use crate::schema::connection::connection;

connection! {
    ReviewConnection "A page of reviews."
    ReviewEdge "A review in a page."
    Review "The review itself."
}
