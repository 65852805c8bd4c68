//! The door.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use url::Url;

use super::classify::classify;
use super::resolve::LoopbackResolver;
use super::{Error, Head, Refused, Request, Response, check};

/// What the guard allows a request to take.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long resolving and connecting may take. It is held below `timeout`, so that a connection which never came
    /// about is never mistaken for a request that may have arrived.
    pub connect_timeout: Duration,
    /// How long the whole exchange may take, from the call to the response's last byte.
    pub timeout: Duration,
    /// How many bytes a response's body may have.
    pub max_response_bytes: usize,
    /// How long an unused connection is kept. Servers close theirs after some seconds (five in Node.js); a request
    /// that meets that moment may be lost, so the connection is given up before.
    pub idle_timeout: Duration,
    /// How many unused connections are kept per host.
    pub max_idle_per_host: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(15),
            max_response_bytes: 1024 * 1024,
            idle_timeout: Duration::from_secs(4),
            max_idle_per_host: 256,
        }
    }
}

/// The one door for outbound requests; cheap to clone, and clones share their connections.
///
/// ```
/// # use proact::egress::{Guard, Options};
/// let guard = Guard::loopback_only(Options::default());
/// assert!(guard.check("http://localhost:3978/").is_ok());
/// assert!(guard.check("http://intranet.example/").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    client: reqwest::Client,
    timeout: Duration,
    max_response_bytes: usize,
}

impl Guard {
    /// A guard that lets requests out to this machine only.
    ///
    /// # Panics
    /// If the HTTP client cannot be set up, which without TLS has no cause.
    #[must_use]
    pub fn loopback_only(options: Options) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .dns_resolver(LoopbackResolver)
            .connect_timeout(options.connect_timeout.min(options.timeout * 9 / 10))
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.max_idle_per_host)
            .tcp_nodelay(true)
            .user_agent(concat!("proact/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client without TLS has nothing that can fail to load");
        Self { client, timeout: options.timeout, max_response_bytes: options.max_response_bytes }
    }

    /// The same guard, over the same connections, that reads responses up to another size: for files.
    #[must_use]
    pub fn with_max_response_bytes(&self, max_response_bytes: usize) -> Self {
        Self { max_response_bytes, ..self.clone() }
    }

    /// Parses `url` and says whether it may be called, without any I/O.
    ///
    /// # Errors
    /// [`Refused`] says why not, and what to do.
    pub fn check(&self, url: &str) -> Result<Url, Refused> {
        check::parse(url)
    }

    /// Sends `request` once and returns its response, whatever the status.
    ///
    /// # Errors
    /// [`Error`] says why there is no whole response, and whether bytes may have left.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        check::admit(&request.url)?;
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = Some(request.body.into());
        let url = outgoing.url().clone();

        failpoint!(BeforeBytes);
        let mut head = None;
        let exchange = self.exchange(outgoing, &url, &mut head);
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut { host: host(&url), after: self.timeout, head }),
        }
    }

    /// The exchange without its time limit; `head` is filled as soon as the response's head is there.
    async fn exchange(
        &self,
        outgoing: reqwest::Request,
        url: &Url,
        head: &mut Option<Box<Head>>,
    ) -> Result<Response, Error> {
        let mut incoming =
            self.client.execute(outgoing).await.map_err(|error| classify(error, &host(url), None))?;
        failpoint!(AfterAnswer);
        let status = incoming.status().as_u16();
        *head = Some(Box::new(Head { status, headers: std::mem::take(incoming.headers_mut()) }));
        let body = match self.body(&mut incoming).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                let limit = self.max_response_bytes;
                return Err(Error::TooLarge { host: host(url), limit, head: head.take() });
            }
            Err(error) => return Err(classify(error, &host(url), head.take())),
        };
        let headers = head.take().map(|head| head.headers).unwrap_or_default();
        Ok(Response { status, headers, body })
    }

    /// The body, or `None` if it is larger than allowed.
    async fn body(&self, incoming: &mut reqwest::Response) -> Result<Option<Bytes>, reqwest::Error> {
        let limit = self.max_response_bytes;
        if incoming.content_length().is_some_and(|length| length > limit as u64) {
            return Ok(None);
        }
        // Nearly every body is one chunk, which is then handed on as it is.
        let Some(first) = incoming.chunk().await? else { return Ok(Some(Bytes::new())) };
        if first.len() > limit {
            return Ok(None);
        }
        let Some(second) = incoming.chunk().await? else { return Ok(Some(first)) };
        let mut whole = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&chunk);
            next = incoming.chunk().await?;
        }
        Ok(Some(whole.freeze()))
    }
}

/// Host and port, for errors: the path and the query stay out of them.
fn host(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}
