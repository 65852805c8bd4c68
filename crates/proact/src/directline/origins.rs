//! Where a token may be used from: the origins that it trusts.
//!
//! A token that names none may be used from anywhere. One that does opens nothing for a page of another origin. Who
//! sends no `Origin` is no page, and is let through: the list keeps a token that leaked out of other people's pages, it
//! is not a second secret.

use serde::{Deserialize, Serialize};

/// Origins in one token at most; it travels with every request.
const MOST: usize = 20;
/// Bytes in one origin at most.
const LONGEST: usize = 256;

/// The origins that a token trusts; empty for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Origins(Vec<String>);

/// What is wrong with a list of origins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadOrigins {
    #[error("trustedOrigins: more than {MOST} origins")]
    TooMany,
    #[error("trustedOrigins[{0}]: not an origin such as `https://www.example.com`")]
    NotOne(usize),
}

impl Origins {
    pub(super) fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, BadOrigins> {
        let mut origins = Vec::new();
        for (n, text) in texts.into_iter().enumerate() {
            if n == MOST {
                return Err(BadOrigins::TooMany);
            }
            let origin = (text.len() <= LONGEST).then(|| origin(text)).flatten();
            origins.push(origin.ok_or(BadOrigins::NotOne(n))?);
        }
        Ok(Self(origins))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request with this `Origin` is let through.
    pub(super) fn trusts(&self, sent: Option<&str>) -> bool {
        match sent {
            None => true,
            _ if self.0.is_empty() => true,
            // As it is written (a page without an origin of its own says `null`), or as it would be written properly.
            Some(sent) => origin(sent).is_some_and(|sent| self.0.contains(&sent)),
        }
    }
}

/// The origin of a URL of the web, in its one form. A path is tolerated in none.
fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_trusted_origins_get_through() {
        let all = Origins::default();
        assert!(all.trusts(None) && all.trusts(Some("https://any.example")) && all.trusts(Some("null")));
        let some = Origins::new(["https://A.example:443/", "http://127.0.0.1:3000"]).unwrap();
        for fine in [None, Some("https://a.example"), Some("http://127.0.0.1:3000")] {
            assert!(some.trusts(fine), "{fine:?}");
        }
        for foreign in [
            "https://b.example",
            "http://a.example",
            "https://a.example:8443",
            "https://a.example.evil.example",
            "https://sub.a.example",
            "null",
            "",
            "https://a.example/path",
        ] {
            assert!(!some.trusts(Some(foreign)), "{foreign}");
        }
    }

    #[test]
    fn what_is_no_origin_is_named() {
        assert_eq!(Origins::new(["https://a.example", "b.example"]), Err(BadOrigins::NotOne(1)));
        for text in
            ["", "*", "null", "ftp://a.example", "https://a.example/p", "https://u@a.example", "https://a?x"]
        {
            assert_eq!(Origins::new([text]), Err(BadOrigins::NotOne(0)), "{text}");
        }
        assert_eq!(
            Origins::new([&*format!("https://{}.example", "x".repeat(300))]),
            Err(BadOrigins::NotOne(0))
        );
        assert_eq!(Origins::new(vec!["https://a.example"; 21]), Err(BadOrigins::TooMany));
    }
}
