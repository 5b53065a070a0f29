//! The processes of a room: found by name, asked in turn by how busy they are, put aside while they fail.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;

use super::BoxFuture;
use super::class::Class;
use super::context::NotSent;
use super::endpoint::{BadAddress, endpoint, line_to};
use super::node::Node;
use crate::metrics::{self, calls};
use crate::task::{Scoped, scoped};
use crate::tls::To;

/// Names are looked up again as often, and after a process could not be reached.
const LOOK_UP_EVERY: Duration = Duration::from_secs(10);
const LOOK_UP_AGAIN: Duration = Duration::from_secs(1);
const LOOK_UP_WITHIN: Duration = Duration::from_secs(1);

/// Picks a process for each call; clones share what is known of them.
#[derive(Clone, Debug)]
pub(super) struct Balance(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    names: Vec<Name>,
    tls: Option<To>,
    nodes: ArcSwap<Vec<Arc<Node>>>,
    look: Look,
    looking: Mutex<Looking>,
}

/// Says what a host and port stand for.
type Look = fn(String, u16) -> BoxFuture<io::Result<Vec<SocketAddr>>>;

/// What an address names.
#[derive(Debug)]
struct Name {
    endpoint: Endpoint,
    host: String,
    port: u16,
}

#[derive(Debug)]
struct Looking {
    last: Option<Instant>,
    task: Option<Scoped<()>>,
}

impl Balance {
    pub(super) fn try_new(addresses: &str, tls: Option<&To>) -> Result<Self, BadAddress> {
        Self::looking(addresses, tls, |host, port| {
            Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
        })
    }

    fn looking(addresses: &str, tls: Option<&To>, look: Look) -> Result<Self, BadAddress> {
        let names = addresses.split(',').map(|address| Name::try_new(address.trim(), tls));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let fixed: Vec<_> = names.iter().filter_map(Name::fixed).collect();
        let inner = Inner {
            nodes: ArcSwap::from_pointee(Vec::new()),
            look,
            looking: Mutex::new(Looking { last: None, task: None }),
            names,
            tls: tls.cloned(),
        };
        if fixed.len() == inner.names.len() {
            inner.set(&fixed.into_iter().enumerate().collect::<Vec<_>>());
        }
        Ok(Self(Arc::new(inner)))
    }

    pub(super) async fn send(self, request: Request<Body>) -> Response<Body> {
        self.look_up_if_stale();
        if self.0.nodes.load().is_empty() {
            self.0.look_up().await;
        }
        let nodes = self.0.nodes.load_full();
        if nodes.len() < 2 || Class::of(request.uri().path()) == Class::Stream {
            let Some(node) = pick(&nodes, &[]) else { return nowhere() };
            return self.ask(&nodes, &node, request).await;
        }
        self.send_anywhere(&nodes, request).await
    }

    /// Asks another process when one could not be reached: that costs nobody anything but the time.
    async fn send_anywhere(&self, nodes: &[Arc<Node>], request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(status) => return status.into_http(),
        };
        let mut tried: Vec<Arc<Node>> = Vec::new();
        let mut last = nowhere();
        while let Some(node) = pick(nodes, &tried) {
            let request = Request::from_parts(parts.clone(), Body::new(Full::new(body.clone())));
            let response = self.ask(nodes, &node, request).await;
            if response.extensions().get::<NotSent>().is_none() {
                return response;
            }
            last = response;
            tried.push(node);
        }
        last
    }

    async fn ask(
        &self,
        nodes: &[Arc<Node>],
        node: &Arc<Node>,
        request: Request<Body>,
    ) -> Response<Body> {
        let room = calls::room_of(request.uri().path());
        let (response, aside) = node.send(request).await;
        if aside && nodes.len() > 1 {
            tracing::warn!(at = %node.at, "a process of a room is put aside");
            if let Some(catalogue) = metrics::catalogue() {
                catalogue.ejected.add(1, &[metrics::room(room)]);
            }
        }
        if aside || response.extensions().get::<NotSent>().is_some() {
            self.look_up_after(LOOK_UP_AGAIN);
        }
        response
    }

    fn look_up_if_stale(&self) {
        self.look_up_after(LOOK_UP_EVERY);
    }

    /// Looks names up beside the calls, unless that was done just now.
    fn look_up_after(&self, pause: Duration) {
        if self.0.names.iter().all(|name| name.fixed().is_some()) {
            return;
        }
        let now = Instant::now();
        let mut looking = self.0.looking.lock();
        if looking.last.is_some_and(|last| now < last + pause) {
            return;
        }
        // The first call waits for it; two at once would do no harm.
        if looking.last.replace(now).is_some() {
            let inner = self.0.clone();
            looking.task = Some(scoped(async move { inner.look_up().await }));
        }
    }
}

impl Inner {
    async fn look_up(&self) {
        let mut found = Vec::new();
        for (nth, name) in self.names.iter().enumerate() {
            if let Some(at) = name.fixed() {
                found.push((nth, at));
                continue;
            }
            let look = (self.look)(name.host.clone(), name.port);
            let looked = timeout(LOOK_UP_WITHIN, look).await;
            match looked {
                Ok(Ok(addresses)) => found.extend(addresses.into_iter().map(|at| (nth, at))),
                // Those that were known may well go on.
                _ => {
                    tracing::warn!(host = name.host, "the name of a room is not found");
                    let known = self.nodes.load();
                    let of_name = known.iter().filter(|node| node.name == nth);
                    found.extend(of_name.map(|node| (nth, node.at)));
                }
            }
        }
        self.set(&found);
    }

    /// Keeps the connections to processes that are still there.
    fn set(&self, found: &[(usize, SocketAddr)]) {
        let old = self.nodes.load();
        let mut nodes: Vec<Arc<Node>> = Vec::with_capacity(found.len());
        for (nth, at) in found {
            if nodes.iter().any(|node| node.at == *at) {
                continue;
            }
            let known = old.iter().find(|node| node.at == *at).cloned();
            let node = known.or_else(|| {
                let named = &self.names.get(*nth)?.endpoint;
                let line = line_to(named, *at, self.tls.as_ref()).ok()?;
                Some(Arc::new(Node::new(*nth, *at, line)))
            });
            nodes.extend(node);
        }
        self.nodes.store(Arc::new(nodes));
    }
}

impl Name {
    fn try_new(address: &str, tls: Option<&To>) -> Result<Self, BadAddress> {
        let endpoint = endpoint(address, tls)?;
        let uri = endpoint.uri();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let usual = if tls.is_some() { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        Ok(Self { endpoint, host, port })
    }

    /// Where it is, when that need not be looked up.
    fn fixed(&self) -> Option<SocketAddr> {
        let host: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(host, self.port))
    }
}

/// The less busy of two by chance, of those not put aside; when all are, of all.
fn pick(nodes: &[Arc<Node>], tried: &[Arc<Node>]) -> Option<Arc<Node>> {
    let now = Instant::now();
    let untried = |node: &&Arc<Node>| !tried.iter().any(|it| Arc::ptr_eq(it, node));
    let mut able: Vec<_> =
        nodes.iter().filter(untried).filter(|node| !node.is_aside(now)).collect();
    if able.is_empty() {
        able = nodes.iter().filter(untried).collect();
    }
    let first = match able.len() {
        0 | 1 => return able.first().map(|node| (*node).clone()),
        many => rand::random_range(0..many),
    };
    let second = (first + rand::random_range(1..able.len())) % able.len();
    let (first, second) = (able[first], able[second]);
    Some(if first.in_flight() <= second.in_flight() { first } else { second }.clone())
}

fn nowhere() -> Response<Body> {
    let mut response = Status::unavailable("the room has no address").into_http();
    response.extensions_mut().insert(NotSent);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn nodes(balance: &Balance) -> Vec<String> {
        balance.0.nodes.load().iter().map(|node| node.at.to_string()).collect()
    }

    async fn send(balance: &Balance) -> Response<Body> {
        let request = Request::post("http://room.test/moim.x.v1.XService/Get").body(Body::empty());
        balance.clone().send(request.unwrap()).await
    }

    /// Nobody listens at port 1, so that each call finds its process unreachable.
    fn moved(_: String, _: u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> {
        static TIMES: AtomicUsize = AtomicUsize::new(0);
        let times = TIMES.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match times {
                0 => Ok(vec!["127.0.0.1:1".parse().unwrap(), "127.0.0.2:1".parse().unwrap()]),
                1 => Err(io::Error::other("no answer")),
                _ => Ok(vec!["127.0.0.2:1".parse().unwrap(), "127.0.0.3:1".parse().unwrap()]),
            }
        })
    }

    #[tokio::test]
    async fn a_name_is_looked_up_again_after_a_process_could_not_be_reached() {
        let balance = Balance::looking("http://room.test:1", None, moved).unwrap();
        assert!(nodes(&balance).is_empty(), "not before the first call");
        assert!(send(&balance).await.extensions().get::<NotSent>().is_some());
        assert_eq!(nodes(&balance), ["127.0.0.1:1", "127.0.0.2:1"]);
        let kept = balance.0.nodes.load()[1].clone();
        timeout(SOON, async {
            while nodes(&balance) != ["127.0.0.2:1", "127.0.0.3:1"] {
                assert!(nodes(&balance).contains(&"127.0.0.2:1".to_owned()));
                send(&balance).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("looked up again");
        assert!(Arc::ptr_eq(&kept, &balance.0.nodes.load()[0]), "its connection is kept");
    }

    #[test]
    fn each_of_several_addresses_must_be_one() {
        assert!(Balance::try_new("http://127.0.0.1:1,member", None).is_err());
    }

    #[tokio::test]
    async fn whatever_is_known_of_processes_one_is_always_asked() {
        let balance = Balance::try_new("http://127.0.0.1:1, http://127.0.0.2:1", None).unwrap();
        for _ in 0..20 {
            assert!(send(&balance).await.extensions().get::<NotSent>().is_some());
        }
        let nodes = balance.0.nodes.load();
        assert!(nodes.iter().all(|node| node.is_aside(Instant::now())));
        assert!(pick(&nodes, &[]).is_some());
        assert!(pick(&nodes, &nodes).is_none());
    }
}
