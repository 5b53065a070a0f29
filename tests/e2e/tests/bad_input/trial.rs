//! Sending one bad input and judging the answer: the right refusal, in the right form, with nothing written.

use std::time::Duration;

use moim_e2e::{Answer, Client, Value, json};

use crate::scene::Scene;
use crate::snapshot::snapshot;

/// How a bad input is to be refused.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// One user error with this code, about this field of the input, or about none.
    User(&'static str, Option<String>),
    /// One error at the top with one of these codes.
    Top(&'static [&'static str]),
}

/// Looking costs three queries, so it is done for a few inputs at a time.
const LOOK_EVERY: usize = 8;

/// Collects what went wrong, and looks after what must not change.
pub struct Trial<'a> {
    scene: &'a Scene,
    before: Value,
    wrong: Vec<String>,
    tried: usize,
    /// What was sent since everything was last looked at.
    unseen: Vec<String>,
}

impl<'a> Trial<'a> {
    /// Takes note of how things are.
    pub async fn begin(scene: &'a Scene) -> Self {
        let before = settled(scene).await;
        Self { scene, before, wrong: Vec::new(), tried: 0, unseen: Vec::new() }
    }

    /// Sends an input under a fresh key and judges the answer.
    pub async fn refused(&mut self, client: &Client, mutation: &str, input: Value, by: Refusal) {
        let key = json!(self.scene.fill("<fresh>"));
        self.keyed(client, mutation, input, key, by).await;
    }

    /// The same under a key of its own.
    pub async fn keyed(
        &mut self,
        client: &Client,
        mutation: &str,
        input: Value,
        key: Value,
        by: Refusal,
    ) {
        let shown = format!("{mutation} {} under {}", shortened(&input), shortened(&key));
        let variables = json!({ "input": input, "key": key });
        let answer = client.send(&operation(mutation), variables).await;
        if let Err(why) = judge(&answer, &by) {
            self.wrong.push(format!("{shown}\n    expected {by:?}, but {why}: {}", answer.body));
        }
        self.sent(shown).await;
    }

    /// Counts what was sent, and looks now and then whether it wrote something.
    pub async fn sent(&mut self, what: String) {
        self.tried += 1;
        self.unseen.push(what);
        if self.unseen.len() >= LOOK_EVERY {
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let after = snapshot(&self.scene.cast.host, self.scene).await;
        if after != self.before {
            let list = self.unseen.join("\n      ");
            self.wrong.push(format!("something was written by one of\n      {list}"));
            self.before = after;
        }
        self.unseen.clear();
    }

    /// Fails naming everything that went wrong.
    pub async fn end(mut self, at_least: usize) {
        self.look().await;
        let Self { wrong, tried, .. } = self;
        assert!(tried >= at_least, "only {tried} were tried");
        let list = wrong.join("\n  ");
        assert!(
            wrong.is_empty(),
            "{} of {tried} were not refused as they should:\n  {list}",
            wrong.len()
        );
    }
}

/// How things are once what was done before has reached every room: the same twice, a while apart.
async fn settled(scene: &Scene) -> Value {
    let mut before = snapshot(&scene.cast.host, scene).await;
    loop {
        tokio::time::sleep(Duration::from_millis(80)).await;
        let after = snapshot(&scene.cast.host, scene).await;
        if after == before {
            return after;
        }
        before = after;
    }
}

/// A mutation with its input and key as variables.
pub fn operation(mutation: &str) -> String {
    let input = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    format!(
        "mutation($input: {input}!, $key: String!) {{
           it: {mutation}(input: $input) @idempotent(key: $key) {{
             userErrors {{ code message path }} }} }}"
    )
}

fn judge(answer: &Answer, by: &Refusal) -> Result<(), &'static str> {
    if !matches!(answer.status, 200 | 400) {
        return Err("the status is another");
    }
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    match by {
        Refusal::User(code, field) => {
            let list = &answer.body["data"]["it"]["userErrors"];
            let [error] = list.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Err("there is not one user error");
            };
            let path = field.as_ref().map_or(Value::Null, |field| json!(["input", field]));
            let told = error["message"].as_str().is_some_and(|message| !message.is_empty());
            if !errors.is_empty() {
                Err("there are errors at the top")
            } else if error["code"] != *code {
                Err("the code is another")
            } else if error["path"] != path {
                Err("the path is another")
            } else if !told {
                Err("there are no words")
            } else {
                Ok(())
            }
        }
        Refusal::Top(codes) => {
            let [error] = errors.as_slice() else { return Err("there is not one error") };
            let code = error["extensions"]["code"].as_str().unwrap_or_default();
            if !codes.contains(&code) {
                Err("the code is another")
            } else if !answer.body["data"]["it"].is_null() {
                Err("there is an answer, too")
            } else {
                Ok(())
            }
        }
    }
}

fn shortened(input: &Value) -> String {
    let text = input.to_string();
    let short: String = text.chars().take(200).collect();
    if short.len() < text.len() { format!("{short}… ({} bytes)", text.len()) } else { short }
}
