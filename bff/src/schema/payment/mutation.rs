//! Entry points for moving money.

use async_graphql::{Context, Object, Result};
use moim_kit::Fault;
use moim_proto::payment::v1::TopUpRequest;

use super::SERVICE;
use super::input::WalletTopUpInput;
use super::types::Wallet;
use crate::schema::error::payload;
use crate::schema::member::find_viewer;
use crate::schema::member::types::Viewer;
use crate::schema::scope::Scope;

/// Writes of the payment service.
#[derive(Default)]
pub struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Adds money to the wallet. Key required.
    async fn wallet_top_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: WalletTopUpInput,
    ) -> Result<Option<WalletTopUpPayload>> {
        let scope = Scope::of(ctx)?;
        let wallet = async {
            let request = scope.keyed(ctx)?.request(TopUpRequest {
                amount_krw: i64::from(input.amount),
                payment_key: input.payment_key.unwrap_or_default(),
            });
            scope.upstream().payment.top_up(request).await?.into_inner().wallet.try_into()
        };
        let wallet: Wallet = match wallet.await {
            Ok(wallet) => wallet,
            Err(fault) => return WalletTopUpPayload::new(scope, SERVICE, Err(fault)),
        };
        // What was added stays added, even if the viewer cannot be shown right now.
        let Some(viewer) = find_viewer(scope).await? else {
            return Err(scope.fail(SERVICE)(Fault::unauthenticated()));
        };
        let viewer = Viewer { wallet: Some(wallet), ..viewer };
        WalletTopUpPayload::new(scope, SERVICE, Ok(viewer))
    }
}

payload! {
    WalletTopUpPayload(viewer: Viewer) of "walletTopUp", "The viewer, with more in the wallet";
}
