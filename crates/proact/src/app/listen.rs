//! Where an app listens: loopback, and nowhere else for now.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use super::Error;

/// Binds `address`: an IP address and a port, or `localhost` and a port. Port 0 takes one that is free; the answer says which.
///
/// # Errors
/// [`Error::NotAnAddress`], [`Error::NotLoopback`], [`Error::Listen`].
pub async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let address = loopback(address)?;
    let refused = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

fn loopback(text: &str) -> Result<SocketAddr, Error> {
    let not_an_address = || Error::NotAnAddress { text: text.to_owned() };
    let address = match text.rsplit_once(':') {
        Some((name, port)) if name.eq_ignore_ascii_case("localhost") => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(|_| not_an_address())?))
        }
        _ => text.parse().map_err(|_| not_an_address())?,
    };
    if address.ip().is_loopback() { Ok(address) } else { Err(Error::NotLoopback { address }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        for (text, address) in
            [("127.0.0.1:3978", "127.0.0.1:3978"), ("localhost:0", "127.0.0.1:0"), ("[::1]:80", "[::1]:80")]
        {
            assert_eq!(loopback(text).unwrap().to_string(), address);
        }
        for text in ["0.0.0.0:3978", "[::]:3978", "10.0.0.1:80"] {
            assert!(matches!(loopback(text), Err(Error::NotLoopback { .. })), "{text}");
        }
        for text in ["", "3978", "127.0.0.1", "localhost", "localhost:http", "example.org:80"] {
            assert!(matches!(loopback(text), Err(Error::NotAnAddress { .. })), "{text}");
        }
    }
}
