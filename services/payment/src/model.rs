//! What orders and wallets are made of.
