//! Proactive messages.
pub mod activity;
pub mod clock;
pub mod connector;
pub mod egress;
#[cfg(feature = "testkit")]
pub mod testkit;
