//! The clock of the program: the machine's.
//!
//! In a `failpoints` build it can be stepped, which `cargo xtask torture` does.

use std::sync::Arc;

use proact::clock::Clock;

#[cfg(not(feature = "failpoints"))]
pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(proact::clock::SystemClock)
}

#[cfg(feature = "failpoints")]
pub(super) fn clock() -> Arc<dyn Clock> {
    proact::failpoints::SteppedClock::from_environment()
}
