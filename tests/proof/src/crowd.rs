//! Idle subscribers by the thousand, one chat with many of them, and readers that stall: what a
//! subscriber weighs, how soon a message is there, and that the stalled are nobody else's trouble.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use moim_e2e::{Person, Platform, Socket, json};
use moim_kit::task::scoped;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// How many take part.
#[derive(Args, Clone, Copy, Debug)]
pub struct Size {
    /// Sockets with a subscription that nothing happens on.
    #[arg(long, default_value_t = 5_000)]
    pub idle: usize,
    /// Of those, how many also follow the one chat.
    #[arg(long, default_value_t = 1_000)]
    pub room: usize,
    /// Readers of the chat that take nothing off their sockets.
    #[arg(long, default_value_t = 100)]
    pub stalled: usize,
    /// Messages in each round of measurement.
    #[arg(long, default_value_t = 250)]
    pub messages: usize,
    /// Rounds without and with stalled readers, in turn.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
}

const FOLLOW_OWN: &str = "subscription { notificationAdded { cursor } }";
const FOLLOW_CHAT: &str = "subscription($id: ID!) {
  chatMessageAdded(gatheringId: $id) { cursor node { body } }
}";
const SEND: &str = "mutation($input: ChatMessageSendInput!) {
  chatMessageSend(input: $input) { edge { cursor } userErrors { code message } }
}";
const SOCKETS_PER_MEMBER: usize = 5;
/// Most that a gathering takes, the host among them.
const MOST_IN_A_ROOM: usize = 999;
const RECEIVED_WITHIN: Duration = Duration::from_secs(60);

/// Someone received the message of this number.
struct Receipt {
    number: usize,
    at: Instant,
}

/// Runs it and answers its figures; panics when a message is lost or memory grows without bound.
pub async fn run(size: Size) -> String {
    let platform = Platform::one_process_with(&[
        ("MOIM_BFF__SOCKETS", "20000"),
        ("MOIM_BFF__CONNECTIONS", "20000"),
        ("MOIM_BFF__SOCKETS_PER_MEMBER", "10"),
        ("MOIM_BFF__SOCKETS_PER_ADDRESS", "20000"),
        ("MOIM_MEMBER__ACCESS_TOKEN_S", "7200"),
    ])
    .await;
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({ "capacity": 1_000 })).await;
    let members = people(&platform, size, &gathering).await;
    let id = platform.processes[0].id();

    let before = rss_kib(id);
    let sockets = stream::iter(0..size.idle)
        .map(|number| idle(platform.url(), &members[number % members.len().min(MOST_IN_A_ROOM)]))
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;
    sleep(Duration::from_secs(3)).await;
    let idle_kib = rss_kib(id).saturating_sub(before);

    let (receipts, mut received) = mpsc::channel(100_000);
    let room = size.room.min(size.idle);
    let mut listening = Vec::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        if number < room {
            socket.subscribe("c", FOLLOW_CHAT, json!({ "id": gathering })).await.unwrap();
        }
        listening.push(scoped(listen(socket, receipts.clone())));
    }
    sleep(Duration::from_secs(3)).await;

    let stage = Arc::new((host, gathering));
    let mut next = 0;
    let (mut calm, mut stormy) = (Vec::new(), Vec::new());
    let mut memory = Vec::new();
    round(&stage, size.messages, room, &mut next, &mut received).await;
    for _ in 0..size.rounds {
        calm.push(round(&stage, size.messages, room, &mut next, &mut received).await);
        let stalled = stall(platform.url(), &members, &stage.1, size.stalled).await;
        stormy.push(round(&stage, size.messages, room, &mut next, &mut received).await);
        memory.push(rss_kib(id));
        drop(stalled);
    }

    drop(listening);
    let mut report = String::new();
    let per_subscriber = idle_kib as f64 / size.idle as f64;
    writeln!(
        report,
        "idle subscribers         {} sockets: {per_subscriber:.1} KiB of RSS each",
        size.idle
    )
    .unwrap();
    for (name, rounds) in [("without stalled readers", &calm), ("with stalled readers", &stormy)] {
        let (p50, p99) =
            (median(rounds.iter().map(|it| it.0)), median(rounds.iter().map(|it| it.1)));
        writeln!(
            report,
            "{name:<24} send to receipt, {room} readers: p50 {p50:.1} ms, p99 {p99:.1} ms"
        )
        .unwrap();
    }
    let ratio = median(stormy.iter().map(|it| it.1)) / median(calm.iter().map(|it| it.1));
    writeln!(
        report,
        "p99 with {} stalled      {ratio:.2} of without (medians of {} rounds)",
        size.stalled, size.rounds
    )
    .unwrap();
    writeln!(
        report,
        "RSS after each round     {:?} MiB",
        memory.iter().map(|kib| kib / 1024).collect::<Vec<_>>()
    )
    .unwrap();
    report
}

/// Members enough for the sockets; as many as fit are in the gathering.
async fn people(platform: &Platform, size: Size, gathering: &str) -> Vec<Person> {
    let count = size.idle.div_ceil(SOCKETS_PER_MEMBER).max(size.room.min(MOST_IN_A_ROOM));
    stream::iter(0..count)
        .map(async |number| {
            let member = platform.sign_up(&format!("reader{number}")).await;
            if number < MOST_IN_A_ROOM {
                member.join(gathering).await;
            }
            member
        })
        .buffered(8)
        .collect()
        .await
}

async fn idle(url: &str, member: &Person) -> Socket {
    let mut socket = Socket::open(url, member.client.token().unwrap()).await.unwrap();
    socket.subscribe("n", FOLLOW_OWN, json!({})).await.unwrap();
    socket
}

/// Tells of each message as soon as it is there.
async fn listen(mut socket: Socket, receipts: mpsc::Sender<Receipt>) {
    while let Ok(message) = socket.next().await {
        let at = Instant::now();
        let body = message["payload"]["data"]["chatMessageAdded"]["node"]["body"].as_str();
        let number = body.and_then(|body| body.split(' ').next()?.parse().ok());
        match number {
            Some(number) if receipts.send(Receipt { number, at }).await.is_err() => return,
            Some(_) => {}
            None => assert_eq!(message["id"], "n", "{message}"),
        }
    }
}

/// Sends messages one by one, each once all have the one before; p50 and p99 in milliseconds.
async fn round(
    stage: &(Person, String),
    messages: usize,
    readers: usize,
    next: &mut usize,
    received: &mut mpsc::Receiver<Receipt>,
) -> (f64, f64) {
    let (host, gathering) = stage;
    let mut waits = Vec::with_capacity(messages * readers);
    for _ in 0..messages {
        let number = *next;
        *next += 1;
        // Long enough that a reader who takes nothing is soon full.
        let body = format!("{number} {}", "가".repeat(1_500));
        let input = json!({ "gatheringId": gathering, "body": body, "clientId": uuid::Uuid::now_v7().to_string() });
        let sent = Instant::now();
        let send = host.data(SEND, json!({ "input": input }));
        let receive = async {
            for _ in 0..readers {
                let receipt = timeout(RECEIVED_WITHIN, received.recv())
                    .await
                    .expect("a message is lost")
                    .unwrap();
                assert_eq!(receipt.number, number, "out of order or twice");
                waits.push(receipt.at.duration_since(sent).as_secs_f64() * 1_000.0);
            }
        };
        tokio::join!(send, receive);
    }
    waits.sort_by(f64::total_cmp);
    (waits[waits.len() / 2], waits[waits.len() * 99 / 100])
}

/// Readers of the chat who take nothing any more.
async fn stall(url: &str, members: &[Person], gathering: &str, count: usize) -> Vec<Socket> {
    let inside = members[..members.len().min(MOST_IN_A_ROOM)].iter().rev().cycle();
    let stalled = join_all(inside.take(count).map(async |member| {
        let token = member.client.token().unwrap();
        let mut socket = Socket::open_narrow(url, token).await.unwrap();
        socket.subscribe("c", FOLLOW_CHAT, json!({ "id": gathering })).await.unwrap();
        socket
    }));
    let stalled = stalled.await;
    sleep(Duration::from_millis(500)).await;
    stalled
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Memory that a process holds, as Linux tells it.
fn rss_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
