//! Pages of ledger lines.

use super::types::WalletEntry;
use crate::schema::connection::connection;

connection! {
    WalletEntryConnection "A page of ledger lines."
    WalletEntryEdge "A ledger line in a page."
    WalletEntry "The line itself."
}
