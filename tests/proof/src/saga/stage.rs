//! The people of the proof, and what they do: sign up for paid seats, give them back, call meetups off.

use futures::StreamExt as _;
use futures::stream;
use moim_e2e::{Person, Platform, Value, in_hours, json};

use super::{HOLD, SILENCE};
use crate::KNOBS;
use crate::books::Books;
use crate::graph::{self, act, ask};

/// What a seat costs, KRW.
pub const FEE: i64 = 1_000;
/// More than anybody pays in a whole proof.
const PLENTY: i64 = 1_000_000;
/// People who have nothing in their wallets.
pub const POOR: usize = 1;
/// Requests at once.
const AT_ONCE: usize = 16;

/// The platform and everybody on it, apart, so that rooms can be lost while people ask.
pub struct Stage {
    pub platform: Platform,
    pub cast: Cast,
}

/// Who acts, and where it is seen what came of it.
pub struct Cast {
    pub books: Books,
    host: Person,
    /// With money enough.
    pub rich: Vec<Person>,
    /// Without any.
    pub poor: Vec<Person>,
    gathering: String,
}

impl Stage {
    /// Rooms apart that can be lost anywhere, with short limits; everybody is signed up and has money.
    pub async fn set(people: usize) -> Self {
        let ms = |span: std::time::Duration| span.as_millis().to_string();
        let (hold, silence) = (ms(HOLD), ms(SILENCE));
        let knobs = [
            KNOBS[0],
            ("MOIM_SCHEDULE__HOLD_MS", &hold),
            ("MOIM_SCHEDULE__OFFER_MS", &hold),
            ("MOIM_SCHEDULE__SWEEP_EVERY_MS", "200"),
            ("MOIM_SCHEDULE__PAY_WAIT_MS", "200"),
            ("MOIM_PAYMENT__SILENCE_MS", &silence),
            ("MOIM_PAYMENT__POLL_MS", "200"),
            ("MOIM_PAYMENT__TOP_UP_WAIT_MS", "500"),
            ("MOIM_PAYMENT__TOP_UP_LIMIT_MS", "5000"),
            ("MOIM_BUS__REDELIVER_MS", "1000"),
            ("MOIM_STORAGE__RECONCILE_EVERY_MS", "2000"),
        ];
        let platform = Platform::apart_crashing_with(&knobs).await;
        let platform = platform.expect("PostgreSQL and nats-server are needed");
        let books = Books::on_postgres(platform.database()).await;
        let host = platform.sign_up("host").await;
        let capacity = (people + POOR + 1).max(2);
        let gathering = host.create_gathering(json!({ "capacity": capacity })).await;
        let sign_up = async |name: String| {
            let person = platform.sign_up(&name).await;
            act(&person.client, graph::GATHERING_JOIN, json!({ "gatheringId": gathering })).await;
            person
        };
        let names = |kind: &'static str, count| (0..count).map(move |it| format!("{kind}{it}"));
        let rich: Vec<_> =
            stream::iter(names("rich", people)).map(sign_up).buffered(8).collect().await;
        let poor: Vec<_> =
            stream::iter(names("poor", POOR)).map(sign_up).buffered(8).collect().await;
        let fill = async |person: &Person| {
            let input = json!({ "amount": PLENTY });
            act(&person.client, graph::WALLET_TOP_UP, input).await;
        };
        stream::iter(&rich).map(fill).buffer_unordered(8).collect::<Vec<()>>().await;
        Self { platform, cast: Cast { books, host, rich, poor, gathering } }
    }
}

impl Cast {
    /// Announces a paid schedule.
    pub async fn announce(&self, capacity: usize) -> String {
        let input = json!({
            "gatheringId": self.gathering, "title": "강변 걷기", "description": "천천히 걷습니다.",
            "place": "뚝섬 나들목", "capacity": capacity, "fee": FEE,
            "startsAt": in_hours(24 * 60), "endsAt": in_hours(24 * 60 + 2),
        });
        let payload = act(&self.host.client, graph::SCHEDULE_CREATE, input).await;
        payload["schedule"]["id"].as_str().unwrap().to_owned()
    }

    /// Gives a schedule more seats.
    pub async fn enlarge(&self, schedule: &str, capacity: usize) {
        let input = json!({ "scheduleId": schedule, "capacity": capacity });
        act(&self.host.client, graph::SCHEDULE_UPDATE, input).await;
    }

    /// Calls a schedule off.
    pub async fn call_off(&self, schedule: &str) {
        let input = json!({ "scheduleId": schedule, "reason": "비가 옵니다" });
        act(&self.host.client, graph::SCHEDULE_CANCEL, input).await;
    }
}

/// Everybody signs up, each until there is an answer; in line they pay by themselves.
pub async fn attend(people: &[Person], schedule: &str) {
    let attend = async |person: &Person| {
        let input = json!({ "scheduleId": schedule, "allowOverlap": true, "autoPay": true });
        let payload = ask(&person.client, graph::SCHEDULE_ATTEND, input).await;
        expect(&payload, &["INSUFFICIENT_BALANCE", "WRONG_STATE"]);
    };
    stream::iter(people).map(attend).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Everybody gives back their seat.
pub async fn withdraw(people: &[Person], schedule: &str) {
    let withdraw = async |person: &Person| {
        let input = json!({ "scheduleId": schedule });
        let payload = ask(&person.client, graph::SCHEDULE_WITHDRAW, input).await;
        expect(&payload, &["WRONG_STATE", "NOT_FOUND"]);
    };
    stream::iter(people).map(withdraw).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Fails on a refusal that there is no reason for.
fn expect(payload: &Value, reasons: &[&str]) {
    for error in payload["userErrors"].as_array().unwrap() {
        let code = error["code"].as_str().unwrap();
        assert!(reasons.contains(&code), "{payload}");
    }
}
