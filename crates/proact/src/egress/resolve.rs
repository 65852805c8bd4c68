//! Name resolution that only lets addresses through at which a host may be.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::dns::{Addrs, Name, Resolving};

use super::address::{self, Network};
use super::refused::Refused;
use super::rules::Way;

/// Finds the addresses of a name. The guard checks every one of them, and connects to those that it checked.
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// The addresses of `name`.
    ///
    /// # Errors
    /// When there is no answer: the host counts as one that cannot be reached.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's own resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) }.boxed()
    }
}

/// Resolves, and refuses a name as soon as one of its addresses is not where its way leads.
///
/// It is asked only when a connection is made, and the connection goes to the addresses that it returned: the name
/// cannot change between the check and the use.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) way: Way,
    pub(super) resolver: Arc<dyn Resolve>,
    /// Networks in which trusted hosts may be although they are not public.
    pub(super) networks: Arc<[Network]>,
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let checked = self.clone();
        Box::pin(async move {
            let found = checked.resolver.resolve(name.as_str()).await?;
            checked.check(name.as_str(), &found)?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

impl Checked {
    fn check(&self, host: &str, found: &[IpAddr]) -> Result<(), Refused> {
        found.iter().try_for_each(|&address| {
            let range = match self.way {
                Way::Loopback if address::is_loopback(address) => None,
                Way::Loopback => {
                    return Err(Refused::ResolvesElsewhere { host: host.to_owned(), address });
                }
                Way::Trusted if self.networks.iter().any(|network| network.contains(address)) => {
                    address::never(address)
                }
                Way::Trusted => address::not_public(address),
                Way::Configured => address::never(address),
            };
            match range {
                None => Ok(()),
                Some(range) => Err(Refused::Address { host: host.to_owned(), address, range }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(way: Way, addresses: &[&str]) -> Result<(), Refused> {
        let networks =
            ["10.4.0.0/16", "169.254.0.0/16"].map(|network| Network::parse(network).unwrap()).into();
        let found: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Checked { way, resolver: Arc::new(SystemResolver), networks }.check("a.example", &found)
    }

    #[test]
    fn one_address_elsewhere_refuses_the_name() {
        assert_eq!(check(Way::Loopback, &["::1", "127.0.0.1"]), Ok(()));
        let (host, address) = ("a.example".to_owned(), "10.0.0.1".parse().unwrap());
        let refused = Refused::ResolvesElsewhere { host, address };
        assert_eq!(check(Way::Loopback, &["127.0.0.1", "10.0.0.1"]), Err(refused));
        assert_eq!(check(Way::Trusted, &["8.8.8.8", "2603:1030::1", "10.4.7.7"]), Ok(()));
        for address in ["10.5.0.1", "127.0.0.1", "169.254.169.254"] {
            assert!(
                matches!(check(Way::Trusted, &["8.8.8.8", address]), Err(Refused::Address { .. })),
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_configured_may_be_in_any_network_but_at_no_keeper_of_keys() {
        assert_eq!(check(Way::Configured, &["127.0.0.1", "10.9.0.1", "fd00::1", "8.8.8.8"]), Ok(()));
        assert!(matches!(check(Way::Configured, &["169.254.169.254"]), Err(Refused::Address { .. })));
    }
}
