//! Ready middleware: what most bots put around their turns.
//!
//! | middleware | what it does | when it fails |
//! | --- | --- | --- |
//! | [`ShowTyping`] | shows that the bot is busy while a handler is slow | nobody sees it; the turn does not notice |
//! | [`PreferredLocale`] | puts the person's language into the turn | the turn fails if the author's own source of it does |
//! | [`TranscriptLogger`](transcript::TranscriptLogger) | writes down what comes in and goes out | lines are lost and counted; the turn does not notice |
//! | [`Telemetry`] | a span and metrics for each turn and what it sends | it cannot |
//!
//! Each is added to an adapter by [`AdapterBuilder::middleware`](crate::adapter::AdapterBuilder::middleware), what is added first standing
//! outermost; so telemetry goes first.
//!
//! ```
//! use proact::{adapter::Adapter, middleware::{PreferredLocale, ShowTyping, Telemetry}, turn::Bot};
//!
//! fn adapter(bot: impl Bot) -> Adapter {
//!     Adapter::builder(bot)
//!         .middleware(Telemetry::new())
//!         .middleware(ShowTyping::new())
//!         .middleware(PreferredLocale::new("en").supported(["en", "de", "fr-CH"]))
//!         .build()
//! }
//! ```
//!
//! # Metrics
//!
//! By the [`metrics`](https://docs.rs/metrics) facade: nothing is measured until the program installs a recorder. Labels have few
//! values: a channel or a type of activity that is not known is `other`, whatever came over the wire.
//!
//! | name | kind | labels | what |
//! | --- | --- | --- | --- |
//! | `proact_turns_total` | counter | `channel`, `type`, `kind`, `outcome` | turns that ended |
//! | `proact_turn_duration_seconds` | histogram | `channel`, `type`, `kind`, `outcome` | from the middleware to its end, so without the wait for its place |
//! | `proact_turns_in_progress` | gauge | `kind` | turns that run |
//! | `proact_sends_total` | counter | `channel`, `operation`, `outcome` | what turns sent, updated and deleted |
//! | `proact_send_duration_seconds` | histogram | `channel`, `operation`, `outcome` | how long the channel took |
//! | `proact_transcript_lost_total` | counter | | lines of transcripts that could not be written |
//!
//! `kind` is `inbound` or `proactive`; `outcome` of a turn is `ok`, `error`, or `cut_off` (a panic, or a turn that was dropped); `operation`
//! is `send`, `update` or `delete`; `outcome` of a send is `ok`, `refused` (it did not arrive) or `unknown` (it may have).
//!
//! # Spans
//!
//! `proact.turn` with `channel`, `conversation`, `activity_type`, `name` (of events and invokes), `kind` and, at its end, `outcome`; within
//! it `proact.send` with `operation` and `activity_type` for each send, update and delete. No span has text that a person wrote.

mod locale;
mod telemetry;
pub mod transcript;
mod typing;

pub use locale::{Locale, LocaleTurn, PreferredLocale};
pub use telemetry::Telemetry;
pub use typing::ShowTyping;
