//! Puts the person's language into the turn.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use crate::turn::{BotError, Middleware, Next, TurnContext};

/// The language of a turn, a BCP 47 tag such as `de-CH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(String);

impl Locale {
    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Gives a turn its language.
pub trait LocaleTurn {
    /// What [`PreferredLocale`] found; `None` without it.
    fn locale(&self) -> Option<Arc<Locale>>;
}

impl LocaleTurn for TurnContext {
    fn locale(&self) -> Option<Arc<Locale>> {
        self.value()
    }
}

type Source =
    dyn for<'a> Fn(&'a TurnContext) -> BoxFuture<'a, Result<Option<String>, BotError>> + Send + Sync;

/// Puts the person's language into the turn, for [`LocaleTurn::locale`].
///
/// The first that is there and, by RFC 4647's lookup, among the supported ones: what the author's own [source](Self::preferred_by) says
/// (a setting of the person's), the activity's `locale`, the `locale` of its `clientInfo`; else the default. `de-CH` finds `de` among the
/// supported ones if it is not there itself. In a proactive turn the activity's locale is that of the conversation's reference.
///
/// ```
/// use proact::{middleware::{LocaleTurn, PreferredLocale}, turn::{BotError, TurnContext}};
///
/// let middleware = PreferredLocale::new("en").supported(["en", "de"]);
///
/// async fn greet(ctx: &TurnContext) -> Result<(), BotError> {
///     let german = ctx.locale().is_some_and(|locale| locale.as_str() == "de");
///     ctx.send(if german { "Guten Tag" } else { "Hello" }).await?;
///     Ok(())
/// }
/// ```
pub struct PreferredLocale {
    default: String,
    supported: Vec<String>,
    source: Option<Box<Source>>,
}

impl PreferredLocale {
    /// With this language where nothing else is known.
    pub fn new(default: impl Into<String>) -> Self {
        Self { default: default.into(), supported: Vec::new(), source: None }
    }

    /// Only these languages; without this, any.
    #[must_use]
    pub fn supported<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.supported = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Asks `source` first: a setting in state, say. Its error fails the turn.
    #[must_use]
    pub fn preferred_by<F>(mut self, source: F) -> Self
    where
        F: for<'a> Fn(&'a TurnContext) -> BoxFuture<'a, Result<Option<String>, BotError>>
            + Send
            + Sync
            + 'static,
    {
        self.source = Some(Box::new(source));
        self
    }

    fn lookup(&self, wanted: &str) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if wanted.is_empty() || wanted.len() > 64 || !wanted.bytes().all(plain) {
            return None;
        }
        if self.supported.is_empty() {
            return Some(wanted.to_owned());
        }
        let mut range = wanted;
        loop {
            if let Some(found) = self.supported.iter().find(|tag| tag.eq_ignore_ascii_case(range)) {
                return Some(found.clone());
            }
            range = &range[..range.rfind('-')?];
            // A single letter or digit introduces what follows it, and goes with it.
            if range.len() >= 2 && range.as_bytes()[range.len() - 2] == b'-' {
                range = &range[..range.len() - 2];
            }
        }
    }
}

impl Middleware for PreferredLocale {
    async fn on_turn(&self, ctx: &TurnContext, next: Next<'_>) -> Result<(), BotError> {
        let mut found = None;
        if let Some(source) = &self.source {
            found = source(ctx).await?.and_then(|tag| self.lookup(&tag));
        }
        let found = found
            .or_else(|| self.lookup(ctx.activity().locale.as_deref()?))
            // An entity of another shape says nothing about the language.
            .or_else(|| self.lookup(&ctx.activity().client_info().ok()??.locale?))
            .unwrap_or_else(|| self.default.clone());
        ctx.insert_value(Locale(found));
        next.run(ctx).await
    }
}

impl fmt::Debug for PreferredLocale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreferredLocale")
            .field("default", &self.default)
            .field("supported", &self.supported)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_looked_up_by_rfc_4647() {
        let locale = PreferredLocale::new("en").supported(["en", "de", "fr-CH", "zh-Hant"]);
        for (wanted, found) in [
            ("de", Some("de")),
            ("DE-ch", Some("de")),
            ("fr", None),
            ("fr-CH-x-private", Some("fr-CH")),
            ("zh-Hant-CN-x-private1-private2", Some("zh-Hant")),
            ("zh", None),
            ("", None),
            ("-", None),
            ("a-b-c", None),
            ("de\n", None),
            ("dé", None),
        ] {
            assert_eq!(locale.lookup(wanted).as_deref(), found, "{wanted}");
        }
        assert_eq!(PreferredLocale::new("en").lookup("tlh").as_deref(), Some("tlh"));
    }
}
