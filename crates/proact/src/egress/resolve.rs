//! Name resolution that only lets loopback addresses through.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::check::{Refused, is_loopback};

/// Resolves with the system's resolver and refuses a name as soon as one of its addresses is not this machine.
///
/// It is asked only when a connection is made, and the connection goes to the addresses that it returned: the name
/// cannot change between the check and the use.
#[derive(Debug)]
pub(super) struct LoopbackResolver;

impl Resolve for LoopbackResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(only_loopback(name.as_str(), found)?)
        })
    }
}

fn only_loopback(host: &str, found: Vec<SocketAddr>) -> Result<Addrs, Refused> {
    match found.iter().find(|address| !is_loopback(address.ip())) {
        Some(elsewhere) => Err(Refused::ResolvesElsewhere { host: host.to_owned(), address: elsewhere.ip() }),
        None => Ok(Box::new(found.into_iter())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(addresses: &[&str]) -> Result<Vec<SocketAddr>, Refused> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        only_loopback("localhost", found).map(Iterator::collect)
    }

    #[test]
    fn one_address_elsewhere_refuses_the_name() {
        assert_eq!(resolved(&["::1", "127.0.0.1"]).unwrap().len(), 2);
        let address = "10.0.0.1".parse().unwrap();
        let refused = Refused::ResolvesElsewhere { host: "localhost".to_owned(), address };
        assert_eq!(resolved(&["127.0.0.1", "10.0.0.1"]), Err(refused));
    }
}
