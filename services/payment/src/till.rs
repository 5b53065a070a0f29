//! Where money comes in: a top-up is written down, paid at the provider, and credited or given back, once.
//!
//! The provider is asked between transactions, and nothing it says is believed twice: a wallet is credited by
//! whoever moves the top-up on from `Requested`, and money is given back only by way of `Cancelling`.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moim_kit::id::{MemberId, TopUpId};
use moim_kit::{Clock, Code, Fault, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::config::Config;
use crate::fault::Reason;
use crate::ledger::{self, Journal, Krw};
use crate::model::{self, TopUp, TopUpFailure, TopUpState, Verdict, Wallet};
use crate::provider::{Charged, PaymentProvider};
use crate::store::{Store, Turn};

/// Of a call's time, so much is kept for the answer.
const FOR_THE_ANSWER: Duration = Duration::from_millis(200);
/// Longest wait for the provider while nobody else waits; so long other processes leave a top-up alone.
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// How often a top-up is judged again because it moved meanwhile.
const TRIES: u32 = 5;

/// What a member asks for.
pub struct Request {
    pub member: MemberId,
    pub key: String,
    pub amount: Krw,
    pub payment_key: String,
}

/// Takes money in.
pub struct Till {
    pub store: Store,
    pub clock: Clock,
    pub provider: Arc<dyn PaymentProvider>,
    /// Told when a top-up is to be looked at.
    pub wake: Notify,
    largest_balance_krw: i64,
    pending: i64,
    wait: Duration,
    limit: Duration,
}

impl Till {
    pub fn new(
        config: &Config,
        store: Store,
        clock: Clock,
        provider: Arc<dyn PaymentProvider>,
    ) -> Self {
        Self {
            store,
            clock,
            provider,
            wake: Notify::new(),
            largest_balance_krw: config.largest_balance_krw,
            pending: config.pending_top_ups,
            wait: Duration::from_millis(config.top_up_wait_ms),
            limit: Duration::from_millis(config.top_up_limit_ms),
        }
    }

    /// Tops a wallet up, or answers again what came of it; waits for the provider until `deadline` at most.
    pub async fn top_up(&self, request: Request, deadline: Instant) -> Result<Wallet, Fault> {
        let top_up = self.request(request).await?;
        if let Some(answer) = settled(&top_up) {
            return answer;
        }
        // Later than that it is being cancelled, and nothing may be charged behind that.
        if self.store.now(&self.clock).await? >= top_up.requested_at.after(self.limit) {
            return Err(Reason::TopUpPending.into());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = self.wait.min(left.saturating_sub(FOR_THE_ANSWER));
        let said = self.ask(wait, self.provider.confirm(&top_up.charge())).await;
        let top_up = self.settle(top_up, said).await?;
        settled(&top_up).unwrap_or_else(|| Err(Reason::TopUpPending.into()))
    }

    /// Writes a top-up down, or finds the one of the same key.
    async fn request(&self, request: Request) -> Result<TopUp, Fault> {
        let Request { member, key, amount, payment_key } = request;
        let mut tx = self.store.begin().await?;
        // Everything a member asks for at once goes through one after the other.
        let wallet = self.store.lock_wallet(&mut tx, member).await?;
        if let Some(found) = self.store.find_keyed(&mut tx, &key).await? {
            ledger::require_same(&found, member, amount, &payment_key)?;
            return Ok(found);
        }
        let (pending, coming) = self.store.count_coming(&mut tx, member).await?;
        ledger::require_room(wallet, coming, amount, self.largest_balance_krw)?;
        if pending >= self.pending {
            return Err(Reason::TooManyTopUps.into());
        }
        let now = tx.now(&self.clock).await?;
        let new = TopUp {
            id: TopUpId::fresh(),
            member,
            key,
            amount_krw: amount.get(),
            payment_key,
            state: TopUpState::Requested,
            failure: None,
            answer: None,
            tries: 0,
            requested_at: now,
        };
        self.store.insert_top_up(&mut tx, &new, now.after(self.wait)).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// A provider that faults or is silent has said nothing.
    async fn ask(
        &self,
        wait: Duration,
        question: impl Future<Output = Result<Charged, Fault>>,
    ) -> Charged {
        match timeout(wait, question).await {
            Ok(Ok(charged)) => charged,
            Ok(Err(fault)) => {
                tracing::warn!(error = %fault, "the payment provider failed; it is asked again");
                Charged::Unknown
            }
            Err(_) => Charged::Unknown,
        }
    }

    /// Does what the provider's word makes of a top-up; answers how it then stands.
    pub async fn settle(&self, read: TopUp, said: Charged) -> Result<TopUp, Fault> {
        let mut top_up = read;
        for _ in 0..TRIES {
            let done = self.turn(&top_up, said).await?;
            let found = self.store.find_top_up(&top_up.key).await?;
            top_up = found.ok_or_else(|| Fault::internal("a top-up is gone"))?;
            if done {
                return Ok(top_up);
            }
        }
        Err(Fault::new(Code::Conflict, "CONFLICT", "The top-up was changing; try again.")
            .in_korean("충전이 처리되는 중입니다. 다시 시도해 주세요."))
    }

    /// One move; false when the top-up had moved since it was read.
    async fn turn(&self, read: &TopUp, said: Charged) -> Result<bool, Fault> {
        let now = self.store.now(&self.clock).await?;
        let failure = read.failure.or(Some(TopUpFailure::Declined));
        let end = |to, next_look| Turn { to, failure, answer: None, next_look };
        match model::judge(read, said) {
            Verdict::Wait => Ok(true),
            Verdict::Rest => self.store.rest_top_up(read, now).await.map(|()| true),
            Verdict::Alarm => {
                tracing::error!(top_up = %read.id, "money in a wallet is gone at the provider");
                self.store.rest_top_up(read, now).await.map(|()| true)
            }
            Verdict::Credit => self.credit(read, now).await,
            Verdict::Decline => self.go(read, end(TopUpState::Declined, None)).await,
            Verdict::GiveBack => self.go(read, end(TopUpState::Cancelling, Some(now))).await,
            Verdict::Close => {
                // A payment unknown there might still be made by a call on its way: one more look.
                let unsure = said == Charged::Declined && read.state == TopUpState::Cancelling;
                let again = unsure.then(|| now.after(self.limit));
                self.go(read, end(TopUpState::Cancelled, again)).await
            }
        }
    }

    async fn go(&self, read: &TopUp, turn: Turn) -> Result<bool, Fault> {
        let mut tx = self.store.begin().await?;
        let moved = self.store.move_top_up(&mut tx, read, turn).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(moved)
    }

    /// Puts the money into the wallet, or sends it back when there is no room any more.
    async fn credit(&self, read: &TopUp, now: Timestamp) -> Result<bool, Fault> {
        let amount = ledger::top_up_amount(read.amount_krw)?;
        let mut tx = self.store.begin().await?;
        let wallet = self.store.lock_wallet(&mut tx, read.member).await?;
        if ledger::require_room(wallet, 0, amount, self.largest_balance_krw).is_err() {
            drop(tx);
            let failure = Some(TopUpFailure::WalletFull);
            let (to, next_look) = (TopUpState::Cancelling, Some(now));
            return self.go(read, Turn { to, failure, answer: None, next_look }).await;
        }
        let filled = Wallet { balance_krw: wallet.balance_krw + amount.get(), ..wallet };
        let answer = Some(filled);
        let turn = Turn { to: TopUpState::Paid, failure: None, answer, next_look: None };
        if !self.store.move_top_up(&mut tx, read, turn).await? {
            return Ok(false);
        }
        let journal = Journal::top_up(read.id, read.member, amount);
        let largest = self.largest_balance_krw;
        let done = self.store.fill(&mut tx, read.member, amount, largest, &journal, now).await?;
        if done != answer {
            return Err(Fault::internal("a wallet changed while it was locked"));
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Hears a webhook: the top-up it names is looked at, once for each message.
    pub async fn take_webhook(
        &self,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<(), Fault> {
        let read = self.provider.read_webhook(headers, body, self.clock.now())?;
        let Some(notice) = read else { return Ok(()) };
        let now = self.store.now(&self.clock).await?;
        if self.store.take_notice(&notice.id, &notice.order, now).await? {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Asks the provider what became of a top-up, cancels it there when that took too long, and goes on cancelling
    /// what is to be cancelled.
    pub async fn look(&self, listed: &TopUp) -> Result<(), Fault> {
        let now = self.store.now(&self.clock).await?;
        let until = now.after(LONGEST_LOOK);
        let Some(top_up) = self.store.claim_top_up(listed, now, until).await? else {
            return Ok(());
        };
        let (charge, before) = (top_up.charge(), top_up.state);
        let said = match before {
            TopUpState::Cancelling => self.ask(LONGEST_LOOK, self.provider.cancel(&charge)).await,
            _ => self.ask(LONGEST_LOOK, self.provider.find(&charge)).await,
        };
        let top_up = self.settle(top_up, said).await?;
        if top_up.state != before {
            return Ok(());
        }
        let now = self.store.now(&self.clock).await?;
        // A call that began just before the limit has ended by then.
        let end = top_up.requested_at.after(self.limit).after(self.wait);
        match top_up.state {
            TopUpState::Requested if now >= end => {
                let (to, failure) = (TopUpState::Cancelling, Some(TopUpFailure::Declined));
                let turn = Turn { to, failure, answer: None, next_look: Some(now) };
                self.go(&top_up, turn).await.map(|_| ())
            }
            TopUpState::Requested | TopUpState::Cancelling => {
                let then = now.after(model::pause(top_up.tries));
                self.store.look_again(&top_up, until, then).await
            }
            _ => Ok(()),
        }
    }
}

/// What a member is told of a top-up, the same for ever once it is decided.
fn settled(top_up: &TopUp) -> Option<Result<Wallet, Fault>> {
    match (top_up.state, top_up.answer) {
        (TopUpState::Requested, _) => None,
        (TopUpState::Paid, Some(wallet)) => Some(Ok(wallet)),
        (TopUpState::Paid, None) => Some(Err(Fault::internal("a paid top-up has no answer"))),
        _ => Some(Err(top_up.failure.map_or(Reason::TopUpDeclined, Reason::from).into())),
    }
}
