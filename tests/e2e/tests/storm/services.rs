//! Each of the eight services with each fault: its own fields are null, everything else is as ever, nobody waits past
//! the deadline, and it heals by itself.

use std::time::Duration;

use moim_e2e::Mode;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::load::{Load, expect_no_wrong, slowest};
use crate::scene::{CALL, DEADLINE, SLACK, Scene};
use crate::wide::{SERVICES, Verdict};

/// What becomes of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    Frozen,
    Slow,
    Torn,
    TooLate,
    Refusing,
    Deaf,
    Mute,
}

const FAULTS: [Fault; 6] =
    [Fault::Killed, Fault::Frozen, Fault::Slow, Fault::Torn, Fault::TooLate, Fault::Refusing];

/// Answers of a slow service come within the time of a call, but hardly.
const SLOW: Duration = CALL.saturating_sub(Duration::from_millis(200));
/// Answers that come this late come too late for any call.
const TOO_LATE: Duration = CALL.saturating_mul(3);
/// An answer is cut after its first frames.
const TORN_AFTER_BYTES: usize = 90;
const PEOPLE: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);
/// Answers in a row that show a state.
const IN_A_ROW: usize = 6;
/// How long a fault lasts once it shows; `MOIM_STORM_MS` in the environment makes it longer.
const LASTS: Duration = Duration::from_millis(500);
/// A busy machine may be late by much.
const HEALED_WITHIN: Duration = Duration::from_secs(25);

/// What one case came to.
pub struct Row {
    service: &'static str,
    fault: Fault,
    answers: usize,
    nulls: usize,
    first: Duration,
    slowest: Duration,
    healed: Duration,
}

impl Row {
    /// A line of the matrix; its head is [`HEAD`].
    fn markdown(&self) -> String {
        let Self { service, fault, answers, nulls, .. } = self;
        let [first, slowest, healed] =
            [self.first, self.slowest, self.healed].map(|it| it.as_millis());
        format!(
            "| {service} | {fault:?} | {answers} | {nulls} | 0 | {first} ms | {slowest} ms | {healed} ms |"
        )
    }
}

const HEAD: &str = "| service | fault | answers | null fields | other differences | first expected after | \
    slowest answer | healed after |\n| --- | --- | --- | --- | --- | --- | --- | --- |";

/// Tries every fault with some of the services; the rows of the matrix.
pub async fn try_all(scene: &mut Scene, services: &[&'static str]) -> Vec<Row> {
    try_faults(scene, services, &FAULTS).await
}

/// Tries the faults in which only one direction of the way is broken.
pub async fn try_half_ways(scene: &mut Scene, service: &'static str) {
    try_faults(scene, &[service], &[Fault::Deaf, Fault::Mute]).await;
}

async fn try_faults(scene: &mut Scene, services: &[&'static str], faults: &[Fault]) -> Vec<Row> {
    let mut rows = Vec::new();
    println!("{HEAD}");
    for service in services {
        assert!(SERVICES.contains(service));
        let load = Load::of(scene, PEOPLE, PAUSE, &[service]);
        load.until(Instant::now(), &Verdict::Whole, PEOPLE).await;
        for fault in faults {
            let row = suffer(scene, &load, service, *fault).await;
            println!("{}", row.markdown());
            rows.push(row);
        }
        load.stop().await;
    }
    rows
}

async fn suffer(scene: &mut Scene, load: &Load, service: &'static str, fault: Fault) -> Row {
    let struck = Instant::now();
    strike(scene, service, fault);
    // What is slow is answered until the breaker opens, and now and then after; all else fails for good.
    let (times, lasting) = if fault == Fault::Slow { (1, false) } else { (IN_A_ROW, true) };
    let first = load.until(struck, &Verdict::Expected, times).await;
    if fault == Fault::Killed && service == "member" {
        cards_stand(scene).await;
    }
    let steady = Instant::now();
    sleep(lasts()).await;
    let during = load.since(steady);
    let others = during.iter().filter(|answer| answer.verdict != Verdict::Expected);
    assert!(!lasting || others.count() == 0, "{service} {fault:?}: {during:#?}");

    heal(scene, service, fault).await;
    let mended = Instant::now();
    let whole = load.until(mended, &Verdict::Whole, IN_A_ROW).await;
    let answers = load.since(struck);
    expect_no_wrong(&answers);
    let healed = whole.saturating_duration_since(mended);
    assert!(healed < HEALED_WITHIN, "{service} {fault:?} healed after {healed:?}");
    let slowest = slowest(&answers);
    assert!(slowest < DEADLINE + SLACK, "{service} {fault:?}: somebody waited {slowest:?}");
    let nulls = scene.healthy.places(service).len();
    let first = first.saturating_duration_since(struck);
    Row { service, fault, answers: answers.len(), nulls, first, slowest, healed }
}

#[allow(clippy::disallowed_methods, reason = "tests are configured by their environment")]
fn lasts() -> Duration {
    let told = std::env::var("MOIM_STORM_MS").ok();
    told.map_or(LASTS, |ms| Duration::from_millis(ms.parse().unwrap()))
}

fn strike(scene: &mut Scene, service: &'static str, fault: Fault) {
    match fault {
        Fault::Killed => scene.platform.room(service).kill(),
        Fault::Frozen => scene.platform.room(service).freeze(),
        Fault::Slow => scene.platform.way(service).set(Mode::Late(SLOW)),
        Fault::Torn => scene.platform.way(service).set(Mode::Cut(TORN_AFTER_BYTES)),
        Fault::TooLate => scene.platform.way(service).set(Mode::Late(TOO_LATE)),
        Fault::Refusing => scene.platform.way(service).set(Mode::Refuse),
        Fault::Deaf => scene.platform.way(service).set(Mode::Deaf),
        Fault::Mute => scene.platform.way(service).set(Mode::Mute),
    }
}

/// Takes the fault away; back when a room that was killed listens again.
async fn heal(scene: &mut Scene, service: &'static str, fault: Fault) {
    match fault {
        Fault::Killed => {
            scene.platform.room(service).start_again();
            let place = scene.platform.way(service).target();
            while TcpStream::connect(place).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        }
        Fault::Frozen => scene.platform.room(service).thaw(),
        _ => scene.platform.way(service).set(Mode::Pass),
    }
}

/// Who hosts and who wrote is shown although nobody knows members.
async fn cards_stand(scene: &Scene) {
    let (body, _) = scene.ask().await;
    let gathering = &body["data"]["gatherings"]["edges"][0]["node"];
    assert_eq!(gathering["host"]["nickname"], "등산하는곰");
    assert_eq!(gathering["messages"]["edges"][0]["node"]["author"]["nickname"], "등산하는곰");
    assert_eq!(gathering["reviews"]["edges"][0]["node"]["author"]["nickname"], "viewer");
    assert!(gathering["host"]["bio"].is_null());
}
