//! A member room behind a socket, with a verifier that trusts it, and people in it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::id::{MemberId, SessionId};
use moim_kit::serve::Room;
use moim_kit::token::{KeySource, PublicKey, Verifier};
use moim_kit::trace::Trace;
use moim_kit::wire::Wire;
use moim_kit::{Call, Caller, Fault, Timestamp};
use moim_member::Config;
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use moim_proto::member::v1::*;
use moim_storage::Ground;
use moim_testbed::Bed;
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Response, Status};

pub type Client = MemberServiceClient<Wire>;

pub const PASSWORD: &str = "correct horse";

/// Hashing that costs nothing.
pub fn config() -> Config {
    Config { hashing_memory_kib: 8, hashing_passes: 1, hashing_queue: 500, ..Config::default() }
}

/// One process of the room.
pub struct Stand {
    pub room: Room,
    pub client: Client,
    pub ground: Ground,
}

/// Someone with an account and a session.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: MemberId,
    pub email: String,
    pub tokens: Tokens,
}

impl Stand {
    pub async fn new(bed: &Bed) -> Self {
        Self::with(bed, config()).await
    }

    /// Asked twice, it is as two processes on one database.
    pub async fn with(bed: &Bed, config: Config) -> Self {
        Self::on(bed, Self::ground(bed).await, config).await
    }

    /// A migrated database with a verifier of its own, for the bed's trusts another signer.
    pub async fn ground(bed: &Bed) -> Ground {
        let verifier = Arc::new(Verifier::new(bed.clock.clone()));
        let mut ground = bed.ground("member", &moim_member::MIGRATIONS).await;
        ground.verifier = verifier;
        ground
    }

    pub async fn on(bed: &Bed, ground: Ground, config: Config) -> Self {
        let room = moim_member::open(config, ground.clone()).await.unwrap();
        let client = MemberServiceClient::new(bed.serve(&room).await);
        ground.verifier.set_source(Arc::new(Keys(client.clone())));
        Self { room, client, ground }
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Somebody new, named so.
    pub async fn person(&self, nickname: &str) -> Person {
        let email = format!("{:032x}@moim.example", rand::random::<u128>());
        let request = sign_up(&email, nickname);
        let answer = self.client().sign_up(anonymous().request(request)).await.unwrap();
        let SignUpResponse { tokens, account } = answer.into_inner();
        let id = account.unwrap().member.unwrap().id.parse().unwrap();
        Person { id, email, tokens: tokens.unwrap() }
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Result<LogInResponse, Fault> {
        let request = LogInRequest { email: email.to_owned(), password: password.to_owned() };
        answer(self.client().log_in(anonymous().request(request)).await)
    }

    pub async fn refresh(&self, token: &str) -> Result<Tokens, Fault> {
        let request = RefreshRequest { refresh_token: token.to_owned() };
        let answer = answer(self.client().refresh(anonymous().request(request)).await)?;
        Ok(answer.tokens.unwrap())
    }

    /// Whether an access token opens anything.
    pub async fn account(&self, access_token: &str) -> Result<Account, Fault> {
        let request = bearing(access_token).request(GetAccountRequest {});
        Ok(answer(self.client().get_account(request).await)?.account.unwrap())
    }

    /// Versions and states told of a member, once there are so many.
    pub async fn told(&self, member: MemberId, count: usize) -> Vec<(i64, MemberState)> {
        for _ in 0..200 {
            let entries = self.room.log.read(0, 1_000).await.unwrap();
            let told: Vec<_> = entries
                .into_iter()
                .map(|entry| entry.fact)
                .filter(|fact| fact.noun == "member" && fact.aggregate == member.uuid())
                .map(|fact| (fact.version, MemberState::decode(fact.payload).unwrap()))
                .collect();
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} facts were expected");
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.ground.db.fetch_optional::<(i64,)>(sql, vec![]).await.unwrap().unwrap().0
    }
}

impl Person {
    pub fn call(&self) -> Call {
        bearing(&self.tokens.access_token)
    }
}

pub fn sign_up(email: &str, nickname: &str) -> SignUpRequest {
    SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        nickname: nickname.to_owned(),
    }
}

pub fn anonymous() -> Call {
    Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(30))
}

/// A call with a token; whom it names is for the room to find out.
pub fn bearing(access_token: &str) -> Call {
    let caller = Caller { member: MemberId::fresh(), session: SessionId::fresh() };
    anonymous().by(caller, access_token)
}

pub fn answer<T>(result: Result<Response<T>, Status>) -> Result<T, Fault> {
    result.map(Response::into_inner).map_err(Fault::from)
}

/// Why a call was refused.
pub fn reason<T: std::fmt::Debug>(result: Result<T, impl Into<Fault>>) -> String {
    result.map_err(Into::into).unwrap_err().reason().to_owned()
}

/// Asks the room itself over its wire, as every process of a house does.
struct Keys(Client);

#[async_trait]
impl KeySource for Keys {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let request = anonymous().request(ListSigningKeysRequest {});
        let listed = answer(self.0.clone().list_signing_keys(request).await)?;
        let key = |key: SigningKey| PublicKey { kid: key.kid, bytes: key.public_key.to_vec() };
        Ok(listed.keys.into_iter().map(key).collect())
    }

    async fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, Fault> {
        let request = anonymous().request(ListRevocationsRequest {});
        let listed = answer(self.0.clone().list_revocations(request).await)?;
        let revocation = |revocation: Revocation| {
            let until = Timestamp::from_us(revocation.expires_at_us);
            (revocation.session_id.parse().unwrap(), until)
        };
        Ok(listed.revocations.into_iter().map(revocation).collect())
    }
}
