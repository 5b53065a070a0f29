//! Opening accounts.

use std::collections::BTreeSet;

use futures::future::join_all;
use moim_kit::{Code, Fault};
use moim_proto::member::v1::*;
use moim_testbed::on_both_databases;

use crate::stand::{Stand, anonymous, answer, reason, sign_up};

on_both_databases! {
    async fn a_stranger_opens_an_account_and_a_session(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let before = bed.clock.now();
        let request = anonymous().request(sign_up(" Minji@Moim.Example ", " 민지_1 "));
        let response = stand.client().sign_up(request).await.unwrap();
        assert!(response.metadata().get("moim-seen").is_some(), "the write leaves a mark");
        let SignUpResponse { tokens, account } = response.into_inner();
        let (tokens, account) = (tokens.unwrap(), account.unwrap());
        assert_eq!(account.email, "minji@moim.example");
        let member = account.member.clone().unwrap();
        assert_eq!(member.nickname, "민지_1");
        assert_eq!((&member.avatar_url, &member.bio), (&None, &None));
        assert!(member.joined_at_us >= before.us());
        assert!(!member.viewer_has_blocked);
        assert!(tokens.access_expires_at_us > before.us() + 298_000_000);
        assert!(tokens.access_expires_at_us <= bed.clock.now().us() + 300_000_000);
        assert!(tokens.refresh_expires_at_us > tokens.access_expires_at_us);
        assert_eq!(stand.account(&tokens.access_token).await.unwrap(), account);
        assert!(stand.refresh(&tokens.refresh_token).await.is_ok());

        let told = stand.told(member.id.parse().unwrap(), 1).await;
        let state = MemberState {
            id: member.id,
            nickname: "민지_1".to_owned(),
            avatar_url: None,
            bio: None,
            joined_at_us: member.joined_at_us,
        };
        assert_eq!(told, [(1, state)]);
    }

    async fn what_cannot_be_an_account_is_refused_naming_its_field(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let good = sign_up("a@moim.example", "민지");
        let email = |text: &str| SignUpRequest { email: text.to_owned(), ..good.clone() };
        let password = |text: &str| SignUpRequest { password: text.to_owned(), ..good.clone() };
        let nickname = |text: &str| SignUpRequest { nickname: text.to_owned(), ..good.clone() };
        let cases = [
            (email(""), "EMAIL_INVALID", "email"),
            (email("nobody"), "EMAIL_INVALID", "email"),
            (email("a\0@moim.example"), "EMAIL_INVALID", "email"),
            (email(&format!("a@{}.example", "b.".repeat(150))), "EMAIL_INVALID", "email"),
            (password("short"), "PASSWORD_INVALID", "password"),
            (password(&"a".repeat(129)), "PASSWORD_INVALID", "password"),
            (nickname(""), "NICKNAME_INVALID", "nickname"),
            (nickname("민"), "NICKNAME_INVALID", "nickname"),
            (nickname("민지 👋"), "NICKNAME_INVALID", "nickname"),
            (nickname("민\0지"), "NICKNAME_INVALID", "nickname"),
            (nickname(&"가".repeat(21)), "NICKNAME_INVALID", "nickname"),
        ];
        for (request, reason, field) in cases {
            let fault =
                answer(stand.client().sign_up(anonymous().request(request)).await).unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some(field)));
            assert_eq!(fault.code(), Code::Invalid);
            assert_ne!(fault.message(true), fault.message(false));
        }
        assert_eq!(stand.count("SELECT COUNT(*) FROM member").await, 0);
        assert!(stand.client().sign_up(anonymous().request(good)).await.is_ok());
    }

    async fn an_address_and_a_nickname_belong_to_one_account(bed: Bed) {
        let stand = Stand::new(&bed).await;
        stand
            .client()
            .sign_up(anonymous().request(sign_up("kim@moim.example", "Kim")))
            .await
            .unwrap();
        for (email, nickname, reason, field) in [
            ("KIM@moim.example", "other", "EMAIL_TAKEN", "email"),
            ("other@moim.example", "kIM", "NICKNAME_TAKEN", "nickname"),
        ] {
            let request = anonymous().request(sign_up(email, nickname));
            let fault = answer(stand.client().sign_up(request).await).unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some(field)));
            assert_eq!(fault.code(), Code::AlreadyExists);
        }
        for table in ["member", "session", "refresh_token", "outbox"] {
            let rows = stand.count(&format!("SELECT COUNT(*) FROM {table}")).await;
            assert_eq!(rows, 1, "{table}: a refused sign-up leaves nothing");
        }
    }

    async fn of_many_who_want_one_nickname_one_gets_it(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let tries = (0..20).map(|n| {
            let request = anonymous().request(sign_up(&format!("m{n}@moim.example"), "둘리"));
            let mut client = stand.client();
            async move { answer(client.sign_up(request).await) }
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            join_all(tries).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 19));
        for refused in lost {
            assert_eq!(reason(refused), "NICKNAME_TAKEN");
        }
    }

    async fn a_sign_up_repeated_under_its_key_opens_another_session_of_the_same_account(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let good = sign_up("kim@moim.example", "Kim");
        let tries = (0..10).map(|_| {
            let request = anonymous().keyed(Some("key-1")).request(good.clone());
            let mut client = stand.client();
            async move {
                let response = client.sign_up(request).await.map_err(Fault::from)?;
                assert!(response.metadata().get("moim-seen").is_some());
                Ok::<_, Fault>(response.into_inner())
            }
        });
        let answers: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        let accounts: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer.account.clone().unwrap().member.unwrap().id)
            .collect();
        assert_eq!(accounts.len(), 1);
        let refresh_tokens: BTreeSet<_> =
            answers.iter().map(|answer| answer.tokens.clone().unwrap().refresh_token).collect();
        assert_eq!(refresh_tokens.len(), 10, "each has a session of its own");
        for answer in &answers {
            assert!(stand.account(&answer.tokens.as_ref().unwrap().access_token).await.is_ok());
        }
        assert_eq!(stand.count("SELECT COUNT(*) FROM member").await, 1);
        assert_eq!(stand.count("SELECT COUNT(*) FROM session").await, 10);
    }

    async fn a_key_names_one_sign_up_only(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let good = sign_up("kim@moim.example", "Kim");
        let keyed =
            |request: &SignUpRequest| anonymous().keyed(Some("key-1")).request(request.clone());
        stand.client().sign_up(keyed(&good)).await.unwrap();
        for other in [
            SignUpRequest { email: "lee@moim.example".to_owned(), ..good.clone() },
            SignUpRequest { nickname: "Lee".to_owned(), ..good.clone() },
            SignUpRequest { password: "battery staple".to_owned(), ..good.clone() },
        ] {
            let refused = stand.client().sign_up(keyed(&other)).await;
            assert_eq!(reason(refused), "IDEMPOTENCY_KEY_REUSED");
        }
        let unkeyed = anonymous().request(good.clone());
        assert_eq!(reason(stand.client().sign_up(unkeyed).await), "EMAIL_TAKEN");
        let other_key = anonymous().keyed(Some("key-2")).request(good);
        assert_eq!(reason(stand.client().sign_up(other_key).await), "EMAIL_TAKEN");
        assert_eq!(stand.count("SELECT COUNT(*) FROM session").await, 1);
    }

    async fn a_key_is_no_way_round_the_limit_of_guesses(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let good = sign_up("kim@moim.example", "Kim");
        let keyed = |request: SignUpRequest| anonymous().keyed(Some("key-1")).request(request);
        stand.client().sign_up(keyed(good.clone())).await.unwrap();
        for _ in 0..5 {
            let guess = SignUpRequest { password: "battery staple".to_owned(), ..good.clone() };
            let refused = stand.client().sign_up(keyed(guess)).await;
            assert_eq!(reason(refused), "IDEMPOTENCY_KEY_REUSED");
        }
        assert_eq!(reason(stand.client().sign_up(keyed(good)).await), "LOG_IN_LIMITED");
    }

    async fn no_password_and_no_token_is_kept_anywhere(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let request = anonymous().keyed(Some("key-1")).request(sign_up("kim@moim.example", "Kim"));
        let first = stand.client().sign_up(request).await.unwrap().into_inner().tokens.unwrap();
        let second = stand.refresh(&first.refresh_token).await.unwrap();
        let secrets = [
            crate::stand::PASSWORD,
            &first.refresh_token,
            &second.refresh_token,
            &first.access_token,
            &second.access_token,
        ];
        let db = &stand.ground.db;
        let mut kept: Vec<(Vec<u8>,)> = Vec::new();
        for sql in [
            "SELECT response FROM idempotency",
            "SELECT hash FROM refresh_token",
            "SELECT secret FROM session",
            "SELECT payload FROM outbox",
        ] {
            kept.extend(db.fetch_all::<(Vec<u8>,)>(sql, vec![]).await.unwrap());
        }
        for sql in ["SELECT request_hash FROM idempotency", "SELECT password_hash FROM member"] {
            let rows = db.fetch_all::<(String,)>(sql, vec![]).await.unwrap();
            kept.extend(rows.into_iter().map(|(text,)| (text.into_bytes(),)));
        }
        assert!(kept.len() >= 7);
        for (bytes,) in kept {
            for secret in secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
