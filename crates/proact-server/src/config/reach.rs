//! From where the server is reached, and what that needs: `public_url`, `[tls]` and `[page]`.
//!
//! Its own machine needs nothing. Others need all of: credentials of the bot, a sign-in to the page, a name, and TLS (by itself or at a
//! proxy). What is missing is said in one line, and nothing starts without it.

use std::path::PathBuf;

use proact::app::{self, Site};
use serde::Deserialize;

use super::Error;
use crate::sign_in::PageKey;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    cert: PathBuf,
    key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    sign_in: When,
    key: String,
}

/// Whether the page asks for a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    Auto,
    On,
    Off,
}

/// From where the server is reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The names that it answers to.
    pub site: Site,
    /// The files of its certificate and of its key.
    pub tls: Option<(PathBuf, PathBuf)>,
    sign_in: When,
    page_key: Option<PageKey>,
    /// Whether other machines reach it: where it listens, or through a proxy.
    beyond: bool,
    listens_beyond: bool,
}

impl Reach {
    pub(super) fn checked(listen: &str, public_url: &str, tls: TlsTable, page: Page) -> Result<Self, Error> {
        let site = match public_url {
            "" => Site::default(),
            url => Site::public(url).map_err(|error| Error(format!("public_url: {error}")))?,
        };
        let tls = match (tls.cert.as_os_str().is_empty(), tls.key.as_os_str().is_empty()) {
            (true, true) => None,
            (false, false) => Some((tls.cert, tls.key)),
            (true, false) => {
                return Err(Error("tls.cert: tls.key is set, so this must name the certificate".to_owned()));
            }
            (false, true) => {
                return Err(Error("tls.key: tls.cert is set, so this must name its key".to_owned()));
            }
        };
        let page_key = match &*page.key {
            "" => None,
            text => Some(PageKey::new(text).ok_or_else(|| {
                Error("page.key: this must be at least 16 visible ASCII characters without spaces".to_owned())
            })?),
        };
        // What is no address is said when it is bound.
        let listens_beyond = app::is_beyond_loopback(listen).unwrap_or(false);
        let beyond = listens_beyond || site.public_url().is_some();
        Ok(Self { site, tls, sign_in: page.sign_in, page_key, beyond, listens_beyond })
    }

    /// Whether other machines reach it.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        self.beyond
    }

    /// Whether it can be reached as it says only through a proxy on this machine: by a public URL, though it listens on loopback. Where TLS ends
    /// in this process, what stands before it passes on bytes, and every header is the client's.
    pub(super) fn is_behind_a_proxy(&self) -> bool {
        self.site.public_url().is_some() && !self.listens_beyond && self.tls.is_none()
    }

    /// Whether the page asks for a sign-in. `required`: whether who presents nothing may do nothing.
    #[must_use]
    pub fn signs_in(&self, required: bool) -> bool {
        match self.sign_in {
            When::Auto => self.beyond || required,
            When::On => true,
            When::Off => false,
        }
    }

    /// The key of the page, if it is not to be made.
    pub(crate) fn page_key(&self) -> Option<PageKey> {
        self.page_key.clone()
    }

    /// Whether everything is there that it takes to be reached so. `credentials`: whether the bot has any.
    ///
    /// # Errors
    /// One line: what is missing, and what to do.
    pub fn allow(&self, listen: &str, credentials: bool) -> Result<(), Error> {
        if !self.beyond {
            return Ok(());
        }
        let refused = |why: &str| {
            let at = self.site.public_url().unwrap_or(listen);
            let port = listen.rsplit_once(':').map_or("3978", |(_, port)| port);
            Err(Error(format!(
                "cannot be reached at {at} by other machines: {why}; or listen on loopback (127.0.0.1:{port}), without public_url"
            )))
        };
        if !credentials {
            return refused(
                "without credentials anyone could use the bot: set MicrosoftAppId and MicrosoftAppPassword",
            );
        }
        if !self.signs_in(true) {
            return refused("anyone could use the page: leave page.sign_in at \"auto\"");
        }
        if self.site.public_url().is_none() {
            return refused(
                "it must know its name: set public_url to the URL that browsers and bots reach it by",
            );
        }
        if !self.site.is_secure() {
            return refused(
                "its key and everything that is said would cross the network in the clear: make public_url an https one, with \
                 tls.cert and tls.key set or a proxy before it that ends TLS",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(listen: &str, public_url: &str, sign_in: When) -> Result<Reach, Error> {
        let tls = TlsTable { cert: PathBuf::new(), key: PathBuf::new() };
        Reach::checked(listen, public_url, tls, Page { sign_in, key: String::new() })
    }

    #[test]
    fn its_own_machine_needs_nothing_and_others_everything() {
        let own = reach("127.0.0.1:3978", "", When::Auto).unwrap();
        assert!(
            own.allow("", false).is_ok() && !own.signs_in(false) && own.signs_in(true) && !own.is_beyond()
        );
        let behind = reach("127.0.0.1:3978", "https://bot.example.com", When::Auto).unwrap();
        assert!(behind.is_behind_a_proxy() && !own.is_behind_a_proxy());
        let tls = TlsTable { cert: "c".into(), key: "k".into() };
        let page = Page { sign_in: When::Auto, key: String::new() };
        let passed_on = Reach::checked("127.0.0.1:3978", "https://bot.example.com", tls, page).unwrap();
        assert!(!passed_on.is_behind_a_proxy(), "its headers are its clients'");
        let all = reach("0.0.0.0:3978", "https://bot.example.com", When::Auto).unwrap();
        assert!(!all.is_behind_a_proxy());
        assert!(all.allow("", true).is_ok() && all.signs_in(false) && all.is_beyond());
        // Behind a proxy on this machine it is reached by others just as well.
        let proxied = reach("127.0.0.1:3978", "https://bot.example.com", When::Auto).unwrap();
        assert!(proxied.allow("", true).is_ok() && proxied.signs_in(false));
        for (listen, public_url, sign_in, credentials, what) in [
            ("0.0.0.0:3978", "https://bot.example.com", When::Auto, false, "MicrosoftAppId"),
            ("127.0.0.1:3978", "https://bot.example.com", When::On, false, "MicrosoftAppId"),
            ("0.0.0.0:3978", "https://bot.example.com", When::Off, true, "page.sign_in"),
            ("10.0.0.5:3978", "", When::Auto, true, "public_url"),
            ("[::]:3978", "http://bot.example.com", When::Auto, true, "https"),
        ] {
            let error = reach(listen, public_url, sign_in)
                .unwrap()
                .allow(listen, credentials)
                .unwrap_err()
                .to_string();
            assert!(error.contains(what) && !error.contains('\n'), "{listen} {public_url}: {error}");
        }
    }

    #[test]
    fn half_a_table_is_named() {
        let with = |cert: &str, key: &str, page_key: &str| {
            let tls = TlsTable { cert: cert.into(), key: key.into() };
            let page = Page { sign_in: When::Auto, key: page_key.to_owned() };
            Reach::checked("127.0.0.1:1", "", tls, page).map(drop).map_err(|error| error.to_string())
        };
        assert!(with("c", "k", "").is_ok());
        assert!(with("c", "", "").unwrap_err().starts_with("tls.key: "));
        assert!(with("", "k", "").unwrap_err().starts_with("tls.cert: "));
        let short = with("", "", "secret").unwrap_err();
        assert!(short.starts_with("page.key: ") && !short.contains("secret"), "{short}");
        let error = reach("127.0.0.1:1", "https://bot.example.com/x", When::Auto).unwrap_err().to_string();
        assert!(error.starts_with("public_url: "), "{error}");
    }
}
