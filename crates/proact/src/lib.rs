//! Proactive messages that are never lost: the messages that a bot sends when nobody has just spoken to it.
//!
//! A whole bot. It starts jobs, and when one is completed it tells the conversation that asked for it, also when the process was
//! killed in between:
//!
//! ```no_run
//! use proact::prelude::*;
//!
//! struct Reports;
//!
//! impl Bot for Reports {
//!     async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
//!         let text = ctx.activity().text().trim().to_lowercase();
//!         if text == "report" {
//!             let job = ctx.jobs().start("report").await?; // on disk when this returns
//!             ctx.send(format!("Report {job} is on its way. I'll tell you when it is there.")).await?;
//!         } else if let Some(Ok(job)) = text.strip_prefix("done ").map(str::parse) {
//!             // One commit: the job is complete, and its conversation will be told.
//!             if let Completion::Completed { .. } = ctx.jobs().complete(job, "Your report is there.", None).await? {
//!                 ctx.send("Thank you.").await?;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), proact::app::Error> {
//!     App::new(Reports).data("./data").listen("127.0.0.1:3978").run().await
//! }
//! ```
//!
//! It takes activities of the Activity protocol (Bot Framework, Microsoft 365 Agents) at `POST /api/messages`. With the feature
//! `directline` it brings a Direct Line 3.0 channel of its own, so that Web Chat can talk to it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`app`] | everything put together: [`App`](app::App) |
//! | [`turn`] | what a bot is written against: `Bot`, `ActivityHandler`, `TurnContext`, middleware |
//! | [`middleware`] | ready middleware: typing, the person's language, transcripts, metrics and spans |
//! | [`proactive`] | jobs, notifications and their delivery |
//! | [`state`] | what a bot remembers of conversations and people |
//! | [`activity`] | the protocol's types |
//! | [`adapter`] | activities in, proactive turns out |
//! | [`auth`] | who may speak to the bot, and as whom it speaks |
//! | [`keys`] | keys for the API of a server: what each permits |
//! | [`connector`], [`egress`] | the way to channels, and the one door that it goes through |
//! | [`store`] | the file that keeps all this |
//! | `directline` | the built-in channel (feature `directline`) |
//! | `testkit` | scripts for bots' tests, a channel with faults, a clock to move (feature `testkit`) |
//! | [`clock`] | where the time comes from |
//! | [`secret_file`] | files that only their owner may read |
//! | `fuzzing` | the parsers of what comes from outside, for fuzz targets (feature `fuzzing`) |
//! | `failpoints` | places to die at and a clock to step, for proofs (feature `failpoints`) |

/// Passes a point between two effects at which a proof can have the process die; nothing at all without the feature
/// `failpoints`.
#[cfg(feature = "failpoints")]
macro_rules! failpoint {
    ($point:ident) => {
        $crate::failpoints::pass($crate::failpoints::Point::$point)
    };
}
#[cfg(not(feature = "failpoints"))]
macro_rules! failpoint {
    ($point:ident) => {};
}

pub mod activity;
pub mod adapter;
pub mod app;
pub mod auth;
pub mod clock;
pub mod connector;
#[cfg(feature = "directline")]
pub mod directline;
pub mod egress;
#[cfg(feature = "failpoints")]
pub mod failpoints;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(doctest)]
mod guide;
pub mod keys;
pub mod loops;
pub mod middleware;
pub mod proactive;
pub mod secret_file;
pub mod state;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod turn;

/// What nearly every bot uses.
pub mod prelude {
    pub use crate::{
        activity::{Activity, ActivityType},
        app::App,
        proactive::{Completion, NewNotification, ProactiveTurn},
        turn::{ActivityHandler, Bot, BotError, TurnContext},
    };
}
