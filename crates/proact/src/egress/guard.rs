//! The door.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::{AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use super::builder::GuardBuilder;
use super::classify::classify;
use super::parsed::Parsed;
use super::resolve::SystemResolver;
use super::rules::{Rules, Way};
use super::ways::{Common, Ways};
use super::{BearerToken, Credential, Error, Head, Refused, Request, Response, TokenError};

/// What the guard allows a request to take.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long resolving and connecting may take. It is held below `timeout`, so that a connection which never came
    /// about is never mistaken for a request that may have arrived.
    pub connect_timeout: Duration,
    /// How long the whole exchange may take, from its first byte to the response's last. Getting a token for it comes before, and may
    /// take as long.
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
            max_idle_per_host: 512,
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
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
    max_response_bytes: usize,
    tokens: bool,
}

struct Inner {
    rules: Rules,
    common: Common,
    ways: Ways,
    parsed: Parsed,
}

impl Guard {
    /// A guard that lets requests out to this machine only, and never with a token: for who has no credentials.
    #[must_use]
    pub fn loopback_only(options: Options) -> Self {
        let rules = Rules { loopback: true, ..Rules::default() };
        let common =
            Common { options, resolver: Arc::new(SystemResolver), networks: Arc::new([]), roots: Vec::new() };
        Self::of(rules, common, Ways::new())
    }

    /// A guard that lets out what its rules name.
    pub fn builder() -> GuardBuilder {
        GuardBuilder::new()
    }

    pub(super) fn of(rules: Rules, common: Common, ways: Ways) -> Self {
        let max_response_bytes = common.options.max_response_bytes;
        Self {
            inner: Arc::new(Inner { rules, common, ways, parsed: Parsed::default() }),
            max_response_bytes,
            tokens: true,
        }
    }

    /// The same guard, over the same connections, that reads responses up to another size: for files.
    #[must_use]
    pub fn with_max_response_bytes(&self, max_response_bytes: usize) -> Self {
        Self { max_response_bytes, ..self.clone() }
    }

    /// The same guard, over the same connections, that adds no token to anything: for where a redirect leads.
    #[must_use]
    pub fn without_tokens(&self) -> Self {
        Self { tokens: false, ..self.clone() }
    }

    /// Parses `url` and says whether it may be called, without any I/O.
    ///
    /// # Errors
    /// [`Refused`] says why not, and what to do.
    pub fn check(&self, url: &str) -> Result<Url, Refused> {
        self.inner.rules.parse(url, None)
    }

    /// The same for what is said to be this channel's service URL: a host that is trusted for another channel is not enough.
    ///
    /// # Errors
    /// [`Refused`] says why not, and what to do.
    pub fn check_for(&self, channel_id: &str, url: &str) -> Result<Url, Refused> {
        self.service_url(url, Some(channel_id))
    }

    /// [`check`](Self::check) for a service URL, which comes again and again.
    pub(crate) fn service_url(&self, text: &str, channel_id: Option<&str>) -> Result<Url, Refused> {
        let Inner { rules, parsed, .. } = &*self.inner;
        if let Some(url) = parsed.get(text) {
            rules.admit(&url, channel_id)?;
            return Ok(url);
        }
        let url = rules.parse(text, channel_id)?;
        parsed.keep(text, &url);
        Ok(url)
    }

    /// Sends `request` and returns its response, whatever the status. Where the rules have a credential for its target, it goes with
    /// a token; if that is answered 401, once more with a new one.
    ///
    /// # Errors
    /// [`Error`] says why there is no whole response, and whether bytes may have left.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let admitted = self.inner.rules.admit(&request.url, None)?;
        for name in [&AUTHORIZATION, &PROXY_AUTHORIZATION, &COOKIE, &HOST] {
            if request.headers.contains_key(name) {
                return Err(Refused::Header { name: name.as_str().to_owned() }.into());
            }
        }
        let way = admitted.way;
        let Some(credential) = admitted.credential.filter(|_| self.tokens) else {
            let until = Instant::now() + self.inner.common.options.timeout;
            return self.once(way, request, None, until).await;
        };
        let host = host(&request.url);
        let token = self.token(credential, &host).await?;
        let until = Instant::now() + self.inner.common.options.timeout;
        let answer = self.once(way, request.clone(), Some(&token), until).await;
        if !is_unauthorized(&answer) {
            return answer;
        }
        // It was not taken, so sending it again repeats nothing.
        credential.source.refused(&credential.scope, &token);
        match timeout_at(until, self.token(credential, &host)).await {
            Ok(Ok(new)) if new != token => self.once(way, request, Some(&new), until).await,
            _ => answer,
        }
    }

    /// A token of the credential; without one nothing leaves.
    async fn token(&self, credential: &Credential, host: &str) -> Result<BearerToken, Error> {
        let within = self.inner.common.options.timeout;
        let reason = match timeout(within, credential.source.token(&credential.scope)).await {
            Ok(Ok(token)) => return Ok(token),
            Ok(Err(error)) => error,
            Err(_) => TokenError::Unavailable {
                host: "the token service".to_owned(),
                why: format!("no answer within {within:?}"),
            },
        };
        Err(Error::NoToken { host: host.to_owned(), reason })
    }

    /// One exchange.
    async fn once(
        &self,
        way: Way,
        request: Request,
        token: Option<&BearerToken>,
        until: Instant,
    ) -> Result<Response, Error> {
        let url = request.url;
        let common = &self.inner.common;
        let unreachable = |reason| Error::Unreachable { host: host(&url), reason };
        let client = self.inner.ways.client(way, &url, common).map_err(unreachable)?;
        let mut outgoing = reqwest::Request::new(request.method, url.clone());
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = Some(request.body.into());
        if let Some(token) = token {
            outgoing.headers_mut().insert(AUTHORIZATION, bearer(token, &url)?);
        }
        failpoint!(BeforeBytes);
        let mut head = None;
        match timeout_at(until, self.exchange(client, outgoing, &url, &mut head)).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut { host: host(&url), after: common.options.timeout, head }),
        }
    }

    /// The exchange without its time limit; `head` is filled as soon as the response's head is there.
    async fn exchange(
        &self,
        client: &reqwest::Client,
        outgoing: reqwest::Request,
        url: &Url,
        head: &mut Option<Box<Head>>,
    ) -> Result<Response, Error> {
        let mut incoming =
            client.execute(outgoing).await.map_err(|error| classify(error, &host(url), None))?;
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

/// The header that carries a token.
fn bearer(token: &BearerToken, url: &Url) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| {
        let why = "what it gave as a token has characters that no header can carry".to_owned();
        let reason = TokenError::Unavailable { host: "the token service".to_owned(), why };
        Error::NoToken { host: host(url), reason }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the other side did not take the token; a body that did not follow its head changes nothing about that.
fn is_unauthorized(answer: &Result<Response, Error>) -> bool {
    match answer {
        Ok(response) => response.status == 401,
        Err(error) => error.head().is_some_and(|head| head.status == 401),
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("rules", &self.inner.rules).finish_non_exhaustive()
    }
}
