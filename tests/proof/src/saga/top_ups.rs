//! Top-ups that go every way they can while orders run: paid late, told twice, never answered, lost, declined.

use std::time::Duration;

use futures::future::{join, join_all};
use moim_e2e::json;

use super::episode::Losses;
use super::stage::Stage;
use crate::graph;

/// What the sandbox is to do.
const KEYS: [&str; 6] = [
    "sandbox",
    "sandbox-late-2000",
    "sandbox-twice",
    "sandbox-never",
    "sandbox-lost",
    "sandbox-declined",
];
const AMOUNT: i64 = 700;
/// A client gives up then; the platform does not.
const PATIENCE: Duration = Duration::from_secs(3);

const ENDED: &str = "
SELECT CASE WHEN payment_key = '' THEN 'sandbox' ELSE payment_key END || ' ' || state, COUNT(*)
FROM payment.top_up WHERE amount_krw = 700 GROUP BY payment_key, state ORDER BY payment_key, state";

impl Stage {
    /// Everybody fills their wallet in some way while they sign up; answers what became of each way.
    pub async fn top_up_oddly(&mut self) -> String {
        let cast = &self.cast;
        let meetup = cast.prepare().await;
        let fill = join_all(cast.rich.iter().enumerate().map(async |(number, person)| {
            let key = KEYS[number % KEYS.len()];
            let input = json!({ "amount": AMOUNT, "paymentKey": key });
            // Declined and given up is as good as paid: the books tell what it must be.
            let _ = graph::ask_for(&person.client, graph::WALLET_TOP_UP, input, PATIENCE).await;
        }));
        join(fill, meetup.sign_up(cast)).await;
        cast.settle().await;
        let outcome = cast.outcome(&[&meetup.seated, &meetup.lined], &Losses::default()).await;
        let ended = cast.books.pairs(ENDED).await;
        let ended: Vec<_> = ended.iter().map(|(way, count)| format!("{way} {count}")).collect();
        format!("{}; meanwhile {outcome}", ended.join(", "))
    }

    /// Figures of the whole run, once everything has settled.
    pub async fn story(&self) -> String {
        let books = &self.cast.books;
        let orders = books.number("SELECT COUNT(*) FROM payment.seat_order").await;
        let entries = books.number("SELECT COUNT(*) FROM payment.entry").await;
        let wallets = books.number("SELECT COUNT(*) FROM payment.wallet").await;
        let wrong = books.wrong().await;
        assert!(wrong.is_empty(), "{wrong:#?}");
        format!(
            "books                    {orders} orders, {entries} ledger lines that sum to zero, {wallets} \
             wallets equal to theirs, no seat oversold, every order as its seat"
        )
    }
}
