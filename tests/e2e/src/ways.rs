//! Ways between processes: a proxy in front of an address, and that address as others are told it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use moim_testbed::Proxy;

use crate::ports::free_port;

/// Proxies by the name of what they lead to.
#[derive(Default)]
pub(crate) struct Ways(pub BTreeMap<&'static str, Proxy>);

impl Ways {
    /// Puts a proxy in front of a URL; the same URL by way of it.
    pub async fn around(&mut self, name: &'static str, url: &str) -> String {
        let place = place(url);
        let target = place.to_socket_addrs().unwrap().next().unwrap();
        // Of a port below those that systems hand out, so that it is still free after it was shut.
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let proxy = Proxy::open(listen, target).await;
        let around = url.replacen(place, &proxy.address().to_string(), 1);
        self.0.insert(name, proxy);
        around
    }
}

/// Host and port of a URL.
fn place(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap();
    authority.rsplit('@').next().unwrap()
}
