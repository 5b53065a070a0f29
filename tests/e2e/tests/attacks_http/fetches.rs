//! Addresses that somebody else chose: none is ever fetched.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moim_e2e::{Client, Platform, error_codes, json, user_error_codes};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::forged;
use crate::scene::assert_quiet;
use crate::wire::answers;

/// Long enough for whoever would fetch to have come by.
const WHILE: Duration = Duration::from_secs(2);

/// Somebody who notes every visit.
pub struct Bait {
    pub port: u16,
    visits: Arc<AtomicU32>,
    listening: tokio::task::JoinHandle<()>,
}

impl Bait {
    #[allow(clippy::disallowed_methods, reason = "the test is its own house")]
    pub async fn lay() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let visits = Arc::<AtomicU32>::default();
        let noted = Arc::clone(&visits);
        let listening = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                noted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, visits, listening }
    }

    /// Fails when somebody came, and when nobody could have come.
    pub async fn was_left_alone(&self) {
        sleep(WHILE).await;
        assert_eq!(self.visits.load(Ordering::SeqCst), 0, "somebody fetched what a stranger named");
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        while self.visits.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Bait {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[tokio::test]
async fn pictures_named_by_address_are_not_fetched() {
    let platform = Platform::one_process().await;
    let person = platform.sign_up("somebody").await;
    answers(&person, "nothing yet").await;
    let bait = Bait::lay().await;
    let at = |scheme: &str| format!("{scheme}://127.0.0.1:{}/a.png", bait.port);
    let avatar = "mutation($url: URL!) { memberUpdate(input: { avatarUrl: $url }) {
        member { avatarUrl } userErrors { code } } }";
    let data = person.data(avatar, json!({ "url": at("https") })).await;
    assert_eq!(data["memberUpdate"]["member"]["avatarUrl"], at("https"));
    let gathering = person.create_gathering(json!({ "imageUrl": at("https") })).await;
    let shown =
        "query($id: ID!) { node(id: $id) { ... on Gathering { imageUrl host { avatarUrl } } } }";
    person.data(shown, json!({ "id": gathering })).await;
    for scheme in ["http", "ftp", "gopher", "file", "dict", "javascript"] {
        let body = person.graphql(avatar, json!({ "url": at(scheme) })).await;
        let codes = match body.get("errors") {
            Some(_) => error_codes(&body),
            None => user_error_codes(&body),
        };
        assert_eq!(codes, ["INVALID"], "{scheme}: {body}");
    }
    bait.was_left_alone().await;
    answers(&person, "pictures by address").await;
    assert_quiet(&platform);
}

#[tokio::test]
async fn keys_named_by_address_are_not_fetched() {
    let platform = Platform::one_process().await;
    let client: Client = platform.client();
    answers(&client, "nothing yet").await;
    let bait = Bait::lay().await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://127.0.0.1:{}/keys.json", bait.port);
        for header in [
            json!({ "jku": url }),
            json!({ "x5u": url }),
            json!({ "kid": url }),
            json!({ "jku": url, "kid": url, "x5u": url }),
            json!({ "iss": url }),
        ] {
            forged::refused(&client, &forged::signed_by_a_stranger(header), "a key by address")
                .await;
        }
    }
    bait.was_left_alone().await;
    assert_quiet(&platform);
}
