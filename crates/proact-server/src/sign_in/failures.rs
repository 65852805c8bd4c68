//! How often an address may show a wrong key: ten times, and then once a minute.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use proact::app::ClientAddress;

/// Wrong keys in a row before an address has to wait.
const MOST: i64 = 10;
/// How long one of them counts, in seconds.
const COUNTS_FOR: i64 = 60;
/// Addresses that are remembered. What is more shares one count: a flood from everywhere slows itself down, and takes no memory.
const ADDRESSES: usize = 4096;

/// The wrong keys of each address, as the time at which the last of them is forgotten.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Option<IpAddr>, i64>>);

impl Failures {
    pub(super) fn may_try(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let all = self.lock();
        let known = all.get(&network(address));
        // Who would have no count of their own has the one of all such.
        let known = known.or_else(|| (all.len() >= ADDRESSES).then(|| all.get(&None)).flatten());
        let until = known.copied().unwrap_or(0);
        until - now.as_second() <= (MOST - 1) * COUNTS_FOR
    }

    pub(super) fn failed(&self, address: Option<IpAddr>, now: Timestamp) {
        let (mut all, now) = (self.lock(), now.as_second());
        let mut address = network(address);
        if all.len() >= ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, until| *until > now);
            if all.len() >= ADDRESSES {
                address = None;
            }
        }
        let until = all.entry(address).or_insert(now);
        // A clock that was set back must not lock anybody out for longer than ten would.
        *until = (*until).clamp(now, now + (MOST - 1) * COUNTS_FOR) + COUNTS_FOR;
    }

    pub(super) fn succeeded(&self, address: Option<IpAddr>) {
        self.lock().remove(&network(address));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Option<IpAddr>, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom an address counts as, as it does for the limits.
fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    address.map(|address| ClientAddress(address).network())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_from_everywhere_takes_no_more_memory_than_that() {
        let (failures, now) = (Failures::default(), Timestamp::UNIX_EPOCH);
        let at = |n: u32| Some(IpAddr::from(n.to_be_bytes()));
        for n in 0..10_000 {
            failures.failed(at(n), now);
        }
        assert!(failures.lock().len() <= ADDRESSES + 1);
        assert!(failures.may_try(at(0), now), "who is known has a count of their own");
        assert!(!failures.may_try(at(10_001), now), "who is not shares that of the others");
        let later = now + jiff::SignedDuration::from_mins(1);
        failures.failed(at(20_000), later);
        assert!(failures.may_try(at(10_001), later));
        assert!(failures.lock().len() <= 2 + 1, "those whose time is over are forgotten");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let (failures, now) = (Failures::default(), Timestamp::UNIX_EPOCH);
        let at = |text: &str| Some(text.parse().unwrap());
        for n in 0..10 {
            assert!(failures.may_try(at("2001:db8::1"), now), "{n}");
            failures.failed(at(&format!("2001:db8::{n}")), now);
        }
        assert!(!failures.may_try(at("2001:db8::abcd"), now));
        assert!(failures.may_try(at("2001:db8:0:1::1"), now));
    }
}
