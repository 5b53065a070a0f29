//! GraphiQL on a page of its own, for development: pinned files, each with its hash, and nothing inline.
//!
//! GraphiQL 4 is the last one whose package holds a complete bundle for browsers, so four files are all
//! there is; they come from a CDN, or from a directory laid out as `node_modules` is.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, StatusCode};
use serde::Serialize;

const CDN: &str = "https://unpkg.com";

/// A file of a package, as every version of this program uses it.
struct Asset {
    package: &'static str,
    version: &'static str,
    path: &'static str,
    integrity: &'static str,
}

const STYLES: [Asset; 1] = [Asset {
    package: "graphiql",
    version: "4.1.2",
    path: "graphiql.min.css",
    integrity: "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
}];

const SCRIPTS: [Asset; 3] = [
    Asset {
        package: "react",
        version: "18.3.1",
        path: "umd/react.production.min.js",
        integrity: "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    },
    Asset {
        package: "react-dom",
        version: "18.3.1",
        path: "umd/react-dom.production.min.js",
        integrity: "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    },
    Asset {
        package: "graphiql",
        version: "4.1.2",
        path: "graphiql.min.js",
        integrity: "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    },
];

/// The page for trying things out.
#[derive(Clone, Debug, Default)]
pub struct Console {
    /// Where the packages `graphiql`, `react` and `react-dom` lie; None takes them from a CDN.
    pub assets: Option<PathBuf>,
    /// What a first visitor finds opened.
    pub tabs: Vec<Tab>,
}

/// An operation to try.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tab {
    /// The document.
    pub query: String,
    /// Its variables as JSON.
    pub variables: String,
    /// Headers as JSON, such as the access token.
    pub headers: String,
}

/// The page itself.
pub(super) fn page(console: &Console) -> Response {
    let (mut styles, mut scripts) = (String::new(), String::new());
    for asset in &STYLES {
        let (url, integrity) = (asset.url(console), asset.integrity);
        styles += &format!(
            "<link rel=\"stylesheet\" href=\"{url}\" integrity=\"{integrity}\" crossorigin=\"anonymous\">"
        );
    }
    for asset in &SCRIPTS {
        let (url, integrity) = (asset.url(console), asset.integrity);
        scripts += &format!(
            "<script src=\"{url}\" integrity=\"{integrity}\" crossorigin=\"anonymous\"></script>"
        );
    }
    // Within a script element only `<` could end it.
    let tabs = serde_json::to_string(&console.tabs).unwrap_or_default().replace('<', "\\u003c");
    let page = include_str!("console.html")
        .replace("{{styles}}", &styles)
        .replace("{{scripts}}", &scripts)
        .replace("{{tabs}}", &tabs);
    let mut response = content("text/html; charset=utf-8", page);
    if let Ok(policy) = policy(console).parse() {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page at `/` and what it needs.
pub(super) fn routes(console: Console) -> Router {
    Router::new()
        .route("/", get(|State(console): State<Arc<Console>>| async move { page(&console) }))
        .route(
            "/console/console.js",
            get(|| async { content("text/javascript; charset=utf-8", include_str!("console.js")) }),
        )
        .route(
            "/console/console.css",
            get(|| async { content("text/css; charset=utf-8", include_str!("console.css")) }),
        )
        .route("/console/assets/{package}/{*path}", get(asset))
        .with_state(Arc::new(console))
}

impl Asset {
    fn url(&self, console: &Console) -> String {
        let Self { package, version, path, .. } = self;
        match console.assets {
            Some(_) => format!("/console/assets/{package}/{path}"),
            None => format!("{CDN}/{package}@{version}/{path}"),
        }
    }
}

/// Nothing but these files runs, and nobody but this endpoint is asked. GraphiQL's editors set styles
/// inline, so styles may be.
fn policy(console: &Console) -> String {
    let urls = |assets: &[Asset]| {
        let urls = assets.iter().map(|asset| asset.url(console));
        urls.filter(|url| url.starts_with(CDN)).collect::<Vec<_>>().join(" ")
    };
    format!(
        "default-src 'none'; script-src 'self' {}; style-src 'self' 'unsafe-inline' {}; \
         img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        urls(&SCRIPTS),
        urls(&STYLES)
    )
}

fn content(kind: &'static str, body: impl IntoResponse) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, body).into_response()
}

/// Only the files of the page are served, whatever else lies in the directory.
async fn asset(
    State(console): State<Arc<Console>>,
    Path((package, path)): Path<(String, String)>,
) -> Response {
    let known = STYLES.iter().chain(&SCRIPTS);
    let asset = known.into_iter().find(|asset| asset.package == package && asset.path == path);
    let (Some(asset), Some(directory)) = (asset, &console.assets) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let file = directory.join(asset.package).join(asset.path);
    match tokio::fs::read(&file).await {
        Ok(bytes) if asset.path.ends_with(".css") => content("text/css; charset=utf-8", bytes),
        Ok(bytes) => content("text/javascript; charset=utf-8", bytes),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the console lacks a file");
            StatusCode::NOT_FOUND.into_response()
        }
    }
}
