//! A fleet of which every process is replaced, one after another, under load: no request fails, and every member's
//! sockets receive each numbered notification once.

mod balancer;
mod ledger;
mod load;
mod sockets;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use moim_e2e::{Person, Platform, eventually};
use moim_kit::task::{Scoped, scoped};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::KNOBS;
use balancer::Balancer;
use ledger::Ledger;
use load::{PEOPLE, Stage};
use sockets::{Follower, Seen, newest, sequence};

/// How much goes on meanwhile.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Sockets that follow their member's notifications, five of each member.
    #[arg(long, default_value_t = 1_000)]
    pub sockets: usize,
    /// Requests a second.
    #[arg(long, default_value_t = 40)]
    pub per_second: u32,
    /// Between announcements, of each of which every socket is told.
    #[arg(long, default_value_t = 1_000)]
    pub announce_every_ms: u32,
    /// For balancers to hear that a process goes.
    #[arg(long, default_value_t = 2_000)]
    pub drain_ms: u32,
    /// Ends processes with -9 in place of asking them to stop: the control, which must find failures or lateness.
    #[arg(long)]
    pub kill: bool,
}

const SOCKETS_PER_MEMBER: usize = 5;
const END_WITHIN: Duration = Duration::from_secs(60);
/// Before the first process goes, and after the last is back.
const STEADY: Duration = Duration::from_secs(5);
const RECEIVED_WITHIN: Duration = Duration::from_secs(120);
/// What is known later than this is late: a lease that had to run out, or a delivery that had to come again.
const LATE: Duration = Duration::from_secs(10);

/// Runs it and answers its figures; panics when a request failed or a notification is missing or doubled, or, of a
/// control, when nothing was found.
pub async fn run(size: Size) -> String {
    let drain = size.drain_ms.to_string();
    let knobs = [
        ("MOIM_HOUSE__DRAIN_MS", drain.as_str()),
        ("MOIM_BFF__SOCKETS_PER_MEMBER", "10"),
        ("MOIM_BFF__SOCKETS_PER_ADDRESS", "20000"),
    ];
    let platform = Platform::fleet_with(&[&KNOBS[..], &knobs].concat()).await;
    let mut platform = platform.expect("PostgreSQL, nats-server and redis-server are needed");
    let ends = (0..platform.processes.len()).map(|number| platform.place(number).clone());
    let balancer = ends.filter(|place| place.room == "bff").map(|place| place.url);
    let balancer = Arc::new(Balancer::new(balancer));
    let ledger = Arc::new(Ledger::default());
    let stage = Stage::set(&platform, balancer.clone(), ledger.clone()).await;
    let members = people(&platform, &stage, "member", size.sockets.div_ceil(SOCKETS_PER_MEMBER));
    let members = members.await;
    let busy = people(&platform, &stage, "busy", PEOPLE).await;
    let from = starts(&stage, &members).await;
    let stage = Arc::new(stage);

    let watching = balancer.clone();
    let _watch = scoped(async move { watching.watch().await });
    let seen = Arc::new(Seen::default());
    let (last, _) = watch::channel(None);
    let mut followers = Vec::new();
    for number in 0..size.sockets {
        let member = number % members.len();
        let follower = Follower::new(members[member].clone(), &from[member]);
        let (way, seen, stage, last) =
            (balancer.clone(), seen.clone(), stage.clone(), last.subscribe());
        let announced = move |number| stage.announced.lock().get(&number).copied();
        followers.push(scoped(follower.follow(way, seen, announced, last)));
    }
    let load = work(&stage, busy, size);
    let began = Instant::now();
    sleep(STEADY).await;
    let mut report = replace_all(&mut platform, size.kill).await;
    sleep(STEADY).await;
    let took = began.elapsed();
    drop(load);

    let told = newest_of(&members).await;
    last.send_replace(told.iter().copied().max());
    let received = timeout(RECEIVED_WITHIN, join_all(followers)).await;
    let received = received.expect("every socket comes to the end");
    report.push_str(&ledger.table());
    let mut broken = 0;
    let mut count = 0;
    for follower in received.into_iter().map(Result::unwrap) {
        let until = follower.received.last().copied().unwrap_or(follower.from);
        broken += u64::from(!follower.received.iter().copied().eq(follower.from + 1..=until));
        count += follower.received.len();
    }
    let mut waits = std::mem::take(&mut *seen.waits.lock());
    waits.sort_unstable();
    let at = |share: usize| waits.get((waits.len() * share / 100).min(waits.len() - 1)).unwrap();
    let late = waits.iter().filter(|wait| **wait > LATE).count();
    writeln!(
        report,
        "sockets                  {} all back; ends {:?}",
        size.sockets,
        seen.ends.lock()
    )
    .unwrap();
    writeln!(
        report,
        "notifications            {count} in all, {} to each member; sockets with a gap or a repetition: {broken}",
        told[0] - sequence(&from[0])
    )
    .unwrap();
    writeln!(
        report,
        "from sending to receipt  p50 {:.0?}, p99 {:.0?}, latest {:.1?}; later than {LATE:?}: {late}",
        at(50),
        at(99),
        at(100)
    )
    .unwrap();
    writeln!(report, "took                     {:.0} s", took.as_secs_f64()).unwrap();
    let found = ledger.failed() + seen.unexpected() + broken;
    if size.kill {
        assert!(found + late as u64 > 0, "killed processes go unnoticed:\n{report}");
        assert_eq!(broken, 0, "also then nothing is lost or doubled:\n{report}");
    } else {
        assert_eq!(found, 0, "{report}");
    }
    report
}

/// People of the gathering.
async fn people(platform: &Platform, stage: &Stage, name: &str, count: usize) -> Vec<Person> {
    let join = async |number| {
        let person = platform.sign_up(&format!("{name}{number}")).await;
        person.join(&stage.gathering).await;
        person
    };
    stream::iter(0..count).map(join).buffered(4).collect().await
}

/// Everybody's newest notification once all are told of what is announced, so that the rest is numbered from there.
async fn starts(stage: &Stage, members: &[Person]) -> Vec<String> {
    stage.announce_one(0).await;
    let mut cursors = Vec::new();
    for member in members {
        cursors.push(eventually(async || newest(member).await.ok_or("nothing was told")).await);
    }
    cursors
}

/// The load; it ends when it is dropped.
fn work(stage: &Arc<Stage>, busy: Vec<Person>, size: Size) -> Vec<Scoped<()>> {
    let every = Duration::from_secs(1) * PEOPLE as u32 / size.per_second;
    let mut tasks = Vec::new();
    for (number, person) in busy.into_iter().enumerate() {
        let stage = stage.clone();
        tasks.push(scoped(async move { stage.busy(person, number, every).await }));
    }
    let (stage, every) = (stage.clone(), Duration::from_millis(size.announce_every_ms.into()));
    tasks.push(scoped(async move { stage.announce(every).await }));
    tasks
}

/// Replaces one process after another; how long each was leaving and away.
async fn replace_all(platform: &mut Platform, kill: bool) -> String {
    let mut report = String::from("replaced                    leaving      back after\n");
    for number in 0..platform.processes.len() {
        let room = platform.place(number).room;
        let process = &mut platform.processes[number];
        let began = Instant::now();
        if kill {
            process.kill();
        } else {
            process.terminate();
            let status = process.end_within(END_WITHIN).await;
            assert!(status.success(), "{room} ended with {status}: {}", process.stderr());
        }
        let left = began.elapsed();
        process.start_again();
        platform.stands(number).await;
        writeln!(report, "  {room:<22} {left:>10.1?} {:>14.1?}", began.elapsed()).unwrap();
    }
    report
}

/// How far each member was told at the end, once nobody is told anything more.
async fn newest_of(members: &[Person]) -> Vec<i64> {
    let ask = async || {
        let newest = join_all(members.iter().map(newest)).await;
        newest.iter().flatten().map(|it| sequence(it)).collect::<Vec<_>>()
    };
    let mut before = ask().await;
    loop {
        sleep(Duration::from_secs(3)).await;
        let now = ask().await;
        let even = now.iter().all(|it| *it == now[0]);
        if now == before && even {
            return now;
        }
        before = now;
    }
}
