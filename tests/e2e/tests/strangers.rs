//! What a stranger learns by logging in, and how soon a token that was logged out is a stranger's everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail loudly, and print their figures"
)]

use std::time::Duration;

use moim_e2e::{Person, Platform, Socket, error_codes, json, user_error_codes};
use tokio::time::{Instant, sleep};

const LOG_IN: &str = "mutation($email: String!) {
  authLogIn(input: { email: $email, password: \"not the password\" }) {
    tokens { accessToken } userErrors { code message path }
  }
}";
const LOG_OUT: &str =
    "mutation { authLogOut(input: { everywhere: false }) { userErrors { code } } }";
const WHO: &str = "{ viewer { email } }";
const FOLLOW: &str = "subscription { notificationAdded { cursor } }";
/// Hashing as in production, and as many guesses as it takes.
const KNOBS: [(&str, &str); 3] = [
    ("MOIM_MEMBER__HASHING_MEMORY_KIB", "19456"),
    ("MOIM_MEMBER__HASHING_PASSES", "2"),
    ("MOIM_MEMBER__LOG_IN_FAILURES", "1000000"),
];
/// Pairs of samples before the medians are compared, and each time they differ too much.
const PAIRS: usize = 40;
const ROUNDS: usize = 5;
const ALIKE_PERCENT: f64 = 5.0;
/// A log out is known everywhere after so long.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_in_takes_as_long_without_an_account_as_with_one() {
    let platform = Platform::one_process_with(&KNOBS).await;
    let person = platform.sign_up("known").await;
    let client = platform.client();
    let guess = async |email: &str| {
        let began = Instant::now();
        let body = client.graphql(LOG_IN, json!({ "email": email })).await;
        let took = began.elapsed();
        assert_eq!(user_error_codes(&body), ["BAD_CREDENTIALS"]);
        (took, body["data"]["authLogIn"]["userErrors"].clone())
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut apart = f64::MAX;
    // A busy machine blurs both alike: more samples make the medians sharper, and a real difference stays.
    for round in 0..ROUNDS {
        for pair in 0..PAIRS {
            let nobody = format!("nobody{round}x{pair}@example.com");
            // In turns, and whoever was first is second the next time.
            let order = [person.email.as_str(), nobody.as_str()];
            let (first, second) = (guess(order[pair % 2]).await, guess(order[1 - pair % 2]).await);
            assert_eq!(first.1, second.1, "the same words");
            let (of_known, of_unknown) =
                if pair % 2 == 0 { (first, second) } else { (second, first) };
            known.push(of_known.0);
            unknown.push(of_unknown.0);
        }
        let [one, other] = [median(&mut known.clone()), median(&mut unknown.clone())];
        apart = (other.as_secs_f64() / one.as_secs_f64() - 1.0).abs() * 100.0;
        println!(
            "log in, medians of {}: known {one:?}, unknown {other:?}, {apart:.1} % apart",
            known.len()
        );
        if apart <= ALIKE_PERCENT {
            return;
        }
    }
    panic!("the medians are {apart:.1} % apart: whether an account exists shows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_logged_out_is_refused_by_every_endpoint_and_its_sockets_are_closed() {
    let Some(mut platform) = Platform::apart().await else { return };
    platform.another_endpoint(&[]).await;
    let phone = platform.sign_up("phone").await;
    let laptop = phone.log_in().await;
    let ends = [platform.client_at(0), platform.client_at(1)];
    let mut sockets = Vec::new();
    for end in &ends {
        phone.through(end).data(WHO, json!({})).await;
        let mut socket = Socket::open(end.url(), phone.client.token().unwrap()).await.unwrap();
        socket.subscribe("bell", FOLLOW, json!({})).await.unwrap();
        sockets.push(socket);
    }

    phone.data(LOG_OUT, json!({})).await;
    let over = Instant::now();
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, 4403);
    }
    let closed = over.elapsed();
    for end in &ends {
        while !is_refused(&phone.through(end)).await {
            assert!(over.elapsed() < KNOWN_WITHIN * 2, "the token still works at {}", end.url());
            sleep(Duration::from_millis(20)).await;
        }
        // The other session is none of its business.
        laptop.through(end).data(WHO, json!({})).await;
    }
    println!("logged out: sockets at both endpoints closed after {closed:?}");
    assert!(closed < KNOWN_WITHIN, "a socket stayed open for {closed:?}");
}

async fn is_refused(person: &Person) -> bool {
    let answer = person.send(WHO, json!({})).await;
    if answer.status == 401 {
        assert_eq!(error_codes(&answer.body), ["UNAUTHENTICATED"]);
    }
    answer.status == 401
}
