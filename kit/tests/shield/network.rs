//! Rooms over real sockets: several processes of one, dead ones, frozen ones, and answers that are too long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use moim_kit::Clock;
use moim_kit::serve::{Guarded, OpenGate};
use moim_kit::task::Tasks;
use moim_kit::token::Verifier;
use moim_kit::wire::{self, Config, Wire};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

use crate::room::{Room, ask, call, ok, serve};

const SOON: Duration = Duration::from_secs(20);

fn shielded(addresses: &str) -> Wire {
    wire::shielded("test", &Config::default(), wire::remote(addresses).unwrap())
}

/// Where nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn expect_well(wire: &Wire) {
    timeout(SOON, async {
        while ask(wire, &call(), "Get").await.code() != Code::Ok {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the room is asked again");
}

#[tokio::test]
async fn one_dead_process_of_two_costs_nobody_an_answer() {
    let tasks = Tasks::new();
    let (room, dead) = (Room::saying(Code::Ok), nobody().await);
    let alive = room.listen(&tasks).await;
    let wire = shielded(&format!("http://{dead}, http://{alive}"));
    for _ in 0..50 {
        let ten = (0..10).map(|_| async { ask(&wire, &call(), "Attend").await.code() });
        assert_eq!(join_all(ten).await, [Code::Ok; 10]);
    }
    assert_eq!(room.calls(), 500);
    tasks.stop(SOON).await;
}

/// A room whose process can be killed: whoever is connected is cut off.
async fn killable(room: &Room, tasks: &Tasks) -> (SocketAddr, Tasks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, life) = (listener.local_addr().unwrap(), Tasks::new());
    forward(listener, room.listen(tasks).await, Arc::default(), &life);
    (address, life)
}

#[tokio::test]
async fn calls_go_to_all_processes_and_on_when_one_is_killed() {
    let tasks = Tasks::new();
    let (first, second) = (Room::saying(Code::Ok), Room::saying(Code::Ok));
    let (first_at, first_life) = killable(&first, &tasks).await;
    let (second_at, second_life) = killable(&second, &tasks).await;
    let wire = shielded(&format!("http://{first_at},http://{second_at}"));
    for _ in 0..200 {
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    }
    assert!(first.calls() > 20 && second.calls() > 20, "{} {}", first.calls(), second.calls());
    assert!(first_life.stop(SOON).await);
    for nth in 0..200 {
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok, "{nth}");
    }
    assert!(second_life.stop(SOON).await);
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Unavailable);
    tasks.stop(SOON).await;
}

#[tokio::test]
async fn a_process_that_says_it_goes_is_left_alone_while_there_is_another() {
    let tasks = Tasks::new();
    let going = Room::new(|_| async {
        let mut answer = ok();
        answer.headers_mut().insert(wire::LEAVING, http::HeaderValue::from_static("1"));
        answer
    });
    let staying = Room::saying(Code::Ok);
    let (first, second) = (going.listen(&tasks).await, staying.listen(&tasks).await);
    let began = Instant::now();
    let wire = shielded(&format!("http://{first},http://{second}"));
    for _ in 0..200 {
        assert_eq!(ask(&wire, &call(), "Attend").await.code(), Code::Ok);
    }
    // It is asked again each second, should it have changed its mind.
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!((1..=seconds + 2).contains(&going.calls()), "{}", going.calls());
    let alone = shielded(&format!("http://{first}"));
    for _ in 0..20 {
        assert_eq!(
            ask(&alone, &call(), "Attend").await.code(),
            Code::Ok,
            "it does all it is asked"
        );
    }
    tasks.stop(SOON).await;
}

#[tokio::test]
async fn a_process_that_closes_in_order_costs_nobody_an_answer() {
    let tasks = Tasks::new();
    for _ in 0..5 {
        let (room, life) = (Room::saying(Code::Ok), Tasks::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let going = listener.local_addr().unwrap();
        let server = Server::builder().add_service(room.clone());
        let stopped = life.token().cancelled_owned();
        life.spawn("test server", async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            server.serve_with_incoming_shutdown(incoming, stopped).await.unwrap();
        });
        let staying = Room::saying(Code::Ok).listen(&tasks).await;
        let wire = shielded(&format!("http://{going},http://{staying}"));
        let people = (0..16).map(|_| async {
            // Writes without a key, which nobody may make twice.
            for _ in 0..100 {
                assert_eq!(ask(&wire, &call(), "Attend").await.code(), Code::Ok);
            }
        });
        let stop = async {
            while room.calls() < 200 {
                sleep(Duration::from_millis(1)).await;
            }
            assert!(life.stop(SOON).await);
        };
        tokio::join!(join_all(people), stop);
    }
    tasks.stop(SOON).await;
}

#[tokio::test]
async fn a_name_is_looked_up_and_a_room_that_comes_back_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let wire = shielded(&format!("http://localhost:{}", address.port()));
    drop(listener);
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Unavailable);
    let (room, tasks) = (Room::saying(Code::Ok), Tasks::new());
    let listener = TcpListener::bind(address).await.unwrap();
    let forwarded = room.listen(&tasks).await;
    forward(listener, forwarded, Arc::default(), &tasks);
    expect_well(&wire).await;
    tasks.stop(SOON).await;
}

#[tokio::test]
async fn a_name_that_nobody_has_is_unavailable() {
    let wire = shielded("http://no-such-room.invalid:1");
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Unavailable);
}

/// Passes bytes on; connections made before `frozen` is set pass none after it.
fn forward(listener: TcpListener, to: SocketAddr, frozen: Arc<AtomicBool>, tasks: &Tasks) {
    let inner = tasks.clone();
    let token = tasks.token();
    let accept = async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (frozen, was_frozen) = (frozen.clone(), frozen.load(Ordering::SeqCst));
            let token = inner.token();
            let pass = async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let freezes = async {
                    while was_frozen || !frozen.load(Ordering::SeqCst) {
                        sleep(Duration::from_millis(10)).await;
                    }
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => return,
                    () = freezes => {}
                }
                // Open, and silent for longer than any test.
                sleep(Duration::from_secs(120)).await;
            };
            inner.spawn("test connection", async move {
                token.run_until_cancelled(pass).await;
            });
        }
    };
    tasks.spawn("test proxy", async move {
        token.run_until_cancelled(accept).await;
    });
}

#[tokio::test]
async fn a_peer_that_fell_silent_is_noticed_and_left() {
    let (room, tasks, frozen) = (Room::saying(Code::Ok), Tasks::new(), Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    forward(listener, room.listen(&tasks).await, Arc::clone(&frozen), &tasks);
    let wire = wire::remote(&format!("http://{proxy}")).unwrap();
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    frozen.store(true, Ordering::SeqCst);
    let patient = call().until(Instant::now() + Duration::from_secs(60));
    let silent = timeout(SOON, ask(&wire, &patient, "Get")).await.expect("noticed by itself");
    assert_eq!(silent.code(), Code::Unavailable);
    assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok, "over a new connection");
    tasks.token().cancel();
}

#[tokio::test]
async fn a_frozen_process_of_two_is_put_aside() {
    let (tasks, frozen) = (Tasks::new(), Arc::default());
    let (first, second) = (Room::saying(Code::Ok), Room::saying(Code::Ok));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    forward(listener, first.listen(&tasks).await, Arc::clone(&frozen), &tasks);
    let wire = shielded(&format!("http://{proxy},http://{}", second.listen(&tasks).await));
    while first.calls() == 0 || second.calls() == 0 {
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    }
    frozen.store(true, Ordering::SeqCst);
    let mut failed = 0;
    for _ in 0..100 {
        let hurried = call().until(Instant::now() + Duration::from_millis(300));
        failed += usize::from(ask(&wire, &hurried, "Get").await.code() != Code::Ok);
    }
    assert!((1..=15).contains(&failed), "{failed} of 100");
    tasks.token().cancel();
}

#[tokio::test]
async fn an_answer_that_is_told_in_too_many_words_leaves_its_neighbours_alone() {
    let room = Room::new(|asked| async move {
        match asked.method.as_str() {
            "GetLong" => Status::not_found("모임".repeat(2_000)).into_http(),
            "GetSlow" => {
                sleep(Duration::from_millis(500)).await;
                ok()
            }
            _ => ok(),
        }
    });
    let tasks = Tasks::new();
    let verifier = Arc::new(Verifier::new(Clock::system()));
    let guarded = Guarded::new(room.clone(), verifier, Arc::new(OpenGate));
    let cut = serve(guarded, &tasks).await;
    let uncut = room.listen(&tasks).await;
    for (address, most) in [(cut, 1_024), (uncut, 30_000)] {
        let wire = shielded(&format!("http://{address}"));
        let slow = call();
        let (neighbour, ()) = tokio::join!(ask(&wire, &slow, "GetSlow"), async {
            sleep(Duration::from_millis(100)).await;
            let long = ask(&wire, &call(), "GetLong").await;
            assert_eq!(long.code(), Code::NotFound);
            assert!((300..=most).contains(&long.message().len()), "{}", long.message().len());
        });
        assert_eq!(neighbour.code(), Code::Ok);
        assert_eq!(ask(&wire, &call(), "Get").await.code(), Code::Ok);
    }
    tasks.stop(SOON).await;
}
