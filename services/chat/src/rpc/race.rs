//! Places in a burst and after a failure, with the negative control: without the gathering's lock they go wrong.
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
use crate::model::{Card, Draft, Role};
use crate::store::Store;

const PEOPLE: usize = 40;

/// A server, and people of one gathering that it knows.
async fn crowd(ground: &Ground, store: Store) -> (Server, GatheringId, Vec<Card>) {
    let cards =
        Cards { store: store.clone(), copies: ground.copies(COPIED), wait: Duration::from_secs(1) };
    let (clock, reads) = (ground.clock.clone(), ground.reads(COPIED));
    let server = Server { store, reads, cards, clock, resume_limit: 10 };
    let gathering = GatheringId::fresh();
    let mut people = Vec::new();
    let mut tx = server.store.begin().await.unwrap();
    for n in 0..PEOPLE {
        let member = MemberId::fresh();
        let card = Card { member, nickname: format!("회원{n}"), avatar_url: None };
        server.store.keep_card(&mut tx, &card, 1).await.unwrap();
        let of = (gathering, member);
        server.store.keep_membership(&mut tx, of, Role::Member, "ACTIVE", 1).await.unwrap();
        people.push(card);
    }
    tx.commit().await.unwrap();
    (server, gathering, people)
}

/// Somebody says something; answers the sequence it got.
async fn say(
    server: &Server,
    gathering: GatheringId,
    author: &Card,
    client_id: &str,
) -> Result<i64, Fault> {
    let caller = Caller { member: author.member, session: SessionId::fresh() };
    let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20))
        .by(caller, String::new());
    let request = SendRequest {
        gathering_id: gathering.to_string(),
        body: "안녕하세요".to_owned(),
        client_id: client_id.to_owned(),
    };
    Ok(server.say(&call, request).await?.into_inner().message.unwrap().sequence)
}

/// Everybody says one thing at the same moment; answers the sequences given out, in order.
async fn burst(ground: &Ground, store: fn(Outbox) -> Store) -> Vec<i64> {
    let (server, gathering, people) = crowd(ground, store(ground.outbox.clone())).await;
    let sent = join_all(people.iter().map(|author| say(&server, gathering, author, "first")));
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
    async fn a_message_that_fails_after_it_got_its_place_leaves_no_gap(bed: Bed) {
        let ground = bed.ground("chat", &MIGRATIONS).await;
        let (server, gathering, people) = crowd(&ground, Store::new(ground.outbox.clone())).await;
        let [author, other] = [&people[0], &people[1]];
        assert_eq!(say(&server, gathering, author, "first").await.unwrap(), 1);
        // As if another try of the same sender had slipped past the lookup: the constraint refuses it.
        let mut tx = server.store.begin().await.unwrap();
        let sequence = server.store.next_sequence(&mut tx, gathering).await.unwrap();
        assert_eq!(sequence, 2);
        let draft =
            Draft { gathering, body: "안녕하세요".to_owned(), client_id: "first".to_owned() };
        let twin = draft.sent(author.clone(), sequence, server.clock.now());
        let fault = server.store.insert_message(&mut tx, &twin).await.unwrap_err();
        assert_eq!(fault.reason(), "CLIENT_ID_REUSED");
        // Whoever speaks meanwhile waits for the place, and gets it once it is given back.
        let (said, ()) = tokio::join!(say(&server, gathering, other, "second"), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(tx);
        });
        assert_eq!(said.unwrap(), 2);
        assert_eq!(say(&server, gathering, author, "third").await.unwrap(), 3);
    }
}
