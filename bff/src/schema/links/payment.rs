//! From a wallet to its ledger, and from a ledger line and an order to what they are about.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Result};
use moim_kit::Fault;
use moim_proto::payment::v1::ListEntriesRequest;

use crate::schema::connection::PageArgs;
use crate::schema::directive::SemanticNonNull;
use crate::schema::payment::SERVICE;
use crate::schema::payment::connection::WalletEntryConnection;
use crate::schema::payment::types::{Order, Wallet, WalletEntry};
use crate::schema::schedule;
use crate::schema::schedule::types::Schedule;
use crate::schema::scope::Scope;

#[ComplexObject]
impl Wallet {
    /// The ledger, newest first.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start, 1 to 100; this or last.")] first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, 1 to 100; this or first.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<WalletEntryConnection>> {
        let scope = Scope::of(ctx)?;
        let page = Some(PageArgs { first, after, last, before }.into());
        let request = scope.call().request(ListEntriesRequest { page });
        let answer = scope.upstream().payment.list_entries(request).await;
        let page = answer.map_err(Fault::from).and_then(|answer| {
            let answer = answer.into_inner();
            WalletEntryConnection::try_new(answer.entries, answer.page)
        });
        page.map(Some).map_err(scope.fail(SERVICE))
    }
}

#[ComplexObject]
impl WalletEntry {
    /// What was paid or refunded; null for a top-up.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Arc<Order>>> {
        let Some(order_id) = self.order_id else { return Ok(None) };
        let scope = Scope::of(ctx)?;
        let order = scope.loaders().order.load(order_id).await;
        order.map_err(scope.fail(SERVICE))
    }
}

#[ComplexObject]
impl Order {
    /// Where the seat is.
    #[graphql(directive = SemanticNonNull::apply())]
    async fn schedule(&self, ctx: &Context<'_>) -> Result<Option<Arc<Schedule>>> {
        let scope = Scope::of(ctx)?;
        let schedule = scope.loaders().schedule.load(self.schedule_id).await;
        schedule
            .and_then(|found| found.ok_or_else(|| Fault::internal("an order has no schedule")))
            .map(Some)
            .map_err(scope.fail(schedule::SERVICE))
    }

    /// Why it was released, for people, in the request's language; null unless it was.
    async fn failure_message(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let korean = Scope::of(ctx)?.korean();
        let failure = self.failure.as_ref();
        Ok(failure.map(|it| if korean { it.korean.as_str() } else { it.english.as_str() }))
    }
}
