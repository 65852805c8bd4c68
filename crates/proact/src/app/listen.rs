//! Where an app listens: loopback, unless it is said that everyone may come.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use super::Error;

/// Binds `address`: an IP address and a port, or `localhost` and a port. Port 0 takes one that is free; the answer says which.
///
/// # Errors
/// [`Error::NotAnAddress`], [`Error::NotLoopback`], [`Error::Listen`].
pub async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let address = parse(address)?;
    if address.ip().is_loopback() { bind(address).await } else { Err(Error::NotLoopback { address }) }
}

/// The same, also where other machines reach it. Nothing here asks who comes: call it when everything that is served does. The
/// bot's adapter needs an [authenticator](crate::adapter::AdapterBuilder::authenticator), the gate a [`Site`](super::Site), what crosses the
/// network [TLS](super::Tls) or a proxy.
///
/// # Errors
/// [`Error::NotAnAddress`], [`Error::Listen`].
pub async fn listen_anywhere(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    bind(parse(address)?).await
}

/// Whether other machines can reach what listens there.
///
/// # Errors
/// [`Error::NotAnAddress`].
pub fn is_beyond_loopback(address: &str) -> Result<bool, Error> {
    parse(address).map(|address| !address.ip().is_loopback())
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let refused = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

fn parse(text: &str) -> Result<SocketAddr, Error> {
    let not_an_address = || Error::NotAnAddress { text: text.to_owned() };
    match text.rsplit_once(':') {
        Some((name, port)) if name.eq_ignore_ascii_case("localhost") => {
            Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(|_| not_an_address())?)))
        }
        _ => text.parse().map_err(|_| not_an_address()),
    }
}

/// The URL by which this machine reaches what listens there.
pub(super) fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/", SocketAddr::new(ip, address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_taken_unless_it_is_said() {
        for (text, address) in
            [("127.0.0.1:3978", "127.0.0.1:3978"), ("localhost:0", "127.0.0.1:0"), ("[::1]:80", "[::1]:80")]
        {
            assert_eq!(parse(text).unwrap().to_string(), address);
            assert!(!is_beyond_loopback(text).unwrap());
        }
        for text in ["0.0.0.0:3978", "[::]:3978", "10.0.0.1:80"] {
            assert!(matches!(listen(text).await, Err(Error::NotLoopback { .. })), "{text}");
            assert!(is_beyond_loopback(text).unwrap());
        }
        for text in ["", "3978", "127.0.0.1", "localhost", "localhost:http", "example.org:80"] {
            assert!(matches!(listen(text).await, Err(Error::NotAnAddress { .. })), "{text}");
            assert!(matches!(listen_anywhere(text).await, Err(Error::NotAnAddress { .. })), "{text}");
        }
        let (_, everywhere) = listen_anywhere("0.0.0.0:0").await.unwrap();
        assert!(everywhere.ip().is_unspecified() && everywhere.port() != 0);
    }

    #[test]
    fn this_machine_reaches_all_addresses_by_loopback() {
        for (address, url) in [
            ("127.0.0.1:3978", "http://127.0.0.1:3978/"),
            ("0.0.0.0:80", "http://127.0.0.1:80/"),
            ("[::]:3978", "http://[::1]:3978/"),
            ("10.0.0.5:3978", "http://10.0.0.5:3978/"),
        ] {
            assert_eq!(local_url(address.parse().unwrap()), url);
        }
    }
}
