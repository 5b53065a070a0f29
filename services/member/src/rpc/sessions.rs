//! Keeping a session alive, ending it, and what others need to verify its access tokens.

use std::time::Duration;

use moim_kit::id::MemberId;
use moim_kit::{Caller, Fault, Timestamp};
use moim_proto::member::v1::*;
use moim_storage::Tx;

use crate::convert;
use crate::fault::Reason;
use crate::rpc::Rpc;
use crate::session::{RefreshToken, Session, Verdict};
use crate::store::{
    find_standing, insert_session, lock_member, lock_session_of, revoke_all, revoke_session,
    rotate_token, touch_session,
};
use crate::token::public_key;

/// Verifiers bear with tokens for 30 s after they expired; as much again for clocks that differ.
const LEEWAY: Duration = Duration::from_secs(60);

impl Rpc {
    /// Opens a session for a member within a transaction.
    pub(super) async fn open_session(
        &self,
        tx: &mut Tx,
        member: MemberId,
        now: Timestamp,
    ) -> Result<Tokens, Fault> {
        let (session, token) = Session::open(member, &self.lifetimes, now);
        insert_session(tx, &session, &token).await?;
        self.tokens(&session, token, now)
    }

    fn tokens(
        &self,
        session: &Session,
        refresh: RefreshToken,
        now: Timestamp,
    ) -> Result<Tokens, Fault> {
        let caller = Caller { member: session.member, session: session.id };
        let expires_at = session.access_expiry(&self.lifetimes, now);
        Ok(Tokens {
            access_token: self.signer.sign(caller, now, expires_at)?,
            access_expires_at_us: expires_at.us(),
            refresh_token: refresh.into_text(),
            refresh_expires_at_us: session.expires_at.us(),
        })
    }

    pub(super) async fn do_refresh(
        &self,
        request: RefreshRequest,
    ) -> Result<RefreshResponse, Fault> {
        let token = RefreshToken::parse(&request.refresh_token).ok_or(Reason::SessionRevoked)?;
        let mut tx = self.outbox.begin().await?;
        let session = lock_session_of(&mut tx, &token).await?;
        let mut session = session.ok_or(Reason::SessionRevoked)?;
        let successor = token
            .successor(&session.secret)
            .ok_or_else(|| Fault::internal("a session has a secret of no use"))?;
        let standing = find_standing(&mut tx, &token, &successor).await?;
        let standing = standing.ok_or(Reason::SessionRevoked)?;
        let now = self.clock.now();
        match session.judge(standing, &self.lifetimes, now) {
            // Spent by another at this very moment it is a repetition: the successor is the same.
            Verdict::Rotate => {
                rotate_token(&mut tx, session.id, &token, &successor, now).await?;
            }
            Verdict::Repeat => {}
            Verdict::Refuse => return Err(Reason::SessionRevoked.into()),
            Verdict::Revoke => {
                revoke_session(&mut tx, session.member, session.id, now).await?;
                tx.commit().await?;
                self.verifier.revoke(session.id, self.tokens_dead_at(now));
                tracing::warn!(
                    session = %session.id,
                    member = %session.member,
                    "a spent refresh token came again; the session is revoked"
                );
                return Err(Reason::SessionRevoked.into());
            }
        }
        session.use_at(&self.lifetimes, now);
        touch_session(&mut tx, &session, now).await?;
        tx.commit().await?;
        Ok(RefreshResponse { tokens: Some(self.tokens(&session, successor, now)?) })
    }

    pub(super) async fn do_log_out(
        &self,
        caller: Caller,
        request: LogOutRequest,
    ) -> Result<LogOutResponse, Fault> {
        let now = self.clock.now();
        let mut tx = self.outbox.begin().await?;
        let mut ended = vec![caller.session];
        if request.everywhere {
            lock_member(&mut tx, caller.member).await?.ok_or_else(Fault::unauthenticated)?;
            ended.extend(revoke_all(&mut tx, caller.member, now.before(LEEWAY), now).await?);
        } else if !revoke_session(&mut tx, caller.member, caller.session, now).await? {
            return Err(Fault::unauthenticated());
        }
        tx.commit().await?;
        for session in ended {
            self.verifier.revoke(session, self.tokens_dead_at(now));
        }
        Ok(LogOutResponse {})
    }

    pub(super) async fn do_list_signing_keys(&self) -> Result<ListSigningKeysResponse, Fault> {
        let keys = if self.signer_is_given {
            vec![self.signer.public().clone()]
        } else {
            self.store.list_seeds().await?.iter().map(public_key).collect()
        };
        Ok(ListSigningKeysResponse { keys: keys.into_iter().map(convert::signing_key).collect() })
    }

    pub(super) async fn do_list_revocations(&self) -> Result<ListRevocationsResponse, Fault> {
        let after = self.clock.now().before(self.lifetimes.access).before(LEEWAY);
        let revoked = self.store.list_revoked(after).await?;
        let revocations = revoked
            .into_iter()
            .map(|(session, at)| convert::revocation(session, self.tokens_dead_at(at)))
            .collect();
        Ok(ListRevocationsResponse { revocations })
    }

    /// When the last access token of a session revoked at an instant is refused by itself.
    fn tokens_dead_at(&self, revoked_at: Timestamp) -> Timestamp {
        revoked_at.after(self.lifetimes.access).after(LEEWAY)
    }
}
