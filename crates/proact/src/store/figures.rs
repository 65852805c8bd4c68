//! What the store has done and how long it took, since it was opened: counted in memory, where the writer passes anyway.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the groups in which times are counted, in microseconds; what is longer is in none but the last.
const BOUNDS: [u64; 12] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000];

/// What the store has done since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Commits that are durable.
    pub commits: u64,
    /// Commands in them.
    pub commands: u64,
    /// Commands that were refused for want of room or permission, each with all others of its commit.
    pub refused: u64,
    /// Commands that wait for the writer now.
    pub waiting: u64,
    /// How long commits took, from the first command to the end of the sync.
    pub commit_time: Times,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of its log.
    pub log_bytes: u64,
}

/// How often something took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// How many took no longer than each bound, the bounds rising.
    pub up_to: Vec<(Duration, u64)>,
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub sum: Duration,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(super) struct Meter {
    commits: AtomicU64,
    commands: AtomicU64,
    refused: AtomicU64,
    queued: AtomicU64,
    taken: AtomicU64,
    groups: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
}

impl Meter {
    pub(super) fn queued(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn taken(&self, commands: usize) {
        self.taken.fetch_add(commands as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, commands: usize) {
        self.refused.fetch_add(commands as u64, Ordering::Relaxed);
    }

    pub(super) fn committed(&self, commands: usize, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(group) = BOUNDS.iter().position(|bound| micros <= *bound) {
            self.groups[group].fetch_add(1, Ordering::Relaxed);
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn figures(&self, bytes: u64, log_bytes: u64) -> Figures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Read before what it is taken from, so that what waits is never below zero.
        let taken = of(&self.taken);
        let mut so_far = 0;
        let up_to = BOUNDS.iter().zip(&self.groups).map(|(bound, group)| {
            so_far += of(group);
            (Duration::from_micros(*bound), so_far)
        });
        let up_to: Vec<_> = up_to.collect();
        let commits = of(&self.commits).max(so_far);
        Figures {
            commits,
            commands: of(&self.commands),
            refused: of(&self.refused),
            waiting: of(&self.queued).saturating_sub(taken),
            commit_time: Times { up_to, count: commits, sum: Duration::from_micros(of(&self.micros)) },
            bytes,
            log_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_every_group_that_they_fit() {
        let meter = Meter::default();
        for micros in [100, 250, 251, 3_000_000, 60_000_000] {
            meter.committed(2, Duration::from_micros(micros));
        }
        let figures = meter.figures(1, 2);
        let up_to = |micros| {
            let bound = Duration::from_micros(micros);
            figures.commit_time.up_to.iter().find(|(at, _)| *at == bound).map(|(_, count)| *count)
        };
        assert_eq!(
            (up_to(250), up_to(500), up_to(1_000_000), up_to(10_000_000)),
            (Some(2), Some(3), Some(3), Some(4))
        );
        assert_eq!((figures.commits, figures.commands, figures.commit_time.count), (5, 10, 5));
        assert_eq!(figures.commit_time.sum, Duration::from_micros(63_000_601));
    }
}
