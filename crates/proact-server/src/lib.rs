//! The server: the job bot, the built-in channel, the HTTP API and the page around the SDK (`proact`), in one binary.
//!
//! | room | what it does |
//! | --- | --- |
//! | [`cli`] | the command line: `serve`, `jobs`, `notifications`, `pause`, `status`, `templates`, `keys`, `bot`, `rotate`, `backup`, `restore`, `release` |
//! | [`config`] | the configuration, from `config.default.toml` to the flags |
//! | [`server`] | start and stop, in their order |
//! | `http` | the routes, one file a resource |
//! | `sign_in` | the key of the page, and its sessions |
//! | [`job_bot`] | the article's bot |

pub mod cli;
pub mod config;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
pub mod job_bot;
mod logs;
pub mod server;
mod sign_in;
