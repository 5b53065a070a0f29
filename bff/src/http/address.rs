//! Which address a request counts for: the connection's, or what trusted proxies say; of IPv6 the network.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Whoever has one address of such a network has all of them.
const NETWORK: u128 = u128::MAX << 64;

/// In a request's extensions: what everything that is counted by address goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address(pub IpAddr);

/// The address of whoever stands behind so many proxies of ours, each of which adds to `x-forwarded-for` whom
/// it was called by. What stands before their words is the caller's own and says nothing.
pub(super) fn counted(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    proxies: usize,
) -> Option<Address> {
    let told = (proxies > 0).then(|| forwarded(headers, proxies)).flatten();
    told.or(peer).map(|address| Address(network(address)))
}

fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let names = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    // Of a request that came by fewer proxies the outermost of their words is as good.
    names.take(proxies).last().and_then(|name| read(name.trim()))
}

/// Some proxies write the port, too.
fn read(name: &str) -> Option<IpAddr> {
    let with_port = || name.parse::<SocketAddr>().ok().map(|it| it.ip());
    let bracketed = || name.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    name.parse().ok().or_else(with_port).or_else(bracketed)
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn counts(peer: &str, lines: &[&'static str], proxies: usize) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        counted(peer.parse().ok(), &headers, proxies).unwrap().0.to_string()
    }

    #[test]
    fn only_the_words_of_our_own_proxies_are_believed() {
        for (lines, proxies, expected) in [
            (&[][..], 0, "10.0.0.1"),
            (&["1.1.1.1"], 0, "10.0.0.1"),
            (&[], 1, "10.0.0.1"),
            (&["1.1.1.1"], 1, "1.1.1.1"),
            (&["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),
            (&["6.6.6.6", "1.1.1.1"], 1, "1.1.1.1"),
            (&["6.6.6.6, 1.1.1.1, 10.0.0.2"], 2, "1.1.1.1"),
            (&["6.6.6.6, 1.1.1.1", "10.0.0.2"], 2, "1.1.1.1"),
            (&["1.1.1.1"], 2, "1.1.1.1"),
            (&["1.1.1.1, nonsense"], 1, "10.0.0.1"),
            (&["1.1.1.1:4711"], 1, "1.1.1.1"),
            (&["[2001:db8::1]:4711"], 1, "2001:db8::"),
            (&["[2001:db8::1]"], 1, "2001:db8::"),
        ] {
            assert_eq!(counts("10.0.0.1", lines, proxies), expected, "{lines:?} by {proxies}");
        }
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        for (peer, expected) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(counts(peer, &[], 0), expected, "{peer}");
        }
    }
}
