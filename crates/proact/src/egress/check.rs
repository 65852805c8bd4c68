//! Which URLs may be called.

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

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
    /// The host is neither a loopback address nor `localhost`.
    #[error(
        "the target's host `{host}` is not this machine: so far only 127.0.0.0/8, [::1] and localhost may be called"
    )]
    NotLoopback {
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
}

/// Parses `url` and says whether it may be called, without any I/O.
pub(super) fn parse(url: &str) -> Result<Url, Refused> {
    // The text itself stays out of the error: it may hold a password.
    let url = Url::parse(url).map_err(|error| Refused::NotAUrl { reason: error.to_string() })?;
    admit(&url)?;
    Ok(url)
}

/// Says whether a URL may be called, without any I/O.
pub(super) fn admit(url: &Url) -> Result<(), Refused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme { scheme: url.scheme().to_owned() });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::UserInfo);
    }
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => is_loopback_v6(address),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if here {
        Ok(())
    } else {
        Err(Refused::NotLoopback { host: url.host_str().unwrap_or_default().chars().take(100).collect() })
    }
}

/// Whether `address` is this machine, also when an IPv4 address is written as an IPv6 one.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => is_loopback_v6(address),
    }
}

fn is_loopback_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_passes() {
        for url in [
            "http://127.0.0.1",
            "http://127.0.0.1:3978/api",
            "https://127.255.0.3/",
            "http://[::1]:80/",
            "http://[::ffff:127.0.0.1]:80/",
            "http://localhost:1/x?y",
            "HTTP://LOCALHOST/",
            // The URL standard reads these as 127.0.0.1, and so will the connection.
            "http://2130706433/",
            "http://127.1/",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused_and_says_why() {
        let host = |host: &str| Refused::NotLoopback { host: host.to_owned() };
        for (url, why) in [
            ("http://example.com/", host("example.com")),
            ("http://localhost.example.com/", host("localhost.example.com")),
            ("http://127.0.0.1.nip.io/", host("127.0.0.1.nip.io")),
            ("http://10.0.0.1/", host("10.0.0.1")),
            ("http://0.0.0.0/", host("0.0.0.0")),
            ("http://[::]/", host("[::]")),
            ("http://[::ffff:10.0.0.1]/", host("[::ffff:a00:1]")),
            ("http://[::127.0.0.1]/", host("[::7f00:1]")),
            ("http://169.254.169.254/", host("169.254.169.254")),
            ("ftp://127.0.0.1/", Refused::Scheme { scheme: "ftp".to_owned() }),
            ("file:///etc/passwd", Refused::Scheme { scheme: "file".to_owned() }),
            ("http://u:secret@127.0.0.1/", Refused::UserInfo),
            ("http://example.com@127.0.0.1/", Refused::UserInfo),
        ] {
            assert_eq!(parse(url), Err(why), "{url}");
        }
        for url in ["", "127.0.0.1:80", "/v3", "http://", "http://[::1", "urn:botframework:x"] {
            assert!(parse(url).is_err(), "{url}");
        }
        assert!(!parse("http://me:secret@[::1").unwrap_err().to_string().contains("secret"));
    }
}
