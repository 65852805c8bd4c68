//! Proactive messages.
pub mod activity;
pub mod clock;
pub mod connector;
pub mod egress;
pub mod state;
#[cfg(feature = "testkit")]
pub mod testkit;
