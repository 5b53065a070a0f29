//! The same operation over HTTP and over a socket, and what came back, told alike.

use moim_e2e::{Client, Socket, Value, json};

/// An ordinary request, which is to be answered whatever came before.
pub const ORDINARY: &str = "{ gatherings(first: 1) { pageInfo { hasNextPage } } }";

/// What came back.
#[derive(Debug)]
pub struct Told {
    /// `extensions.code` of each error.
    pub codes: Vec<String>,
    pub errors: Vec<Value>,
    /// Null when nothing was executed.
    pub data: Value,
    /// The `extensions` beside them.
    pub extensions: Value,
    /// Length of the answer.
    pub bytes: usize,
}

impl Told {
    fn of(answer: &Value) -> Self {
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        let code =
            |error: &Value| error["extensions"]["code"].as_str().unwrap_or("none").to_owned();
        Self {
            codes: errors.iter().map(code).collect(),
            errors,
            data: answer["data"].clone(),
            extensions: answer["extensions"].clone(),
            bytes: answer.to_string().len(),
        }
    }

    /// True when it is one error of this code and nothing was executed.
    pub fn is_refusal(&self, code: &str) -> bool {
        self.codes == [code] && self.data.is_null()
    }
}

/// A client with both ways open.
pub struct Both {
    pub client: Client,
    socket: Option<Socket>,
    asked: usize,
}

impl Both {
    pub fn of(client: &Client) -> Self {
        Self { client: client.clone(), socket: None, asked: 0 }
    }

    /// Asks over HTTP first and over the socket second.
    pub async fn ask(&mut self, document: &str, variables: Value) -> [(&'static str, Told); 2] {
        [
            ("HTTP", self.over_http(document, variables.clone()).await),
            ("a socket", self.over_socket(document, variables).await),
        ]
    }

    pub async fn over_http(&self, document: &str, variables: Value) -> Told {
        Told::of(&self.client.send(document, variables).await.body)
    }

    /// Answers what came before `complete`, or the errors that stand in its place.
    pub async fn over_socket(&mut self, document: &str, variables: Value) -> Told {
        self.asked += 1;
        let id = self.asked.to_string();
        let socket = self.socket().await;
        socket.subscribe(&id, document, variables).await.unwrap();
        let message = socket.soon().await;
        assert_eq!(message["id"], id.as_str(), "{message}");
        if message["type"] == "error" {
            return Told::of(&json!({ "errors": message["payload"] }));
        }
        assert_eq!(message["type"], "next", "{message}");
        let end = socket.soon().await;
        assert_eq!(end["type"], "complete", "{end}");
        Told::of(&message["payload"])
    }

    /// What the socket is closed with after this document.
    pub async fn closed_by(&mut self, document: &str) -> u16 {
        let socket = self.socket().await;
        // What is too large may be cut while it is still being sent.
        let _ = socket.subscribe("last", document, json!({})).await;
        let code = socket.close_code().await;
        self.socket = None;
        code
    }

    /// An ordinary request is answered both ways.
    pub async fn answers(&mut self, when: &str) {
        for (way, told) in self.ask(ORDINARY, json!({})).await {
            let page = &told.data["gatherings"]["pageInfo"];
            assert!(page.is_object(), "{when}, over {way}: {told:?}");
        }
    }

    async fn socket(&mut self) -> &mut Socket {
        if self.socket.is_none() {
            self.socket = Some(Socket::of(&self.client).await.unwrap());
        }
        self.socket.as_mut().unwrap()
    }
}
