//! Tokens: signed once, shown until they are half as old as they may get.

use std::sync::Mutex;

use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use serde::Serialize;

use super::ring::Ring;
use super::{Audience, ISSUER, Issuer, LIFETIME_SECONDS, RENEWED_AFTER_SECONDS};
use crate::egress::{BearerToken, TokenError, TokenSource};

/// The last token.
#[derive(Default)]
struct Minted {
    last: ArcSwapOption<Last>,
    /// One signs; the others wait that millisecond rather than sign as well.
    signs: Mutex<()>,
}

struct Last {
    token: BearerToken,
    kid: String,
    made: i64,
}

impl Minted {
    /// The token about `about` (the service URL, or the app id).
    fn token(&self, ring: &Ring, now: Timestamp, audience: Audience, about: &str) -> BearerToken {
        let now = now.as_second();
        if let Some(token) = self.fresh(ring, now) {
            return token;
        }
        let _signs = self.signs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(token) = self.fresh(ring, now) {
            return token;
        }
        let token = BearerToken::new(mint(ring, now, audience, about));
        let kid = ring.signing.public.kid.clone();
        self.last.store(Some(Last { token: token.clone(), kid, made: now }.into()));
        token
    }

    /// The last one, if it is by the key that signs and young: a clock that was set back makes a new one as well.
    fn fresh(&self, ring: &Ring, now: i64) -> Option<BearerToken> {
        let last = self.last.load();
        let last = last.as_ref()?;
        let fresh = last.kid == ring.signing.public.kid
            && (last.made..last.made + RENEWED_AFTER_SECONDS).contains(&now);
        fresh.then(|| last.token.clone())
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minted(…)")
    }
}

/// What a token says.
#[derive(Serialize)]
struct Claims<'c> {
    iss: &'static str,
    aud: &'static str,
    iat: i64,
    nbf: i64,
    exp: i64,
    /// Where the bot's replies go. Only to the bot.
    #[serde(rename = "serviceurl", skip_serializing_if = "Option::is_none")]
    service_url: Option<&'c str>,
    /// The app id of the bot that it was given to. Only to the connector.
    #[serde(rename = "appid", skip_serializing_if = "Option::is_none")]
    app_id: Option<&'c str>,
}

fn mint(ring: &Ring, now: i64, audience: Audience, about: &str) -> String {
    let about = Some(about);
    let (service_url, app_id) = match audience {
        Audience::Bot => (about, None),
        Audience::Connector => (None, about),
    };
    let claims = Claims {
        iss: ISSUER,
        aud: audience.name(),
        iat: now,
        nbf: now,
        exp: now + LIFETIME_SECONDS,
        service_url,
        app_id,
    };
    sign(ring, &serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": ring.signing.public.kid}), &claims)
}

/// A signed JSON Web Token (RFC 7519).
pub(super) fn sign(ring: &Ring, header: &serde_json::Value, claims: &impl Serialize) -> String {
    let claims = serde_json::to_vec(claims).expect("claims are text and numbers");
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(ring.signing.sign(&text)))
}

/// Tokens for one audience about one party: what the channel shows the bot, or the bot the channel. The scope that is asked for is
/// not looked at.
#[derive(Debug)]
pub struct OwnTokens {
    issuer: Issuer,
    audience: Audience,
    about: String,
    minted: Minted,
}

impl OwnTokens {
    pub(super) fn new(issuer: Issuer, audience: Audience, about: String) -> Self {
        Self { issuer, audience, about, minted: Minted::default() }
    }

    /// The token of now.
    #[must_use]
    pub fn current(&self) -> BearerToken {
        let (ring, now) = self.issuer.now();
        self.minted.token(&ring, now, self.audience, &self.about)
    }
}

impl TokenSource for OwnTokens {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<BearerToken, TokenError>> {
        ready(Ok(self.current())).boxed()
    }

    /// The next one is made anew: a clock may have been set.
    fn refused(&self, _: &str, token: &BearerToken) {
        if self.minted.last.load().as_ref().is_some_and(|last| last.token == *token) {
            self.minted.last.store(None);
        }
    }
}
