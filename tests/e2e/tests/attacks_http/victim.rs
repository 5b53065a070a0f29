//! Somebody who is signed in, and in whose name an attacker would like something to be done.

use moim_e2e::{Person, Platform, Value, error_codes, json};

use crate::wire::answers;

/// What an attacker would have done; it shows in the victim's profile.
pub const HIT: &str = r#"mutation { memberUpdate(input: { bio: "hit" }) { userErrors { code } } }"#;

/// A member whose profile says whether an attack came through.
pub struct Victim {
    pub person: Person,
}

impl Victim {
    /// Signs somebody up; nothing happened yet.
    pub async fn of(platform: &Platform) -> Self {
        let victim = Self { person: platform.sign_up("victim").await };
        victim.is_untouched("signing up").await;
        victim
    }

    /// Their credential as a header line.
    pub fn header(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.person.client.token().unwrap())
    }

    /// Fails if the attack did something; an ordinary request is answered as ever.
    pub async fn is_untouched(&self, after: &str) {
        answers(&self.person, after).await;
        assert_eq!(self.bio().await, Value::Null, "after {after}");
    }

    /// Proves that the attack would have shown.
    pub async fn can_be_hit(&self) {
        self.person.data(HIT, json!({})).await;
        assert_eq!(self.bio().await, "hit");
    }

    async fn bio(&self) -> Value {
        let body = self.person.graphql("{ viewer { member { bio } } }", json!({})).await;
        assert!(error_codes(&body).is_empty(), "{body}");
        body["data"]["viewer"]["member"]["bio"].clone()
    }
}
