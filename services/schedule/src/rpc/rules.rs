//! A fair line in its simplest form: what every step should make of seats, holds, offers and orders.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use proptest::prelude::*;

use crate::Reason;
use crate::attendance::State;
use crate::order::{Failure, Phase};

pub(super) const PEOPLE: usize = 7;
/// The clock moves by this, in seconds: no limit below is a multiple of it.
pub(super) const TICK: u64 = 13;
pub(super) const HOLD: u64 = 30;
pub(super) const OFFER: u64 = 60;
pub(super) const REFUNDABLE: u64 = 100;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Attend {
        who: usize,
        join_waitlist: bool,
        auto_pay: bool,
    },
    Withdraw {
        who: usize,
    },
    /// The payment says of the nth order, counted from the latest, that its money is held.
    Pay {
        nth: usize,
    },
    /// The same: that it was released.
    Refuse {
        nth: usize,
        failure: Failure,
    },
    /// Time passes, and nobody looks.
    Pass,
    Sweep,
    Resize {
        capacity: i32,
    },
    Close {
        closed: bool,
    },
    /// Leaves, or is sent away.
    Leave {
        who: usize,
        sent: bool,
    },
    Join {
        who: usize,
    },
    Cancel,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    let failure = prop_oneof![
        2 => Just(Failure::InsufficientBalance),
        1 => Just(Failure::Expired),
    ];
    prop_oneof![
        24 => (who(), prop::bool::weighted(0.85), prop::bool::weighted(0.6)).prop_map(
            |(who, join_waitlist, auto_pay)| Step::Attend { who, join_waitlist, auto_pay }
        ),
        9 => who().prop_map(|who| Step::Withdraw { who }),
        14 => (0..4_usize).prop_map(|nth| Step::Pay { nth }),
        8 => ((0..5_usize), failure).prop_map(|(nth, failure)| Step::Refuse { nth, failure }),
        12 => Just(Step::Pass),
        8 => Just(Step::Sweep),
        8 => (1..6).prop_map(|capacity| Step::Resize { capacity }),
        3 => prop::bool::weighted(0.3).prop_map(|closed| Step::Close { closed }),
        4 => (who(), any::<bool>()).prop_map(|(who, sent)| Step::Leave { who, sent }),
        7 => who().prop_map(|who| Step::Join { who }),
        1 => Just(Step::Cancel),
    ]
}

#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub active: bool,
    pub state: Option<State>,
    pub order: Option<usize>,
    auto_pay: bool,
    ticket: usize,
    expires: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub who: usize,
    pub phase: Phase,
    pub refund: bool,
    pub version: i64,
}

#[derive(Debug)]
pub(super) struct Line {
    pub is_paid: bool,
    pub capacity: usize,
    pub now: u64,
    pub people: Vec<Person>,
    pub orders: Vec<Order>,
    pub cancelled: bool,
    closed: bool,
    tickets: usize,
}

impl Line {
    pub fn new(capacity: usize, is_paid: bool) -> Self {
        Self {
            is_paid,
            capacity,
            now: 0,
            people: vec![Person { active: true, ..Person::default() }; PEOPLE],
            orders: Vec::new(),
            cancelled: false,
            closed: false,
            tickets: 0,
        }
    }

    /// The order that a step means, when there is one.
    pub fn nth(&self, nth: usize) -> Option<usize> {
        self.orders.len().checked_sub(nth + 1)
    }

    pub fn count(&self, states: &[State]) -> usize {
        let is_one = |person: &&Person| person.state.is_some_and(|state| states.contains(&state));
        self.people.iter().filter(is_one).count()
    }

    /// Who waits, first come first.
    pub fn waiting(&self) -> Vec<usize> {
        let waits = |who: &usize| self.people[*who].state == Some(State::Waitlisted);
        let mut waiting: Vec<_> = (0..PEOPLE).filter(waits).collect();
        waiting.sort_by_key(|who| self.people[*who].ticket);
        waiting
    }

    fn taken(&self) -> usize {
        self.count(&[State::Going, State::PendingPayment, State::Offered])
    }

    pub fn take(&mut self, step: Step) -> Result<(), Reason> {
        match step {
            Step::Attend { who, join_waitlist, auto_pay } => {
                self.attend(who, join_waitlist, auto_pay)?;
            }
            Step::Withdraw { .. } if self.cancelled => return Err(Reason::ScheduleCancelled),
            Step::Withdraw { who } if !self.has_place(who) => return Err(Reason::NotAttending),
            Step::Withdraw { who } => self.give_up(who, self.now <= REFUNDABLE),
            Step::Pay { nth } => self.pay(nth),
            Step::Refuse { nth, failure } => self.refuse(nth, failure),
            Step::Pass => self.now += TICK,
            Step::Sweep => self.sweep(),
            Step::Resize { .. } | Step::Close { .. } | Step::Cancel if self.cancelled => {
                return Err(Reason::ScheduleCancelled);
            }
            Step::Resize { capacity } => {
                let capacity = usize::try_from(capacity).unwrap();
                if capacity < self.taken() {
                    return Err(Reason::CapacityTooSmall);
                }
                self.capacity = capacity;
            }
            Step::Close { closed } => self.closed = closed,
            Step::Leave { who, sent } => {
                self.people[who].active = false;
                if !self.cancelled && self.has_place(who) {
                    self.give_up(who, sent || self.now <= REFUNDABLE);
                }
            }
            Step::Join { who } => self.people[who].active = true,
            Step::Cancel => self.cancel(),
        }
        self.move_up();
        Ok(())
    }

    fn has_place(&self, who: usize) -> bool {
        self.people[who].state.is_some_and(|state| state != State::Withdrawn)
    }

    fn attend(&mut self, who: usize, join_waitlist: bool, auto_pay: bool) -> Result<(), Reason> {
        let person = &self.people[who];
        if !person.active {
            return Err(Reason::NotAMember);
        } else if self.cancelled {
            return Err(Reason::ScheduleCancelled);
        } else if person.state == Some(State::Offered) {
            if person.expires <= self.now {
                return Err(Reason::OfferExpired);
            }
            return self.hold(who);
        } else if self.closed {
            return Err(Reason::ScheduleClosed);
        } else if self.has_place(who) {
            return Err(Reason::AlreadyAttending);
        }
        let is_free = self.taken() < self.capacity && self.waiting().is_empty();
        if !is_free && !join_waitlist {
            return Err(Reason::ScheduleFull);
        }
        self.tickets += 1;
        self.people[who] = Person { active: true, ticket: self.tickets, ..Person::default() };
        match (is_free, self.is_paid) {
            (true, false) => self.people[who].state = Some(State::Going),
            (true, true) => self.hold(who)?,
            (false, _) => {
                self.people[who].state = Some(State::Waitlisted);
                if auto_pay && self.is_paid {
                    self.people[who].auto_pay = true;
                    self.order(who, Phase::Waiting);
                }
            }
        }
        Ok(())
    }

    fn hold(&mut self, who: usize) -> Result<(), Reason> {
        let person = &mut self.people[who];
        person.state = Some(State::PendingPayment);
        person.auto_pay = false;
        person.expires = self.now + HOLD;
        self.order(who, Phase::Held);
        Ok(())
    }

    fn order(&mut self, who: usize, phase: Phase) {
        self.people[who].order = Some(self.orders.len());
        self.orders.push(Order { who, phase, refund: false, version: 1 });
    }

    fn advance(&mut self, order: usize, phase: Phase) {
        self.orders[order].phase = phase;
        self.orders[order].version += 1;
    }

    fn is_live(&self, order: usize) -> bool {
        matches!(self.orders[order].phase, Phase::Waiting | Phase::Held | Phase::Granted)
    }

    fn end(&mut self, order: usize, refund: bool) {
        if self.orders[order].phase == Phase::Granted {
            self.advance(order, Phase::Returned);
            self.orders[order].refund = refund;
        } else if self.is_live(order) {
            self.advance(order, Phase::Lost);
        }
    }

    fn give_up(&mut self, who: usize, refund: bool) {
        self.people[who].state = Some(State::Withdrawn);
        if let Some(order) = self.people[who].order {
            self.end(order, refund);
        }
    }

    fn pay(&mut self, nth: usize) {
        let Some(order) = self.nth(nth) else { return };
        let person = &mut self.people[self.orders[order].who];
        let is_held = person.state == Some(State::PendingPayment) && person.order == Some(order);
        if is_held && person.expires > self.now {
            person.state = Some(State::Going);
            self.advance(order, Phase::Granted);
        }
    }

    fn refuse(&mut self, nth: usize, failure: Failure) {
        let Some(order) = self.nth(nth).filter(|order| self.is_live(*order)) else { return };
        self.advance(order, Phase::Lost);
        let now = self.now;
        let person = &mut self.people[self.orders[order].who];
        match person.state {
            Some(State::PendingPayment)
                if person.auto_pay && failure == Failure::InsufficientBalance =>
            {
                person.state = Some(State::Offered);
                person.expires = now + OFFER;
            }
            Some(State::Waitlisted) => {}
            _ => person.state = Some(State::Withdrawn),
        }
        person.auto_pay = false;
    }

    fn sweep(&mut self) {
        for who in 0..PEOPLE {
            let person = &self.people[who];
            let is_held = matches!(person.state, Some(State::PendingPayment | State::Offered));
            if is_held && person.expires <= self.now {
                self.give_up(who, false);
            }
        }
    }

    fn cancel(&mut self) {
        self.cancelled = true;
        for order in 0..self.orders.len() {
            self.end(order, true);
        }
        for person in &mut self.people {
            if matches!(person.state, Some(State::PendingPayment | State::Offered)) {
                person.state = Some(State::Withdrawn);
            }
        }
    }

    fn move_up(&mut self) {
        while !self.cancelled && self.taken() < self.capacity {
            let Some(who) = self.waiting().first().copied() else { return };
            let person = &mut self.people[who];
            if !self.is_paid {
                person.state = Some(State::Going);
            } else if person.auto_pay {
                person.state = Some(State::PendingPayment);
                person.expires = self.now + HOLD;
                let order = person.order.unwrap();
                self.advance(order, Phase::Held);
            } else {
                person.state = Some(State::Offered);
                person.expires = self.now + OFFER;
            }
        }
    }
}
