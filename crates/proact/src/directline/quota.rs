//! How much people may add to a conversation in an hour: bytes and files, so that one token cannot fill the disk.
//!
//! A conversation has an allowance of each that fills up evenly within an hour. Counted is what is to be kept: activities as they are
//! kept, files as they came. It is taken before anything is written, and given back when nothing was: what comes again, what is refused.
//! Something larger than the whole allowance goes alone, when nothing else has gone for long enough. What bots add is not counted.
//!
//! It is counted in memory, and nothing is looked up for it: a restart begins with full allowances, and so does a conversation that was
//! forgotten because [`KNOWN`] others have written since.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use moka::{policy::EvictionPolicy, sync::Cache};

use super::commands::Place;
use super::options::Limits;

/// Conversations that are counted at the same time, at most.
const KNOWN: u64 = 16_384;
/// In nanoseconds.
const HOUR: i128 = 3_600_000_000_000;
const SECOND: i128 = 1_000_000_000;

pub(super) struct Quota {
    bytes: Option<u64>,
    files: Option<u64>,
    conversations: Cache<Place, Arc<Mutex<Used>>>,
}

/// Until when somebody who adds evenly, as much as may be in an hour, would be at it with what was added: in nanoseconds since 1970. An
/// hour from now, and the allowance is used up.
#[derive(Clone, Copy, Default)]
struct Used {
    bytes: i128,
    files: i128,
}

/// More than may be in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exceeded {
    /// Of what.
    pub(super) what: &'static str,
    /// How much may be.
    pub(super) limit: u64,
    /// After how many seconds there is room for it.
    pub(super) wait: u64,
}

/// What was taken of an allowance: given back, unless it is kept.
#[must_use]
pub(super) struct Charge {
    of: Arc<Mutex<Used>>,
    bytes: i128,
    files: i128,
}

impl Quota {
    pub(super) fn new(limits: &Limits) -> Self {
        // By who wrote last and not by who writes most: what is new must be counted, too.
        let conversations =
            Cache::builder().max_capacity(KNOWN).eviction_policy(EvictionPolicy::lru()).build();
        Self { bytes: limits.bytes_per_hour, files: limits.files_per_hour, conversations }
    }

    /// Takes so much of the conversation's allowance, all or nothing.
    pub(super) fn charge(
        &self,
        place: &Place,
        bytes: usize,
        files: usize,
        now: Timestamp,
    ) -> Result<Charge, Exceeded> {
        let now = now.as_nanosecond();
        let of = self.conversations.get_with_by_ref(place, Arc::default);
        let taken = {
            let mut used = lock(&of);
            // Not later than an hour from now: a clock that was set back keeps nobody waiting for longer.
            used.bytes = used.bytes.clamp(now, now + HOUR);
            used.files = used.files.clamp(now, now + HOUR);
            let bytes = cost(used.bytes, bytes, self.bytes, now, "bytes")?;
            let files = cost(used.files, files, self.files, now, "files")?;
            used.bytes += bytes;
            used.files += files;
            (bytes, files)
        };
        Ok(Charge { of, bytes: taken.0, files: taken.1 })
    }
}

/// How much later it is with `amount` more, if there is room for it.
fn cost(
    until: i128,
    amount: usize,
    limit: Option<u64>,
    now: i128,
    what: &'static str,
) -> Result<i128, Exceeded> {
    let Some(limit) = limit else { return Ok(0) };
    let cost = amount as i128 * HOUR / i128::from(limit.max(1));
    let over = until + cost - (now + HOUR);
    if over > 0 && until > now {
        let wait = over.min(until - now);
        let wait = u64::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u64::MAX);
        return Err(Exceeded { what, limit, wait });
    }
    Ok(cost)
}

impl Charge {
    /// It was added: nothing is given back.
    pub(super) fn keep(mut self) {
        (self.bytes, self.files) = (0, 0);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut used = lock(&self.of);
        used.bytes -= self.bytes;
        used.files -= self.files;
    }
}

fn lock(used: &Mutex<Used>) -> MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn quota(bytes: u64, files: u64) -> Quota {
        let limits = Limits { bytes_per_hour: Some(bytes), files_per_hour: Some(files), ..Limits::default() };
        Quota::new(&limits)
    }

    fn place(id: &str) -> Place {
        Place::new(id).unwrap()
    }

    /// Adds so much, `after` seconds since noon; the seconds to wait, if it cannot be.
    fn add(
        quota: &Quota,
        id: &str,
        bytes: usize,
        files: usize,
        after: u64,
    ) -> Result<(), (&'static str, u64)> {
        let now = NOON + Duration::from_secs(after);
        quota.charge(&place(id), bytes, files, now).map(Charge::keep).map_err(|over| (over.what, over.wait))
    }

    #[test]
    fn an_allowance_is_each_conversations_own_and_fills_up_evenly() {
        let quota = quota(3600, 2);
        for _ in 0..4 {
            assert_eq!(add(&quota, "c", 900, 0, 0), Ok(()));
        }
        assert_eq!(add(&quota, "c", 1, 0, 0), Err(("bytes", 1)));
        assert_eq!(add(&quota, "d", 3600, 2, 0), Ok(()));
        assert_eq!(add(&quota, "c", 100, 0, 40), Err(("bytes", 60)));
        assert_eq!(add(&quota, "c", 100, 0, 100), Ok(()));
        assert_eq!(add(&quota, "c", 3600, 0, 3700), Ok(()), "an hour later, all of it");
        assert_eq!(add(&quota, "d", 0, 1, 60), Err(("files", 1740)), "a file takes half an hour");
        assert_eq!(add(&quota, "d", 0, 0, 60), Ok(()));
    }

    #[test]
    fn what_is_not_added_is_given_back_and_one_of_two_takes_nothing() {
        let quota = quota(100, 1);
        for _ in 0..10 {
            drop(quota.charge(&place("c"), 100, 1, NOON).unwrap());
        }
        assert_eq!(add(&quota, "c", 50, 1, 0), Ok(()));
        assert_eq!(add(&quota, "c", 50, 1, 0), Err(("files", 3600)));
        assert_eq!(add(&quota, "c", 50, 0, 0), Ok(()), "its bytes were not taken for the file's sake");
    }

    #[test]
    fn what_is_larger_than_all_of_it_goes_alone() {
        let quota = quota(100, 10);
        assert_eq!(add(&quota, "c", 500, 1, 0), Ok(()));
        assert_eq!(add(&quota, "c", 1, 1, 0), Err(("bytes", 36)));
        assert_eq!(add(&quota, "c", 500, 1, 1800), Err(("bytes", 1800)));
        assert_eq!(add(&quota, "c", 500, 1, 3600), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting_for_long() {
        let quota = quota(100, 10);
        assert_eq!(add(&quota, "c", 100, 1, 1_000_000), Ok(()));
        assert_eq!(add(&quota, "c", 100, 1, 0), Err(("bytes", 3600)));
        assert_eq!(add(&quota, "c", 100, 1, 3600), Ok(()));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let limits = Limits { bytes_per_hour: None, files_per_hour: None, ..Limits::default() };
        let quota = Quota::new(&limits);
        for _ in 0..10 {
            assert_eq!(add(&quota, "c", usize::MAX, usize::MAX, 0), Ok(()));
        }
    }
}
