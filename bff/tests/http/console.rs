//! The page for trying things out, when there is one.

use moim_bff::http::{Console, Settings, Tab};

use crate::stand::{JSON, Stand, Told, told};

async fn get(stand: &Stand, path: &str, accept: &str) -> Told {
    told(reqwest::Client::new().get(stand.url(path)).header("accept", accept)).await
}

fn with(console: Console) -> Settings {
    Settings { console: Some(console), ..Settings::default() }
}

#[tokio::test]
async fn browsers_find_it_and_programs_do_not() {
    let tab = Tab { query: "{ hello } # </script>".to_owned(), ..Tab::default() };
    let stand = Stand::open(with(Console { tabs: vec![tab], assets: None })).await;
    for path in ["/", "/graphql"] {
        let told = get(&stand, path, "text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!((told.status, told.media()), (200, "text/html"), "{path}");
        let page = told.body.as_str().unwrap();
        assert!(page.contains(r#"{ hello } # \u003c/script>"#), "{page}");
        assert!(page.contains("https://unpkg.com/graphiql@"), "{page}");
        let sources = page.matches("<script src=\"https://").count();
        assert_eq!(page.matches("<script src=\"https://unpkg.com/").count(), sources);
        assert_eq!(page.matches("integrity=\"sha384-").count(), sources + 1);
        let policy = told.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
    }
    let told = get(&stand, "/graphql?query=%7Bhello%7D", "text/html").await;
    assert_eq!(told.status, 406, "a query is answered or refused, never shown");
    assert_eq!(
        get(&stand, "/graphql?query=%7Bhello%7D", JSON).await.body["data"]["hello"],
        "world"
    );
    for path in ["/console/console.js", "/console/console.css"] {
        assert_eq!(get(&stand, path, "*/*").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn its_files_can_come_from_a_directory_and_nothing_else_can() {
    let directory = std::env::temp_dir().join(format!("moim-console-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("react/umd")).unwrap();
    std::fs::write(directory.join("react/umd/react.production.min.js"), "react").unwrap();
    std::fs::write(directory.join("react/secret.js"), "secret").unwrap();
    let stand =
        Stand::open(with(Console { assets: Some(directory.clone()), tabs: Vec::new() })).await;
    let page = get(&stand, "/", "text/html").await;
    assert!(!page.body.as_str().unwrap().contains("https://"));
    assert!(!page.header("content-security-policy").contains("https://"));
    let file = get(&stand, "/console/assets/react/umd/react.production.min.js", "*/*").await;
    assert_eq!((file.status, file.media()), (200, "text/javascript"));
    assert_eq!(file.body, "react");
    for path in [
        "react/secret.js",
        "react/../react/secret.js",
        "graphiql/graphiql.min.js",
        "react/%2e%2e/x",
    ] {
        let told = get(&stand, &format!("/console/assets/{path}"), "*/*").await;
        assert_eq!(told.status, 404, "{path}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn without_it_there_is_no_page() {
    let stand = Stand::open(Settings::default()).await;
    for path in ["/", "/console/console.js", "/console/assets/react/umd/react.production.min.js"] {
        assert_eq!(get(&stand, path, "text/html").await.status, 404, "{path}");
    }
    assert_eq!(get(&stand, "/graphql", "text/html").await.status, 406);
}
