//! Signing up, staying signed in, and logging out.

use moim_e2e::{
    Client, Person, Platform, Value, error_codes, eventually, json, on_both_shapes,
    user_error_codes,
};

const REFRESH: &str = "mutation($token: String!) {
  authRefresh(input: { refreshToken: $token }) {
    tokens { accessToken refreshToken accessExpiresAt refreshExpiresAt } userErrors { code }
  }
}";
const LOG_OUT: &str = "mutation($everywhere: Boolean!) {
  authLogOut(input: { everywhere: $everywhere }) { userErrors { code } }
}";
const WHO: &str = "{ viewer { email member { id nickname } } }";

async fn refresh(client: &Client, token: &Value) -> Value {
    client.graphql(REFRESH, json!({ "token": token })).await
}

fn tokens(body: &Value) -> &Value {
    &moim_e2e::expect_data(body)["authRefresh"]["tokens"]
}

/// Fails unless the token is refused as the protocol says, now or once the other rooms know.
async fn is_refused(person: &Person, platform: &Platform) {
    let in_one_process = platform.processes.len() == 1;
    eventually(async || {
        let answer = person.send(WHO, json!({})).await;
        if answer.status == 401 {
            assert_eq!(error_codes(&answer.body), ["UNAUTHENTICATED"]);
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "{challenge:?}");
            return Ok(());
        }
        assert!(!in_one_process, "the token still works: {}", answer.body);
        Err(answer.body)
    })
    .await;
}

on_both_shapes! {
    async fn a_session_goes_on_and_a_lost_answer_can_be_asked_for_again(platform: Platform) {
        let person = platform.sign_up("느린산책").await;
        let stranger = platform.client();
        let first = json!(person.refresh_token);

        let once = refresh(&stranger, &first).await;
        let again = refresh(&stranger, &first).await;
        assert_eq!(tokens(&again)["refreshToken"], tokens(&once)["refreshToken"]);

        let twice = refresh(&stranger, &tokens(&once)["refreshToken"]).await;
        assert_ne!(tokens(&twice)["refreshToken"], tokens(&once)["refreshToken"]);
        for answer in [&once, &again, &twice] {
            let access = tokens(answer)["accessToken"].as_str().unwrap();
            let data = stranger.with_token(access).data(WHO, json!({})).await;
            assert_eq!(data["viewer"]["email"], person.email);
            assert_eq!(data["viewer"]["member"]["nickname"], "느린산책");
        }
    }

    async fn logging_out_ends_one_session_at_once_and_leaves_the_others(platform: Platform) {
        let phone = platform.sign_up("phone").await;
        let laptop = phone.log_in().await;

        phone.data(LOG_OUT, json!({ "everywhere": false })).await;
        is_refused(&phone, &platform).await;
        let gone = refresh(&platform.client(), &json!(phone.refresh_token)).await;
        assert_eq!(user_error_codes(&gone), ["SESSION_REVOKED"]);

        assert_eq!(laptop.data(WHO, json!({})).await["viewer"]["email"], phone.email);
        tokens(&refresh(&platform.client(), &json!(laptop.refresh_token)).await);
    }

    async fn logging_out_everywhere_ends_every_session(platform: Platform) {
        let phone = platform.sign_up("phone").await;
        let laptop = phone.log_in().await;
        let neighbour = platform.sign_up("neighbour").await;

        phone.data(LOG_OUT, json!({ "everywhere": true })).await;
        for device in [&phone, &laptop] {
            is_refused(device, &platform).await;
            let gone = refresh(&platform.client(), &json!(device.refresh_token)).await;
            assert_eq!(user_error_codes(&gone), ["SESSION_REVOKED"]);
        }
        assert_eq!(neighbour.data(WHO, json!({})).await["viewer"]["email"], neighbour.email);
        phone.log_in().await.data(WHO, json!({})).await;
    }

    async fn an_account_is_opened_once_and_entered_with_its_password_only(platform: Platform) {
        let person = platform.sign_up("Someone").await;
        let sign_up = "mutation($input: AuthSignUpInput!) {
          authSignUp(input: $input) { viewer { id } userErrors { code path } }
        }";
        let taken = [
            (json!({ "email": person.email, "nickname": "other" }), "email"),
            (json!({ "email": "other@example.com", "nickname": "sOMEONE" }), "nickname"),
        ];
        for (mut input, field) in taken {
            input["password"] = json!("long enough");
            let body = platform.client().graphql(sign_up, json!({ "input": input })).await;
            assert_eq!(user_error_codes(&body), ["ALREADY_EXISTS"]);
            let path = &body["data"]["authSignUp"]["userErrors"][0]["path"];
            assert_eq!(*path, json!(["input", field]));
        }
        let log_in = "mutation($email: String!) {
          authLogIn(input: { email: $email, password: \"not the password\" }) {
            tokens { accessToken } userErrors { code }
          }
        }";
        for email in [person.email.as_str(), "nobody@example.com"] {
            let body = platform.client().graphql(log_in, json!({ "email": email })).await;
            assert_eq!(user_error_codes(&body), ["BAD_CREDENTIALS"]);
        }
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_too_late_ends_its_session() {
    let platform = Platform::one_process_with(&[("MOIM_MEMBER__REFRESH_GRACE_MS", "0")]).await;
    let person = platform.sign_up("person").await;
    let stranger = platform.client();
    let first = json!(person.refresh_token);
    let once = refresh(&stranger, &first).await;
    let next = tokens(&once);

    assert_eq!(user_error_codes(&refresh(&stranger, &first).await), ["SESSION_REVOKED"]);
    let successor = refresh(&stranger, &next["refreshToken"]).await;
    assert_eq!(user_error_codes(&successor), ["SESSION_REVOKED"]);
    is_refused(&person, &platform).await;
}
