//! Why a request was not let out.

use std::net::IpAddr;

/// Why the egress guard did not let a request out. Nothing of it left this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The text is not a URL.
    #[error("the target is not a URL ({reason}): give an absolute one, such as http://127.0.0.1:3978/")]
    NotAUrl {
        /// What the parser says.
        reason: String,
    },
    /// The scheme is neither `http` nor `https`.
    #[error("the target's scheme is `{scheme}`: use http or https")]
    Scheme {
        /// The scheme found.
        scheme: String,
    },
    /// The URL holds a user name or a password.
    #[error(
        "the target has a user name or a password in its URL: remove it, credentials are configured elsewhere"
    )]
    UserInfo,
    /// The host is neither a loopback address nor `localhost`, and the guard lets requests out to nothing else.
    #[error(
        "the target's host `{host}` is not this machine: without credentials only 127.0.0.0/8, [::1] and localhost may be called"
    )]
    NotLoopback {
        /// The host found.
        host: String,
    },
    /// The host is none that is trusted.
    #[error(
        "the target's host `{host}` is not trusted: if it is where your channel is reached, allow that host, with its port \
         unless it is 443; if it is a server of your own, configure its address"
    )]
    NotTrusted {
        /// The host found, and its port unless it is the scheme's.
        host: String,
    },
    /// The host is trusted, but for another channel.
    #[error(
        "the target's host `{host}` is not one of the channel {channel}: allow it for that channel, if it is right"
    )]
    OtherChannel {
        /// The host found.
        host: String,
        /// The channel that was said to be reached there.
        channel: String,
    },
    /// The host is trusted, but only by `https`.
    #[error(
        "the target's host `{host}` is called by https only: http would show the message and the token to everybody on the way"
    )]
    NotHttps {
        /// The host found.
        host: String,
    },
    /// The name resolved to an address that is not loopback.
    #[error(
        "`{host}` resolves to {address}, which is not a loopback address: correct the name's entry (on most systems in \
         /etc/hosts), or use 127.0.0.1"
    )]
    ResolvesElsewhere {
        /// The name.
        host: String,
        /// The first address that is not allowed.
        address: IpAddr,
    },
    /// The name resolved to an address at which it may not be.
    #[error(
        "`{host}` resolves to {address} ({range}), where it may not be: correct what the name stands for, or allow the network \
         if the host is reached through it"
    )]
    Address {
        /// The name.
        host: String,
        /// The first address that is not allowed.
        address: IpAddr,
        /// What that address is.
        range: &'static str,
    },
    /// The request brought a header that only the guard adds.
    #[error(
        "the header `{name}` is added by the egress guard alone: give the guard a credential for the target instead"
    )]
    Header {
        /// The header's name.
        name: String,
    },
}

impl Refused {
    /// Whether it is about what the host's name resolved to, and not about the URL: that can change by itself.
    #[must_use]
    pub fn is_by_resolution(&self) -> bool {
        matches!(self, Self::ResolvesElsewhere { .. } | Self::Address { .. })
    }

    /// A host as errors show it: not too long.
    pub(super) fn host(url: &url::Url) -> String {
        let mut host: String = url.host_str().unwrap_or_default().chars().take(100).collect();
        if let Some(port) = url.port() {
            host.push(':');
            host.push_str(&port.to_string());
        }
        host
    }
}
