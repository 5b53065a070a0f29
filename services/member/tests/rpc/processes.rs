//! Several processes of this room on one database, at once and one after another.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use moim_member::Config;
use moim_proto::member::v1::*;
use moim_testbed::on_both_databases;

use crate::stand::{Stand, anonymous, answer, config, reason};

async fn kids(stand: &Stand) -> Vec<String> {
    let request = anonymous().request(ListSigningKeysRequest {});
    let listed = answer(stand.client().list_signing_keys(request).await).unwrap();
    listed.keys.into_iter().map(|key| key.kid).collect()
}

on_both_databases! {
    async fn processes_that_start_at_once_share_one_key_and_accept_each_others_tokens(bed: Bed) {
        let mut grounds = Vec::new();
        for _ in 0..3 {
            grounds.push(Stand::ground(&bed).await);
        }
        let stands = join_all(grounds.into_iter().map(|g| Stand::on(&bed, g, config()))).await;
        let first = kids(&stands[0]).await;
        assert_eq!(first.len(), 1);
        for (n, stand) in stands.iter().enumerate() {
            assert_eq!(kids(stand).await, first);
            let person = stand.person(&format!("kim_{n}")).await;
            for other in &stands {
                assert!(other.account(&person.tokens.access_token).await.is_ok());
            }
            let next = stands[(n + 1) % 3].refresh(&person.tokens.refresh_token).await.unwrap();
            assert!(stand.account(&next.access_token).await.is_ok());
        }
    }

    async fn tokens_survive_a_restart(bed: Bed) {
        let kim = {
            let stand = Stand::new(&bed).await;
            let kim = stand.person("Kim").await;
            stand.ground.db.close().await;
            kim
        };
        let stand = Stand::new(&bed).await;
        assert!(stand.account(&kim.tokens.access_token).await.is_ok());
        assert!(stand.refresh(&kim.tokens.refresh_token).await.is_ok());
    }

    async fn a_log_out_in_one_process_reaches_the_others(bed: Bed) {
        let (here, there) = (Stand::new(&bed).await, Stand::new(&bed).await);
        let kim = here.person("Kim").await;
        let token = &kim.tokens.access_token;
        assert!(there.account(token).await.is_ok());
        bed.tasks.supervise("revocations", {
            let verifier = there.ground.verifier.clone();
            move || verifier.clone().watch()
        });
        let request = kim.call().request(LogOutRequest { everywhere: false });
        here.client().log_out(request).await.unwrap();
        assert_eq!(reason(here.account(token).await), "UNAUTHENTICATED");
        assert_eq!(reason(there.refresh(&kim.tokens.refresh_token).await), "SESSION_REVOKED");
        let mut refused = false;
        for _ in 0..200 {
            refused = there.account(token).await.is_err();
            if refused {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(refused, "the other process learns it by polling");
        let fresh = Stand::new(&bed).await;
        assert_eq!(
            reason(fresh.account(token).await),
            "UNAUTHENTICATED",
            "as does one that starts"
        );
    }

    async fn an_operators_key_takes_the_place_of_the_databases(bed: Bed) {
        let before = Stand::new(&bed).await;
        let kim = before.person("Kim").await;
        let file = bed.data().join("signing.key");
        std::fs::write(&file, STANDARD.encode([5; 32])).unwrap();
        let given = Config { signing_key_file: file, ..config() };
        let stand = Stand::with(&bed, given.clone()).await;
        assert_eq!(kids(&stand).await.len(), 1);
        assert_ne!(kids(&stand).await, kids(&before).await);
        assert_eq!(reason(stand.account(&kim.tokens.access_token).await), "UNAUTHENTICATED");
        let next = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        assert!(stand.account(&next.access_token).await.is_ok());
        let again = Stand::with(&bed, given).await;
        assert!(again.account(&next.access_token).await.is_ok());
    }

    async fn a_room_that_cannot_stand_says_why(bed: Bed) {
        let file = bed.data().join("signing.key");
        std::fs::write(&file, "c2VjcmV0").unwrap();
        for (config, named) in [
            (Config { signing_key_file: file, ..config() }, "signing.key"),
            (Config { signing_key_file: "/nowhere.key".into(), ..config() }, "/nowhere.key"),
            (Config { hashing_memory_kib: 1, ..config() }, "member.hashing_"),
            (Config { access_token_s: 0, ..config() }, "member.access_token_s"),
        ] {
            let ground = bed.ground("member", &moim_member::MIGRATIONS).await;
            let sentence = match moim_member::open(config, ground).await {
                Ok(_) => panic!("it stands"),
                Err(fault) => fault.to_string(),
            };
            assert!(sentence.contains(named) && !sentence.contains("c2Vj"), "{sentence}");
        }
    }
}
