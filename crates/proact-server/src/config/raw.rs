//! The configuration as it is written, and the one place where it is checked.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    time::Duration,
};

use proact::{
    app::Limits,
    proactive::{Backoff, DeliveryOptions},
};
use serde::{Deserialize, Deserializer, de};
use tracing_subscriber::EnvFilter;

use super::{
    Config, Error, Log, Visibility, checked_bot_url,
    credentials::Credentials,
    directline::Directline,
    events::Events,
    reach::{Page, Reach, TlsTable},
    trust::TrustTable,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    listen: String,
    data: PathBuf,
    bot_url: String,
    public_url: String,
    credentials: Credentials,
    trust: TrustTable,
    jobs: Jobs,
    turns: Turns,
    delivery: Delivery,
    directline: Directline,
    http: Http,
    events: Events,
    tls: TlsTable,
    page: Page,
    log: LogTable,
    stop: Stop,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jobs {
    visibility: Shown,
}

/// `visibility` as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shown {
    Auto,
    All,
    Own,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turns {
    early_answer_after: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    concurrency: usize,
    wait_for_turn: Span,
    first_wait: Span,
    longest_wait: Span,
    max_tries: u32,
    max_age: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    body_within: Span,
    connections: usize,
    connections_per_address: usize,
    requests_per_address: usize,
    trusted_proxies: Vec<String>,
    require_key: RequireKey,
}

/// When `/v1` takes nobody without a key.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum RequireKey {
    WithCredentials,
    Always,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum LogFormat {
    Text,
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogTable {
    format: LogFormat,
    filter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    grace: Span,
}

/// A time as people write it: a number and a unit.
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span: jiff::SignedDuration =
            text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Other(""), &SPAN))?;
        Duration::try_from(span)
            .map(Span)
            .map_err(|_| de::Error::invalid_value(de::Unexpected::Other(""), &SPAN))
    }
}

/// In the place of a proxy's address: whatever the rest of the configuration says that there is.
const AUTO: &str = "auto";
const SPAN: &str = "a time such as \"500ms\", \"10s\" or \"24h\"";

impl Raw {
    pub(super) fn checked(self) -> Result<Config, Error> {
        let positive = |key: &str, fine: bool| {
            if fine { Ok(()) } else { Err(Error(format!("{key}: this must be more than nothing"))) }
        };
        positive("delivery.concurrency", self.delivery.concurrency > 0)?;
        positive("delivery.max_tries", self.delivery.max_tries > 0)?;
        positive("http.body_within", !self.http.body_within.0.is_zero())?;
        let mut limits = limits(&self.http)?;
        EnvFilter::try_new(&self.log.filter).map_err(|error| Error(format!("log.filter: {error}")))?;
        let delivery = delivery(&self.delivery);
        let channel = self.directline.checked(delivery.retention.saturating_add(delivery.backoff.max_age))?;
        let reach = Reach::checked(&self.listen, &self.public_url, self.tls, self.page)?;
        if self.http.trusted_proxies.iter().any(|proxy| proxy == AUTO) && reach.is_behind_a_proxy() {
            limits
                .trusted_proxies
                .extend::<[IpAddr; 2]>([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        Ok(Config {
            listen: self.listen,
            reach,
            data: self.data,
            bot_url: checked_bot_url(self.bot_url)?,
            credentials: vec![self.credentials.given()],
            trust: self.trust,
            visibility: match self.jobs.visibility {
                Shown::Auto => None,
                Shown::All => Some(Visibility::All),
                Shown::Own => Some(Visibility::Own),
            },
            early_answer_after: self.turns.early_answer_after.0,
            delivery,
            secret: channel.secret,
            one_stream: channel.one_stream,
            channel: channel.limits,
            body_within: self.http.body_within.0,
            limits,
            senders: self.events.checked()?,
            keys_required: self.http.require_key == RequireKey::Always,
            log: Log { json: matches!(self.log.format, LogFormat::Json), filter: self.log.filter },
            grace: self.stop.grace.0,
        })
    }
}

fn limits(raw: &Http) -> Result<Limits, Error> {
    let mut limits = Limits::default();
    for (key, given, limit) in [
        ("http.connections", raw.connections, &mut limits.connections),
        ("http.connections_per_address", raw.connections_per_address, &mut limits.connections_per_address),
        ("http.requests_per_address", raw.requests_per_address, &mut limits.requests_per_address),
    ] {
        if given == 0 {
            return Err(Error(format!("{key}: this must be more than nothing")));
        }
        *limit = given;
    }
    for proxy in raw.trusted_proxies.iter().filter(|proxy| *proxy != AUTO) {
        let address: IpAddr = proxy.parse().map_err(|_| {
            Error(format!("http.trusted_proxies: {proxy:?} is neither \"auto\" nor an IP address: name each proxy by its own"))
        })?;
        limits.trusted_proxies.push(address.to_canonical());
    }
    Ok(limits)
}

fn delivery(raw: &Delivery) -> DeliveryOptions {
    let mut backoff = Backoff::default();
    backoff.base = raw.first_wait.0;
    backoff.ceiling = raw.longest_wait.0;
    backoff.max_tries = raw.max_tries;
    backoff.max_age = raw.max_age.0;
    let mut options = DeliveryOptions::default();
    options.backoff = backoff;
    options.concurrency = raw.concurrency;
    options.wait_for_turn = raw.wait_for_turn.0;
    options
}
