//! The egress guard: the one door through which every outbound request goes.
//!
//! What it promises, in the order in which it happens:
//!
//! 1. The URL is checked ([`Guard::check`]): `http` or `https`, no credentials in it, and a host that may be called. So
//!    far that is this machine alone: a loopback address or `localhost`.
//! 2. A name is resolved, and *every* address that it resolves to must be allowed. The addresses that were checked are the
//!    ones connected to; nothing resolves again in between.
//! 3. The request goes out once. Redirects are not followed: a 3xx is a response like any other. No proxy is taken from the
//!    environment. Connections are kept alive per host.
//! 4. The response is read up to a size, and the whole within a time.
//!
//! When it fails, [`Error::bytes_may_have_left`] tells the two cases apart that matter to whoever must decide about sending
//! again: *nothing left this machine*, or *the other side may have acted on it*. If the response's head had come before the
//! failure, the error carries it ([`Error::head`]), because a status says more than the body that did not follow.
//!
//! The guard itself never sends anything twice. The one repetition below it is hyper's: a request that was put on a pooled
//! connection which turns out to be closed is moved to another one if not a byte of it was written.

mod check;
mod classify;
mod error;
mod exchange;
mod guard;
mod resolve;
mod token;

pub use check::Refused;
pub use error::{Error, Head};
pub use exchange::{Request, Response};
pub use guard::{Guard, Options};
pub use token::{BearerToken, TokenError, TokenSource};
