//! Misbehaviour at random, and the same again for the same seed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::serve::locked;
use super::{ChannelAnswer, Fault, Post};

/// A rule for [`answer_with`](super::FakeChannel::answer_with) that misbehaves at random.
///
/// What becomes of a request depends on the seed, its conversation, and how many came for that conversation before it: not on the
/// order in which conversations take turns. The same seed has the same faults come again, however the machine is loaded.
///
/// ```
/// use proact::testkit::{FakeChannel, Fault, RandomFaults, Wait};
///
/// let channel = FakeChannel::start();
/// let faults = RandomFaults::seeded(7)
///     .per_cent(5, Fault::AcceptedAndDropped)
///     .per_cent(10, Fault::Throttled(Wait::Seconds(1)))
///     .slow_by_up_to(std::time::Duration::from_millis(50));
/// channel.answer_with(move |post| faults.answer(post));
/// ```
#[derive(Debug)]
pub struct RandomFaults {
    seed: u64,
    faults: Vec<(f64, Fault)>,
    slow: Duration,
    streams: Mutex<HashMap<String, SmallRng>>,
}

impl RandomFaults {
    /// No faults yet.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, faults: Vec::new(), slow: Duration::ZERO, streams: Mutex::default() }
    }

    /// So many of a hundred requests meet this fault.
    #[must_use]
    pub fn per_cent(mut self, share: impl Into<f64>, fault: Fault) -> Self {
        self.faults.push((share.into(), fault));
        self
    }

    /// Each answer comes late by a time up to this.
    #[must_use]
    pub fn slow_by_up_to(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }

    /// What becomes of a request; `None` if it is to be answered as a channel should, at once.
    pub fn answer(&self, post: &Post) -> Option<ChannelAnswer> {
        let (fault, late) = self.draw(&post.conversation);
        let answer = fault.map(ChannelAnswer::from);
        if late.is_zero() { answer } else { Some(answer.unwrap_or_else(ChannelAnswer::ok).after(late)) }
    }

    /// The next fault and delay of a conversation.
    pub fn draw(&self, conversation: &str) -> (Option<Fault>, Duration) {
        let mut streams = locked(&self.streams);
        let random = streams.entry(conversation.to_owned()).or_insert_with(|| {
            // Stable within a process and between those of one build, which is what "the same seed" promises.
            let mut hash = DefaultHasher::new();
            (self.seed, conversation).hash(&mut hash);
            SmallRng::seed_from_u64(hash.finish())
        });
        let mut left = random.random_range(0.0..100.0);
        let late = self.slow.mul_f64(random.random());
        let fault = self.faults.iter().find(|(share, _)| {
            left -= share;
            left < 0.0
        });
        (fault.map(|(_, fault)| *fault), late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(seed: u64) -> RandomFaults {
        let faults = RandomFaults::seeded(seed).per_cent(20, Fault::Dropped).per_cent(10, Fault::Status(500));
        faults.slow_by_up_to(Duration::from_millis(10))
    }

    #[test]
    fn the_same_seed_plays_the_same_whatever_conversations_come_between() {
        let (one, other) = (faults(1), faults(1));
        let alone: Vec<_> = (0..200).map(|_| one.draw("a")).collect();
        let mixed: Vec<_> = (0..200).map(|_| (other.draw("b"), other.draw("a")).1).collect();
        assert_eq!(alone, mixed);
        let another = faults(2);
        assert_ne!(alone, (0..200).map(|_| another.draw("a")).collect::<Vec<_>>());
    }

    #[test]
    fn each_fault_has_its_share() {
        let faults = faults(3);
        let drawn: Vec<_> = (0..10_000).map(|_| faults.draw("a").0).collect();
        let share = |fault| drawn.iter().filter(|drawn| **drawn == fault).count();
        assert!((1800..2200).contains(&share(Some(Fault::Dropped))));
        assert!((850..1150).contains(&share(Some(Fault::Status(500)))));
        assert!((6700..7300).contains(&share(None)));
    }
}
