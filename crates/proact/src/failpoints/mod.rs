//! Where a process can be made to die, and a clock that can be stepped: for proofs, never in what is shipped.
//!
//! Between each pair of effects stands a named [`Point`]. `PROACT_FAILPOINT=after-begin:3` has the process abort the third time
//! that it passes `after-begin`: no destructor runs, nothing is flushed, as with `kill -9`, but at a place that is known.
//! `PROACT_CLOCK_OFFSET_FILE` names a file from which a [`SteppedClock`] reads by how much the time is off. `PROACT_PANIC` names one that can
//! name a loop of the process: it panics then.
//!
//! Without the feature `failpoints` none of this exists, and `failpoint!` stands for nothing.

mod clock;
mod panics;
mod point;

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

pub use clock::SteppedClock;
pub(crate) use panics::panicking;
pub use point::Point;

/// The variable that arms a point: its name, a colon, and at which passing the process dies (from 1).
pub const VARIABLE: &str = "PROACT_FAILPOINT";

/// What is armed in this process. Read once: it belongs to the process, as its death does.
static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
    let text = std::env::var(VARIABLE).ok()?;
    let Some(armed) = Armed::read(&text) else {
        die(&format!("{VARIABLE}={text}: give one of the points and a number from 1, such as after-begin:3"));
    };
    Some(armed)
});

struct Armed {
    point: Point,
    left: AtomicU64,
}

impl Armed {
    fn read(text: &str) -> Option<Self> {
        let (name, count) = text.split_once(':').unwrap_or((text, "1"));
        let left = count.parse().ok().filter(|count| *count > 0)?;
        Some(Self { point: name.parse().ok()?, left: AtomicU64::new(left) })
    }

    /// Whether this passing is the one.
    fn is_over(&self, point: Point) -> bool {
        point == self.point && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

/// Passes a point, or dies at it.
pub fn pass(point: Point) {
    if ARMED.as_ref().is_some_and(|armed| armed.is_over(point)) {
        die(&format!("failpoint {point}"));
    }
}

fn die(why: &str) -> ! {
    eprintln!("{why}: aborting");
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_over_at_its_passing_and_only_then() {
        let armed = Armed::read("after-begin:2").unwrap();
        assert!(!armed.is_over(Point::AfterCommit));
        let over: Vec<_> = (0..4).map(|_| armed.is_over(Point::AfterBegin)).collect();
        assert_eq!(over, [false, true, false, false]);
        assert!(Armed::read("after-begin").unwrap().is_over(Point::AfterBegin));
    }

    #[test]
    fn what_names_no_point_arms_none() {
        for text in ["", "nowhere:1", "after-begin:0", "after-begin:-1", "after-begin:x", ":1"] {
            assert!(Armed::read(text).is_none(), "{text}");
        }
    }
}
