//! Tokens for what the bot sends: a [`TokenSource`](crate::egress::TokenSource) that shows the bot's credentials to the login service.
//!
//! What it promises, in the order in which it happens:
//!
//! 1. A token is kept for each scope, in memory alone, and given to whoever asks until shortly before it expires.
//! 2. Five minutes before that a new one is fetched beside (of a short life: at half of it). Until it is there, and as long as fetching it
//!    fails, the old one is given: an outage of the login service shorter than that is not noticed.
//! 3. One fetch is under way for a scope at a time; who needs its outcome waits for it. It goes on when they hang up.
//! 4. A fetch asks up to three times, when the service is out of reach, overloaded (429) or broken (5xx), with growing pauses; a
//!    `Retry-After` is kept to, and one longer than ten seconds ends the fetch. What says that the credentials are wrong is not asked again.
//! 5. A failure stands for a while (as long as the service said, at most a minute; else seconds): who asks meanwhile is told at once.
//! 6. A token that a channel answered with 401 is not given again: the next who asks has a new one fetched. But once that was done, not
//!    again for ten seconds: where the second is refused too, a third would be.
//!
//! What comes back is a [`TokenError`](crate::egress::TokenError): nothing has left for the channel then. The secret goes out in the body
//! of one request to the login service, and is in no log, error or `Debug`; of the service's answer only its error's code is told.
//!
//! | who | tenant in the URL | scope |
//! | --- | --- | --- |
//! | a single-tenant bot | its own | `https://api.botframework.com/.default` to channels |
//! | a multi-tenant bot | `botframework.com` | the same |
//! | in Azure Government | its own, or `MicrosoftServices.onmicrosoft.us` | `https://api.botframework.us/.default` |
//! | to a skill, or a bot reached as the Emulator does it | as above | `{its app id}/.default` |
//!
//! Source: the Bot Framework's *Authentication with the Bot Connector API*, and RFC 6749 §4.4. Other ways to prove who the bot is
//! (a certificate, a managed identity) are other implementations of the same trait.

mod builder;
mod client_credentials;
mod fetch;
mod slot;

pub use builder::{ClientCredentialsBuilder, LoginError};
pub use client_credentials::ClientCredentials;
