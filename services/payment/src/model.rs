//! What orders, wallets and top-ups are made of.

use std::time::Duration;

use moim_kit::Timestamp;
use moim_kit::id::{AttendanceId, MemberId, OrderId, ScheduleId, TopUpId, WalletEntryId};
use moim_kit::page::Cursor;

use crate::fault::Reason;
use crate::provider::{Charge, Charged};

/// Tags the cursors of a wallet's entries.
pub const LIST: u8 = moim_kit::page::WALLET_ENTRIES;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($kind:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($kind,)* }

        impl $name {
            /// As the database spells it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }

            /// Reads what `word` wrote.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

words! {
    /// How far the money of a seat has come.
    OrderState {
        Pending "PENDING",
        SeatHeld "SEAT_HELD",
        MoneyHeld "MONEY_HELD",
        Confirmed "CONFIRMED",
        Released "RELEASED",
        Refunding "REFUNDING",
        Refunded "REFUNDED",
    }
}
words! {
    /// Why an order was released.
    Failure {
        InsufficientBalance "INSUFFICIENT_BALANCE",
        Expired "EXPIRED",
        SeatLost "SEAT_LOST",
    }
}
words! {
    /// How far a seat has come, as the schedule room said last.
    Phase {
        Waiting "WAITING",
        Held "HELD",
        Granted "GRANTED",
        Lost "LOST",
        Returned "RETURNED",
    }
}
words! {
    /// Why money moved.
    JournalKind {
        TopUp "TOP_UP",
        Payment "PAYMENT",
        Refund "REFUND",
    }
}
words! {
    /// How far a top-up has come. Only from `Requested` is a wallet ever credited, and only from `Cancelling` is
    /// money ever given back, so that never both happens.
    TopUpState {
        Requested "REQUESTED",
        Paid "PAID",
        Declined "DECLINED",
        Cancelling "CANCELLING",
        Cancelled "CANCELLED",
    }
}
words! {
    /// Why a top-up came to nothing.
    TopUpFailure {
        Declined "DECLINED",
        WalletFull "WALLET_FULL",
    }
}

impl Failure {
    /// What the member is told, in English and in Korean.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::InsufficientBalance => ("The wallet held too little.", "지갑 잔액이 부족합니다."),
            Self::Expired => {
                ("The seat was not paid for in time.", "결제 시간이 지나 자리가 취소되었습니다.")
            }
            Self::SeatLost => (
                "The seat was given up or taken back before it was paid.",
                "결제가 끝나기 전에 자리가 취소되었습니다.",
            ),
        }
    }
}

impl From<TopUpFailure> for Reason {
    fn from(failure: TopUpFailure) -> Self {
        match failure {
            TopUpFailure::Declined => Self::TopUpDeclined,
            TopUpFailure::WalletFull => Self::WalletFull,
        }
    }
}

/// What the schedule room says of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    pub phase: Phase,
    /// That a returned seat is to be refunded.
    pub refund: bool,
    pub expires_at: Timestamp,
}

/// What a paid seat is about; it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub id: OrderId,
    pub attendance: AttendanceId,
    pub schedule: ScheduleId,
    pub schedule_title: String,
    pub member: MemberId,
    pub amount_krw: i64,
}

/// The payment's side of a paid seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub terms: Terms,
    pub seat: Seat,
    pub state: OrderState,
    pub failure: Option<Failure>,
    pub shortfall_krw: i64,
    pub trace: String,
    pub version: i64,
    pub revision: i64,
    pub tries: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A member's money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallet {
    pub balance_krw: i64,
    pub held_krw: i64,
}

impl Wallet {
    /// What may be spent now.
    pub const fn spendable_krw(self) -> i64 {
        self.balance_krw - self.held_krw
    }
}

/// A line of a wallet's ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: WalletEntryId,
    pub kind: JournalKind,
    pub subject: String,
    pub amount_krw: i64,
    pub balance_after_krw: i64,
    pub sequence: i64,
    pub created_at: Timestamp,
}

impl Entry {
    pub fn cursor(&self) -> Cursor {
        Cursor { key: self.sequence, id: self.id.uuid() }
    }
}

/// Money on its way into a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    pub id: TopUpId,
    pub member: MemberId,
    pub key: String,
    pub amount_krw: i64,
    pub payment_key: String,
    pub state: TopUpState,
    pub failure: Option<TopUpFailure>,
    /// The answer once it is paid.
    pub answer: Option<Wallet>,
    pub tries: i64,
    pub requested_at: Timestamp,
}

impl TopUp {
    /// The same for the provider.
    pub fn charge(&self) -> Charge {
        Charge {
            top_up: self.id,
            order: self.key.clone(),
            payment_key: self.payment_key.clone(),
            amount_krw: self.amount_krw,
            requested_at: self.requested_at,
        }
    }
}

/// What an answer of the provider makes of a top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Into the wallet, if there is room.
    Credit,
    /// Nothing was taken and nothing will be.
    Decline,
    /// Give the money back.
    GiveBack,
    /// It is given back, or nothing was taken.
    Close,
    /// Money that was credited is gone at the provider: a person has to look at it.
    Alarm,
    /// Ask again later.
    Wait,
    /// Nothing changes any more.
    Rest,
}

/// Decides about a top-up by what the provider says of it, whatever it was asked.
pub fn judge(top_up: &TopUp, charged: Charged) -> Verdict {
    use {Charged as Said, TopUpState as Is};
    match (top_up.state, charged) {
        // Somebody else's amount is nobody's money.
        (Is::Requested, Said::Paid { amount_krw }) if amount_krw != top_up.amount_krw => {
            Verdict::GiveBack
        }
        (Is::Requested, Said::Paid { .. }) => Verdict::Credit,
        (Is::Requested, Said::Declined) => Verdict::Decline,
        (Is::Requested, Said::Cancelled) | (Is::Cancelling, Said::Cancelled | Said::Declined) => {
            Verdict::Close
        }
        (Is::Cancelling, Said::Paid { .. } | Said::Unknown) | (Is::Requested, Said::Unknown) => {
            Verdict::Wait
        }
        (Is::Declined | Is::Cancelled, Said::Paid { .. }) => Verdict::GiveBack,
        (Is::Declined | Is::Cancelled, _) => Verdict::Rest,
        (Is::Paid, Said::Cancelled | Said::Declined) => Verdict::Alarm,
        (Is::Paid, Said::Paid { .. } | Said::Unknown) => Verdict::Rest,
    }
}

/// How long to wait after so many tries: 200 ms, doubling up to a minute.
pub fn pause(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 10)).unwrap_or_default();
    Duration::from_millis(200 << doubled).min(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top_up(state: TopUpState) -> TopUp {
        TopUp {
            id: TopUpId::fresh(),
            member: MemberId::fresh(),
            key: "key".to_owned(),
            amount_krw: 10_000,
            payment_key: String::new(),
            state,
            failure: None,
            answer: None,
            tries: 0,
            requested_at: Timestamp::from_us(0),
        }
    }

    #[test]
    fn only_what_is_requested_is_credited_and_what_is_settled_is_never_credited_again() {
        let paid = Charged::Paid { amount_krw: 10_000 };
        for (state, verdict) in [
            (TopUpState::Requested, Verdict::Credit),
            (TopUpState::Paid, Verdict::Rest),
            (TopUpState::Declined, Verdict::GiveBack),
            (TopUpState::Cancelling, Verdict::Wait),
            (TopUpState::Cancelled, Verdict::GiveBack),
        ] {
            assert_eq!(judge(&top_up(state), paid), verdict, "{state:?}");
        }
    }

    #[test]
    fn another_amount_is_given_back() {
        let other = Charged::Paid { amount_krw: 9_999 };
        assert_eq!(judge(&top_up(TopUpState::Requested), other), Verdict::GiveBack);
    }

    #[test]
    fn money_given_back_behind_our_back_is_an_alarm() {
        assert_eq!(judge(&top_up(TopUpState::Paid), Charged::Cancelled), Verdict::Alarm);
        assert_eq!(judge(&top_up(TopUpState::Requested), Charged::Cancelled), Verdict::Close);
    }

    #[test]
    fn pauses_grow_up_to_a_minute() {
        assert_eq!(pause(0), Duration::from_millis(200));
        assert_eq!(pause(3), Duration::from_millis(1_600));
        assert_eq!(pause(i64::MAX), Duration::from_secs(60));
    }
}
