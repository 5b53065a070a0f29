//! Certificates between rooms: who shows none, a foreign one or one that ended stays outside, and new ones are
//! taken up while calls go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moim_e2e::{Authority, Life, Platform, eventually, json};
use moim_kit::task::Tasks;
use moim_kit::tls::{Config, Tls};
use moim_kit::trace::Trace;
use moim_kit::wire::{self, Wire};
use moim_kit::{Call, Clock};
use moim_proto::member::v1::ListSigningKeysRequest;
use moim_proto::member::v1::member_service_client::MemberServiceClient;
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::room::{Room, list_keys};

const STOP_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_no_good_certificate_stays_outside() {
    let room = Room::secured(&[]).await;
    room.works().await;
    let foreign = Authority::new().vouch(&["bff"], Life::long());
    let over = room.authority().vouch(&["bff"], Life::over());
    let shown = [("none", None), ("foreign", Some(&foreign)), ("over", Some(&over))];
    for (what, shown) in shown {
        let shown = shown.map(|(certificate, key)| (certificate.as_str(), key.as_str()));
        let refused = list_keys(&room.channel_with(shown)).await.unwrap_err();
        let lost = [Code::Unavailable, Code::Unknown, Code::Cancelled];
        assert!(lost.contains(&refused.code()), "{what}: {refused:?}");
    }
    // Nor does it answer without any encryption.
    assert!(list_keys(&room.channel()).await.is_err());
    let said = room.process.stderr();
    assert!(said.contains("refused for a certificate"), "{said}");
    room.works().await;
}

/// What an endpoint keeps of its certificate, and its wire to the room.
async fn endpoint(room: &Room, tasks: &Tasks) -> (Config, Wire) {
    let directory = room.directory().join("endpoint");
    let [certificate, key, authority] = room.authority().issue(&directory, &["bff"], Life::long());
    let config = Config {
        certificate_file: certificate.1.into(),
        key_file: key.1.into(),
        authority_file: authority.1.into(),
        reread_ms: 200,
        // Connections are young, so that each certificate is really used.
        renew_ms: 300,
        ..Config::default()
    };
    let tls = Tls::open(&config, Clock::system()).await.unwrap().unwrap();
    let to = tls.to("member").unwrap();
    tasks.supervise("certificates", move || tls.clone().watch());
    let wire = wire::remote_to(&format!("https://{}", room.address), Some(&to)).unwrap();
    (config, wire)
}

async fn ask(wire: &Wire) -> Result<(), Status> {
    let call = Call::new(Trace::fresh(), Instant::now() + Duration::from_secs(20));
    let mut client = MemberServiceClient::new(wire.clone());
    client.list_signing_keys(call.request(ListSigningKeysRequest {})).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_replaced_without_an_error_and_expire_when_they_are_not() {
    // Connections are young, so that each certificate is really used.
    let knobs = [("MOIM_ROOMS__LIMITS__CONNECTION_AGE_MS", "700"), ("MOIM_TLS__REREAD_MS", "200")];
    let room = Room::secured(&knobs).await;
    let tasks = Tasks::new();
    let (config, wire) = endpoint(&room, &tasks).await;
    let directory = config.certificate_file.parent().unwrap().to_owned();
    ask(&wire).await.unwrap();
    let (asked, failed) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<Status>>>::default());
    for _ in 0..4 {
        let (wire, asked, failed) = (wire.clone(), asked.clone(), failed.clone());
        tasks.supervise("load", move || {
            let (wire, asked, failed) = (wire.clone(), asked.clone(), failed.clone());
            async move {
                loop {
                    match ask(&wire).await {
                        Ok(()) => _ = asked.fetch_add(1, Ordering::Relaxed),
                        Err(status) => failed.lock().unwrap().push(status),
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            }
        });
    }
    let papers = room.directory().join("papers");
    for _ in 0..5 {
        room.authority().issue(&papers, &["member"], Life::of(8));
        room.authority().issue(&directory, &["bff"], Life::of(8));
        sleep(Duration::from_secs(2)).await;
    }
    assert!(failed.lock().unwrap().is_empty(), "{failed:?}");
    let during = asked.load(Ordering::Relaxed);
    assert!(during > 100, "{during} calls are no load");

    // The last ones end, and nobody replaces them.
    let refused = eventually(async || match ask(&wire).await {
        Ok(()) => Err(json!("still answered")),
        Err(status) => Ok(status),
    })
    .await;
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let said = eventually(async || {
        let said = room.process.stderr();
        if said.contains("has ended") { Ok(said) } else { Err(json!(said)) }
    })
    .await;
    assert!(said.contains("ends soon"), "{said}");
    // What does not fit is not taken, what fits heals it.
    room.authority().issue(&papers, &["member"], Life::long());
    room.authority().issue(&directory, &["bff"], Life::long());
    eventually(async || ask(&wire).await.map_err(|status| json!(status.to_string()))).await;
    assert!(tasks.stop(STOP_WITHIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_house_of_processes_lives_behind_certificates() {
    let platform = Platform::secured(&Authority::new()).await;
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({ "title": "벽 뒤의 모임" })).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    let guest = platform.sign_up("guest").await;
    // Cards, memberships and seats travel between rooms as facts.
    guest.join(&gathering).await;
    assert_eq!(guest.attend(&schedule).await["state"], "GOING");
    eventually(async || {
        let body = guest.graphql(EVERYWHERE, json!({ "id": gathering })).await;
        let found = body["data"]["search"]["edges"].as_array().is_some_and(|it| !it.is_empty());
        let told = body["data"]["viewer"]["wallet"]["balance"].is_i64();
        if body.get("errors").is_none() && found && told { Ok(()) } else { Err(body) }
    })
    .await;
}

const EVERYWHERE: &str = "query($id: ID!) {
  viewer { email wallet { balance } }
  node(id: $id) { ... on Gathering { title host { nickname bio } schedules(first: 3) { edges { node { title } } } } }
  search(query: \"모임\", first: 9) { edges { node { ... on Gathering { title } } } }
}";
