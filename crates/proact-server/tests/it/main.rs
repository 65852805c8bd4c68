//! The server as a whole: started in this process or as the real binary, and used over HTTP as people and programs do.

mod api;
mod bot;
mod bot_file;
mod changes;
mod channel;
mod cli;
mod cli_control;
#[cfg(feature = "fuzzing")]
mod corpora;
mod crowd;
mod events;
mod foreign_bot;
mod gate;
mod identity;
mod job_system;
mod jobs;
mod keys;
mod limits;
#[cfg(feature = "failpoints")]
mod loops;
mod notifications;
mod openapi;
mod opened;
mod overload;
mod page;
mod proxies;
mod restart;
mod restore;
mod sign_in;
mod start;
mod stop;
mod story;
mod support;
mod trust;
