//! The names that a server answers to, and the pages that may call it.
//!
//! Any web page that a person has open can send requests to any address that their browser reaches. So each request must say where it is
//! going by a name that is ours (or another name could be pointed here: DNS rebinding), and if it says which page sent it, that must be a
//! page of that same name (or a page from elsewhere could read and post with the person's rights: CSRF).
//!
//! | the Host header names | the Origin header, if there is one, must be |
//! | --- | --- |
//! | `localhost` or a loopback address | that name under the scheme of the connection |
//! | the address that is listened on | the same |
//! | the host of the public URL | the public URL's origin, whatever comes between: a proxy may end TLS |

use http::{
    HeaderMap, HeaderName, Uri, header,
    uri::{Authority, Scheme},
};
use std::net::{IpAddr, SocketAddr};

use super::Refusal;

/// What proxies put into a request. A proxy on this machine brings requests from others to a server that takes them for its own
/// machine's, so that all would be let in: they are refused, unless the operator has said that there is a proxy, by a public URL or by its address.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-forwarded-host"];

/// The names that a server answers to. The default is this machine's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    public: Option<Public>,
    listens_on: Option<SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Public {
    url: url::Url,
    secure: bool,
    origin: String,
}

/// A public URL that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this must be the URL that browsers and bots reach this server by, without a path: such as \"https://bot.example.com\""
)]
pub struct BadPublicUrl;

impl Site {
    /// Also the name in this URL: where browsers and bots of other machines reach the server, itself or a proxy before it.
    ///
    /// # Errors
    /// [`BadPublicUrl`].
    pub fn public(url: &str) -> Result<Self, BadPublicUrl> {
        let url = url::Url::parse(url).map_err(|_| BadPublicUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err(BadPublicUrl);
        }
        let (secure, origin) = (url.scheme() == "https", url.origin().ascii_serialization());
        Ok(Self { public: Some(Public { url, secure, origin }), listens_on: None })
    }

    /// Also the address that is listened on, if it is one and not all of them.
    pub(super) fn listening_on(mut self, address: SocketAddr) -> Self {
        self.listens_on = (!address.ip().is_unspecified()).then_some(address);
        self
    }

    /// The public URL, with a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.public.as_ref().map(|public| public.url.as_str())
    }

    /// Whether there is a public URL, and it is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public.as_ref().is_some_and(|public| public.secure)
    }

    /// Whether a request may come: by which scheme the client reaches the server. `tls`: whether the connection itself is encrypted;
    /// `proxies`: whether the operator has named any.
    ///
    /// # Errors
    /// [`Refusal::Host`], [`Refusal::Origin`], [`Refusal::Proxied`].
    pub(super) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        tls: bool,
        proxies: bool,
    ) -> Result<Scheme, Refusal> {
        let host = only(headers, &header::HOST).map_err(|()| Refusal::Host)?.ok_or(Refusal::Host)?;
        if uri.authority().is_some_and(|asked| !asked.as_str().eq_ignore_ascii_case(host)) {
            return Err(Refusal::Host);
        }
        if self.public.is_none() && !proxies && is_brought(headers) {
            return Err(Refusal::Proxied);
        }
        let named: Authority = host.parse().map_err(|_| Refusal::Host)?;
        // Nothing but a name and a number: no user before it, and no port that is none.
        let port = host.strip_prefix(named.host()).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        if !port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(Refusal::Host);
        }
        let (scheme, origin) = match &self.public {
            Some(public) if public.is_named(&named) => (public.secure, public.origin.clone()),
            _ if self.is_own(&named) => (tls, format!("{}://{host}", if tls { "https" } else { "http" })),
            _ => return Err(Refusal::Host),
        };
        match only(headers, &header::ORIGIN) {
            Ok(None) => {}
            Ok(Some(sent)) if sent.eq_ignore_ascii_case(&origin) => {}
            Ok(Some(_)) | Err(()) => return Err(Refusal::Origin),
        }
        Ok(if scheme { Scheme::HTTPS } else { Scheme::HTTP })
    }

    /// Whether the Host header names the public URL's host.
    pub(super) fn is_public(&self, headers: &HeaderMap) -> bool {
        let named = only(headers, &header::HOST).ok().flatten().and_then(|host| host.parse().ok());
        self.public.as_ref().zip(named).is_some_and(|(public, named)| public.is_named(&named))
    }

    /// Whether it is `localhost`, a loopback address, or the address that is listened on.
    fn is_own(&self, named: &Authority) -> bool {
        let name = named.host();
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        match address.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => true,
            Ok(address) => self.listens_on.is_some_and(|own| {
                address == own.ip() && named.port_u16().is_none_or(|port| port == own.port())
            }),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Whether a proxy brings it, as it says.
pub(super) fn is_brought(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

impl Public {
    /// Browsers leave the usual port out, and other clients may not.
    fn is_named(&self, named: &Authority) -> bool {
        let usual = if self.secure { 443 } else { 80 };
        let port = Some(named.port_u16().unwrap_or(usual));
        self.url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(named.host()))
            && port == self.url.port_or_known_default()
    }
}

/// The header's value; `Err` when it is there twice or is no text.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() { Err(()) } else { value.to_str().map(Some).map_err(|_| ()) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(site: &Site, host: &[&str], origin: &[&str], tls: bool) -> Result<Scheme, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, values) in [(header::HOST, host), (header::ORIGIN, origin)] {
            for value in values {
                headers.append(&name, HeaderValue::from_str(value).unwrap());
            }
        }
        site.check(&Uri::from_static("/"), &headers, tls, false)
    }

    fn checked(host: &[&str], origin: &[&str]) -> Option<Refusal> {
        of(&Site::default(), host, origin, false).err()
    }

    #[test]
    fn only_loopback_names_are_hosts() {
        for host in ["localhost", "LocalHost:3978", "127.0.0.1:3978", "127.0.0.1", "[::1]:80", "[::1]"] {
            assert_eq!(checked(&[host], &[]), None, "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org",
            "127.0.0.1.nip.io:3978",
            "10.0.0.1:3978",
            "0.0.0.0:3978",
            "[::]:3978",
            "evil@127.0.0.1:3978",
            "2130706433",
            "",
        ] {
            assert_eq!(checked(&[host], &[]), Some(Refusal::Host), "{host:?}");
        }
        assert_eq!(checked(&[], &[]), Some(Refusal::Host));
        assert_eq!(checked(&["localhost", "localhost"], &[]), Some(Refusal::Host));
    }

    #[test]
    fn only_the_servers_own_origin_is_one() {
        let host = "127.0.0.1:3978";
        assert_eq!(checked(&[host], &["http://127.0.0.1:3978"]), None);
        for origin in [
            "https://127.0.0.1:3978",
            "http://127.0.0.1:3979",
            "http://127.0.0.1",
            "http://localhost:3978",
            "http://127.0.0.1:3978.example.org",
            "http://127.0.0.1:3978/",
            "https://example.org",
            "null",
            "",
        ] {
            assert_eq!(checked(&[host], &[origin]), Some(Refusal::Origin), "{origin:?}");
        }
        let own = "http://127.0.0.1:3978";
        assert_eq!(checked(&[host], &[own, own]), Some(Refusal::Origin));
    }

    #[test]
    fn a_url_in_the_request_line_must_agree_with_the_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        let asked = |uri| Site::default().check(&Uri::from_static(uri), &headers, false, false);
        assert_eq!(asked("http://localhost/v1/jobs"), Ok(Scheme::HTTP));
        assert_eq!(asked("http://example.org/v1/jobs"), Err(Refusal::Host));
    }

    #[test]
    fn a_public_url_is_one_more_name_and_one_more_origin() {
        let site = Site::public("https://Bot.example.com").unwrap();
        assert_eq!((site.public_url(), site.is_secure()), (Some("https://bot.example.com/"), true));
        for host in ["bot.example.com", "BOT.example.com", "bot.example.com:443"] {
            // Behind a proxy the connection is plain, and the page's is not.
            for tls in [true, false] {
                assert_eq!(
                    of(&site, &[host], &["https://bot.example.com"], tls),
                    Ok(Scheme::HTTPS),
                    "{host}"
                );
            }
            for origin in ["http://bot.example.com", "https://evil.example.com", "http://localhost", "null"] {
                assert_eq!(of(&site, &[host], &[origin], true), Err(Refusal::Origin), "{host} {origin}");
            }
        }
        for host in [
            "bot.example.com:80",
            "bot.example.com:3978",
            "bot.example.com.",
            "x.bot.example.com",
            "bot.example.com:443x",
        ] {
            assert_eq!(of(&site, &[host], &[], true), Err(Refusal::Host), "{host}");
        }
        assert_eq!(of(&site, &["localhost:3978"], &["http://localhost:3978"], false), Ok(Scheme::HTTP));
        assert_eq!(of(&site, &["localhost:3978"], &["https://localhost:3978"], true), Ok(Scheme::HTTPS));
        let crossed = of(&site, &["localhost:3978"], &["https://bot.example.com"], false);
        assert_eq!(crossed, Err(Refusal::Origin));
        let with_port = Site::public("http://bot.lan:8080/").unwrap();
        assert_eq!(of(&with_port, &["bot.lan:8080"], &["http://bot.lan:8080"], false), Ok(Scheme::HTTP));
        assert_eq!(of(&with_port, &["bot.lan"], &[], false), Err(Refusal::Host));
    }

    #[test]
    fn what_a_proxy_brings_is_refused_unless_there_is_a_public_url() {
        for name in FORWARDED {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:3978"));
            headers.insert(name, HeaderValue::from_static("10.0.0.5"));
            let checked = |site: &Site| site.check(&Uri::from_static("/"), &headers, false, false);
            assert_eq!(checked(&Site::default()), Err(Refusal::Proxied), "{name}");
            assert!(Site::default().check(&Uri::from_static("/"), &headers, false, true).is_ok(), "{name}");
            assert!(checked(&Site::public("https://bot.example.com").unwrap()).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_address_that_is_listened_on_is_a_name_and_all_addresses_are_none() {
        let on = |address: &str| Site::default().listening_on(address.parse().unwrap());
        let site = on("10.0.0.5:3978");
        assert!(of(&site, &["10.0.0.5:3978"], &["http://10.0.0.5:3978"], false).is_ok());
        assert_eq!(of(&site, &["10.0.0.5:3979"], &[], false), Err(Refusal::Host));
        assert_eq!(of(&site, &["10.0.0.6:3978"], &[], false), Err(Refusal::Host));
        for host in ["0.0.0.0:3978", "10.0.0.5:3978", "[::]:3978"] {
            assert_eq!(of(&on("0.0.0.0:3978"), &[host], &[], false), Err(Refusal::Host), "{host}");
        }
    }

    #[test]
    fn what_is_no_place_to_reach_a_server_is_no_public_url() {
        for url in [
            "",
            "bot.example.com",
            "ftp://bot.example.com",
            "https://bot.example.com/proact",
            "https://bot.example.com/?x",
            "https://u@bot.example.com",
            "https://bot.example.com/#x",
            "https://",
            "/",
        ] {
            assert_eq!(Site::public(url), Err(BadPublicUrl), "{url:?}");
        }
    }
}
