//! The identity provider.

mod key;
mod provider;
mod serve;
mod token;

pub use key::TestKey;
pub use provider::{Asked, IdentityProvider, PUBLIC_TENANT};
pub use token::TestToken;
