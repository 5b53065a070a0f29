//! Logging in, and how often one may fail at it.

use std::time::Duration;

use futures::future::join_all;
use moim_kit::{Code, Fault};
use moim_member::Config;
use moim_proto::member::v1::*;
use moim_testbed::on_both_databases;

use crate::stand::{PASSWORD, Stand, anonymous, config, reason};

const WRONG: &str = "battery staple";

on_both_databases! {
    async fn a_member_logs_in_with_the_address_in_any_case(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let LogInResponse { tokens, account } =
            stand.log_in(&format!(" {} ", kim.email.to_uppercase()), PASSWORD).await.unwrap();
        let tokens = tokens.unwrap();
        assert_eq!(account, Some(stand.account(&tokens.access_token).await.unwrap()));
        assert_eq!(account.unwrap().member.unwrap().id, kim.id.to_string());
        assert_ne!(tokens.refresh_token, kim.tokens.refresh_token);
        assert!(
            stand.account(&kim.tokens.access_token).await.is_ok(),
            "the other session lives on"
        );
    }

    async fn an_unknown_account_is_refused_exactly_as_a_wrong_password(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let mut refusals = Vec::new();
        for (email, password) in [
            (kim.email.as_str(), WRONG),
            ("nobody@moim.example", WRONG),
            ("no address", WRONG),
            (&kim.email, ""),
            (&kim.email, &"a".repeat(100_000)),
            ("\0", "\0"),
        ] {
            let request = LogInRequest { email: email.to_owned(), password: password.to_owned() };
            let status = stand.client().log_in(anonymous().request(request)).await.unwrap_err();
            refusals.push((status.code(), status.message().to_owned(), status.details().to_vec()));
            assert_eq!(Fault::from(status).reason(), "BAD_CREDENTIALS");
        }
        refusals.dedup_by_key(|(code, message, _)| (*code, message.clone()));
        assert_eq!(refusals.len(), 1, "{refusals:?}");
    }

    async fn five_failures_close_an_account_for_a_quarter_of_an_hour(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (kim, lee) = (stand.person("Kim").await, stand.person("Lee").await);
        for email in [kim.email.as_str(), "nobody@moim.example"] {
            for _ in 0..5 {
                assert_eq!(reason(stand.log_in(email, WRONG).await), "BAD_CREDENTIALS");
            }
            let fault = stand.log_in(email, PASSWORD).await.unwrap_err();
            assert_eq!(fault.reason(), "LOG_IN_LIMITED", "whether there is an account or not");
            assert_eq!(fault.code(), Code::RateLimited);
        }
        assert!(stand.log_in(&lee.email, PASSWORD).await.is_ok(), "others are not concerned");
        assert!(stand.account(&kim.tokens.access_token).await.is_ok(), "open sessions neither");
        bed.clock.set(bed.clock.now().after(Duration::from_secs(14 * 60)));
        assert_eq!(reason(stand.log_in(&kim.email, PASSWORD).await), "LOG_IN_LIMITED");
        bed.clock.set(bed.clock.now().after(Duration::from_secs(61)));
        assert!(stand.log_in(&kim.email, PASSWORD).await.is_ok());
    }

    async fn a_success_forgives_earlier_failures(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        for _ in 0..3 {
            for _ in 0..4 {
                assert_eq!(reason(stand.log_in(&kim.email, WRONG).await), "BAD_CREDENTIALS");
            }
            assert!(stand.log_in(&kim.email, PASSWORD).await.is_ok());
        }
    }

    async fn failures_long_apart_do_not_add_up(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        for _ in 0..7 {
            assert_eq!(reason(stand.log_in(&kim.email, WRONG).await), "BAD_CREDENTIALS");
            bed.clock.set(bed.clock.now().after(Duration::from_secs(4 * 60)));
        }
        assert!(stand.log_in(&kim.email, PASSWORD).await.is_ok());
    }

    async fn guesses_made_side_by_side_in_two_processes_learn_no_more(bed: Bed) {
        let stands = [Stand::new(&bed).await, Stand::new(&bed).await];
        let kim = stands[0].person("Kim").await;
        let guesses = (0..30).map(|n| stands[n % 2].log_in(&kim.email, WRONG));
        let reasons: Vec<_> = join_all(guesses).await.into_iter().map(reason).collect();
        let told = |name: &str| reasons.iter().filter(|reason| *reason == name).count();
        assert_eq!((told("BAD_CREDENTIALS"), told("LOG_IN_LIMITED")), (5, 25));
        for stand in &stands {
            assert_eq!(reason(stand.log_in(&kim.email, PASSWORD).await), "LOG_IN_LIMITED");
        }
    }

    async fn many_may_log_in_to_one_account_at_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let answers = join_all((0..30).map(|_| stand.log_in(&kim.email, PASSWORD))).await;
        assert!(answers.iter().all(Result::is_ok));
    }

    async fn a_rush_of_log_ins_is_turned_away_and_the_rest_are_served(bed: Bed) {
        // Slow enough that the rush is there before the first is done.
        let slow = Config {
            hashing_passes: 40,
            hashing_memory_kib: 8_192,
            hashing_threads: 1,
            hashing_queue: 1,
            ..config()
        };
        let stand = Stand::with(&bed, slow).await;
        let kim = stand.person("Kim").await;
        let answers = join_all((0..20).map(|_| stand.log_in(&kim.email, PASSWORD))).await;
        let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert!(!served.is_empty() && !refused.is_empty());
        for refused in refused {
            let fault = refused.unwrap_err();
            assert_eq!((fault.reason(), fault.code()), ("HASHING_BUSY", Code::Unavailable));
        }
        assert!(stand.log_in(&kim.email, PASSWORD).await.is_ok());
    }
}
