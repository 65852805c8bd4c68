//! A Direct Line 3.0 channel on disk, with the connector routes of a bot behind it.
//!
//! What it promises, in the order in which things happen:
//!
//! 1. **From a client.** An activity is checked, given its id and time, and committed; then clients see it (the
//!    sender its echo) and the bot is handed it. Only when the bot took it does the client get `200`. A bot that
//!    refuses it or cannot be reached makes a `502`: the activity is then marked rejected and never handed over
//!    again; sending it anew is the client's choice. If the process dies in between, [`Channel::resume`] hands it
//!    over after the next start, under the same id.
//! 2. **To a client.** What the bot sends is committed, then answered, then pushed to the conversation's sockets. A
//!    socket remembers the last activity it sent and reads on from there: it never loses one and never repeats one. A
//!    watermark says the same across sockets, polls and restarts.
//! 3. **Once.** What carries an id that its sender gave (`Idempotency-Key`, a client's `clientActivityID` or `id`) commits
//!    it with itself. The same id again, also after a restart, is answered with the first activity's id and adds
//!    nothing; one that the bot had refused is handed to it again.
//! 4. **Changed.** What the bot updates or deletes takes a new number and keeps its id, so that whoever reads on meets it
//!    again, and whoever reads from the beginning meets it once.
//! 5. **Joining and ending.** The bot is told once per conversation that it was added, and once per person that they
//!    were: when a conversation is started by a known person, else with that person's first activity. These are rows
//!    like any activity, and are tried for a while if the bot does not answer. An `endOfConversation` of either side
//!    ends a conversation: nobody sends any more, and everybody reads.
//! 6. **Who may.** The secret opens any conversation; a token one conversation, for half an hour, as one person if it
//!    names one, from the pages that it trusts. Tokens are signed and not stored, so they outlive the process. A
//!    stream's URL carries a ticket good for a minute.
//! 7. **Files** are on disk before anyone is told of them, at an address that is not to be guessed, for a day.
//! 8. **Forgetting.** What is older than its [`Limits`] goes in small steps, and never what the bot has not got yet.
//!
//! When the store cannot write, clients and bots get `503` and nothing has changed. Typing is never stored: it
//! reaches the sockets that are open, or nobody. Errors have the channel's shape, `{"error":{"code","message"}}`.

mod channel;
mod claims;
mod commands;
mod error;
mod files;
mod forget;
mod frame;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod hand_over;
mod held;
mod hub;
pub mod issuer;
mod leave;
mod members;
mod options;
mod origins;
mod queries;
mod quota;
mod repeated;
#[cfg(test)]
mod replay_tests;
mod routes;
mod secret;
mod sign;
mod socket;
mod started_with;
mod watermark;

pub use channel::{Channel, IssueError, IssuedToken, OpenError};
pub(crate) use held::{CountHeld, DropDue, HoldDue};
pub use leave::Sessions;
pub use members::{BOT_ID, BOT_NAME, BadUser, User};
pub use options::{Limits, Options};
pub use secret::{Secret, SecretError, load_or_make_secret};
pub use started_with::teller;

use crate::store::Migration;

/// The channel's id on the wire.
pub const CHANNEL_ID: &str = "directline";

/// The channel's tables, to be given to [`Store::open`](crate::store::Store::open).
pub const MIGRATION: Migration = Migration {
    set: "directline",
    steps: &[
        include_str!("migrations/sqlite/0001_directline.sql"),
        include_str!("migrations/sqlite/0002_whole.sql"),
        include_str!("migrations/sqlite/0003_keys.sql"),
    ],
};
