//! Who may speak to the bot, and as whom the bot speaks.
//!
//! * [`Authenticator`]: who sent an activity, by their token. What is checked, in which order, is in the table of its room
//!   ([`inbound`]).
//! * [`Caller`]: the outcome, as far as it was proven. It comes from the token, never from the activity.
//! * [`Credentials`]: the bot's own identity, in the field's names; [`Given`]: where it comes from, and what wins.
//! * [`BotFile`]: the `.bot` files that bots of 2018 and 2019 have their identity in.
//! * [`ClientCredentials`]: tokens for what the bot sends, got with these credentials; how they are kept is said in its room
//!   ([`outbound`]).
//! * [`Cloud`]: the fixed addresses and names of the public and the government cloud.
//!
//! What a token opens is decided in a closed world: what no rule names is refused.

mod bot_file;
mod caller;
mod cloud;
mod credentials;
mod credentials_error;
mod given;
pub mod inbound;
pub mod outbound;

pub use bot_file::{BotFile, BotFileError, BotFileProblem, Endpoint, Service};
pub use caller::{Caller, CallerKind};
pub use cloud::Cloud;
pub use credentials::{AppType, Credentials};
pub use credentials_error::CredentialsError;
pub use given::{Given, Setting};
pub use inbound::{
    Authenticator, AuthenticatorBuilder, AuthenticatorError, Denied, FixedKeys, Issuer, KeySource, SigningKey,
};
pub use outbound::ClientCredentials;
