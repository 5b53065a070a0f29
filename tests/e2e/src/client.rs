//! Someone's browser: speaks GraphQL over HTTP and sends back what it was handed, as browsers do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::answer::{Answer, expect_data};

pub(crate) const SEEN: &str = "x-moim-seen";
const SEEN_COOKIE: &str = "moim-seen=";

/// Which way a client sends back what it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// In the header that the last answer had.
    Header,
    /// In the cookie that the last answer set.
    Cookie,
    /// Not at all.
    None,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nobody was there; nothing was asked.
    Unsent,
    /// It broke off, and what was asked may have happened.
    Lost(String),
}

/// A way to ask the endpoint; clones share what they have seen and stay signed in alike.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    ends: Ends,
    token: Option<String>,
    language: Option<String>,
    memory: Memory,
    seen: Arc<Mutex<Option<String>>>,
    region: Arc<OnceCell<String>>,
}

/// Endpoints that are asked in turn.
#[derive(Clone)]
struct Ends {
    urls: Arc<[String]>,
    next: Arc<AtomicUsize>,
}

impl Ends {
    fn of(urls: impl IntoIterator<Item = String>) -> Self {
        Self { urls: urls.into_iter().collect(), next: Arc::default() }
    }

    fn next(&self) -> &str {
        &self.urls[self.next.fetch_add(1, Ordering::Relaxed) % self.urls.len()]
    }
}

impl Client {
    /// Nobody in particular, at an endpoint such as `http://127.0.0.1:4000`.
    pub fn new(url: impl Into<String>) -> Self {
        Self::among([url.into()])
    }

    /// The same at several endpoints, each request at the next of them.
    pub fn among(urls: impl IntoIterator<Item = String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            ends: Ends::of(urls),
            token: None,
            language: None,
            memory: Memory::Header,
            seen: Arc::default(),
            region: Arc::default(),
        }
    }

    /// The same, signed in with an access token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same, not signed in.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same, preferring a language as `Accept-Language` spells it.
    #[must_use]
    pub fn reading(&self, language: &str) -> Self {
        Self { language: Some(language.to_owned()), ..self.clone() }
    }

    /// The same, with nothing seen yet and another way to remember.
    #[must_use]
    pub fn remembering(&self, memory: Memory) -> Self {
        Self { memory, seen: Arc::default(), ..self.clone() }
    }

    /// The same at another endpoint; what was seen goes along.
    #[must_use]
    pub fn at(&self, url: impl Into<String>) -> Self {
        Self { ends: Ends::of([url.into()]), ..self.clone() }
    }

    /// Where it asks next, without a path.
    pub fn url(&self) -> &str {
        self.ends.next()
    }

    /// The access token it sends.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What it was handed last, to be sent back.
    pub fn seen(&self) -> Option<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Asks, and answers the body; fails when the status says that the server failed.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables).await;
        assert!(answer.status < 500, "{}: {}", answer.status, answer.body);
        answer.body
    }

    /// Asks, and answers `data`; fails when there is any error, at the top or as data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let body = self.graphql(query, variables).await;
        expect_data(&body).clone()
    }

    /// Asks, and answers all there is.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        self.send_with(query, variables, &[]).await
    }

    /// The same of an endpoint that may be down just now: nothing then.
    pub async fn try_send(&self, query: &str, variables: Value) -> Option<Answer> {
        self.attempt(query, variables).await.ok()
    }

    /// The same, with the reason.
    pub async fn attempt(&self, query: &str, variables: Value) -> Result<Answer, NoAnswer> {
        let body = json!({ "query": query, "variables": variables });
        let request = self.dressed(self.http.post(format!("{}/graphql", self.url())));
        self.try_received(request.json(&body)).await.map_err(|error| match error.is_connect() {
            true => NoAnswer::Unsent,
            false => NoAnswer::Lost(format!("{error:?}")),
        })
    }

    /// Asks with more headers.
    pub async fn send_with(
        &self,
        query: &str,
        variables: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        self.post(headers, body.to_string()).await
    }

    /// Sends a body as it is.
    pub async fn post(&self, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = self
            .dressed(self.http.post(format!("{}/graphql", self.url())))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.received(request.body(body)).await
    }

    /// Fetches a path or a whole URL, as a browser would follow a link.
    pub async fn get(&self, place: &str) -> reqwest::Response {
        let url =
            if place.starts_with('/') { format!("{}{place}", self.url()) } else { place.into() };
        self.http.get(url).send().await.unwrap()
    }

    /// Global id of some region, always the same.
    pub async fn region(&self) -> String {
        let ask = || async {
            let data = self.data("{ regions { id } }", json!({})).await;
            data["regions"][0]["id"].as_str().unwrap().to_owned()
        };
        self.region.get_or_init(ask).await.clone()
    }

    fn dressed(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(language) = &self.language {
            request = request.header(ACCEPT_LANGUAGE, language);
        }
        let seen = self.seen.lock().unwrap().clone();
        match (self.memory, seen) {
            (Memory::Header, Some(seen)) => request.header(SEEN, seen),
            (Memory::Cookie, Some(seen)) => request.header(COOKIE, format!("{SEEN_COOKIE}{seen}")),
            _ => request,
        }
    }

    async fn received(&self, request: RequestBuilder) -> Answer {
        self.try_received(request).await.unwrap()
    }

    async fn try_received(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let headers = response.headers().clone();
        let handed = match self.memory {
            Memory::Header => headers.get(SEEN).map(|value| value.to_str().unwrap()),
            Memory::Cookie => headers
                .get_all(SET_COOKIE)
                .iter()
                .filter_map(|value| value.to_str().unwrap().strip_prefix(SEEN_COOKIE))
                .find_map(|value| value.split(';').next()),
            Memory::None => None,
        };
        if let Some(handed) = handed {
            *self.seen.lock().unwrap() = Some(handed.to_owned());
        }
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }
}
