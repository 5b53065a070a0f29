//! A room whose copies stayed behind is mended from the log of a room in another process.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use moim::house::ROOMS;
use moim::{Config, House, Plan};
use moim_e2e::{Client, Person, free_port};
use moim_kit::Clock;
use moim_storage::{Db, args};

/// Longer than any fact is thought to be on its way.
const SETTLED: Duration = Duration::from_secs(60);

fn config(data: &tempfile::TempDir) -> Config {
    let mut config = Config::default();
    config.house.data = data.path().to_owned();
    config.house.secret = "the rooms of this house".to_owned();
    config.storage.reconcile_every_ms = 50;
    config.bff.listen.set_port(0);
    // Everybody comes from one address.
    config.bff.requests_per_address = 0;
    config.bff.attempts_per_minute = 0;
    config.bff.member_points = 0;
    config.bff.stranger_points = 0;
    config.member.hashing_memory_kib = 64;
    config.member.hashing_passes = 1;
    let rooms = &mut config.rooms;
    for place in [
        &mut rooms.member,
        &mut rooms.gathering,
        &mut rooms.schedule,
        &mut rooms.review,
        &mut rooms.chat,
        &mut rooms.notification,
        &mut rooms.payment,
    ] {
        place.listen.set_port(free_port());
        place.address = format!("http://{}", place.listen);
    }
    config
}

async fn number(db: &Db, sql: &str) -> i64 {
    db.fetch_optional::<(i64,)>(sql, args![]).await.unwrap().unwrap().0
}

async fn until(db: &Db, sql: &str, wanted: i64) {
    let asked = async {
        while number(db, sql).await != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it never came to be");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_room_elsewhere_are_mended() {
    let data = tempfile::tempdir().unwrap();
    let (config, clock) = (config(&data), Clock::system());
    let plan = |here: Vec<&'static str>| Plan { clock: clock.clone(), ..Plan::of(here) };
    let member = House::open(&config, plan(vec!["member"])).await.unwrap();
    let others = plan(ROOMS.into_iter().filter(|room| *room != "member").collect());
    let others = House::open(&config, others).await.unwrap();

    let client = Client::new(format!("http://{}", others.endpoint.unwrap()));
    for number in 0..3 {
        let email = format!("guest{number}@example.com");
        Person::sign_up(&client, &format!("guest{number}"), &email).await;
    }
    let db = Db::open(&config.storage, data.path(), "gathering").await.unwrap();
    let cards = "SELECT COUNT(*) FROM card";
    let copies = "SELECT COUNT(*) FROM inbox WHERE noun = 'member' AND version > 0";
    until(&db, cards, 3).await;
    for harm in ["DELETE FROM inbox", "UPDATE inbox SET version = 0"] {
        let mut tx = db.begin().await.unwrap();
        tx.execute("DELETE FROM card", args![]).await.unwrap();
        tx.execute(harm, args![]).await.unwrap();
        tx.commit().await.unwrap();
        clock.set(clock.now().after(SETTLED));
        until(&db, cards, 3).await;
        until(&db, copies, 3).await;
    }
    db.close().await;
    others.close(Duration::from_secs(5)).await;
    member.close(Duration::from_secs(5)).await;
}
