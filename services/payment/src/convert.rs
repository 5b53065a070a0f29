//! Between the model and the messages of the contracts.

use moim_kit::id::{Id, MemberId, Noun};
use moim_kit::page::{PageArgs, PageOf, PageSpec};
use moim_kit::{Fault, Timestamp};
use moim_proto::page::v1::{Page, PageRequest};
use moim_proto::payment::v1 as proto;
use moim_proto::schedule::v1::{SeatPhase, SeatState};

use crate::model::{
    Entry, Failure, JournalKind, LIST, Order, OrderState, Phase, Seat, Terms, Wallet,
};

/// What a seat's state says: what it is about, and how it stands.
pub fn seat(state: SeatState) -> Result<(Terms, Seat), Fault> {
    let phase = match state.phase() {
        SeatPhase::Waiting => Phase::Waiting,
        SeatPhase::Held => Phase::Held,
        SeatPhase::Granted => Phase::Granted,
        SeatPhase::Lost => Phase::Lost,
        SeatPhase::Returned => Phase::Returned,
        SeatPhase::Unspecified => return Err(Fault::internal("a seat in no known phase")),
    };
    if state.amount_krw < 1 {
        return Err(Fault::internal("a paid seat for nothing"));
    }
    let expires_at = Timestamp::from_us(state.expires_at_us);
    let seat = Seat { phase, refund: state.refund, expires_at };
    let terms = Terms {
        id: id(&state.order_id)?,
        attendance: id(&state.attendance_id)?,
        schedule: id(&state.schedule_id)?,
        member: id(&state.member_id)?,
        amount_krw: state.amount_krw,
        schedule_title: state.schedule_title,
    };
    Ok((terms, seat))
}

fn id<N: Noun>(text: &str) -> Result<Id<N>, Fault> {
    text.parse().map_err(Fault::internal)
}

const fn state(of: OrderState) -> proto::OrderState {
    use proto::OrderState as Wire;
    match of {
        OrderState::Pending => Wire::Pending,
        OrderState::SeatHeld => Wire::SeatHeld,
        OrderState::MoneyHeld => Wire::MoneyHeld,
        OrderState::Confirmed => Wire::Confirmed,
        OrderState::Released => Wire::Released,
        OrderState::Refunding => Wire::Refunding,
        OrderState::Refunded => Wire::Refunded,
    }
}

const fn failure(of: Option<Failure>) -> proto::OrderFailure {
    use proto::OrderFailure as Wire;
    match of {
        None => Wire::Unspecified,
        Some(Failure::InsufficientBalance) => Wire::InsufficientBalance,
        Some(Failure::Expired) => Wire::Expired,
        Some(Failure::SeatLost) => Wire::SeatLost,
    }
}

/// An order as other rooms hear of it.
pub fn order_fact(of: &Order) -> proto::OrderFact {
    proto::OrderFact {
        id: of.terms.id.to_string(),
        attendance_id: of.terms.attendance.to_string(),
        schedule_id: of.terms.schedule.to_string(),
        member_id: of.terms.member.to_string(),
        amount_krw: of.terms.amount_krw,
        state: state(of.state).into(),
        failure: failure(of.failure).into(),
        shortfall_krw: of.shortfall_krw,
    }
}

/// How an order ended, for its member.
pub fn order_event(of: &Order) -> proto::OrderEvent {
    proto::OrderEvent {
        order_id: of.terms.id.to_string(),
        schedule_id: of.terms.schedule.to_string(),
        schedule_title: of.terms.schedule_title.clone(),
        member_id: of.terms.member.to_string(),
        amount_krw: of.terms.amount_krw,
        state: state(of.state).into(),
        failure: failure(of.failure).into(),
    }
}

/// An order as its member sees it.
pub fn order(of: &Order) -> proto::Order {
    let (english, korean) = of.failure.map(Failure::words).unwrap_or_default();
    proto::Order {
        id: of.terms.id.to_string(),
        schedule_id: of.terms.schedule.to_string(),
        amount_krw: of.terms.amount_krw,
        state: state(of.state).into(),
        failure: failure(of.failure).into(),
        failure_message: english.to_owned(),
        failure_message_ko: korean.to_owned(),
        created_at_us: of.created_at.us(),
        updated_at_us: of.updated_at.us(),
    }
}

pub fn wallet(member: MemberId, of: Wallet) -> proto::Wallet {
    proto::Wallet {
        member_id: member.to_string(),
        balance_krw: of.spendable_krw(),
        held_krw: of.held_krw,
    }
}

pub fn entry(of: &Entry) -> proto::WalletEntry {
    use proto::WalletEntryKind as Wire;
    let kind = match of.kind {
        JournalKind::TopUp => Wire::TopUp,
        JournalKind::Payment => Wire::Payment,
        JournalKind::Refund => Wire::Refund,
    };
    proto::WalletEntry {
        id: of.id.to_string(),
        kind: kind.into(),
        amount_krw: of.amount_krw,
        balance_after_krw: of.balance_after_krw,
        order_id: (of.kind != JournalKind::TopUp).then(|| of.subject.clone()),
        created_at_us: of.created_at.us(),
    }
}

/// A checked page of a wallet's entries.
pub fn page_spec(page: Option<&PageRequest>) -> Result<PageSpec, Fault> {
    let args = page.map_or_else(PageArgs::default, |page| PageArgs {
        first: page.first,
        after: page.after.as_deref(),
        last: page.last,
        before: page.before.as_deref(),
    });
    PageSpec::try_new(args, LIST)
}

/// What an answer says of its place in the list.
pub fn page<T>(of: &PageOf<T>) -> Page {
    Page {
        cursors: of.cursors.clone(),
        has_next_page: of.has_next_page,
        has_previous_page: of.has_previous_page,
    }
}
