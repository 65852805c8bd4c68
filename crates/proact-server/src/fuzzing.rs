//! The server's parsers of what comes from outside, each as a function of any bytes, as in `proact::fuzzing`.

use proact::fuzzing::Target;

use crate::{
    config::{Config, Sources},
    http,
};

/// All of them by the names of their corpora.
pub const TARGETS: &[(&str, Target)] = &[("config", config), ("new_notification", new_notification)];

/// A configuration file: it is read, or refused by an error that fits on one line.
///
/// # Panics
/// When it is neither, or no file can be written for it.
pub fn config(bytes: &[u8]) {
    let name = format!("proact-fuzz-{}-{:?}.toml", std::process::id(), std::thread::current().id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, bytes).expect("a file to be read");
    let read = Config::load(Sources { file: Some(file.clone()), ..Sources::default() });
    std::fs::remove_file(file).expect("the file that was written");
    if let Err(error) = read {
        assert!(!error.to_string().is_empty());
    }
}

/// The body of `POST /v1/notifications`: it is read, or refused with a problem.
pub fn new_notification(bytes: &[u8]) {
    http::read_new_notification(bytes);
}
