//! Breakers: a host that cannot be reached, or that refuses the app's credentials, is left alone for a while.
//!
//! A dead end is not the message's fault: what waits behind a breaker uses no tries. While it is open nothing goes to the host; when its
//! time has come, one attempt tries the host, and the rest follows if that one got any answer. Waits double up to a ceiling. Breakers
//! live in memory: after a restart the first attempt finds out again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::Backoff;

/// A breaker that is not closed, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OpenBreaker {
    /// The host: scheme, name and port.
    pub host: String,
    /// What happened last.
    pub reason: String,
    /// Since when.
    pub since: jiff::Timestamp,
    /// The host is tried again then.
    pub until: jiff::Timestamp,
    /// How often it was tried in vain.
    pub failures: u32,
}

#[derive(Debug)]
struct Breaker {
    since: i64,
    until: i64,
    failures: u32,
    reason: String,
    /// The one attempt that may try the host is under way, under this number.
    probe: Option<ProbeNumber>,
    /// That its time has come was said.
    told: bool,
}

impl Breaker {
    /// When its time comes, if somebody is to be told.
    fn comes(&self) -> Option<i64> {
        (self.probe.is_none() && !self.told).then_some(self.until)
    }
}

/// Tells the attempt that tries a host from those that were under way when its breaker opened. Never given twice.
pub(super) type ProbeNumber = u64;

/// All breakers that are not closed.
#[derive(Debug)]
pub(super) struct Breakers {
    open: HashMap<Arc<str>, Breaker>,
    waits: Backoff,
    probes: ProbeNumber,
    /// When the next host may be tried again.
    next: Option<i64>,
}

impl Breakers {
    pub(super) fn new(waits: Backoff) -> Self {
        Self { open: HashMap::new(), waits, probes: 0, next: None }
    }

    /// Whether an attempt may go to `host` now.
    pub(super) fn allows(&self, host: &str, now: i64) -> bool {
        self.open.get(host).is_none_or(|breaker| breaker.probe.is_none() && breaker.until <= now)
    }

    /// Whether the one attempt that tries `host` is under way.
    pub(super) fn is_being_tried(&self, host: &str) -> bool {
        self.open.get(host).is_some_and(|breaker| breaker.probe.is_some())
    }

    /// An attempt goes to `host`: while it is out of order, this is the only one, and gets a number to be known by.
    pub(super) fn begins(&mut self, host: &str) -> Option<ProbeNumber> {
        let breaker = self.open.get_mut(host)?;
        self.probes += 1;
        breaker.probe = Some(self.probes);
        self.look_ahead();
        Some(self.probes)
    }

    /// The host gave an answer. Whether that was news.
    pub(super) fn works(&mut self, host: &str) -> bool {
        let news = self.open.remove(host).is_some();
        if news {
            self.look_ahead();
        }
        news
    }

    /// The attempt that tried `host` ended without saying anything about it: another may.
    pub(super) fn undecided(&mut self, host: &str, probe: ProbeNumber) {
        if let Some(breaker) = self.open.get_mut(host).filter(|breaker| breaker.probe == Some(probe)) {
            breaker.probe = None;
            breaker.told = false;
            self.look_ahead();
        }
    }

    /// The host could not be reached or used. Whether that was news: of many attempts that find out together the first says it, and
    /// after that only the one that was to try the host.
    pub(super) fn fails(
        &mut self,
        host: &Arc<str>,
        reason: &str,
        now: i64,
        random: f64,
        probe: Option<ProbeNumber>,
    ) -> bool {
        let fresh =
            Breaker { since: now, until: now, failures: 0, reason: String::new(), probe, told: false };
        let breaker = self.open.entry(Arc::clone(host)).or_insert(fresh);
        if breaker.failures > 0 && (probe.is_none() || breaker.probe != probe) {
            return false;
        }
        breaker.probe = None;
        breaker.told = false;
        breaker.failures += 1;
        reason.clone_into(&mut breaker.reason);
        // At least half of the wait: a host that is down is not asked again at once.
        let wait = self.waits.wait(breaker.failures, None, 0.5 + random / 2.0);
        breaker.until = now.saturating_add(millis(wait).max(1));
        self.look_ahead();
        true
    }

    /// The clock was set back by `by`: a wait is not longer for it.
    pub(super) fn clock_went_back(&mut self, by: i64) {
        for breaker in self.open.values_mut() {
            breaker.since = breaker.since.saturating_sub(by);
            breaker.until = breaker.until.saturating_sub(by);
        }
        self.look_ahead();
    }

    /// Until when nothing goes to `host`, and why.
    pub(super) fn of(&self, host: &str) -> Option<(i64, &str)> {
        self.open.get(host).map(|breaker| (breaker.until, breaker.reason.as_str()))
    }

    /// When the next host may be tried again. One whose time has come is not waited for any more: it may have nothing to send.
    pub(super) fn next(&self) -> Option<i64> {
        self.next
    }

    /// The hosts that may be tried again by now, each once.
    pub(super) fn may_be_tried(&mut self, now: i64) -> Vec<Arc<str>> {
        if self.next.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let mut hosts = Vec::new();
        for (host, breaker) in &mut self.open {
            if breaker.comes().is_some_and(|at| at <= now) {
                breaker.told = true;
                hosts.push(Arc::clone(host));
            }
        }
        self.look_ahead();
        hosts
    }

    fn look_ahead(&mut self) {
        self.next = self.open.values().filter_map(Breaker::comes).min();
    }

    pub(super) fn list(&self) -> Vec<OpenBreaker> {
        let time = super::job_queries::time;
        let mut list: Vec<_> = self
            .open
            .iter()
            .map(|(host, breaker)| OpenBreaker {
                host: host.to_string(),
                reason: breaker.reason.clone(),
                since: time(breaker.since),
                until: time(breaker.until),
                failures: breaker.failures,
            })
            .collect();
        list.sort_by(|a, b| a.host.cmp(&b.host));
        list
    }
}

/// As milliseconds, at most as many as there can be.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breakers() -> Breakers {
        let (base, ceiling) = (Duration::from_secs(1), Duration::from_secs(60));
        let waits = Backoff { base, ceiling, ..Backoff::default() };
        Breakers::new(waits)
    }

    #[test]
    fn one_attempt_tries_the_host_when_its_time_has_come() {
        let (mut breakers, host): (_, Arc<str>) = (breakers(), "http://h".into());
        assert!(breakers.allows(&host, 0));
        assert!(breakers.fails(&host, "refused", 0, 1.0, None));
        assert!(
            !breakers.fails(&host, "refused", 0, 1.0, None),
            "the others that were under way are no news"
        );
        assert_eq!(breakers.of(&host), Some((1000, "refused")));
        assert!(!breakers.allows(&host, 999));
        assert!(breakers.allows(&host, 1000));
        let probe = breakers.begins(&host);
        assert!(!breakers.allows(&host, 5000), "one at a time");
        assert!(breakers.fails(&host, "refused", 1000, 1.0, probe));
        assert_eq!(breakers.next(), Some(3000), "twice as long");
        assert!(breakers.may_be_tried(2999).is_empty());
        assert_eq!(breakers.may_be_tried(3000), [Arc::clone(&host)]);
        assert_eq!(breakers.next(), None, "it may be tried: there is no time to wait for");
        assert!(breakers.may_be_tried(3000).is_empty(), "that was said");
        let probe = breakers.begins(&host).unwrap();
        breakers.undecided(&host, probe);
        assert!(breakers.allows(&host, 3000));
        assert_eq!(breakers.may_be_tried(3000), [Arc::clone(&host)], "another may try it");
        assert!(breakers.works(&host));
        assert!(!breakers.works(&host));
        assert!(breakers.allows(&host, 0));
        assert!(breakers.allows("http://other", 0));
    }

    #[test]
    fn one_that_was_under_way_when_the_breaker_opened_does_not_speak_for_the_one_that_tries() {
        let (mut breakers, host): (_, Arc<str>) = (breakers(), "http://h".into());
        assert_eq!(breakers.begins(&host), None, "nothing is out of order");
        assert!(breakers.fails(&host, "refused", 0, 1.0, None));
        let first = breakers.begins(&host).unwrap();
        assert!(!breakers.fails(&host, "refused", 1000, 1.0, None), "it left before");
        assert!(!breakers.allows(&host, 5000), "the one that tries is still under way");
        breakers.undecided(&host, first);
        let second = breakers.begins(&host).unwrap();
        breakers.undecided(&host, first);
        assert!(!breakers.fails(&host, "refused", 1000, 1.0, Some(first)));
        assert!(!breakers.allows(&host, 5000), "an earlier one has nothing more to say");
        assert!(breakers.works(&host));
        assert!(breakers.fails(&host, "refused", 6000, 1.0, Some(second)), "out of order again");
        assert_eq!(breakers.of(&host), Some((7000, "refused")), "and from the start");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let (mut breakers, host): (_, Arc<str>) = (breakers(), "http://h".into());
        breakers.fails(&host, "refused", 3_600_000, 1.0, None);
        breakers.clock_went_back(3_600_000);
        assert!(!breakers.allows(&host, 999) && breakers.allows(&host, 1000));
    }

    #[test]
    fn waits_have_a_ceiling_and_are_never_nothing() {
        let (mut breakers, host): (_, Arc<str>) = (breakers(), "http://h".into());
        let mut now = 0;
        for n in 0..100 {
            let probe = breakers.begins(&host);
            assert!(breakers.fails(&host, "refused", now, f64::from(n % 2), probe));
            let (until, _) = breakers.of(&host).unwrap();
            assert!((500..=60_000).contains(&(until - now)), "{}", until - now);
            now = until;
        }
        assert!(breakers.of(&host).unwrap().0 - now <= 60_000);
    }
}
