//! Attempts under way: whether their bytes may still be kept from leaving.
//!
//! An attempt is begun, and then either its bytes leave or it is withdrawn; whichever comes first is final. A cancel that withdraws it is
//! kept for certain; one that comes too late is told so.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use super::{desk::Desk, gate::Gate};

const BEGUN: u8 = 0;
const LEFT: u8 = 1;
const WITHDRAWN: u8 = 2;

/// One attempt under way.
#[derive(Debug, Default)]
pub(super) struct Flight {
    phase: AtomicU8,
    /// What kept it from leaving.
    gate: Mutex<Option<Gate>>,
    /// Its outcome is on record.
    pub(super) settled: CancellationToken,
}

impl Flight {
    /// Bytes leave now, or have left already; `false` if it was withdrawn.
    pub(super) fn leave(&self) -> bool {
        let left = self.phase.compare_exchange(BEGUN, LEFT, Ordering::SeqCst, Ordering::SeqCst);
        left != Err(WITHDRAWN)
    }

    /// Keeps it from leaving; `false` if its bytes have left. Withdrawn twice, the first reason stays.
    pub(super) fn withdraw(&self, gate: Gate) -> bool {
        let mut reason = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        match self.phase.compare_exchange(BEGUN, WITHDRAWN, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => {
                *reason = Some(gate);
                true
            }
            Err(phase) => phase == WITHDRAWN,
        }
    }

    /// Why it was withdrawn, if it was.
    pub(super) fn withdrawn(&self) -> Option<Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Holds an attempt among those under way until its outcome is on record. Dropped, whatever the reason (a panic too), it is not any
/// more: who waits for its end looks at the record then.
pub(super) struct Airborne {
    desk: Arc<Desk>,
    seq: i64,
    pub(super) flight: Arc<Flight>,
}

impl Airborne {
    pub(super) fn new(desk: &Arc<Desk>, seq: i64, flight: Arc<Flight>) -> Self {
        Self { desk: Arc::clone(desk), seq, flight }
    }
}

impl Drop for Airborne {
    fn drop(&mut self) {
        self.desk.landed(self.seq);
    }
}

/// All attempts under way, by the order of acceptance of their notifications.
pub(super) type Flights = HashMap<i64, Arc<Flight>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_left_cannot_be_withdrawn_and_the_other_way_round() {
        let left = Flight::default();
        assert!(left.leave());
        assert!(!left.withdraw(Gate::Cancelled));
        assert_eq!(left.withdrawn(), None);
        let withdrawn = Flight::default();
        assert!(withdrawn.withdraw(Gate::Expired));
        assert!(withdrawn.withdraw(Gate::Cancelled), "it does not leave either way");
        assert!(!withdrawn.leave());
        assert_eq!(withdrawn.withdrawn(), Some(Gate::Expired));
    }

    #[test]
    fn of_many_that_try_at_once_one_wins() {
        for _ in 0..200 {
            let flight = Flight::default();
            let (left, withdrawn) = std::thread::scope(|scope| {
                let left = scope.spawn(|| flight.leave());
                let withdrawn = scope.spawn(|| flight.withdraw(Gate::Cancelled));
                (left.join().unwrap(), withdrawn.join().unwrap())
            });
            assert!(left != withdrawn);
        }
    }
}
