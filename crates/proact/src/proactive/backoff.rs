//! How long to wait before the next try: exponential with full jitter, a ceiling in tries and in age.

use std::time::Duration;

/// The shortest wait, as a part of the longest one.
const SHORTEST: f64 = 0.01;

/// The plan for retries. Its defaults suit a chat channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The longest wait before the second try; doubles with each. Default 1 s.
    pub base: Duration,
    /// No wait is longer, unless the channel asks for more by `Retry-After`. Default 5 min.
    pub ceiling: Duration,
    /// Tries in all. Default 20.
    pub max_tries: u32,
    /// A notification older than this fails. Default 24 h.
    pub max_age: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            ceiling: Duration::from_secs(300),
            max_tries: 20,
            max_age: Duration::from_secs(24 * 3600),
        }
    }
}

impl Backoff {
    /// The wait after try number `tries` (1 is the first): anything up to the doubled base, so that many that failed together do not come
    /// back together; not less than a hundredth of it, for at the same instant there is nothing new to be met. `Retry-After` is never
    /// undercut.
    #[must_use]
    pub fn wait(&self, tries: u32, retry_after: Option<Duration>, random: f64) -> Duration {
        let doubled =
            self.base.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
        let jittered = doubled.min(self.ceiling).mul_f64(random.clamp(SHORTEST, 1.0));
        jittered.max(retry_after.unwrap_or_default())
    }

    /// Whether to give up instead of waiting `wait` more after `tries` tries at the age of `age`, and why.
    #[must_use]
    pub fn gives_up(&self, tries: u32, age: Duration, wait: Duration) -> Option<String> {
        if tries >= self.max_tries {
            Some(format!("gave up after {tries} tries"))
        } else if age.saturating_add(wait) > self.max_age {
            Some(format!("gave up: it would be older than {} s before the next try", self.max_age.as_secs()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_never_undercuts_retry_after_and_never_exceeds_both_ceilings(
            tries in 1_u32..200, random in 0.0_f64..=1.0, asked in proptest::option::of(0_u64..100_000),
        ) {
            let plan = Backoff::default();
            let asked = asked.map(Duration::from_secs);
            let wait = plan.wait(tries, asked, random);
            prop_assert!(wait >= asked.unwrap_or_default());
            prop_assert!(wait <= plan.ceiling.max(asked.unwrap_or_default()));
        }
    }

    #[test]
    fn it_doubles_up_to_the_ceiling() {
        let plan = Backoff::default();
        assert_eq!(plan.wait(1, None, 1.0), Duration::from_secs(1));
        assert_eq!(plan.wait(4, None, 1.0), Duration::from_secs(8));
        assert_eq!(plan.wait(40, None, 1.0), plan.ceiling);
    }

    #[test]
    fn it_is_a_wait_whatever_the_dice_say() {
        let plan = Backoff::default();
        assert_eq!(plan.wait(1, None, 0.0), Duration::from_millis(10));
        assert_eq!(plan.wait(3, None, 0.0), Duration::from_millis(40));
    }

    #[test]
    fn it_gives_up_by_tries_and_by_age() {
        let plan = Backoff::default();
        assert!(plan.gives_up(19, Duration::ZERO, Duration::ZERO).is_none());
        assert!(plan.gives_up(20, Duration::ZERO, Duration::ZERO).is_some());
        assert!(plan.gives_up(1, Duration::from_secs(3600), plan.max_age).is_some());
    }
}
