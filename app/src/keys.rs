//! Where verifiers get their keys: from the member room, near or far.

use async_trait::async_trait;
use moim_kit::id::SessionId;
use moim_kit::token::{KeySource, PublicKey};
use moim_kit::wire::Wire;
use moim_kit::{Fault, Timestamp};
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use moim_proto::member::v1::{ListRevocationsRequest, ListSigningKeysRequest};

/// Keys and revocations as the member room publishes them.
pub struct MemberKeys(MemberServiceClient<Wire>);

impl MemberKeys {
    /// Asks over a wire.
    pub fn new(wire: Wire) -> Self {
        Self(MemberServiceClient::new(wire))
    }
}

#[async_trait]
impl KeySource for MemberKeys {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let answer = self.0.clone().list_signing_keys(ListSigningKeysRequest {}).await?;
        let keys = answer.into_inner().keys.into_iter();
        Ok(keys.map(|key| PublicKey { kid: key.kid, bytes: key.public_key.to_vec() }).collect())
    }

    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        let answer = self.0.clone().list_revocations(ListRevocationsRequest {}).await?;
        answer
            .into_inner()
            .revocations
            .into_iter()
            .map(|revocation| {
                let session = revocation.session_id.parse().map_err(Fault::internal)?;
                Ok((session, Timestamp::from_us(revocation.expires_at_us)))
            })
            .collect()
    }
}
