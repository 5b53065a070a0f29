//! Saying something and taking it away: who may, what is refused, and what happens twice.

use futures::future::join_all;
use moim_kit::Code;

use crate::*;

moim_testbed::on_both_databases! {
    async fn what_is_said_gets_a_place_without_gaps_however_many_speak_at_once(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let mut people = Vec::new();
        for _ in 0..20 {
            people.push(world.guest(gathering).await);
        }
        let said = join_all(people.iter().map(async |member| {
            // One of them is refused in the middle of it and must leave no gap.
            let bad = world.send(world.bed.call(*member), say(gathering, "다른 말", "")).await;
            assert_eq!(bad.unwrap_err().reason(), "CLIENT_ID_INVALID");
            world.says(*member, gathering, "hello").await.message.unwrap().sequence
        }));
        let mut sequences = said.await;
        sequences.sort_unstable();
        assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
        let told = world.told("chat_message", 20).await;
        let order = told.iter().map(|fact| {
            let event: ChatMessageEvent = prost_of(&fact.payload);
            assert_eq!((fact.version, fact.topic), (1, Some(gathering.uuid())));
            event.message.unwrap().sequence
        });
        assert_eq!(order.collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>(), "told in its order");
    }

    async fn a_client_id_twice_even_at_the_same_time_is_one_message(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        let tries = (0..8).map(|_| world.says(member, gathering, "once"));
        let answers = join_all(tries).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let fault = world.send(world.bed.call(member), say(gathering, "다른 말", "한번")).await;
        assert_eq!(fault.unwrap_err().reason(), "CLIENT_ID_INVALID", "letters of other scripts");
        world.told("chat_message", 1).await;
    }

    async fn a_client_id_with_another_body_is_refused_and_is_free_for_others(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let (one, two) = (world.guest(gathering).await, world.guest(gathering).await);
        world.send(world.bed.call(one), say(gathering, "하나", "a")).await.unwrap();
        let other = world.send(world.bed.call(one), say(gathering, "둘", "a")).await.unwrap_err();
        assert_eq!(
            (other.code(), other.reason()),
            (Code::IdempotencyKeyReused, "CLIENT_ID_REUSED")
        );
        let theirs = world.send(world.bed.call(two), say(gathering, "둘", "a")).await.unwrap();
        assert_eq!(theirs.message.unwrap().sequence, 2);
    }

    async fn a_key_twice_answers_the_first_message(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        let keyed = || world.bed.call(member).keyed(Some("key"));
        let sent = world.send(keyed(), say(gathering, "하나", "a")).await.unwrap();
        assert_eq!(world.send(keyed(), say(gathering, "하나", "a")).await.unwrap(), sent);
        let other = world.send(keyed(), say(gathering, "하나", "b")).await.unwrap_err();
        assert_eq!(other.reason(), "IDEMPOTENCY_KEY_REUSED");
    }

    async fn bad_words_and_strangers_are_refused(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        let long = "가".repeat(2_001);
        for (body, reason) in
            [(" \n", "BODY_EMPTY"), (long.as_str(), "BODY_TOO_LONG"), ("종\u{7}", "BODY_INVALID")]
        {
            let fault = world.send(world.bed.call(member), say(gathering, body, "a")).await;
            let fault = fault.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some("body")));
        }
        let nobody = world.send(world.bed.anonymous(), say(gathering, "하나", "a")).await;
        assert_eq!(nobody.unwrap_err().code(), Code::Unauthenticated);
        let stranger = world.guest(GatheringId::fresh()).await;
        let fault = world.send(world.bed.call(stranger), say(gathering, "하나", "a")).await;
        assert_eq!(fault.unwrap_err().reason(), "NOT_A_MEMBER");
        world.leaves(gathering, member).await;
        let fault = world.send(world.bed.call(member), say(gathering, "하나", "a")).await;
        assert_eq!(fault.unwrap_err().reason(), "NOT_A_MEMBER", "left a moment ago");
        world.told("chat_message", 0).await;
    }

    async fn author_host_and_managers_delete_and_twice_is_the_same(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let author = world.guest(gathering).await;
        let host = world.somebody(gathering, MembershipRole::Host).await;
        let manager = world.somebody(gathering, MembershipRole::Manager).await;
        let other = world.guest(gathering).await;
        let stranger = world.guest(GatheringId::fresh()).await;
        for (text, deleter) in [("a", author), ("b", host), ("c", manager)] {
            let sent = world.says(author, gathering, text).await.message.unwrap();
            let fault = world.delete(other, &sent.id).await.unwrap_err();
            assert_eq!(fault.reason(), "NOT_ALLOWED");
            let fault = world.delete(stranger, &sent.id).await.unwrap_err();
            assert_eq!(fault.reason(), "CHAT_MESSAGE_NOT_FOUND");
            let gone = world.delete(deleter, &sent.id).await.unwrap();
            assert_eq!((gone.body.as_deref(), gone.sequence), (None, sent.sequence));
            assert_eq!(world.delete(deleter, &sent.id).await.unwrap(), gone);
        }
        let missing = MemberId::fresh().to_string();
        let fault = world.delete(author, &missing).await.unwrap_err();
        assert_eq!(fault.reason(), "CHAT_MESSAGE_NOT_FOUND");
        assert_eq!(world.delete(author, "x").await.unwrap_err().reason(), "ID_INVALID");
        let told = world.told("chat_message", 6).await;
        assert_eq!(told.iter().filter(|fact| fact.version == 2).count(), 3);
    }
}

fn prost_of<M: prost::Message + Default>(payload: &[u8]) -> M {
    M::decode(payload).unwrap()
}
