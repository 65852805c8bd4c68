//! The crate's integration tests, in one binary: they link once.

mod activity;
mod adapter;
mod auth;
mod backup;
mod connector;
mod directline;
mod egress;
mod engine;
mod hold;
mod jobs;
mod middleware;
mod notifications;
mod outbound;
mod own_certificates;
mod script;
mod state;
mod store;
mod support;
mod testkit;
mod tls;
mod turns;
