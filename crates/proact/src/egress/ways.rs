//! The HTTP clients: one for each way out, so that a connection made by one rule never serves another.

use std::sync::{Arc, OnceLock};

use reqwest::{Certificate, Client};
use url::Url;

use super::address::Network;
use super::guard::Options;
use super::resolve::{Checked, Resolve};
use super::rules::Way;

/// What all clients have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) options: Options,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) networks: Arc<[Network]>,
    pub(super) roots: Vec<Certificate>,
}

/// The clients of a guard.
#[derive(Debug)]
pub(super) struct Ways {
    loopback: Clients,
    trusted: Clients,
    configured: Clients,
}

/// With TLS a client reads the system's certificates, which a machine may lack and a request to `http` does not need: so that one is
/// made when it is first needed.
#[derive(Debug)]
struct Clients {
    way: Way,
    plain: OnceLock<Client>,
    tls: OnceLock<Result<Client, String>>,
}

impl Ways {
    pub(super) fn new() -> Self {
        let clients = |way| Clients { way, plain: OnceLock::new(), tls: OnceLock::new() };
        Self {
            loopback: clients(Way::Loopback),
            trusted: clients(Way::Trusted),
            configured: clients(Way::Configured),
        }
    }

    /// The client for a URL that goes out by `way`.
    ///
    /// # Errors
    /// Why TLS cannot be had.
    pub(super) fn client(&self, way: Way, url: &Url, common: &Common) -> Result<&Client, String> {
        let clients = match way {
            Way::Loopback => &self.loopback,
            Way::Trusted => &self.trusted,
            Way::Configured => &self.configured,
        };
        if url.scheme() == "https" { clients.tls(common) } else { Ok(clients.plain(common)) }
    }

    /// Has the client with TLS ready.
    pub(super) fn tls(&self, way: Way, common: &Common) -> Result<(), String> {
        let clients = if way == Way::Trusted { &self.trusted } else { &self.configured };
        clients.tls(common).map(drop)
    }
}

impl Clients {
    fn plain(&self, common: &Common) -> &Client {
        self.plain.get_or_init(|| {
            let builder = builder(self.way, common).tls_certs_only([]);
            builder.build().expect("a client without certificates has nothing that can fail to load")
        })
    }

    fn tls(&self, common: &Common) -> Result<&Client, String> {
        let made = self.tls.get_or_init(|| {
            let builder = builder(self.way, common).tls_certs_merge(common.roots.iter().cloned());
            builder.https_only(true).build().map_err(|error| innermost(&error))
        });
        made.as_ref().map_err(Clone::clone)
    }
}

fn builder(way: Way, common: &Common) -> reqwest::ClientBuilder {
    let (resolver, networks) = (Arc::clone(&common.resolver), Arc::clone(&common.networks));
    let options = &common.options;
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Never, and so that no copy of the request is kept for it.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .dns_resolver(Checked { way, resolver, networks })
        .connect_timeout(options.connect_timeout.min(options.timeout * 9 / 10))
        .pool_idle_timeout(options.idle_timeout)
        .pool_max_idle_per_host(options.max_idle_per_host)
        .tcp_nodelay(true)
        .user_agent(concat!("proact/", env!("CARGO_PKG_VERSION")))
}

/// The last of an error's causes, which says the most.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
