//! The client's address: the connection's other end, or what trusted proxies say of it.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use super::Peer;
use crate::{Edge, Network};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies in a row that are believed.
const MOST_HOPS: usize = 16;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) address: Option<IpAddr>,
    /// A proxy that nobody configured stands in between: the address is the proxy's, and says nothing of the client.
    pub(super) disguised: bool,
}

/// Where a request comes from. Says once in the log when a proxy seems to stand in front that nobody configured: all
/// its clients then share one address, and with it one limit for failed sign-ins.
pub(super) fn origin(edge: &Edge, peer: Option<&Peer>, headers: &HeaderMap) -> Origin {
    let trusted_proxies = &edge.0.config.trusted_proxies;
    let origin = find_origin(trusted_proxies, peer, headers);
    if origin.disguised && peer.is_some_and(|Peer(peer)| !is_trusted(trusted_proxies, *peer)) {
        edge.0.strange_proxy.call_once(|| {
            tracing::warn!(
                "X-Forwarded-For came from an address outside edge.trusted_proxies and is not believed; if that is a \
                 reverse proxy of yours, name it there, else all its clients count as one address"
            );
        });
    }
    origin
}

fn is_trusted(trusted_proxies: &[Network], address: IpAddr) -> bool {
    trusted_proxies.iter().any(|range| range.contains(address))
}

/// Reads `X-Forwarded-For` from the right, as far as the proxies are trusted.
fn find_origin(trusted_proxies: &[Network], peer: Option<&Peer>, headers: &HeaderMap) -> Origin {
    let Some(Peer(peer)) = peer else { return Origin { address: None, disguised: false } };
    let trusted = |address| is_trusted(trusted_proxies, address);
    if !headers.contains_key(FORWARDED_FOR) {
        return Origin { address: Some(*peer), disguised: false };
    }
    if !trusted(*peer) {
        return Origin { address: Some(*peer), disguised: true };
    }
    let mut address = *peer;
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    for hop in hops.take(MOST_HOPS) {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else {
            return Origin { address: Some(address), disguised: true };
        };
        address = hop.to_canonical();
        if !trusted(address) {
            break;
        }
    }
    Origin { address: Some(address), disguised: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> (String, bool) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "127.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let found = find_origin(&trusted, Some(&Peer(peer.parse().unwrap())), &headers);
        (found.address.unwrap().to_string(), found.disguised)
    }

    // HTTP-12
    #[test]
    fn only_trusted_proxies_are_believed_and_only_from_the_right() {
        let plain = |text: &str| (text.to_owned(), false);
        assert_eq!(seen("203.0.113.9", &[]), plain("203.0.113.9"));
        assert_eq!(seen("203.0.113.9", &["127.0.0.1"]), ("203.0.113.9".to_owned(), true));
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"]), plain("198.51.100.7"));
        assert_eq!(seen("10.0.0.1", &["127.0.0.1, 198.51.100.7"]), plain("198.51.100.7"));
        assert_eq!(seen("10.0.0.1", &["198.51.100.7, 10.0.0.2"]), plain("198.51.100.7"));
        assert_eq!(seen("10.0.0.1", &["127.0.0.1", "198.51.100.7"]), plain("198.51.100.7"));
        assert_eq!(seen("10.0.0.1", &["unknown"]), ("10.0.0.1".to_owned(), true));
        assert_eq!(seen("127.0.0.1", &["::ffff:198.51.100.7"]), plain("198.51.100.7"));
    }
}
