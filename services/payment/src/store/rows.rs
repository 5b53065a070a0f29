//! Rows as the database has them.

use moim_kit::id::{Id, Noun};
use moim_kit::{Fault, Timestamp};

use crate::model::{
    Entry, Failure, JournalKind, Order, OrderState, Phase, Seat, Terms, TopUp, TopUpFailure,
    TopUpState, Wallet,
};

/// Columns of [`OrderRow`].
macro_rules! order_columns {
    () => {
        "id, attendance_id, schedule_id, schedule_title, member_id, amount_krw, phase, refund, \
         expires_at_us, state, failure, shortfall_krw, trace, version, revision, tries, \
         created_at_us, updated_at_us"
    };
}
/// Columns of [`TopUpRow`].
macro_rules! top_up_columns {
    () => {
        "id, member_id, key, amount_krw, payment_key, state, failure, spendable_krw, held_krw, \
         tries, requested_at_us"
    };
}
pub(super) use {order_columns, top_up_columns};

#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    id: String,
    attendance_id: String,
    schedule_id: String,
    schedule_title: String,
    member_id: String,
    amount_krw: i64,
    phase: String,
    refund: bool,
    expires_at_us: i64,
    state: String,
    failure: Option<String>,
    shortfall_krw: i64,
    trace: String,
    version: i64,
    revision: i64,
    tries: i64,
    created_at_us: i64,
    updated_at_us: i64,
}

impl TryFrom<OrderRow> for Order {
    type Error = Fault;

    fn try_from(row: OrderRow) -> Result<Self, Fault> {
        Ok(Self {
            terms: Terms {
                id: own_id(&row.id)?,
                attendance: own_id(&row.attendance_id)?,
                schedule: own_id(&row.schedule_id)?,
                schedule_title: row.schedule_title,
                member: own_id(&row.member_id)?,
                amount_krw: row.amount_krw,
            },
            seat: Seat {
                phase: known(Phase::from_word, &row.phase)?,
                refund: row.refund,
                expires_at: Timestamp::from_us(row.expires_at_us),
            },
            state: known(OrderState::from_word, &row.state)?,
            failure: row.failure.map(|word| known(Failure::from_word, &word)).transpose()?,
            shortfall_krw: row.shortfall_krw,
            trace: row.trace,
            version: row.version,
            revision: row.revision,
            tries: row.tries,
            created_at: Timestamp::from_us(row.created_at_us),
            updated_at: Timestamp::from_us(row.updated_at_us),
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct TopUpRow {
    id: String,
    member_id: String,
    key: String,
    amount_krw: i64,
    payment_key: String,
    state: String,
    failure: Option<String>,
    spendable_krw: Option<i64>,
    held_krw: Option<i64>,
    tries: i64,
    requested_at_us: i64,
}

impl TryFrom<TopUpRow> for TopUp {
    type Error = Fault;

    fn try_from(row: TopUpRow) -> Result<Self, Fault> {
        let answer = row.spendable_krw.zip(row.held_krw);
        Ok(Self {
            id: own_id(&row.id)?,
            member: own_id(&row.member_id)?,
            key: row.key,
            amount_krw: row.amount_krw,
            payment_key: row.payment_key,
            state: known(TopUpState::from_word, &row.state)?,
            failure: row.failure.map(|word| known(TopUpFailure::from_word, &word)).transpose()?,
            answer: answer.map(|(spendable, held_krw)| Wallet {
                balance_krw: spendable + held_krw,
                held_krw,
            }),
            tries: row.tries,
            requested_at: Timestamp::from_us(row.requested_at_us),
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    id: String,
    kind: String,
    subject_id: String,
    amount_krw: i64,
    balance_after_krw: i64,
    sequence: i64,
    created_at_us: i64,
}

impl TryFrom<EntryRow> for Entry {
    type Error = Fault;

    fn try_from(row: EntryRow) -> Result<Self, Fault> {
        Ok(Self {
            id: own_id(&row.id)?,
            kind: known(JournalKind::from_word, &row.kind)?,
            subject: row.subject_id,
            amount_krw: row.amount_krw,
            balance_after_krw: row.balance_after_krw,
            sequence: row.sequence,
            created_at: Timestamp::from_us(row.created_at_us),
        })
    }
}

/// Rows as what they stand for.
pub(super) fn all<R, T: TryFrom<R, Error = Fault>>(rows: Vec<R>) -> Result<Vec<T>, Fault> {
    rows.into_iter().map(T::try_from).collect()
}

/// An id that this room wrote itself.
fn own_id<N: Noun>(text: &str) -> Result<Id<N>, Fault> {
    text.parse().map_err(Fault::internal)
}

fn known<T>(read: fn(&str) -> Option<T>, word: &str) -> Result<T, Fault> {
    read(word).ok_or_else(|| Fault::internal(format!("unknown word {word:?}")))
}
