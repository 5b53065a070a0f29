//! The negative control: without the gathering's lock a burst gives places out twice, so its test can fail.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use futures::future::join_all;
use moim_kit::Fault;
use moim_kit::id::{GatheringId, MemberId, SessionId};
use moim_kit::trace::Trace;
use moim_kit::{Call, Caller};
use moim_proto::chat::v1::SendRequest;
use moim_storage::{Ground, Outbox};
use tokio::time::Instant;

use super::Server;
use crate::MIGRATIONS;
use crate::events::{COPIED, Cards};
use crate::model::{Card, Role};
use crate::store::Store;

const PEOPLE: usize = 40;

/// Everybody says one thing at the same moment; answers the sequences given out, in order.
async fn burst(ground: &Ground, store: fn(Outbox) -> Store) -> Vec<i64> {
    let store = store(ground.outbox.clone());
    let cards =
        Cards { store: store.clone(), copies: ground.copies(COPIED), wait: Duration::from_secs(1) };
    let clock = ground.clock.clone();
    let server = Server { store, cards, clock, resume_limit: 10 };
    let gathering = GatheringId::fresh();
    let mut people = Vec::new();
    let mut tx = server.store.begin().await.unwrap();
    for n in 0..PEOPLE {
        let member = MemberId::fresh();
        let card = Card { member, nickname: format!("회원{n}"), avatar_url: None };
        server.store.keep_card(&mut tx, &card, 1).await.unwrap();
        let of = (gathering, member);
        server.store.keep_membership(&mut tx, of, Role::Member, "ACTIVE", 1).await.unwrap();
        people.push(member);
    }
    tx.commit().await.unwrap();
    let sent = join_all(people.iter().map(async |member| {
        let caller = Caller { member: *member, session: SessionId::fresh() };
        let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20))
            .by(caller, String::new());
        let request = SendRequest {
            gathering_id: gathering.to_string(),
            body: "안녕하세요".to_owned(),
            client_id: "first".to_owned(),
        };
        let answer = server.say(&call, request).await?;
        Ok::<_, Fault>(answer.into_inner().message.unwrap().sequence)
    }));
    let mut sequences: Vec<_> = sent.await.into_iter().filter_map(Result::ok).collect();
    sequences.sort_unstable();
    sequences
}

moim_testbed::on_both_databases! {
    async fn with_the_lock_everybody_gets_a_place_of_their_own(bed: Bed) {
        let ground = bed.ground("chat", &MIGRATIONS).await;
        let all: Vec<_> = (1..).take(PEOPLE).collect();
        assert_eq!(burst(&ground, Store::new).await, all);
    }

    async fn without_the_lock_only_the_constraint_holds(bed: Bed) {
        let ground = bed.ground("chat", &MIGRATIONS).await;
        let given = burst(&ground, Store::careless).await;
        if bed.storage.url.is_empty() {
            // SQLite has one writer: the lock of the whole database stands in for the gathering's.
            assert_eq!(given.len(), PEOPLE);
        } else {
            assert!(given.len() < PEOPLE, "{given:?}");
        }
    }
}
