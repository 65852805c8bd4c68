//! Hosts that may be called because something that came over the wire names them.
//!
//! The defaults are the hosts at which channels are reached, and nothing beside them. Sources:
//!
//! * Microsoft's page *Send proactive messages* for Teams names the global service URLs: `smba.trafficmanager.net`,
//!   `smba.infra.gcc.teams.microsoft.com`, `smba.infra.gov.teams.microsoft.us`, `smba.infra.dod.teams.microsoft.us`. Anybody can
//!   register a name below `trafficmanager.net`, so that one is exact.
//! * The Bot Framework's *Frequently Asked Questions* names `*.botframework.com` for firewalls: the connectors of Direct Line, Web Chat,
//!   Slack, Facebook, Telegram, e-mail, SMS and others stand there, some with their region in front (`europe.directline.…`).
//! * *Configure Bot Framework bots for US Government customers* names `botframework.azure.us` for the channels of Azure Government.

use std::collections::BTreeMap;

use url::Host;

/// A host as a rule names it: `smba.trafficmanager.net` is that one alone, `*.botframework.com` every one below it. Either may name a
/// port, as in `channel.example:8443`; otherwise it is 443.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// In lower case and ASCII.
    name: String,
    /// Also every name below it, and not the name itself.
    below: bool,
    port: u16,
}

/// Why a text is no host that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be trusted as a host: {why}")]
pub struct BadHost {
    text: String,
    why: &'static str,
}

/// Domains below which anybody can register names, so that a rule for all of them would trust everybody. There are more; these are
/// those that people who allow a channel are tempted by.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azure-api.net",
    "azurecontainerapps.io",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "azurewebsites.us",
    "blob.core.windows.net",
    "cloudapp.azure.com",
    "cloudapp.net",
    "core.windows.net",
    "devtunnels.ms",
    "herokuapp.com",
    "ngrok.app",
    "ngrok.io",
    "ngrok-free.app",
    "run.app",
    "trafficmanager.net",
    "usgovtrafficmanager.net",
    "workers.dev",
];

impl Pattern {
    fn parse(text: &str) -> Result<Self, BadHost> {
        let bad = |why| BadHost { text: text.chars().take(100).collect(), why };
        let (host, port) = match text.rsplit_once(':') {
            None => (text, 443),
            Some((host, port)) => {
                let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
                let port = if digits { port.parse().ok().filter(|port| *port != 0) } else { None };
                (
                    host,
                    port.ok_or_else(|| {
                        bad("what follows the colon is not a port; a host has no scheme and no path")
                    })?,
                )
            }
        };
        let (name, below) = host.strip_prefix("*.").map_or((host, false), |rest| (rest, true));
        // Of what the URL standard would make of it: lower case, punycode.
        let name = match Host::parse(name) {
            Ok(Host::Domain(name)) => name,
            Ok(_) => return Err(bad("an address can only be configured as a target of its own")),
            Err(_) => {
                return Err(bad(
                    "it is not a host's name; give one such as channel.example or *.channel.example",
                ));
            }
        };
        if name.contains('*') || name.ends_with('.') {
            return Err(bad("a star stands for whole names in front only, and no dot at the end"));
        }
        if !name.contains('.') {
            return Err(bad(
                "it has no domain: a name of this network can only be configured as a target of its own",
            ));
        }
        if below && SHARED.iter().any(|shared| name == *shared || shared.ends_with(&format!(".{name}"))) {
            return Err(bad("anybody can register names below it; name the one host that is meant"));
        }
        Ok(Self { name, below, port })
    }

    fn is(&self, host: &str, port: u16) -> bool {
        let named = if self.below {
            host.strip_suffix(self.name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        };
        named && port == self.port
    }
}

/// The hosts that are trusted with messages, and with a token if the guard has one for them: of all channels, and of some alone.
///
/// ```
/// # use proact::egress::TrustedHosts;
/// let hosts = TrustedHosts::public_cloud().allow("*.channels.example")?.allow_for("pager", "pager.example:8443")?;
/// # Ok::<(), proact::egress::BadHost>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedHosts {
    /// Of every channel.
    every: Vec<Pattern>,
    /// Of every channel that has none of its own.
    usual: Vec<Pattern>,
    own: BTreeMap<String, Vec<Pattern>>,
}

/// Teams, by the channel id that it has.
const TEAMS: &str = "msteams";

impl TrustedHosts {
    /// None at all, to be filled by [`allow`](Self::allow).
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Where the channels of the public cloud are reached, the ones of its community cloud for governments (GCC) among them.
    #[must_use]
    pub fn public_cloud() -> Self {
        let teams = ["smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"];
        // Skype is reached where Teams is; a channel that is not named is one that came later.
        Self::known(&["*.botframework.com", "smba.trafficmanager.net"], &teams)
    }

    /// Where the channels of Azure Government are reached.
    #[must_use]
    pub fn government_cloud() -> Self {
        let teams = ["smba.infra.gov.teams.microsoft.us", "smba.infra.dod.teams.microsoft.us"];
        Self::known(&["*.botframework.azure.us"], &teams)
    }

    fn known(usual: &[&str], teams: &[&str]) -> Self {
        let parse = |hosts: &[&str]| {
            hosts
                .iter()
                .map(|host| Pattern::parse(host).expect("the hosts that are built in are hosts"))
                .collect()
        };
        Self {
            every: Vec::new(),
            usual: parse(usual),
            own: BTreeMap::from([(TEAMS.to_owned(), parse(teams))]),
        }
    }

    /// These and one more, for every channel: `channel.example` for that host, `*.channel.example` for all below it (not itself).
    /// A port other than 443 follows a colon.
    ///
    /// # Errors
    /// When it is no host, an address, a name without a domain, or a star below which anybody can register names.
    pub fn allow(mut self, host: &str) -> Result<Self, BadHost> {
        self.every.push(Pattern::parse(host)?);
        Ok(self)
    }

    /// These and one more for this channel. A channel with hosts of its own is reached at those, and at what is [allowed](Self::allow)
    /// for every channel, but no more at the cloud's usual ones.
    ///
    /// # Errors
    /// As [`allow`](Self::allow).
    pub fn allow_for(mut self, channel_id: &str, host: &str) -> Result<Self, BadHost> {
        let pattern = Pattern::parse(host)?;
        self.own.entry(channel_id.to_owned()).or_default().push(pattern);
        Ok(self)
    }

    /// Whether a host is one of them: of `channel`, or of any.
    pub(super) fn contain(&self, host: &str, port: u16, channel: Option<&str>) -> bool {
        let is = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.is(host, port));
        let one_of_theirs = match channel.map(|channel| self.own.get(channel)) {
            Some(Some(own)) => is(own),
            Some(None) => is(&self.usual),
            None => is(&self.usual) || self.own.values().any(|own| is(own)),
        };
        one_of_theirs || is(&self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(hosts: &TrustedHosts, host: &str) -> bool {
        hosts.contain(host, 443, None)
    }

    #[test]
    fn one_host_is_that_host_and_a_star_is_what_is_below() {
        let hosts = TrustedHosts::none().allow("One.Example").unwrap().allow("*.many.example").unwrap();
        for good in ["one.example", "a.many.example", "b.a.many.example"] {
            assert!(any(&hosts, good), "{good}");
        }
        for bad in [
            "example",
            "a.one.example",
            "one.example.",
            "xone.example",
            "one.example.evil.test",
            "many.example",
            ".many.example",
            "amany.example",
            "a.many.example.",
            "a.many.example.evil.test",
            "",
        ] {
            assert!(!any(&hosts, bad), "{bad}");
        }
        assert!(!hosts.contain("one.example", 8443, None), "a port that is not named");
        assert!(TrustedHosts::none().allow("one.example:8443").unwrap().contain("one.example", 8443, None));
    }

    #[test]
    fn a_channel_with_hosts_of_its_own_has_no_others() {
        let hosts = TrustedHosts::public_cloud();
        let teams = "smba.trafficmanager.net";
        assert!(hosts.contain(teams, 443, Some("msteams")) && hosts.contain(teams, 443, Some("skype")));
        assert!(hosts.contain("europe.directline.botframework.com", 443, Some("directline")));
        assert!(!hosts.contain("slack.botframework.com", 443, Some("msteams")));
        assert!(hosts.contain("slack.botframework.com", 443, Some("slack")));
        assert!(!any(&hosts, "smba.infra.gov.teams.microsoft.us"));
        let government = TrustedHosts::government_cloud();
        assert!(government.contain("smba.infra.gov.teams.microsoft.us", 443, Some("msteams")));
        assert!(any(&government, "directline.botframework.azure.us") && !any(&government, teams));
        let more = hosts.allow("proxy.example").unwrap().allow_for("pager", "pager.example").unwrap();
        for channel in ["msteams", "pager", "slack"] {
            assert!(more.contain("proxy.example", 443, Some(channel)), "{channel}");
        }
        assert!(more.contain("pager.example", 443, Some("pager")));
        assert!(!more.contain("pager.example", 443, Some("slack")));
        assert!(!more.contain("slack.botframework.com", 443, Some("pager")));
    }

    #[test]
    fn what_would_trust_too_much_is_no_rule() {
        for bad in [
            "",
            "*",
            "*.",
            "*.com",
            "localhost",
            "127.0.0.1",
            "2130706433",
            "[::1]",
            "https://a.example",
            "a.example/x",
            "a.*.example",
            "*a.example",
            "a.example.",
            "a.example:0",
            "a.example:x",
            "a.example:70000",
            "a b.example",
            "*.trafficmanager.net",
            "*.azurewebsites.net",
            "*.windows.net",
            "*.blob.core.windows.net.",
            "*.net",
        ] {
            assert!(TrustedHosts::none().allow(bad).is_err(), "{bad}");
        }
        let hosts = TrustedHosts::none().allow("Bücher.example").unwrap();
        assert!(any(&hosts, "xn--bcher-kva.example"));
    }
}
