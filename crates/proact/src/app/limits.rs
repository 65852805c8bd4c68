//! How much one address may have open at the same time, so that nobody takes the room of the others.
//!
//! An address is the one that a connection comes from. When that is a proxy which the operator named, it is the last one in
//! `X-Forwarded-For` that is not such a proxy; what anybody else writes into that header counts for nothing. IPv6 addresses count as the
//! network of 64 bits that they are in, because that is what one subscriber has. What the process sends to itself is never counted.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http::{HeaderMap, HeaderName};
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How much may be open at the same time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Connections from all addresses together. Default 8,192. Those of the process to itself come on top.
    pub connections: usize,
    /// Connections from one address, unless it is a trusted proxy's. Default 256. Of who comes through such a proxy: `WebSocket`s.
    pub connections_per_address: usize,
    /// Requests from one address that are not answered yet to their last byte. Default 128.
    pub requests_per_address: usize,
    /// Bytes of bodies that are read or worked on, of all addresses together. Default 256 MiB. Those of the process to itself come on top.
    pub body_bytes: usize,
    /// Proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_address: 256,
            requests_per_address: 128,
            body_bytes: 256 * 1024 * 1024,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Limits {
    /// Whether this is a proxy that is believed.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.contains(&address.to_canonical())
    }

    /// Who sent a request that came over a connection from `peer`; `None`: a trusted proxy speaks for itself, as the process does to itself.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        let forwarded = headers.get_all(FORWARDED_FOR);
        let mut hops: Vec<&str> = Vec::new();
        for value in forwarded {
            // What cannot be read hides nobody: it counts as the proxy's own.
            let Ok(value) = value.to_str() else { return Some(peer) };
            hops.extend(value.split(',').map(str::trim));
        }
        for hop in hops.into_iter().rev() {
            match address(hop) {
                Some(address) if self.trusts(address) => {}
                Some(address) => return Some(address),
                None => return Some(peer),
            }
        }
        None
    }
}

/// An address as proxies write it: alone, or with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let found =
        bare.parse().ok().or_else(|| hop.parse().map(|socket: std::net::SocketAddr| socket.ip()).ok());
    found.map(|address: IpAddr| address.to_canonical())
}

/// Where a connection comes from. Put on each request by [`serve`](super::serve), unless the process sent it to itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who sent a request, as far as its connection and the trusted proxies tell: an extension of every request that is not the process's
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Whom it counts as: of IPv6 the network of 64 bits, because that is what one subscriber has; of IPv4 the address, however it is
    /// written.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// How much each address has open.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Addresses {
    /// A place for one more, if the address has fewer than `most`.
    pub(super) fn enter(&self, address: IpAddr, most: usize) -> Option<Place> {
        let address = ClientAddress(address).network();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has = open.get(&address).copied().unwrap_or(0);
        if has >= most {
            return None;
        }
        open.insert(address, has + 1);
        Some(Place { addresses: self.clone(), address })
    }
}

/// What a connection that a proxy brought and that is no longer HTTP's (a `WebSocket`) counts for, until the last clone is dropped. An extension of
/// the request that asks for it: whoever takes the connection over keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Brought {
    _counted: Arc<(Place, OwnedSemaphorePermit)>,
}

impl Brought {
    pub(super) fn new(place: Place, among_all: OwnedSemaphorePermit) -> Self {
        Self { _counted: Arc::new((place, among_all)) }
    }
}

/// One of the places of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Addresses,
    address: IpAddr,
}

impl Place {
    /// Keeps the place until the body is sent or given up.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Placed { body, _place: self })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = open.get_mut(&self.address) {
            *has -= 1;
            if *has == 0 {
                // Addresses that are gone take no memory.
                open.remove(&self.address);
            }
        }
    }
}

struct Placed {
    body: Body,
    _place: Place,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_places_and_gets_them_back() {
        let addresses = Addresses::default();
        let first = addresses.enter(ip("10.0.0.1"), 2).unwrap();
        let _second = addresses.enter(ip("::ffff:10.0.0.1"), 2).unwrap();
        assert!(addresses.enter(ip("10.0.0.1"), 2).is_none());
        assert!(addresses.enter(ip("10.0.0.2"), 2).is_some());
        drop(first);
        assert!(addresses.enter(ip("10.0.0.1"), 2).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let addresses = Addresses::default();
        let place = addresses.enter(ip("2001:db8::1"), 1).unwrap();
        assert!(addresses.enter(ip("2001:db8::ffff:1:2"), 1).is_none());
        assert!(addresses.enter(ip("2001:db8:0:1::1"), 1).is_some());
        drop(place);
        assert!(addresses.0.lock().unwrap().is_empty(), "who is gone takes no memory");
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        let trusted_proxies = vec![ip("10.0.0.1"), ip("10.0.0.2")];
        let limits = Limits { trusted_proxies, ..Limits::default() };
        let client = |peer: &str, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
            }
            limits.client(ip(peer), &headers).map(|address| address.to_string())
        };
        for (peer, values, expected) in [
            ("192.0.2.9", &["1.1.1.1"][..], Some("192.0.2.9")),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &["1.1.1.1"], Some("1.1.1.1")),
            ("::ffff:10.0.0.1", &["1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"], Some("1.1.1.1")),
            ("10.0.0.1", &["6.6.6.6", "1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", &["1.1.1.1:5000"], Some("1.1.1.1")),
            ("10.0.0.1", &["[2001:db8::1]:5000"], Some("2001:db8::1")),
            ("10.0.0.1", &["1.1.1.1, unknown"], Some("10.0.0.1")),
            ("10.0.0.1", &["10.0.0.2"], None),
        ] {
            assert_eq!(client(peer, values).as_deref(), expected, "{peer} {values:?}");
        }
    }
}
