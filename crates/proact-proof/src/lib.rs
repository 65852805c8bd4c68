//! Proofs of Proact's promises on the real binary, from outside.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`program`] | the binary as a child process: started, killed, stopped, never left behind |
//! | [`load`] | clients as channels are: each repeats what it asks until it has a definite answer |
//! | [`faults`] | a channel that misbehaves at random |
//! | [`api`], [`file`](mod@file) | the store, read over `/v1` and from its file |
//! | [`history`], [`work`] | what happened in a run, as plain data |
//! | [`checker`] | holds a history against each promise |
//! | [`direct_line`] | a person in a conversation of the built-in channel |
//! | [`disk`] | a disk that is full, or fails to sync |
//! | [`torture`] | all of it, again and again, by a seed |
//!
//! Whatever cannot be set up panics: there is no proof to go on with. Not published.

pub mod api;
pub mod checker;
pub mod direct_line;
pub mod disk;
pub mod faults;
pub mod file;
pub mod history;
pub mod ledger;
pub mod load;
pub mod program;
pub mod torture;
pub mod work;
