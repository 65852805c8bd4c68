//! What this process has delivered and how long it took, since it was started: counted in memory, where outcomes are on record.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{AttemptOutcome, Proactive};
use crate::store::Times;

/// Upper bounds of the groups in which times are counted, in milliseconds; what is longer is in none but the last.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 1_000, 10_000, 60_000, 3_600_000];

/// What this process has delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryFigures {
    /// Attempts whose outcome is on record, by outcome; every outcome is there.
    pub attempts: BTreeMap<&'static str, u64>,
    /// From when a notification could go (its acceptance, or its time) until *delivered* was on record.
    pub delivered_after: Times,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(super) struct Measure {
    outcomes: [AtomicU64; AttemptOutcome::ALL.len()],
    groups: [AtomicU64; BOUNDS.len()],
    delivered: AtomicU64,
    millis: AtomicU64,
}

impl Measure {
    /// An outcome is on record, so long after the notification could go.
    pub(super) fn settled(&self, outcome: AttemptOutcome, after_millis: i64) {
        if let Some(at) = AttemptOutcome::ALL.iter().position(|one| *one == outcome) {
            self.outcomes[at].fetch_add(1, Ordering::Relaxed);
        }
        if outcome != AttemptOutcome::Delivered {
            return;
        }
        let millis = after_millis.max(0).unsigned_abs();
        self.millis.fetch_add(millis, Ordering::Relaxed);
        if let Some(group) = BOUNDS.iter().position(|bound| millis <= *bound) {
            self.groups[group].fetch_add(1, Ordering::Relaxed);
        }
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    fn figures(&self) -> DeliveryFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let attempts =
            AttemptOutcome::ALL.iter().zip(&self.outcomes).map(|(one, count)| (one.as_str(), of(count)));
        let mut so_far = 0;
        let up_to = BOUNDS.iter().zip(&self.groups).map(|(bound, group)| {
            so_far += of(group);
            (Duration::from_millis(*bound), so_far)
        });
        let up_to: Vec<_> = up_to.collect();
        let count = of(&self.delivered).max(so_far);
        let delivered_after = Times { up_to, count, sum: Duration::from_millis(of(&self.millis)) };
        DeliveryFigures { attempts: attempts.collect(), delivered_after }
    }
}

impl Proactive {
    /// What this process has delivered since it was started.
    #[must_use]
    pub fn delivery_figures(&self) -> DeliveryFigures {
        self.desk().measure.figures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_up_to_each_bound() {
        let measure = Measure::default();
        for after in [-3, 1, 7, 4_000_000] {
            measure.settled(AttemptOutcome::Delivered, after);
        }
        measure.settled(AttemptOutcome::Retry, 5);
        let DeliveryFigures { attempts, delivered_after } = measure.figures();
        assert_eq!((attempts["delivered"], attempts["retry"], attempts["unknown"]), (4, 1, 0));
        let up_to = |millis| {
            let bound = Duration::from_millis(millis);
            delivered_after.up_to.iter().find(|(at, _)| *at == bound).unwrap().1
        };
        assert_eq!((up_to(1), up_to(5), up_to(10), up_to(3_600_000)), (2, 2, 3, 3));
        assert_eq!((delivered_after.count, delivered_after.sum), (4, Duration::from_millis(4_000_008)));
    }
}
