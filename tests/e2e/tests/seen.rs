//! Everybody sees their own writes at once, however slowly rooms hear of each other.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use moim::house::ROOMS;
use moim::{Config, House, Plan};
use moim_e2e::{Client, Memory, Person, Value, expect_data, free_port, json, user_error_codes};
use moim_kit::Fault;
use moim_kit::bus::{Entry, Log};
use tempfile::TempDir;

const TRIES: usize = 20;
/// Twice this is still well within what a room waits for a copy.
const LATE: Duration = Duration::from_millis(500);

/// A log whose readers learn everything late.
struct Slow(Arc<dyn Log>);

#[async_trait]
impl Log for Slow {
    async fn read(&self, position: i64, limit: u32) -> Result<Vec<Entry>, Fault> {
        let entries = self.0.read(position, limit).await;
        tokio::time::sleep(LATE).await;
        entries
    }

    async fn wait(&self, position: i64, at_most: Duration) -> Result<(), Fault> {
        self.0.wait(position, at_most).await
    }
}

/// Rooms that hear of each other late, in one house or in one each.
struct Town {
    houses: Vec<House>,
    client: Client,
    _data: TempDir,
}

impl Town {
    async fn in_one_house() -> Self {
        let (config, data) = config();
        let house = open(&config, &ROOMS).await;
        let client = client(&house);
        Self { houses: vec![house], client, _data: data }
    }

    /// A house per room, over TCP and on PostgreSQL; `None`, said loudly, when there is none.
    async fn in_a_house_each() -> Option<Self> {
        let url = moim_testbed::database().await?;
        let (mut config, data) = config();
        config.storage.url = url;
        config.house.secret = "the rooms of this house".to_owned();
        let rooms = &mut config.rooms;
        for place in [
            &mut rooms.member,
            &mut rooms.gathering,
            &mut rooms.schedule,
            &mut rooms.review,
            &mut rooms.chat,
            &mut rooms.notification,
            &mut rooms.payment,
            &mut rooms.search,
        ] {
            place.listen.set_port(free_port());
            place.address = format!("http://{}", place.listen);
        }
        let houses =
            join_all(ROOMS.iter().map(|room| open(&config, std::slice::from_ref(room)))).await;
        let client = client(houses.last().unwrap());
        Some(Self { houses, client, _data: data })
    }

    async fn sign_up(&self, memory: Memory, nickname: &str) -> Person {
        let email = format!("{nickname}@example.com");
        Person::sign_up(&self.client.remembering(memory), nickname, &email).await
    }

    async fn close(self) {
        join_all(self.houses.into_iter().map(|house| house.close(Duration::from_secs(5)))).await;
    }
}

fn config() -> (Config, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.house.data = data.path().to_owned();
    config.bff.listen.set_port(0);
    // Everybody comes from one address.
    config.bff.requests_per_address = 0;
    config.bff.attempts_per_minute = 0;
    config.bff.member_points = 0;
    config.bff.stranger_points = 0;
    config.member.hashing_memory_kib = 64;
    config.member.hashing_passes = 1;
    // Whoever pays is answered before anybody heard of it.
    config.schedule.pay_wait_ms = 0;
    (config, data)
}

async fn open(config: &Config, rooms: &[&'static str]) -> House {
    let plan = Plan { bus: |log| Arc::new(Slow(log)), ..Plan::of(rooms.iter().copied()) };
    House::open(config, plan).await.unwrap()
}

fn client(house: &House) -> Client {
    Client::new(format!("http://{}", house.endpoint.unwrap()))
}

/// A member comes and at once attends, so many times side by side; what came of each.
async fn join_and_attend_at_once(town: &Town, memory: Memory) -> Vec<Value> {
    let host = town.sign_up(Memory::Header, "host").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({ "capacity": 100 })).await;
    let guests = (0..TRIES).map(|number| {
        let (gathering, schedule) = (&gathering, &schedule);
        async move {
            let guest = town.sign_up(memory, &format!("guest{number}")).await;
            guest.join(gathering).await;
            guest.try_attend(schedule, json!({})).await
        }
    });
    join_all(guests).await
}

async fn joining_and_at_once_attending_always_works(town: Town) {
    for answer in join_and_attend_at_once(&town, Memory::Header).await {
        let attendance = &expect_data(&answer)["scheduleAttend"]["attendance"];
        assert_eq!(attendance["state"], "GOING");
    }
    town.close().await;
}

async fn without_what_was_seen_it_does_not(town: Town) {
    let answers = join_and_attend_at_once(&town, Memory::None).await;
    let refused = answers.iter().filter(|it| user_error_codes(it) == ["NOT_A_MEMBER"]).count();
    assert!(refused > 0, "the bus is not slow: {answers:#?}");
    town.close().await;
}

async fn signing_up_and_at_once_starting_a_gathering_always_works(town: Town) {
    let founders = (0..TRIES).map(|number| {
        let town = &town;
        async move {
            let founder = town.sign_up(Memory::Header, &format!("founder{number}")).await;
            let gathering = founder.create_gathering(json!({})).await;
            founder.create_schedule(&gathering, json!({})).await;
        }
    });
    join_all(founders).await;
    town.close().await;
}

/// Somebody pays for a seat and sees the order, in the same operation and in the next.
async fn paying_and_at_once_looking_at_the_order_always_works(town: Town) {
    let host = town.sign_up(Memory::Header, "host").await;
    let gathering = host.create_gathering(json!({})).await;
    let costly = json!({ "capacity": 100, "fee": 12_000 });
    let schedule = host.create_schedule(&gathering, costly).await;
    let payers = (0..TRIES / 4).map(|number| {
        let (town, gathering, schedule) = (&town, &gathering, &schedule);
        async move {
            let payer = town.sign_up(Memory::Header, &format!("payer{number}")).await;
            payer.join(gathering).await;
            payer.top_up(12_000).await;
            let key = format!("seat{number}");
            let attended = payer.data(PAY, json!({ "id": schedule, "key": key })).await;
            let order = &attended["scheduleAttend"]["attendance"]["order"];
            assert!(order["state"].is_string(), "{attended}");
            let seen = payer.data(ORDER, json!({ "id": schedule })).await;
            assert_eq!(seen["node"]["viewerAttendance"]["order"]["id"], order["id"], "{seen}");
        }
    });
    join_all(payers).await;
    town.close().await;
}

const PAY: &str = "mutation($id: ID!, $key: String!) {
  scheduleAttend(input: { scheduleId: $id }) @idempotent(key: $key) {
    attendance { state order { id state } } userErrors { code }
  }
}";
const ORDER: &str = "query($id: ID!) {
  node(id: $id) { ... on Schedule { viewerAttendance { order { id state } } } }
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_remembers_what_was_seen_as_well_as_the_header() {
    let town = Town::in_one_house().await;
    for answer in join_and_attend_at_once(&town, Memory::Cookie).await {
        expect_data(&answer);
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_just_joined_is_offered_a_seat() {
    let town = Town::in_one_house().await;
    let host = town.sign_up(Memory::Header, "host").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    let guest = town.sign_up(Memory::Header, "guest").await;
    guest.join(&gathering).await;
    let ask = "query($id: ID!) { node(id: $id) { ... on Schedule { viewerOption } } }";
    let data = guest.data(ask, json!({ "id": schedule })).await;
    assert_eq!(data["node"]["viewerOption"], "ATTEND");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_answer_to_joining_and_asked_again_can_attend_at_once() {
    let town = Town::in_one_house().await;
    let host = town.sign_up(Memory::Header, "host").await;
    let gathering = host.create_gathering(json!({})).await;
    let schedule = host.create_schedule(&gathering, json!({})).await;
    let guest = town.sign_up(Memory::Header, "guest").await;
    let join = "mutation($id: ID!) {
      gatheringJoin(input: { gatheringId: $id }) @idempotent(key: \"once\") { userErrors { code } }
    }";
    let deaf = guest.through(&guest.remembering(Memory::None));
    deaf.data(join, json!({ "id": gathering })).await;
    guest.data(join, json!({ "id": gathering })).await;
    guest.attend(&schedule).await;
    town.close().await;
}

macro_rules! in_both_towns {
    ($($name:ident)*) => {
        $(mod $name {
            use super::Town;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_one_house() {
                super::$name(Town::in_one_house().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_house_each() {
                if let Some(town) = Town::in_a_house_each().await {
                    super::$name(town).await;
                }
            }
        })*
    };
}

in_both_towns! {
    joining_and_at_once_attending_always_works
    signing_up_and_at_once_starting_a_gathering_always_works
    paying_and_at_once_looking_at_the_order_always_works
    without_what_was_seen_it_does_not
}
