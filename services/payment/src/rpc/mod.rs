//! The room's calls: everybody sees only what is theirs.

#[cfg(test)]
mod books;
#[cfg(test)]
mod overspend;
#[cfg(test)]
mod stage;

use std::sync::Arc;

use async_trait::async_trait;
use moim_kit::id::MemberId;
use moim_kit::{Call, Fault};
use moim_proto::payment::v1::payment_service_server::PaymentService;
use moim_proto::payment::v1::*;
use moim_storage::Reads;
use tonic::{Request, Response, Status};

use crate::convert;
use crate::fault::Reason;
use crate::ledger;
use crate::store::Store;
use crate::till::{self, Till};

const MAX_IDS: usize = 200;
const LONGEST_PAYMENT_KEY: usize = 200;

/// Answers the calls of `moim.payment.v1.PaymentService`.
pub struct Server {
    pub store: Store,
    pub reads: Reads,
    pub till: Arc<Till>,
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl PaymentService for Server {
    async fn get_wallet(&self, request: Request<GetWalletRequest>) -> Answer<GetWalletResponse> {
        let (call, _) = Call::take(request);
        let member = viewer(&call)?;
        let view = self.reads.of(&call).await;
        let found = self.store.find_wallet(&view, member).await?;
        Ok(Response::new(GetWalletResponse { wallet: Some(convert::wallet(member, found)) }))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Answer<ListEntriesResponse> {
        let (call, request) = Call::take(request);
        let member = viewer(&call)?;
        let spec = convert::page_spec(request.page.as_ref())?;
        let view = self.reads.of(&call).await;
        let page = self.store.list_entries(&view, member, &spec).await?;
        let entries = page.rows.iter().map(convert::entry).collect();
        Ok(Response::new(ListEntriesResponse { entries, page: Some(convert::page(&page)) }))
    }

    async fn batch_get_entries(
        &self,
        request: Request<BatchGetEntriesRequest>,
    ) -> Answer<BatchGetEntriesResponse> {
        let (call, request) = Call::take(request);
        let member = viewer(&call)?;
        let ids = ids(&request.ids)?;
        let view = self.reads.of(&call).await;
        let found = self.store.list_own_entries(&view, member, ids).await?;
        let entries = found.iter().map(convert::entry).collect();
        Ok(Response::new(BatchGetEntriesResponse { entries }))
    }

    async fn batch_get_orders(
        &self,
        request: Request<BatchGetOrdersRequest>,
    ) -> Answer<BatchGetOrdersResponse> {
        let (call, request) = Call::take(request);
        let member = viewer(&call)?;
        let ids = ids(&request.ids)?;
        let view = self.reads.of(&call).await;
        let found = self.store.list_own_orders(&view, member, ids).await?;
        let orders = found.iter().map(convert::order).collect();
        Ok(Response::new(BatchGetOrdersResponse { orders }))
    }

    async fn top_up(&self, request: Request<TopUpRequest>) -> Answer<TopUpResponse> {
        let (call, request) = Call::take(request);
        let member = viewer(&call)?;
        let request = asked(&call, member, request)?;
        let wallet = self.till.top_up(request, call.deadline()).await?;
        Ok(Response::new(TopUpResponse { wallet: Some(convert::wallet(member, wallet)) }))
    }

    async fn take_webhook(
        &self,
        request: Request<TakeWebhookRequest>,
    ) -> Answer<TakeWebhookResponse> {
        let (_, request) = Call::take(request);
        self.till.take_webhook(&request.headers, &request.body).await?;
        Ok(Response::new(TakeWebhookResponse {}))
    }
}

fn viewer(call: &Call) -> Result<MemberId, Fault> {
    Ok(call.require_caller()?.member)
}

/// What is no id names nothing.
fn ids<T: std::str::FromStr>(texts: &[String]) -> Result<Vec<T>, Fault> {
    if texts.len() > MAX_IDS {
        return Err(Reason::TooManyIds.into());
    }
    Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

fn asked(call: &Call, member: MemberId, request: TopUpRequest) -> Result<till::Request, Fault> {
    let key = call.idempotency_key().ok_or(Reason::IdempotencyKeyRequired)?.to_owned();
    let amount = ledger::top_up_amount(request.amount_krw)?;
    let payment_key = request.payment_key;
    let fits = payment_key.len() <= LONGEST_PAYMENT_KEY
        && payment_key.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(Reason::PaymentKeyInvalid.into());
    }
    Ok(till::Request { member, key, amount, payment_key })
}
