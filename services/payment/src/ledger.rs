//! The rules of money: journals that cannot be unbalanced, and what may be topped up.

use moim_kit::id::{MemberId, OrderId, ScheduleId, TopUpId};
use uuid::Uuid;

use crate::fault::Reason;
use crate::model::{JournalKind, Terms, TopUp, Wallet};

/// Most money of one top-up.
const LARGEST_TOP_UP: i64 = 2_000_000;

/// An amount of money that can move: at least one won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Krw(i64);

impl Krw {
    /// From what somebody asked for.
    pub const fn try_new(amount: i64) -> Option<Self> {
        if amount > 0 { Some(Self(amount)) } else { None }
    }

    /// In whole won.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// Whose money it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// A member's prepaid money.
    Wallet(MemberId),
    /// What the provider has taken for us.
    Provider,
    /// What was paid for the seats of a schedule.
    Escrow(ScheduleId),
}

impl Account {
    /// As the database spells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wallet(_) => "WALLET",
            Self::Provider => "PROVIDER",
            Self::Escrow(_) => "ESCROW",
        }
    }

    /// Whose it is; of the provider there is only one.
    pub fn owner(self) -> String {
        match self {
            Self::Wallet(member) => member.to_string(),
            Self::Provider => String::new(),
            Self::Escrow(schedule) => schedule.to_string(),
        }
    }
}

/// One move of money from an account to another: what one loses the other gets, so it sums to zero by its making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    kind: JournalKind,
    subject: Uuid,
    from: Account,
    to: Account,
    amount: Krw,
}

impl Journal {
    /// Money of a top-up comes in.
    pub fn top_up(id: TopUpId, member: MemberId, amount: Krw) -> Self {
        let (from, to) = (Account::Provider, Account::Wallet(member));
        Self { kind: JournalKind::TopUp, subject: id.uuid(), from, to, amount }
    }

    /// A seat is paid for.
    pub fn payment(terms: &Terms, amount: Krw) -> Self {
        let (from, to) = (Account::Wallet(terms.member), Account::Escrow(terms.schedule));
        Self { kind: JournalKind::Payment, subject: order(terms.id), from, to, amount }
    }

    /// What was paid for a seat goes back.
    pub fn refund(terms: &Terms, amount: Krw) -> Self {
        let paid = Self::payment(terms, amount);
        Self { kind: JournalKind::Refund, from: paid.to, to: paid.from, ..paid }
    }

    /// Why it moves.
    pub const fn kind(&self) -> JournalKind {
        self.kind
    }

    /// The order or the top-up it belongs to.
    pub const fn subject(&self) -> Uuid {
        self.subject
    }

    /// Who loses and who gets how much.
    pub const fn lines(&self) -> [(Account, i64); 2] {
        [(self.from, -self.amount.0), (self.to, self.amount.0)]
    }
}

const fn order(id: OrderId) -> Uuid {
    id.uuid()
}

/// The amount of a top-up, if it may be asked for at all.
pub fn top_up_amount(amount: i64) -> Result<Krw, Reason> {
    Krw::try_new(amount).filter(|it| it.0 <= LARGEST_TOP_UP).ok_or(Reason::AmountInvalid)
}

/// Refuses what would fill a wallet over its brim, with everything that is still on its way into it.
pub fn require_room(
    wallet: Wallet,
    coming_krw: i64,
    amount: Krw,
    largest_balance_krw: i64,
) -> Result<(), Reason> {
    let after = wallet.balance_krw.saturating_add(coming_krw).saturating_add(amount.0);
    if after > largest_balance_krw { Err(Reason::WalletFull) } else { Ok(()) }
}

/// Refuses a repeated key with other input, and the key of somebody else.
pub fn require_same(
    found: &TopUp,
    member: MemberId,
    amount: Krw,
    payment_key: &str,
) -> Result<(), Reason> {
    let same =
        found.member == member && found.amount_krw == amount.0 && found.payment_key == payment_key;
    if same { Ok(()) } else { Err(Reason::IdempotencyKeyReused) }
}

#[cfg(test)]
mod tests {
    use moim_kit::id::AttendanceId;
    use proptest::prelude::*;

    use super::*;

    fn terms() -> Terms {
        Terms {
            id: OrderId::fresh(),
            attendance: AttendanceId::fresh(),
            schedule: ScheduleId::fresh(),
            schedule_title: String::new(),
            member: MemberId::fresh(),
            amount_krw: 1,
        }
    }

    proptest! {
        #[test]
        fn every_journal_sums_to_zero_and_a_refund_undoes_its_payment(amount in 1..i64::MAX) {
            let (terms, amount) = (terms(), Krw::try_new(amount).unwrap());
            let paid = Journal::payment(&terms, amount);
            let back = Journal::refund(&terms, amount);
            for journal in [paid, back, Journal::top_up(TopUpId::fresh(), terms.member, amount)] {
                prop_assert_eq!(journal.lines().iter().map(|(_, krw)| krw).sum::<i64>(), 0);
            }
            let undone = paid.lines().map(|(account, krw)| (account, -krw));
            prop_assert!(back.lines().iter().all(|line| undone.contains(line)));
        }
    }

    #[test]
    fn amounts_are_positive_and_bounded() {
        for amount in [i64::MIN, -1, 0, LARGEST_TOP_UP + 1, i64::MAX] {
            assert_eq!(top_up_amount(amount), Err(Reason::AmountInvalid));
        }
        for amount in [1, LARGEST_TOP_UP] {
            assert_eq!(top_up_amount(amount).map(Krw::get), Ok(amount));
        }
    }

    #[test]
    fn a_wallet_is_filled_to_the_brim_and_no_further() {
        let wallet = Wallet { balance_krw: 60, held_krw: 50 };
        let room = |coming, amount| require_room(wallet, coming, Krw(amount), 100);
        assert_eq!(room(0, 40), Ok(()));
        assert_eq!(room(0, 41), Err(Reason::WalletFull));
        assert_eq!(room(30, 11), Err(Reason::WalletFull));
        assert_eq!(room(i64::MAX, i64::MAX), Err(Reason::WalletFull));
    }
}
