//! Keeping sessions alive and ending them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use moim_kit::Code;
use moim_proto::member::v1::*;
use moim_testbed::{Bed, on_both_databases};

use crate::stand::{PASSWORD, Stand, anonymous, answer, reason};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn pass(bed: &Bed, span: Duration) {
    bed.clock.set(bed.clock.now().after(span));
}

async fn log_out(
    stand: &Stand,
    access_token: &str,
    everywhere: bool,
) -> Result<(), moim_kit::Fault> {
    let request = crate::stand::bearing(access_token).request(LogOutRequest { everywhere });
    answer(stand.client().log_out(request).await).map(|_| ())
}

async fn revocations(stand: &Stand) -> Vec<Revocation> {
    let request = anonymous().request(ListRevocationsRequest {});
    answer(stand.client().list_revocations(request).await).unwrap().revocations
}

on_both_databases! {
    async fn a_refresh_token_is_traded_for_a_new_pair(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        pass(&bed, Duration::from_secs(60));
        let next = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        assert_ne!(next.refresh_token, kim.tokens.refresh_token);
        assert_ne!(next.access_token, kim.tokens.access_token);
        assert!(next.access_expires_at_us > kim.tokens.access_expires_at_us);
        assert!(next.refresh_expires_at_us > kim.tokens.refresh_expires_at_us);
        for token in [&kim.tokens.access_token, &next.access_token] {
            assert!(stand.account(token).await.is_ok());
        }
        let third = stand.refresh(&next.refresh_token).await.unwrap();
        assert!(stand.account(&third.access_token).await.is_ok());
    }

    async fn a_hundred_parallel_refreshes_of_one_token_give_one_successor(bed: Bed) {
        let stands = [Stand::new(&bed).await, Stand::new(&bed).await];
        let kim = stands[0].person("Kim").await;
        let tries = (0..100).map(|n| stands[n % 2].refresh(&kim.tokens.refresh_token));
        let answers: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        let successors: BTreeSet<_> =
            answers.iter().map(|tokens| tokens.refresh_token.clone()).collect();
        assert_eq!(successors.len(), 1);
        assert_eq!(stands[0].count("SELECT COUNT(*) FROM refresh_token").await, 2);
        assert!(stands[1].refresh(successors.first().unwrap()).await.is_ok());
    }

    async fn a_lost_answer_is_repaired_within_the_grace(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let first = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        pass(&bed, Duration::from_secs(9));
        let again = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        assert_eq!(again.refresh_token, first.refresh_token);
        assert!(stand.account(&again.access_token).await.is_ok());
        assert!(stand.refresh(&again.refresh_token).await.is_ok());
    }

    async fn a_spent_token_after_the_grace_ends_the_whole_session_at_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let elsewhere = stand.log_in(&kim.email, PASSWORD).await.unwrap().tokens.unwrap();
        let next = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        pass(&bed, Duration::from_secs(11));
        let fault = stand.refresh(&kim.tokens.refresh_token).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("SESSION_REVOKED", Code::SessionRevoked));
        assert_eq!(reason(stand.refresh(&next.refresh_token).await), "SESSION_REVOKED");
        for token in [&kim.tokens.access_token, &next.access_token] {
            assert_eq!(reason(stand.account(token).await), "UNAUTHENTICATED");
        }
        assert_eq!(revocations(&stand).await.len(), 1);
        assert!(stand.account(&elsewhere.access_token).await.is_ok(), "other sessions live on");
        assert!(stand.refresh(&elsewhere.refresh_token).await.is_ok());
    }

    async fn a_spent_token_whose_successor_was_used_ends_the_session_at_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let second = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        let third = stand.refresh(&second.refresh_token).await.unwrap();
        assert_eq!(reason(stand.refresh(&kim.tokens.refresh_token).await), "SESSION_REVOKED");
        assert_eq!(reason(stand.refresh(&third.refresh_token).await), "SESSION_REVOKED");
        assert_eq!(reason(stand.account(&third.access_token).await), "UNAUTHENTICATED");
    }

    async fn what_is_no_token_opens_nothing(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let other = "A".repeat(43);
        let long = "A".repeat(100_000);
        for token in ["", "x", "\0", &other, &long, &kim.tokens.access_token, "' OR 1=1 --"] {
            assert_eq!(reason(stand.refresh(token).await), "SESSION_REVOKED", "{token:?}");
        }
        assert!(stand.refresh(&kim.tokens.refresh_token).await.is_ok());
    }

    async fn a_session_ends_when_it_idles(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        pass(&bed, DAY * 14 - Duration::from_secs(60));
        let tokens = stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        pass(&bed, DAY * 14);
        assert_eq!(reason(stand.refresh(&tokens.refresh_token).await), "SESSION_REVOKED");
        assert!(revocations(&stand).await.is_empty(), "it ended by itself");
    }

    async fn a_session_ends_after_thirty_days_however_it_is_used(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let opened = bed.clock.now();
        let mut tokens = stand.person("Kim").await.tokens;
        for _ in 0..3 {
            pass(&bed, DAY * 10 - Duration::from_secs(30));
            tokens = stand.refresh(&tokens.refresh_token).await.unwrap();
        }
        let end = opened.after(DAY * 30).us();
        assert!((tokens.refresh_expires_at_us - end).abs() < 60_000_000);
        assert!(tokens.access_expires_at_us <= tokens.refresh_expires_at_us);
        pass(&bed, Duration::from_secs(120));
        assert_eq!(reason(stand.refresh(&tokens.refresh_token).await), "SESSION_REVOKED");
        assert_eq!(reason(stand.account(&tokens.access_token).await), "UNAUTHENTICATED");
    }

    async fn logging_out_ends_this_session_at_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let elsewhere = stand.log_in(&kim.email, PASSWORD).await.unwrap().tokens.unwrap();
        assert!(stand.account(&kim.tokens.access_token).await.is_ok());
        log_out(&stand, &kim.tokens.access_token, false).await.unwrap();
        assert_eq!(reason(stand.account(&kim.tokens.access_token).await), "UNAUTHENTICATED");
        assert_eq!(reason(stand.refresh(&kim.tokens.refresh_token).await), "SESSION_REVOKED");
        assert!(stand.account(&elsewhere.access_token).await.is_ok());
        assert!(stand.refresh(&elsewhere.refresh_token).await.is_ok());
    }

    async fn logging_out_everywhere_ends_every_session_of_the_caller_only(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (kim, lee) = (stand.person("Kim").await, stand.person("Lee").await);
        let mut sessions = vec![kim.tokens.clone()];
        for _ in 0..3 {
            sessions.push(stand.log_in(&kim.email, PASSWORD).await.unwrap().tokens.unwrap());
        }
        log_out(&stand, &sessions[1].access_token, true).await.unwrap();
        for tokens in sessions {
            assert_eq!(reason(stand.account(&tokens.access_token).await), "UNAUTHENTICATED");
            assert_eq!(reason(stand.refresh(&tokens.refresh_token).await), "SESSION_REVOKED");
        }
        assert_eq!(revocations(&stand).await.len(), 4);
        assert!(stand.account(&lee.tokens.access_token).await.is_ok());
        assert!(stand.log_in(&kim.email, PASSWORD).await.is_ok());
    }

    async fn revocations_are_listed_until_the_last_access_token_is_dead(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        assert!(revocations(&stand).await.is_empty());
        log_out(&stand, &kim.tokens.access_token, false).await.unwrap();
        let listed = revocations(&stand).await;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].expires_at_us >= kim.tokens.access_expires_at_us + 30_000_000);
        assert!(!format!("{listed:?}").contains(&kim.id.to_string()), "it names no one");
        pass(&bed, Duration::from_secs(330));
        assert_eq!(revocations(&stand).await.len(), 1, "verifiers still bear with the token");
        pass(&bed, Duration::from_secs(60));
        assert!(revocations(&stand).await.is_empty());
        assert_eq!(reason(stand.account(&kim.tokens.access_token).await), "UNAUTHENTICATED");
    }

    async fn a_stranger_has_nothing_to_log_out_of(bed: Bed) {
        let stand = Stand::new(&bed).await;
        for everywhere in [false, true] {
            let request = anonymous().request(LogOutRequest { everywhere });
            assert_eq!(reason(stand.client().log_out(request).await), "UNAUTHENTICATED");
        }
        assert_eq!(
            reason(stand.client().get_account(anonymous().request(GetAccountRequest {})).await),
            "UNAUTHENTICATED"
        );
    }

    async fn sessions_long_over_are_forgotten(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        stand.refresh(&kim.tokens.refresh_token).await.unwrap();
        let _ = stand.log_in("nobody@moim.example", PASSWORD).await;
        pass(&bed, DAY * 14);
        stand.log_in(&kim.email, PASSWORD).await.unwrap();
        pass(&bed, DAY * 2);
        let later = Stand::new(&bed).await;
        for _ in 0..200 {
            if later.count("SELECT COUNT(*) FROM session").await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(later.count("SELECT COUNT(*) FROM session").await, 1);
        assert_eq!(later.count("SELECT COUNT(*) FROM refresh_token").await, 1);
        assert_eq!(later.count("SELECT COUNT(*) FROM log_in_failure").await, 0);
    }
}
