//! What a process measures is served to Prometheus on a listener of its own.

use std::time::Duration;

use moim_e2e::{Platform, free_port};

use crate::page::ask;

/// The number beside a name with its labels.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map(|rest| rest.trim().parse().unwrap())
}

async fn until(address: &str, name: &str, so: fn(u64) -> bool) -> u64 {
    let asked = async {
        loop {
            if let Some(number) = number(&ask(address).await, name).filter(|it| so(*it)) {
                return number;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it never came to be")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_serves_what_it_measures_and_it_moves() {
    let address = format!("127.0.0.1:{}", free_port());
    let knobs = [("MOIM_TELEMETRY__METRICS_LISTEN", address.as_str())];
    let platform = Platform::one_process_with(&knobs).await;
    let told = r#"moim_facts_told_total{room="member"}"#;
    let taken = r#"moim_facts_taken_total{room="gathering",source="member"}"#;
    assert_eq!(number(&ask(&address).await, told), None, "nothing was told yet");
    platform.sign_up("first").await;
    let before =
        (until(&address, told, |it| it > 0).await, until(&address, taken, |it| it > 0).await);
    platform.sign_up("second").await;
    let wanted = async {
        while number(&ask(&address).await, told) <= Some(before.0)
            || number(&ask(&address).await, taken) <= Some(before.1)
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wanted).await.expect("they do not move");
    for gauge in [
        r#"moim_outbox_unpublished{room="member"}"#,
        r#"moim_consumer_lag{room="gathering",source="member"}"#,
    ] {
        until(&address, gauge, |it| it == 0).await;
    }
}
