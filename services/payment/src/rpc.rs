//! The room's calls, one method each.

use async_trait::async_trait;
use moim_kit::Clock;
use moim_proto::payment::v1 as proto;
use moim_proto::payment::v1::payment_service_server::PaymentService;
use tonic::{Request, Response, Status};

use crate::store::Store;

/// Answers the calls of `moim.payment.v1.PaymentService`.
pub struct Server {
    pub store: Store,
    pub clock: Clock,
}

macro_rules! absent {
    ($($method:ident($request:ident) -> $response:ident;)*) => {
        #[async_trait]
        impl PaymentService for Server {
            $(async fn $method(&self, _: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let _ = (&self.store, &self.clock);
                Err(Status::unimplemented(""))
            })*
        }
    };
}

absent! {
    get_wallet(GetWalletRequest) -> GetWalletResponse;
    list_entries(ListEntriesRequest) -> ListEntriesResponse;
    batch_get_entries(BatchGetEntriesRequest) -> BatchGetEntriesResponse;
    batch_get_orders(BatchGetOrdersRequest) -> BatchGetOrdersResponse;
    top_up(TopUpRequest) -> TopUpResponse;
    take_webhook(TakeWebhookRequest) -> TakeWebhookResponse;
}
