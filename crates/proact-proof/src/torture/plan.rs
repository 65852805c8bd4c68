//! What happens in an episode: the same for the same seed.

use std::fmt;
use std::time::Duration;

use proact::failpoints::Point;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// Lives in an episode, beside the last one.
const LIVES: usize = 20;

/// Which build lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// What is shipped.
    Shipped,
    /// The one with named points and a clock that can be stepped.
    Failpoints,
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `kill -9` so long after its start, ready or not.
    KilledAtStart(Duration),
    /// `kill -9` so long after it was ready.
    Killed(Duration),
    /// `kill -9` when this many proactive messages have reached the channel, which does not answer the last one any more.
    KilledOnReceipt(u64),
    /// It aborts at this passing of a named point.
    AtPoint(Point, u32),
    /// It is asked to stop, and stops.
    Stopped(Duration),
    /// From this write on, so many find no room; then `kill -9`.
    FullDisk(u32, u32),
    /// From this sync on, every one fails, and it must end by itself.
    FailingSync(u32),
}

/// One life of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Which build.
    pub build: Build,
    /// How it ends.
    pub end: End,
    /// The clock is stepped by so many seconds in the middle of it.
    pub step: Option<i64>,
    /// The channel refuses connections for so long from its start.
    pub outage: Option<Duration>,
}

/// An episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the load and the channel's faults come from.
    pub seed: u64,
    /// The lives, in order.
    pub lives: Vec<Life>,
}

impl Plan {
    /// Episode `number` of a run.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        // Far apart, so that neighbouring seeds share no episodes.
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(number);
        let mut random = SmallRng::seed_from_u64(seed);
        // A step takes the times of a whole episode from the proof, so most have none.
        let steps = random.random_bool(0.25);
        let lives = (0..LIVES).map(|_| life(&mut random, steps)).collect();
        Self { seed, lives }
    }

    /// No more lives than fit into a time.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        let fit = usize::try_from(time.as_secs() / 2).unwrap_or(LIVES);
        self.lives.truncate(fit.max(3));
        self
    }

    /// Whether the clock is ever stepped.
    #[must_use]
    pub fn steps(&self) -> bool {
        self.lives.iter().any(|life| life.step.is_some())
    }
}

fn life(random: &mut SmallRng, steps: bool) -> Life {
    let millis = |random: &mut SmallRng, from, to| Duration::from_millis(random.random_range(from..to));
    let end = match random.random_range(0..100) {
        0..10 => End::KilledAtStart(millis(random, 0, 150)),
        10..28 => End::Killed(millis(random, 100, 1800)),
        28..40 => End::KilledOnReceipt(random.random_range(1..25)),
        40..82 => {
            let point = *Point::ALL.choose(random).unwrap_or(&Point::AfterBegin);
            // The lower the likelier: what happens first in a life happens in every life.
            let passing = if point == Point::AfterRecover { 1 } else { random.random_range(1_u32..7).pow(2) };
            End::AtPoint(point, passing)
        }
        82..88 => End::Stopped(millis(random, 200, 1500)),
        88..94 => End::FullDisk(random.random_range(60..300), random.random_range(5..60)),
        _ => End::FailingSync(random.random_range(10..120)),
    };
    let at_point = matches!(end, End::AtPoint(..));
    let step = (steps && random.random_bool(0.4)).then(|| random.random_range(-7200..7200));
    // The shipped build has no clock that could be stepped.
    let build = if at_point || step.is_some() { Build::Failpoints } else { Build::Shipped };
    let outage = random.random_bool(0.1).then(|| millis(random, 100, 1500));
    Life { build, end, step, outage }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lives", self.lives.len())?;
        if self.steps() {
            write!(f, ", with steps of the clock")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_has_the_same_plan() {
        assert_eq!(Plan::of(7, 3), Plan::of(7, 3));
        assert_ne!(Plan::of(7, 3), Plan::of(7, 4));
        assert_ne!(Plan::of(7, 3), Plan::of(8, 3));
    }

    #[test]
    fn every_end_comes_and_every_point() {
        let lives: Vec<Life> = (0..200).flat_map(|number| Plan::of(1, number).lives).collect();
        let any = |wanted: fn(&Life) -> bool| assert!(lives.iter().any(wanted));
        any(|life| matches!(life.end, End::KilledAtStart(_)));
        any(|life| matches!(life.end, End::Killed(_)));
        any(|life| matches!(life.end, End::KilledOnReceipt(_)));
        any(|life| matches!(life.end, End::Stopped(_)));
        any(|life| matches!(life.end, End::FullDisk(..)));
        any(|life| matches!(life.end, End::FailingSync(_)));
        any(|life| life.step.is_some_and(i64::is_positive) && life.build == Build::Failpoints);
        any(|life| life.step.is_some_and(i64::is_negative));
        any(|life| life.outage.is_some());
        for point in Point::ALL {
            assert!(
                lives.iter().any(|life| matches!(life.end, End::AtPoint(at, _) if at == *point)),
                "{point}"
            );
        }
    }
}
