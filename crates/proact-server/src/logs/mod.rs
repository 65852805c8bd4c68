//! Logs: structured, to stderr, one line an event, [whatever it holds](escape).

mod escape;

use escape::Escaping;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::Log;

/// Logs from now on. Called once, by the program.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(Escaping::new(std::io::stderr, log.json));
    let registry = tracing_subscriber::registry().with(filter);
    // Somebody else's subscriber (in a test) stays.
    let _ = if log.json {
        registry.with(lines.json().flatten_event(true)).try_init()
    } else {
        registry.with(lines.with_ansi(false)).try_init()
    };
}
