//! Time: what a room is given, and what it does with calls that have none left or whose caller has gone.

use std::sync::Arc;
use std::time::Duration;

use moim_kit::serve::{Guarded, OpenGate};
use moim_kit::task::Tasks;
use moim_kit::token::Verifier;
use moim_kit::wire::{self, Config};
use moim_kit::{Call, Clock};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use crate::room::{Room, ask, call, ok, serve};

const SOON: Duration = Duration::from_secs(20);

fn guarded(room: &Room) -> Guarded<Room> {
    Guarded::new(room.clone(), Arc::new(Verifier::new(Clock::system())), Arc::new(OpenGate))
}

#[tokio::test(start_paused = true)]
async fn a_room_is_given_what_is_left_or_its_usual_time_and_less_for_the_way_back() {
    let room = Room::new(|asked| async move {
        let given = asked.headers["grpc-timeout"].to_str().unwrap().to_owned();
        Status::ok(given).into_http()
    });
    let wire = room.shielded(&Config::default());
    let short = || call().until(Instant::now() + Duration::from_millis(1_500));
    for (call, method, given) in [
        (call(), "Get", "4000000u"),
        (call(), "Attend", "9000000u"),
        (short(), "Get", "1480000u"),
        (short(), "Attend", "1480000u"),
    ] {
        assert_eq!(ask(&wire, &call, method).await.message(), given, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_time_is_not_made_and_one_with_too_little_does_not_reach_its_handler() {
    let room = Room::saying(Code::Ok);
    let (shielded, plain) = (room.shielded(&Config::default()), wire::local(guarded(&room)));
    let left = |ms| call().until(Instant::now() + Duration::from_millis(ms));
    assert_eq!(ask(&shielded, &left(20), "Get").await.code(), Code::DeadlineExceeded);
    assert_eq!(ask(&plain, &left(4), "Get").await.code(), Code::DeadlineExceeded);
    assert_eq!(room.calls(), 0);
    assert_eq!(ask(&plain, &left(50), "Get").await.code(), Code::Ok);
}

#[tokio::test]
async fn work_ends_when_its_caller_has_gone() {
    let (began, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (on_begin, on_end) = (began.clone(), ended.clone());
    let room = Room::new(move |_| {
        let (began, ended) = (on_begin.clone(), on_end.clone());
        async move {
            let _ended = Ended(ended);
            began.notify_one();
            std::future::pending::<()>().await;
            ok()
        }
    });
    let tasks = Tasks::new();
    let address = serve(guarded(&room), &tasks).await;
    let far = wire::remote(&format!("http://{address}")).unwrap();
    for plain in [wire::local(guarded(&room)), far] {
        let wire = wire::shielded("test", &Config::default(), plain);
        let call: Call = call();
        tokio::select! {
            _ = ask(&wire, &call, "Get") => panic!("nothing answers"),
            () = began.notified() => {}
        }
        timeout(SOON, ended.notified()).await.expect("the handler is dropped");
    }
    tasks.stop(SOON).await;
}

struct Ended(Arc<Notify>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
