//! Ports for processes that must know their neighbours' addresses before they start.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems hand out by themselves, so that no connection takes one in between.
const FIRST: u16 = 12_000;
const SPAN: u16 = 20_000;
/// Test processes that run side by side start this far apart.
const STRIDE: u32 = 64;

/// A port on this machine that nobody listens on and that this process gives out once.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = std::process::id().wrapping_mul(STRIDE) % u32::from(SPAN);
    for _ in 0..SPAN {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from((own + step) % u32::from(SPAN)).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("every port is taken");
}
