//! The egress guard: the one door through which every outbound request goes.
//!
//! What it promises, in the order in which it happens:
//!
//! 1. The URL is checked ([`Guard::check`]) against the guard's rules, and what no rule names is refused. Never is there a user name or
//!    a password in it. There are three ways out, each with connections of its own:
//!    * *this machine*, at any port ([`Guard::loopback_only`]: all that who has no credentials may call), never with a token;
//!    * *trusted hosts* ([`TrustedHosts`]): what came over the wire may name these. By `https` only, and only by name: an address is
//!      never one of them, however it is written;
//!    * *configured targets*: the exact scheme, host and port that an operator wrote down, also by `http`, also private.
//! 2. A name is resolved, and *every* address that it resolves to must be allowed: to a trusted host only public ones, to a configured
//!    one any but link-local. The addresses that were checked are the ones connected to; nothing resolves again in between.
//! 3. If the rule that lets it out has a [`Credential`], a token is got and added, here and nowhere else: a request that brings an
//!    `Authorization` header of its own is refused. Without the token nothing leaves ([`Error::NoToken`]).
//! 4. The request goes out once. Redirects are not followed: a 3xx is a response like any other. No proxy is taken from the
//!    environment. Connections are kept alive per host.
//! 5. The response is read up to a size, and the whole within a time.
//! 6. A token that is answered 401 is given back ([`TokenSource::refused`]), and the request sent once more with a new one: 401 says
//!    that it was not taken.
//!
//! When it fails, [`Error::bytes_may_have_left`] tells the two cases apart that matter to whoever must decide about sending
//! again: *nothing left this machine*, or *the other side may have acted on it*. If the response's head had come before the
//! failure, the error carries it ([`Error::head`]), because a status says more than the body that did not follow.
//!
//! But for that 401 the guard itself never sends anything twice. The one repetition below it is hyper's: a request that was put on a pooled
//! connection which turns out to be closed is moved to another one if not a byte of it was written.

mod address;
mod builder;
mod classify;
mod credential;
mod error;
mod exchange;
mod guard;
mod hosts;
mod parsed;
mod refused;
mod resolve;
mod retry_after;
mod rules;
mod token;
mod ways;

pub use builder::{BuildError, GuardBuilder};
pub use credential::Credential;
pub use error::{Error, Head};
pub use exchange::{Request, Response};
pub use guard::{Guard, Options};
pub use hosts::{BadHost, TrustedHosts};
pub use refused::Refused;
pub use resolve::{Resolve, SystemResolver};
pub use retry_after::RetryAfter;
pub use token::{BearerToken, TokenError, TokenSource};
