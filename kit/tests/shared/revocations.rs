//! Revoked sessions between processes: refused everywhere at once, never believed of a Redis that may have lost
//! some, and no longer guessed at when nobody can be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moim_kit::id::{MemberId, SessionId};
use moim_kit::shared::Revocation;
use moim_kit::token::{KeySource, PublicKey, Verifier};
use moim_kit::{Clock, Code, Fault};
use moim_testbed::{Redis, Signer};
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use crate::{PATIENCE, Process};

const MINUTE: Duration = Duration::from_secs(60);

/// The member room's truth, which may be out of reach.
#[derive(Default)]
struct Member {
    signer: Signer,
    revoked: Mutex<Vec<Revocation>>,
    away: AtomicBool,
    asked: AtomicUsize,
}

/// How one process reaches it.
struct Wire(Arc<Member>, Arc<AtomicBool>);

#[async_trait]
impl KeySource for Wire {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        self.0.signer.keys().await
    }

    async fn revocations(&self) -> Result<Vec<Revocation>, Fault> {
        if self.0.away.load(Ordering::SeqCst) || self.1.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("MEMBER_AWAY", "the member room is away"));
        }
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.0.revoked.lock().clone())
    }
}

impl Member {
    /// A token of somebody.
    fn token(&self) -> (SessionId, Arc<str>) {
        let (caller, token) = self.signer.token(MemberId::fresh(), Clock::system().now());
        (caller.session, token.into())
    }
}

/// A process that verifies tokens.
struct Room {
    verifier: Arc<Verifier>,
    cut_off: Arc<AtomicBool>,
    process: Process,
}

impl Room {
    /// With the member room next door it tells, else it hears.
    async fn open(member: &Arc<Member>, url: &str, tells: bool, good_for: Duration) -> Self {
        let process = Process::at(url).await;
        let verifier = Arc::new(Verifier::new(Clock::system()));
        let cut_off = Arc::new(AtomicBool::new(false));
        verifier.set_source(Arc::new(Wire(member.clone(), cut_off.clone())));
        verifier.trust_for(good_for);
        verifier.set_bulletin(process.redis.bulletin(), tells);
        let watched = verifier.clone();
        process.tasks.supervise("revocations", move || watched.clone().watch());
        let told = verifier.clone();
        process.tasks.supervise("revocations told", move || told.clone().tell());
        Self { verifier, cut_off, process }
    }

    async fn says(&self, token: &Arc<str>) -> Option<Code> {
        self.verifier.verify(token).await.err().map(|fault| fault.code())
    }

    /// Waits for what it says of a token.
    async fn comes_to_say(&self, token: &Arc<str>, code: Option<Code>) {
        let reached = async {
            while self.says(token).await != code {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("never {code:?}"));
    }
}

/// Revoked as the member room does it: the truth first, then whoever can be told.
fn revoke(member: &Member, room: &Room, session: SessionId) {
    let until = Clock::system().now().after(MINUTE);
    member.revoked.lock().push((session, until));
    room.verifier.revoke(session, until);
}

#[tokio::test]
async fn a_session_revoked_in_one_process_is_refused_in_all_and_its_sockets_end() {
    let Some(server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    let other = Room::open(&member, &server.url(), false, MINUTE).await;
    let (session, token) = member.token();
    let (neighbour, neighbours) = member.token();
    assert_eq!(other.says(&token).await, None);
    assert!(other.verifier.is_good(session));

    revoke(&member, &home, session);
    assert_eq!(home.says(&token).await, Some(Code::Unauthenticated));
    other.comes_to_say(&token, Some(Code::Unauthenticated)).await;
    assert!(!other.verifier.is_good(session) && other.verifier.is_good(neighbour));
    assert_eq!(other.says(&neighbours).await, None);
}

#[tokio::test]
async fn processes_ask_redis_and_spare_the_member_room() {
    let Some(server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    let (session, token) = member.token();
    revoke(&member, &home, session);
    // Told and filled by now, it answers for the member room to a process that cannot reach it.
    let told = Room::open(&member, &server.url(), false, MINUTE).await;
    told.cut_off.store(true, Ordering::SeqCst);
    told.comes_to_say(&token, Some(Code::Unauthenticated)).await;
    let (_, good) = member.token();
    told.comes_to_say(&good, None).await;
}

#[tokio::test]
async fn a_redis_that_lost_revocations_is_not_believed_before_it_has_them_again() {
    let Some(mut server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let (session, token) = member.token();
    let until = Clock::system().now().after(MINUTE);
    member.revoked.lock().push((session, until));
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    home.comes_to_say(&token, Some(Code::Unauthenticated)).await;

    for emptied in ["flushed", "restarted"] {
        member.away.store(true, Ordering::SeqCst);
        if emptied == "flushed" {
            server.flush().await;
        } else {
            server.kill();
            server.start_again().await;
            home.process.until_up(true).await;
        }
        // Nobody knows what is revoked: neither is the session let in, nor are others judged.
        let fresh = Room::open(&member, &server.url(), false, MINUTE).await;
        fresh.process.until_up(true).await;
        assert_eq!(fresh.says(&token).await, Some(Code::Unavailable), "{emptied}");
        member.away.store(false, Ordering::SeqCst);
        fresh.cut_off.store(true, Ordering::SeqCst);
        fresh.comes_to_say(&token, Some(Code::Unauthenticated)).await;
        assert_eq!(home.says(&token).await, Some(Code::Unauthenticated), "{emptied}");
    }
}

#[tokio::test]
async fn a_set_nobody_vouches_for_any_more_is_not_believed() {
    let Some(server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    let (_, token) = member.token();
    let early = Room::open(&member, &server.url(), false, MINUTE).await;
    early.cut_off.store(true, Ordering::SeqCst);
    early.comes_to_say(&token, None).await;
    // The member room can reach its truth no more, so what it told is of yesterday soon.
    member.away.store(true, Ordering::SeqCst);
    let lapsed = async {
        loop {
            let late = Room::open(&member, &server.url(), false, MINUTE).await;
            if late.says(&token).await == Some(Code::Unavailable) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, lapsed).await.unwrap();
    assert_eq!(early.says(&token).await, None, "what was read is good for a while");
    drop(home);
}

#[tokio::test]
async fn a_revocation_while_redis_is_frozen_is_learnt_from_the_member_room() {
    let Some(mut server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    let other = Room::open(&member, &server.url(), false, MINUTE).await;
    let (session, token) = member.token();
    assert_eq!(other.says(&token).await, None);
    server.freeze().await;
    revoke(&member, &home, session);
    other.comes_to_say(&token, Some(Code::Unauthenticated)).await;
    server.thaw().await;
    other.process.until_up(true).await;
    for _ in 0..20 {
        assert_eq!(other.says(&token).await, Some(Code::Unauthenticated), "never again");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn when_nobody_can_be_asked_the_last_list_is_good_for_a_while_and_no_longer() {
    let Some(mut server) = Redis::start().await else { return };
    let member = Arc::new(Member::default());
    let home = Room::open(&member, &server.url(), true, MINUTE).await;
    let other = Room::open(&member, &server.url(), false, Duration::from_secs(3)).await;
    let (gone, revoked) = member.token();
    let (session, token) = member.token();
    revoke(&member, &home, gone);
    other.comes_to_say(&revoked, Some(Code::Unauthenticated)).await;
    assert_eq!(other.says(&token).await, None);

    member.away.store(true, Ordering::SeqCst);
    server.kill();
    assert_eq!(other.says(&token).await, None, "for a while");
    other.comes_to_say(&token, Some(Code::Unavailable)).await;
    assert!(!other.verifier.is_good(session), "its sockets end");
    assert_eq!(other.says(&revoked).await, Some(Code::Unauthenticated));
    let asked = member.asked.load(Ordering::SeqCst);

    member.away.store(false, Ordering::SeqCst);
    other.comes_to_say(&token, None).await;
    assert!(member.asked.load(Ordering::SeqCst) > asked);
    assert_eq!(other.says(&revoked).await, Some(Code::Unauthenticated));
}
