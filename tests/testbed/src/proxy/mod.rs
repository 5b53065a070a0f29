//! A way between two processes that a test bends: late, slow, deaf, mute, torn or shut.

mod pump;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moim_kit::task::Tasks;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use pump::{Side, pump};

/// What becomes of bytes on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They pass.
    Pass,
    /// Nobody listens, and who was connected is cut off.
    Refuse,
    /// Connections are taken and nothing passes, either way.
    Hang,
    /// Answers come so much later.
    Late(Duration),
    /// Answers come at so many bytes a second.
    Slow(u32),
    /// Questions arrive, answers are swallowed.
    Deaf,
    /// The same of a connection from its first question that holds these bytes on.
    DeafFrom(&'static [u8]),
    /// Questions are swallowed.
    Mute,
    /// A connection is cut after so many bytes of answers.
    Cut(usize),
}

/// How the way is at present.
#[derive(Clone, Debug)]
struct Course {
    mode: Mode,
    target: SocketAddr,
    /// Connections of an earlier one are cut.
    epoch: u64,
}

/// Listens in place of somebody else; what it holds is cut when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    course: watch::Sender<Course>,
    taken: Arc<AtomicU64>,
    tasks: Tasks,
}

impl Proxy {
    /// Listens on an address and passes everything on to another.
    pub async fn open(address: SocketAddr, target: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (course, _) = watch::channel(Course { mode: Mode::Pass, target, epoch: 0 });
        let proxy = Self { address, course, taken: Arc::default(), tasks: Tasks::new() };
        let (mut seen, taken) = (proxy.course.subscribe(), Arc::clone(&proxy.taken));
        let (tasks, token) = (proxy.tasks.clone(), proxy.tasks.token());
        proxy.tasks.spawn("proxy", async move {
            let listening = listen(listener, &mut seen, &taken, &tasks);
            token.run_until_cancelled(listening).await;
        });
        proxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it leads to.
    pub fn target(&self) -> SocketAddr {
        self.course.borrow().target
    }

    /// How many connections it has taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Bends the way, also for who is connected. A connection that has lost bytes is cut when the way changes.
    pub fn set(&self, mode: Mode) {
        self.course.send_modify(|course| {
            course.epoch += u64::from(course.mode.maims() || mode == Mode::Refuse);
            course.mode = mode;
        });
    }

    /// Leads to somebody else from now on; who is connected is cut off.
    pub fn lead_to(&self, target: SocketAddr) {
        self.course.send_modify(|course| {
            course.epoch += 1;
            course.target = target;
        });
    }

    /// Cuts everybody off once.
    pub fn cut(&self) {
        self.course.send_modify(|course| course.epoch += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

impl Mode {
    /// True when bytes may be missing from a connection afterwards.
    fn maims(&self) -> bool {
        matches!(self, Self::Deaf | Self::DeafFrom(_) | Self::Mute | Self::Cut(_))
    }
}

/// Takes connections for as long as the way is not shut.
async fn listen(
    listener: TcpListener,
    seen: &mut watch::Receiver<Course>,
    taken: &AtomicU64,
    tasks: &Tasks,
) {
    let address = listener.local_addr().unwrap();
    let mut open = Some(listener);
    loop {
        if seen.borrow_and_update().mode == Mode::Refuse {
            open = None;
            if seen.changed().await.is_err() {
                return;
            }
            continue;
        }
        let listener = match open.take() {
            Some(listener) => listener,
            None => listen_again(address).await,
        };
        tokio::select! {
            accepted = listener.accept() => {
                taken.fetch_add(1, Ordering::Relaxed);
                if let Ok((asking, _)) = accepted {
                    let (seen, token) = (seen.clone(), tasks.token());
                    tasks.spawn("proxied connection", async move {
                        token.run_until_cancelled(connection(asking, seen)).await;
                    });
                }
            }
            changed = seen.changed() => if changed.is_err() { return },
        }
        open = Some(listener);
    }
}

async fn listen_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Passes bytes both ways until both are done, or it is cut.
async fn connection(mut asking: TcpStream, seen: watch::Receiver<Course>) {
    let Course { target, epoch, .. } = seen.borrow().clone();
    let Ok(mut answering) = TcpStream::connect(target).await else { return reset(asking) };
    for stream in [&asking, &answering] {
        let _ = stream.set_nodelay(true);
    }
    let side = Side::default();
    let (from_asking, to_asking) = asking.split();
    let (from_answering, to_answering) = answering.split();
    let passing = async {
        tokio::try_join!(
            pump(from_asking, to_answering, side.questions(), seen.clone()),
            pump(from_answering, to_asking, side.answers(), seen.clone()),
        )
    };
    let mut over = seen.clone();
    let whole = tokio::select! {
        passed = passing => passed.is_ok(),
        _ = over.wait_for(|course| course.epoch != epoch) => false,
    };
    if !whole {
        reset(asking);
        reset(answering);
    }
}

/// Ends a connection as a crash of its machine's kernel would tell it: at once.
fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}
