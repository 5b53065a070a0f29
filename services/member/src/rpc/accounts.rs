//! Opening an account, logging in to it, and reading it.

use moim_kit::call::respond;
use moim_kit::id::MemberId;
use moim_kit::{Call, Code, Fault};
use moim_proto::member::v1::*;
use moim_storage::{Idempotency, Replay, Tx};
use tonic::Response;

use crate::convert;
use crate::events::{tell_member, told};
use crate::fault::Reason;
use crate::model::{Email, Member, Nickname, check_password};
use crate::rpc::Rpc;
use crate::store::{PasswordHash, clear_failures, count_failure, find_member, insert_member};

impl Rpc {
    pub(super) async fn do_sign_up(
        &self,
        call: &Call,
        request: SignUpRequest,
    ) -> Result<Response<SignUpResponse>, Fault> {
        let email = Email::parse(&request.email)?;
        check_password(&request.password)?;
        let nickname = Nickname::parse(&request.nickname)?;
        let password = request.password;
        let hash = PasswordHash(self.passwords.hash(password.clone()).await?);

        let now = self.clock.now();
        let member = Member::new(email.clone(), nickname, now);
        // What the key is kept with: who was made, and what was asked but for the password.
        let asked = SignUpRequest {
            email: member.email.clone(),
            password: String::new(),
            nickname: member.nickname.clone(),
        };
        let mut tx = self.outbox.begin().await?;
        let claim = Idempotency::claim::<_, String>(&mut tx, call, "sign_up", &asked, now).await?;
        let claim = match claim {
            Replay::Fresh(claim) => claim,
            Replay::Done(..) => {
                drop(tx);
                return self.sign_up_again(&email, password).await;
            }
        };
        insert_member(&mut tx, &member, &hash).await?;
        tell_member(&mut tx, &member, call, now);
        let tokens = self.open_session(&mut tx, member.id, now).await?;
        claim.store(&mut tx, &member.id.to_string()).await?;
        let marks = tx.commit().await?;
        let account = Some(convert::account(member));
        Ok(respond(SignUpResponse { tokens: Some(tokens), account }, marks))
    }

    /// The first answer was lost and its tokens were kept nowhere: whoever knows the password gets
    /// a session of their own.
    async fn sign_up_again(
        &self,
        email: &Email,
        password: String,
    ) -> Result<Response<SignUpResponse>, Fault> {
        let authenticated = self.authenticate(email, password).await;
        let (mut tx, id) = authenticated.map_err(|fault| match fault.code() {
            Code::BadCredentials => other_input(),
            _ => fault,
        })?;
        let now = self.clock.now();
        let tokens = self.open_session(&mut tx, id, now).await?;
        let member = find_member(&mut tx, id).await?.ok_or_else(other_input)?;
        tx.commit().await?;
        let marks = told(&member, now);
        let account = Some(convert::account(member));
        Ok(respond(SignUpResponse { tokens: Some(tokens), account }, marks))
    }

    pub(super) async fn do_log_in(&self, request: LogInRequest) -> Result<LogInResponse, Fault> {
        // Nobody has such an address or password, so there is nothing to hide by taking long.
        let email = Email::parse(&request.email).map_err(|_| Reason::BadCredentials)?;
        check_password(&request.password).map_err(|_| Reason::BadCredentials)?;
        let (mut tx, id) = self.authenticate(&email, request.password).await?;
        let tokens = self.open_session(&mut tx, id, self.clock.now()).await?;
        let member = find_member(&mut tx, id).await?.ok_or(Reason::BadCredentials)?;
        tx.commit().await?;
        Ok(LogInResponse { tokens: Some(tokens), account: Some(convert::account(member)) })
    }

    /// Whose credentials these are, with a transaction in which that holds. An unknown account
    /// takes the same steps as a wrong password.
    async fn authenticate(&self, email: &Email, password: String) -> Result<(Tx, MemberId), Fault> {
        self.store.check_failures(email, self.limit, self.clock.now()).await?;
        let (id, hash) = self.store.find_credentials(email).await?.unzip();
        let right = self.passwords.verify(password, hash.map(|PasswordHash(hash)| hash)).await?;
        let now = self.clock.now();
        let mut tx = self.outbox.begin().await?;
        match id.filter(|_| right) {
            Some(id) => {
                clear_failures(&mut tx, email, self.limit, now).await?;
                Ok((tx, id))
            }
            None => {
                count_failure(&mut tx, email, self.limit, now).await?;
                tx.commit().await?;
                Err(Reason::BadCredentials.into())
            }
        }
    }

    pub(super) async fn do_get_account(&self, call: &Call) -> Result<GetAccountResponse, Fault> {
        let caller = call.require_caller()?;
        let view = self.reads.of(call).await;
        let found = match self.store.find(&view, None, caller.member).await? {
            Some(found) => Some(found),
            // Who has just signed up is somebody, also when they forgot what they have seen.
            None => self.store.find(&self.reads.primary(), None, caller.member).await?,
        };
        let (member, _) = found.ok_or_else(Fault::unauthenticated)?;
        Ok(GetAccountResponse { account: Some(convert::account(member)) })
    }
}

fn other_input() -> Fault {
    Fault::new(
        Code::IdempotencyKeyReused,
        "IDEMPOTENCY_KEY_REUSED",
        "This key was used with other input.",
    )
    .in_korean("이 멱등 키는 다른 입력에 쓰였습니다.")
}
