//! What the engine refuses.

use crate::store;

/// Why a command of the engine was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused it; see there whether the same call may succeed later.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The activity cannot be sent proactively.
    #[error("this activity cannot be sent: {0}")]
    Activity(String),
    /// A part of what was asked for cannot be meant.
    #[error("`{field}` cannot be used: {why}")]
    Invalid {
        /// Which part, as the API calls it.
        field: &'static str,
        /// Why not, and what to give instead.
        why: String,
    },
    /// A template cannot be used.
    #[error(transparent)]
    Template(#[from] super::TemplateError),
    /// The bot's adapter was built without the engine.
    #[error("no engine: build the adapter with `.service(Arc::new(proactive))`, or use `App`")]
    NoEngine,
}
