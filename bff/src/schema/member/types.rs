//! Members and what the signed-in person sees of themselves; nothing here costs a call.

use std::sync::Arc;

use async_graphql::{ID, SimpleObject};
use moim_kit::Fault;
use moim_kit::id::MemberId;
use moim_proto::member::v1 as proto;

use super::SERVICE;
use crate::last_known::Public;
use crate::schema::global_id::{encode, encode_viewer};
use crate::schema::payment::types::Wallet;
use crate::schema::scalar::{DateTime, Url};

/// A person. id, nickname and avatarUrl are the card: every domain keeps a copy, so they never cost a hop.
/// All other fields are loaded from the member service, batched.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Member {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// Unique name among all members.
    pub nickname: String,
    /// Picture; null when none was set.
    pub avatar_url: Option<Url>,
    #[graphql(skip)]
    pub member_id: MemberId,
    /// Present when the member service itself answered.
    #[graphql(skip)]
    pub profile: Option<Arc<Profile>>,
}

/// What only the member service knows of a member.
#[derive(Debug)]
pub struct Profile {
    pub bio: Option<String>,
    pub joined_at: DateTime,
    /// Why it is not known, when the rest is known from before only.
    pub viewer_has_blocked: Result<bool, Fault>,
}

/// What only the signed-in person sees.
#[derive(SimpleObject, Clone, Debug)]
#[graphql(complex)]
pub struct Viewer {
    /// Opaque, unique over all types, never reused.
    pub id: ID,
    /// The viewer as others see them.
    pub member: Member,
    /// Address used to log in.
    pub email: String,
    /// Present when the payment service has just answered it.
    #[graphql(skip)]
    pub wallet: Option<Wallet>,
}

/// Tokens of a session.
#[derive(SimpleObject, Clone)]
pub struct AuthTokens {
    /// Short-lived bearer token for the Authorization header and connection_init.
    access_token: String,
    /// When the access token stops working.
    access_expires_at: DateTime,
    /// Opaque, single use.
    refresh_token: String,
    /// When the refresh token stops working.
    refresh_expires_at: DateTime,
}

impl TryFrom<proto::Card> for Member {
    type Error = Fault;

    fn try_from(card: proto::Card) -> Result<Self, Fault> {
        let member_id = card.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(member_id),
            nickname: card.nickname,
            avatar_url: card.avatar_url.map(Url),
            member_id,
            profile: None,
        })
    }
}

impl TryFrom<Option<proto::Card>> for Member {
    type Error = Fault;

    fn try_from(card: Option<proto::Card>) -> Result<Self, Fault> {
        card.ok_or_else(|| Fault::internal("a card is missing"))?.try_into()
    }
}

impl TryFrom<proto::Member> for Member {
    type Error = Fault;

    fn try_from(member: proto::Member) -> Result<Self, Fault> {
        let member_id = member.id.parse().map_err(Fault::internal)?;
        Ok(Self {
            id: encode(member_id),
            nickname: member.nickname,
            avatar_url: member.avatar_url.map(Url),
            member_id,
            profile: Some(Arc::new(Profile {
                bio: member.bio,
                joined_at: DateTime::from_us(member.joined_at_us),
                viewer_has_blocked: Ok(member.viewer_has_blocked),
            })),
        })
    }
}

impl Member {
    /// As the service knew it before it fell silent.
    pub fn last_known(member: proto::Member, silence: &Fault) -> Result<Self, Fault> {
        let profile = Profile {
            bio: member.bio.clone(),
            joined_at: DateTime::from_us(member.joined_at_us),
            viewer_has_blocked: Err(silence.clone()),
        };
        Ok(Self { profile: Some(Arc::new(profile)), ..member.try_into()? })
    }
}

impl Public for proto::Member {
    const NOUN: &'static str = "member";
    const SERVICE: &'static str = SERVICE;

    fn id(&self) -> &str {
        &self.id
    }

    fn without_viewer(&mut self) {
        self.viewer_has_blocked = false;
    }
}

impl TryFrom<Option<proto::Member>> for Member {
    type Error = Fault;

    fn try_from(member: Option<proto::Member>) -> Result<Self, Fault> {
        member.ok_or_else(|| Fault::internal("a member is missing"))?.try_into()
    }
}

impl TryFrom<Option<proto::Account>> for Viewer {
    type Error = Fault;

    fn try_from(account: Option<proto::Account>) -> Result<Self, Fault> {
        let account = account.ok_or_else(|| Fault::internal("an account is missing"))?;
        let member = Member::try_from(account.member)?;
        let id = encode_viewer(member.member_id);
        Ok(Self { id, member, email: account.email, wallet: None })
    }
}

impl TryFrom<Option<proto::Tokens>> for AuthTokens {
    type Error = Fault;

    fn try_from(tokens: Option<proto::Tokens>) -> Result<Self, Fault> {
        let tokens = tokens.ok_or_else(|| Fault::internal("tokens are missing"))?;
        Ok(Self {
            access_token: tokens.access_token,
            access_expires_at: DateTime::from_us(tokens.access_expires_at_us),
            refresh_token: tokens.refresh_token,
            refresh_expires_at: DateTime::from_us(tokens.refresh_expires_at_us),
        })
    }
}
