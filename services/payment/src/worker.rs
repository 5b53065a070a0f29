//! Takes orders one step further wherever something is due: woken by what is heard, and by time as the net.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use moim_kit::task::Tasks;
use moim_kit::trace::{InTrace as _, Kind, Span};
use moim_kit::{Clock, Fault};
use tokio::sync::watch;

use crate::events;
use crate::ledger::{Journal, Krw};
use crate::model::{self, Failure, Order, OrderState};
use crate::saga::{self, Step};
use crate::store::{Change, Store};

const AT_ONCE: i64 = 100;
const SIDE_BY_SIDE: usize = 4;

/// Moves the money of orders; any number of processes may, for each step is one short transaction of
/// whoever finds the order as it was read.
#[derive(Clone)]
pub struct Worker {
    pub store: Store,
    pub clock: Clock,
    /// How long after the end of a hold the other side is waited for.
    pub silence: Duration,
}

impl Worker {
    /// Works for as long as the house stands.
    pub fn start(self, tasks: &Tasks, arrivals: watch::Receiver<u64>, poll: Duration) {
        tasks.supervise("orders", move || {
            let (worker, mut arrivals) = (self.clone(), arrivals.clone());
            async move {
                loop {
                    arrivals.mark_unchanged();
                    match worker.sweep().await {
                        Ok(true) => continue,
                        Ok(false) => {}
                        Err(fault) => {
                            tracing::warn!(error = %fault, "orders could not be listed; again later");
                        }
                    }
                    let _ = tokio::time::timeout(poll, arrived(&mut arrivals)).await;
                }
            }
        });
    }

    /// Helps every order that is due; true when it is worth looking again at once.
    async fn sweep(&self) -> Result<bool, Fault> {
        let now = self.store.now(&self.clock).await?;
        let due = self.store.list_due_orders(now, AT_ONCE).await?;
        let helped = stream::iter(due).map(async |order| self.help(&order).await);
        let helped: Vec<bool> = helped.buffer_unordered(SIDE_BY_SIDE).collect().await;
        Ok(helped.contains(&true))
    }

    /// One step of one order, in the trace of what was heard of it last; one that fails waits longer each time, for
    /// ever.
    async fn help(&self, order: &Order) -> bool {
        let mut span = Span::continued(Some(&order.trace), Kind::Internal, "step order");
        span.record(|it| it.set("moim.order.state", order.state.word()));
        let within = span.trace();
        self.help_within(order, &mut span).within(within).await
    }

    async fn help_within(&self, order: &Order, span: &mut Span) -> bool {
        let Err(fault) = self.step(order).await else { return true };
        span.record(|it| it.fail(fault.reason().to_owned()));
        let (id, tries) = (order.terms.id, order.tries);
        tracing::warn!(order = %id, tries, error = %fault, "an order could not go on; again later");
        let put_off = async {
            let until = self.store.now(&self.clock).await?.after(model::pause(tries));
            self.store.put_off(order, until).await
        };
        if let Err(fault) = put_off.await {
            tracing::warn!(order = %id, error = %fault, "an order could not be put off");
        }
        false
    }

    /// Takes an order one step further, if it still is as it was read.
    pub async fn step(&self, order: &Order) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        if !self.store.claim_order(&mut tx, order).await? {
            return Ok(());
        }
        let now = tx.now(&self.clock).await?;
        let terms = &order.terms;
        let amount = Krw::try_new(terms.amount_krw);
        let amount = amount.ok_or_else(|| Fault::internal("an order of nothing"))?;
        let mut why: (Option<Failure>, i64) = (None, 0);
        let to = match saga::step(order.state, order.seat, now, self.silence) {
            Step::Rest => {
                self.store.rest_order(&mut tx, terms.id, None).await?;
                return Ok(tx.commit().await.map(|_| ())?);
            }
            Step::Wait(until) => {
                self.store.rest_order(&mut tx, terms.id, Some(until)).await?;
                return Ok(tx.commit().await.map(|_| ())?);
            }
            Step::Hold => {
                match self.store.hold(&mut tx, terms.id, terms.member, amount, now).await? {
                    Ok(()) => OrderState::MoneyHeld,
                    Err(missing) => {
                        why = (Some(Failure::InsufficientBalance), missing.get());
                        OrderState::Released
                    }
                }
            }
            Step::Capture => {
                let journal = Journal::payment(terms, amount);
                self.store.capture(&mut tx, terms.id, &journal, now).await?;
                OrderState::Confirmed
            }
            Step::Release(failure) => {
                if order.state == OrderState::MoneyHeld {
                    self.store.void(&mut tx, terms.id, now).await?;
                }
                why = (Some(failure), 0);
                OrderState::Released
            }
            Step::Refund => {
                let journal = Journal::refund(terms, amount);
                // A refund is never refused, however much there is in the wallet.
                let back =
                    self.store.fill(&mut tx, terms.member, amount, i64::MAX, &journal, now).await?;
                back.ok_or_else(|| Fault::internal("nowhere to refund to"))?;
                OrderState::Refunded
            }
        };
        let due = saga::due(to, order.seat, now, self.silence);
        let change = Change { to, failure: why.0, shortfall_krw: why.1, due };
        let moved = self.store.move_order(&mut tx, order, change, now).await?;
        events::tell_order(&mut tx, &moved, now);
        tx.commit().await?;
        Ok(())
    }
}

/// Something was heard; once nothing can be heard any more, never.
async fn arrived(arrivals: &mut watch::Receiver<u64>) {
    if arrivals.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
