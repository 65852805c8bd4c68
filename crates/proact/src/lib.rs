//! Proactive messages.
pub mod activity;
