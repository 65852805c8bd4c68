//! Inbound authentication: whose activity is this?
//!
//! An [`Authenticator`] is asked twice about every activity. [`Authenticator::verify`] looks at the `Authorization` header alone, before
//! a byte of the body is read; [`Proven::speak_for`] then holds the activity against the token. Between the two nothing is acted
//! upon. What is checked, in this order, and how it is refused ([`Denied`]):
//!
//! | check | refused as | answered |
//! | --- | --- | --- |
//! | there is an `Authorization` header | [`Denied::Missing`] | 401 |
//! | it is at most [`MAX_HEADER`] bytes: nothing larger is parsed | [`Denied::TooLarge`] | 401 |
//! | it is exactly `Bearer`, one space, a token | [`Denied::NotBearer`] | 401 |
//! | the token is three parts of base64url, the first two of them JSON objects without a name that comes twice | [`Denied::NotAJwt`] | 401 |
//! | `alg` is RS256, RS384 or RS512 | [`Denied::Algorithm`] | 401 |
//! | there is no `crit`: no extension is understood | [`Denied::Critical`] | 401 |
//! | the claims that are used are of the types they should be | [`Denied::Claims`] | 401 |
//! | `iss` is, character by character, a configured issuer | [`Denied::Issuer`] | 401 |
//! | `kid` names a key of *that* issuer | [`Denied::NoKeyId`], [`Denied::UnknownKey`] | 401 |
//! | … which says nothing else about its algorithm | [`Denied::KeyAlgorithm`] | 401 |
//! | the signature is that key's | [`Denied::Signature`] | 401 |
//! | `exp` is there and not past by more than 300 s | [`Denied::NoExpiry`], [`Denied::Expired`] | 401 |
//! | `nbf`, if there, is not to come by more than 300 s | [`Denied::NotYetValid`] | 401 |
//! | `aud` is one text, the bot's own app id (the built-in channel: its own audience), also on the Emulator's path | [`Denied::Audience`] | 401 |
//! | login service: the app's id is there, where `ver` says it is (`appid` in 1.0, `azp` in 2.0; no other version) | [`Denied::Version`], [`Denied::NoAppId`] | 401 |
//! | login service: it is an app's token and not a person's (`scp`) | [`Denied::Delegated`] | 403 |
//! | login service: the id is the bot's own and the Emulator's path is on; or another one and on the skills' list | [`Denied::EmulatorOff`], [`Denied::SkillsOff`], [`Denied::SkillNotListed`] | 403 |
//! | skills' callers of which it is known where they are: `serviceUrl` is there | [`Denied::SkillElsewhere`] | 403 |
//! | bots, to a channel of one's own: the id is one of its bots', and what is asked is a channel's route, never an activity to a bot | [`Denied::OtherBot`], [`Denied::ForChannels`] | 403 |
//! | channels: the claim `serviceurl` is, character by character, the activity's `serviceUrl` | [`Denied::NoServiceUrl`], [`Denied::ServiceUrl`] | 403 |
//! | channels: a key that is endorsed for some channels is endorsed for the activity's | [`Denied::Endorsement`] | 403 |
//! | the issuer's keys can be had | [`Denied::KeysUnavailable`] | 503 |
//!
//! **401 or 403.** 401 says "it is not proven who you are", 403 "you are who you say, and may not". The Bot Connector's documentation
//! names 403 for missing endorsements and for what fails on the Emulator's path; its SDKs answer 401 to everything. Here whatever
//! comes after the signature and the token's own dates and audience is a 403. Keys that cannot be fetched are no fault of the
//! caller's: 503, which channels send again.
//!
//! **A closed world.** The unverified `iss` does one thing: it chooses which issuer's keys the signature is held against. Which kind of
//! caller it is follows from verified claims alone, and what no row names is refused: there is no way by which a token that
//! fails as one kind is tried as another (CVE-2021-1725). The tenant is configured: no claim of a token adds an issuer.
//!
//! **Where it stops.** `jku`, `jwk`, `x5u` and `x5c` in a token's header are not looked at. Nothing here calls an address that a token
//! names.
//!
//! Sources: the Bot Connector's documentation on authentication; botframework-connector (`JwtTokenExtractor`, `ChannelValidation`,
//! `EmulatorValidation`, `SkillValidation`, `EndorsementsValidator`); RFC 7515, 7519, 8725.

mod authenticator;
mod builder;
mod claims;
mod denied;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod issuer;
mod keys;
mod token;

pub use authenticator::{Authenticator, Proven};
pub use builder::{AuthenticatorBuilder, AuthenticatorError};
pub use denied::{Denied, Shown};
pub use issuer::Issuer;
pub use keys::{FixedKeys, KeySource, NoKey, NotAKey, RemoteKeys, SigningKey, Timing};
pub use token::MAX_HEADER;

/// How far clocks may differ, in seconds.
pub const SKEW_SECONDS: u32 = 300;
