//! The one attempt that tries a host out of order.

use std::sync::Arc;

use super::{breaker::ProbeNumber, desk::Desk};

/// The right to try a host. Dropped without a word about the host (nothing was sent, it waits for a turn, it panicked), another
/// attempt may try it.
pub(super) struct Probe {
    desk: Arc<Desk>,
    host: Arc<str>,
    pub(super) number: ProbeNumber,
}

impl Probe {
    pub(super) fn new(desk: &Arc<Desk>, host: Arc<str>, number: ProbeNumber) -> Self {
        Self { desk: Arc::clone(desk), host, number }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.desk.undecided(&self.host, self.number);
    }
}
