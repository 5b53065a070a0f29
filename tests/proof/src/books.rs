//! What two rooms keep of paid seats, held against each other straight in their databases.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool, SqliteConnection};
use tokio::time::{Instant, sleep};

/// The databases of the schedule and the payment room under one roof: schemas of one PostgreSQL, or two files
/// of SQLite attached to one connection, so that one text of SQL does for both.
pub enum Books {
    Postgres(PgPool),
    Sqlite(PathBuf),
}

/// How many rows are wrong, and in which way. The first few are those that pass with time.
const CHECKS: &[(&str, &str)] = &[
    (
        "seats the payment has not heard of",
        "SELECT COUNT(*) FROM schedule.seat AS s
         WHERE NOT EXISTS (SELECT 1 FROM payment.seat_order AS o WHERE o.id = s.order_id)",
    ),
    (
        "orders that do not end as their seat does",
        "SELECT COUNT(*) FROM schedule.seat AS s JOIN payment.seat_order AS o ON o.id = s.order_id
         WHERE NOT (s.phase = 'GRANTED' AND o.state = 'CONFIRMED'
           OR s.phase = 'LOST' AND o.state IN ('RELEASED', 'REFUNDED')
           OR s.phase = 'RETURNED' AND s.refund AND o.state IN ('REFUNDED', 'RELEASED')
           OR s.phase = 'RETURNED' AND NOT s.refund AND o.state IN ('CONFIRMED', 'RELEASED')
           OR s.phase = 'WAITING' AND o.state = 'PENDING')",
    ),
    (
        "seats that are held for somebody",
        "SELECT COUNT(*) FROM schedule.attendance WHERE state IN ('PENDING_PAYMENT', 'OFFERED')",
    ),
    (
        "top-ups that are not decided",
        "SELECT COUNT(*) FROM payment.top_up WHERE state IN ('REQUESTED', 'CANCELLING')",
    ),
    (
        "orders without a seat",
        "SELECT COUNT(*) FROM payment.seat_order AS o
         WHERE NOT EXISTS (SELECT 1 FROM schedule.seat AS s WHERE s.order_id = o.id)",
    ),
    (
        "paid seats that nobody sits on",
        "SELECT COUNT(*) FROM schedule.seat AS s JOIN schedule.attendance AS a ON a.id = s.attendance_id
         WHERE s.phase = 'GRANTED' AND (a.state <> 'GOING' OR a.order_id <> s.order_id)",
    ),
    (
        "people who sit and have not paid",
        "SELECT COUNT(*) FROM schedule.attendance AS a JOIN schedule.schedule AS d ON d.id = a.schedule_id
         WHERE a.state = 'GOING' AND d.fee_krw > 0 AND d.cancelled_at_us IS NULL AND NOT EXISTS (
           SELECT 1 FROM schedule.seat AS s WHERE s.order_id = a.order_id AND s.phase = 'GRANTED')",
    ),
    (
        "schedules that miscount",
        "SELECT COUNT(*) FROM schedule.schedule AS d WHERE
           d.going_count <> (SELECT COUNT(*) FROM schedule.attendance AS a
             WHERE a.schedule_id = d.id AND a.state = 'GOING')
           OR d.cancelled_at_us IS NULL AND (
             d.held_count <> (SELECT COUNT(*) FROM schedule.attendance AS a
               WHERE a.schedule_id = d.id AND a.state IN ('PENDING_PAYMENT', 'OFFERED'))
             OR d.waitlist_count <> (SELECT COUNT(*) FROM schedule.attendance AS a
               WHERE a.schedule_id = d.id AND a.state = 'WAITLISTED'))",
    ),
    (
        "schedules that are oversold",
        "SELECT COUNT(*) FROM schedule.schedule WHERE going_count + held_count > capacity",
    ),
    (
        "orders whose money is elsewhere",
        "SELECT COUNT(*) FROM payment.seat_order AS o
         WHERE COALESCE((SELECT SUM(e.amount_krw) FROM payment.entry AS e
             JOIN payment.journal AS j ON j.id = e.journal_id
             WHERE j.subject_id = o.id AND e.account = 'WALLET' AND e.owner_id = o.member_id), 0)
           <> CASE WHEN o.state = 'CONFIRMED' THEN -o.amount_krw ELSE 0 END",
    ),
    (
        "orders that ended and still hold money",
        "SELECT COUNT(*) FROM payment.hold AS h JOIN payment.seat_order AS o ON o.id = h.order_id
         WHERE h.state = 'HELD' AND o.state <> 'MONEY_HELD'",
    ),
    (
        "journals that do not sum to zero",
        "SELECT COUNT(*) FROM (SELECT journal_id FROM payment.entry
           GROUP BY journal_id HAVING SUM(amount_krw) <> 0) AS unbalanced",
    ),
    (
        "wallets that are not the sum of their entries",
        "SELECT COUNT(*) FROM payment.wallet AS w WHERE w.balance_krw <> COALESCE((
           SELECT SUM(e.amount_krw) FROM payment.entry AS e
           WHERE e.account = 'WALLET' AND e.owner_id = w.member_id), 0)",
    ),
    (
        "wallets that hold what no order does",
        "SELECT COUNT(*) FROM payment.wallet AS w WHERE w.held_krw <> COALESCE((
           SELECT SUM(h.amount_krw) FROM payment.hold AS h
           WHERE h.state = 'HELD' AND h.member_id = w.member_id), 0)",
    ),
    (
        "top-ups that were credited wrongly",
        "SELECT COUNT(*) FROM payment.top_up AS t
         WHERE COALESCE((SELECT SUM(e.amount_krw) FROM payment.entry AS e
             JOIN payment.journal AS j ON j.id = e.journal_id
             WHERE j.subject_id = t.id AND e.account = 'WALLET'), 0)
           <> CASE WHEN t.state = 'PAID' THEN t.amount_krw ELSE 0 END",
    ),
];
const LEDGER: &str = "SELECT CAST(COALESCE(SUM(amount_krw), 0) AS BIGINT) FROM payment.entry";

impl Books {
    /// Of rooms whose schemas are in one database.
    pub async fn on_postgres(url: &str) -> Self {
        Self::Postgres(PgPool::connect(url).await.unwrap())
    }

    /// Of rooms whose files are in one directory.
    pub fn on_sqlite(directory: &Path) -> Self {
        Self::Sqlite(directory.to_owned())
    }

    /// Rows of two columns.
    pub async fn pairs(&self, sql: &str) -> Vec<(String, i64)> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
            Self::Sqlite(files) => {
                sqlx::query_as(sql).fetch_all(&mut attached(files).await).await.unwrap()
            }
        }
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let (number,): (i64,) = match self {
            Self::Postgres(pool) => sqlx::query_as(sql).fetch_one(pool).await.unwrap(),
            Self::Sqlite(files) => {
                sqlx::query_as(sql).fetch_one(&mut attached(files).await).await.unwrap()
            }
        };
        number
    }

    /// Everything that is not as it must be once nothing is under way.
    pub async fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (what, sql) in CHECKS {
            let count = self.number(sql).await;
            if count != 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        let total = self.number(LEDGER).await;
        if total != 0 {
            wrong.push(format!("the ledger sums to {total} KRW"));
        }
        wrong
    }

    /// Waits until nothing is under way and everything is as it must be; answers what is not at the end.
    pub async fn settle(&self, within: Duration) -> Result<(), Vec<String>> {
        let due = Instant::now() + within;
        loop {
            let wrong = self.wrong().await;
            if wrong.is_empty() {
                return Ok(());
            }
            if Instant::now() >= due {
                return Err(wrong);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Both files in one connection.
async fn attached(directory: &Path) -> SqliteConnection {
    let nothing = SqliteConnectOptions::new().busy_timeout(Duration::from_secs(10));
    let mut connection = nothing.connect().await.unwrap();
    for room in ["schedule", "payment"] {
        let file = directory.join(format!("{room}.db"));
        let attach = format!("ATTACH DATABASE '{}' AS {room}", file.display());
        sqlx::query(AssertSqlSafe(attach)).execute(&mut connection).await.unwrap();
    }
    connection
}
