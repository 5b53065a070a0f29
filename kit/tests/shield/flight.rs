//! Single flight at its place: one call for all who ask the same, and never for two identities.

use std::time::Duration;

use futures::future::join_all;
use moim_kit::seen::{Mark, Seen};
use moim_kit::wire::Config;
use moim_kit::{Call, Caller, Clock};
use tokio::time::sleep;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::room::{Room, ask, ask_for, call, ok};

/// Tells each asker which token it has answered.
fn slow() -> Room {
    Room::new(|asked| async move {
        sleep(Duration::from_millis(100)).await;
        let token = asked.headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
        Status::ok(format!("{} {}", asked.nth, token.unwrap_or_default())).into_http()
    })
}

fn by(token: &str) -> Call {
    let (member, session) = (moim_kit::id::MemberId::fresh(), moim_kit::id::SessionId::fresh());
    call().by(Caller { member, session }, token)
}

#[tokio::test(start_paused = true)]
async fn fifty_who_ask_the_same_are_one_call() {
    let room = slow();
    let wire = room.shielded(&Config::default());
    let asker = by("ann");
    let calls: Vec<_> = (0..50).map(|_| asker.clone()).collect();
    let answers = join_all(calls.iter().map(|call| ask(&wire, call, "Get"))).await;
    assert!(answers.iter().all(|status| status.message() == "1 Bearer ann"), "{answers:?}");
    assert_eq!(room.calls(), 1);
    assert_eq!(asker.bill().len(), 50, "the bill names what was asked");
    ask(&wire, &asker, "Get").await;
    assert_eq!(room.calls(), 2, "what was answered is old");
}

#[tokio::test(start_paused = true)]
async fn no_two_identities_share_an_answer() {
    let room = slow();
    let wire = room.shielded(&Config::default());
    let tokens: Vec<_> = (0..30).map(|nth| format!("token-{nth}")).collect();
    let asks = tokens.iter().map(|token| {
        let (call, wire) = (by(token), wire.clone());
        async move { (token, ask(&wire, &call, "Get").await) }
    });
    for (token, status) in join_all(asks).await {
        assert!(status.message().ends_with(&format!(" Bearer {token}")), "{}", status.message());
    }
    assert_eq!(room.calls(), 30);
}

#[tokio::test(start_paused = true)]
async fn other_words_another_language_or_more_seen_is_another_question() {
    let room = slow();
    let wire = room.shielded(&Config::default());
    let asker = by("ann");
    let mut seen = Seen::default();
    seen.merge([Mark::new("member", Uuid::now_v7(), 1, Clock::system().now())]);
    let ahead = asker.clone().having_seen(seen);
    let (english, korean) = ([("accept-language", "en")], [("accept-language", "ko")]);
    tokio::join!(
        ask_for(&wire, &asker, "Get", "one", &[]),
        ask_for(&wire, &asker, "Get", "two", &[]),
        ask_for(&wire, &ahead, "Get", "one", &[]),
        ask_for(&wire, &asker, "Get", "one", &english),
        ask_for(&wire, &asker, "Get", "one", &korean),
        ask_for(&wire, &asker, "List", "one", &[]),
    );
    assert_eq!(room.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn writes_are_never_shared_and_who_comes_after_one_does_not_join_who_came_before() {
    let room = slow();
    let wire = room.shielded(&Config::default());
    let asker = by("ann");
    let early = ask(&wire, &asker, "Get");
    let late = async {
        tokio::join!(ask(&wire, &asker, "Attend"), ask(&wire, &asker, "Attend"));
        sleep(Duration::from_millis(1)).await;
    };
    tokio::join!(early, late);
    assert_eq!(room.calls(), 3);

    let quick = Room::new(|asked| async move {
        if asked.method == "Get" {
            sleep(Duration::from_millis(100)).await;
        }
        Status::ok(asked.nth.to_string()).into_http()
    });
    let wire = quick.shielded(&Config::default());
    let early = ask(&wire, &asker, "Get");
    let late = async {
        ask(&wire, &asker, "Attend").await;
        ask(&wire, &asker, "Get").await
    };
    let (early, late) = tokio::join!(early, late);
    assert_eq!((early.message(), late.message()), ("1", "3"));
}

#[tokio::test(start_paused = true)]
async fn the_one_who_asked_first_may_leave() {
    let room = slow();
    let wire = room.shielded(&Config::default());
    let asker = by("ann");
    let first = tokio::time::timeout(Duration::from_millis(50), ask(&wire, &asker, "Get"));
    let (first, second) = tokio::join!(first, ask(&wire, &asker, "Get"));
    assert!(first.is_err());
    assert_eq!(second.code(), Code::Ok);
    assert_eq!(room.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_little_time_asks_alone() {
    let room = Room::new(|_| async {
        sleep(Duration::from_millis(500)).await;
        ok()
    });
    let wire = room.shielded(&Config::default());
    let asker = by("ann");
    let hurried = asker.clone().until(tokio::time::Instant::now() + Duration::from_millis(200));
    let (hurried, patient) = tokio::join!(ask(&wire, &hurried, "Get"), ask(&wire, &asker, "Get"));
    assert_eq!((hurried.code(), patient.code()), (Code::DeadlineExceeded, Code::Ok));
}
