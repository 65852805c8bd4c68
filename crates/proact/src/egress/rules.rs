//! Which URLs may be called, by which way, and with what.

use url::{Host, Origin, Url};

use super::{Credential, Refused, TrustedHosts, address};

/// The ways out, each with connections and a check of addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To this machine, and never with a token.
    Loopback,
    /// To a host that is trusted although what came over the wire named it: a public address.
    Trusted,
    /// To an address that the operator configured.
    Configured,
}

/// Everything that is let out; what no rule names is not.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) loopback: bool,
    pub(super) trusted: Vec<(TrustedHosts, Option<Credential>)>,
    pub(super) configured: Vec<(Origin, Option<Credential>)>,
}

/// What lets a URL out.
pub(super) struct Admitted<'r> {
    pub(super) way: Way,
    pub(super) credential: Option<&'r Credential>,
}

impl Rules {
    /// Parses `url` and says whether it may be called, without any I/O.
    pub(super) fn parse(&self, url: &str, channel: Option<&str>) -> Result<Url, Refused> {
        // The text itself stays out of the error: it may hold a password.
        let url = Url::parse(url).map_err(|error| Refused::NotAUrl { reason: error.to_string() })?;
        self.admit(&url, channel)?;
        Ok(url)
    }

    /// Says whether a URL may be called and by which rule, without any I/O. An address that was configured goes before a host that is
    /// trusted: it has its own credential, and no other.
    pub(super) fn admit(&self, url: &Url, channel: Option<&str>) -> Result<Admitted<'_>, Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme { scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if let Some((_, credential)) = self.configured(url) {
            return Ok(Admitted { way: Way::Configured, credential: credential.as_ref() });
        }
        if self.loopback && is_here(url) {
            return Ok(Admitted { way: Way::Loopback, credential: None });
        }
        self.admit_trusted(url, channel)
    }

    fn configured(&self, url: &Url) -> Option<&(Origin, Option<Credential>)> {
        // An origin is made of copies: where none is configured there is no need for it.
        let origin = if self.configured.is_empty() { return None } else { url.origin() };
        self.configured.iter().find(|(configured, _)| *configured == origin)
    }

    fn admit_trusted(&self, url: &Url, channel: Option<&str>) -> Result<Admitted<'_>, Refused> {
        let refused = || {
            let host = Refused::host(url);
            if self.loopback && self.trusted.is_empty() && self.configured.is_empty() {
                Refused::NotLoopback { host }
            } else {
                Refused::NotTrusted { host }
            }
        };
        let (Some(Host::Domain(name)), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(refused());
        };
        // An `http` URL without a port means 80: to say what is wrong with it, its host is looked for at the usual port.
        let secure = url.scheme() == "https";
        let port = if secure { port } else { url.port().unwrap_or(443) };
        let of = |channel| self.trusted.iter().find(move |(hosts, _)| hosts.contain(name, port, channel));
        match (of(channel), channel) {
            (Some(_), _) if !secure => Err(Refused::NotHttps { host: Refused::host(url) }),
            (Some((_, credential)), _) => Ok(Admitted { way: Way::Trusted, credential: credential.as_ref() }),
            (None, Some(channel)) if of(None).is_some() => Err(Refused::OtherChannel {
                host: Refused::host(url),
                channel: channel.chars().filter(|c| !c.is_control()).take(100).collect(),
            }),
            (None, _) => Err(refused()),
        }
    }
}

/// Whether the URL names this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address::is_loopback(address.into()),
        Some(Host::Ipv6(address)) => address::is_loopback(address.into()),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Rules {
        Rules { loopback: true, ..Rules::default() }
    }

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
            assert!(loopback().parse(url, None).is_ok(), "{url}");
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
            assert_eq!(loopback().parse(url, None), Err(why), "{url}");
        }
        for url in ["", "127.0.0.1:80", "/v3", "http://", "http://[::1", "urn:botframework:x"] {
            assert!(loopback().parse(url, None).is_err(), "{url}");
        }
        assert!(!loopback().parse("http://me:secret@[::1", None).unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn what_is_configured_is_its_exact_address_and_goes_first() {
        let origin = |url: &str| Url::parse(url).unwrap().origin();
        let rules = Rules {
            trusted: vec![(TrustedHosts::public_cloud(), None)],
            configured: vec![
                (origin("http://10.0.0.5:3978/api"), None),
                (origin("https://smba.trafficmanager.net"), None),
            ],
            ..Rules::default()
        };
        let way = |url: &str| rules.admit(&url.parse().unwrap(), None).map(|admitted| admitted.way);
        assert_eq!(way("http://10.0.0.5:3978/other?x"), Ok(Way::Configured));
        assert_eq!(way("https://smba.trafficmanager.net/emea/"), Ok(Way::Configured));
        assert_eq!(way("https://slack.botframework.com/"), Ok(Way::Trusted));
        for other in
            ["https://10.0.0.5:3978/", "http://10.0.0.5/", "http://10.0.0.5:3979/", "http://127.0.0.1:3978/"]
        {
            assert!(matches!(way(other), Err(Refused::NotTrusted { .. })), "{other}");
        }
        assert!(matches!(way("http://slack.botframework.com/"), Err(Refused::NotHttps { .. })));
        let for_teams = rules.parse("https://slack.botframework.com/", Some("msteams"));
        assert!(matches!(for_teams, Err(Refused::OtherChannel { .. })), "{for_teams:?}");
    }

    #[test]
    fn without_rules_nothing_goes_out() {
        for url in ["http://127.0.0.1/", "https://smba.trafficmanager.net/"] {
            assert!(matches!(Rules::default().parse(url, None), Err(Refused::NotTrusted { .. })), "{url}");
        }
    }
}
