//! Repetitions within this process: one that comes while its turn runs joins it; one that comes later gets the same answer.
//!
//! Finished answers are remembered for a day, up to a number and up to a sum of bytes; past them the oldest are forgotten. A turn
//! that is forgotten here is run again when its activity comes again: what it stored is on record in the journal, which is asked
//! next, so that only replies are given twice. A turn that did not take place (5xx) is forgotten at once, also if its task
//! ended without a word.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::Answer;
use crate::{clock::Clock, turn::TurnKey};

/// Turns meet in one of these many maps; it also bounds how much of the memory has to move when one grows.
const SHARDS: usize = 16;

/// Bytes of answers with a body that are remembered; a larger sum forgets the oldest.
const BODIES: usize = 16 * 1024 * 1024;

type Waiter = watch::Receiver<Option<Answer>>;

enum Slot {
    Running(Waiter),
    Finished(Answer),
}

#[derive(Default)]
struct Shard {
    by_key: HashMap<TurnKey, Slot>,
    /// The finished ones, oldest first.
    finished: VecDeque<(i64, TurnKey)>,
    bodies: usize,
}

pub(super) struct Recent {
    shards: [Mutex<Shard>; SHARDS],
    /// How many finished turns a shard remembers.
    most: usize,
    kept: i64,
    clock: Arc<dyn Clock>,
}

/// What is known of an activity that comes in.
pub(super) enum Known {
    /// Nothing: run it, and tell the answer.
    New(Running),
    /// It runs: wait for its answer.
    Running(Waiter),
    /// It was answered.
    Finished(Answer),
}

/// A turn that runs. Dropped without [`finish`](Self::finish), it did not take place.
pub(super) struct Running {
    recent: Arc<Recent>,
    key: TurnKey,
    repeatable: bool,
    sender: watch::Sender<Option<Answer>>,
    finished: bool,
}

impl Recent {
    pub(super) fn new(most: usize, kept: Duration, clock: Arc<dyn Clock>) -> Arc<Self> {
        let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        Arc::new(Self { shards: Default::default(), most: most.div_ceil(SHARDS), kept, clock })
    }

    fn shard(&self, key: TurnKey) -> MutexGuard<'_, Shard> {
        // The key is a hash: any byte of it spreads evenly.
        self.shards[usize::from(key.0[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Looks an activity up, and registers it as running when it is new. One that is not `repeatable` always is.
    pub(super) fn enter(self: &Arc<Self>, key: TurnKey, repeatable: bool) -> Known {
        let (sender, receiver) = watch::channel(None);
        if repeatable {
            let too_old = self.now().saturating_sub(self.kept);
            let mut shard = self.shard(key);
            shard.forget(|at, _| at < too_old);
            match shard.by_key.get(&key) {
                Some(Slot::Running(answer)) => return Known::Running(answer.clone()),
                Some(Slot::Finished(answer)) => return Known::Finished(answer.clone()),
                None => shard.by_key.insert(key, Slot::Running(receiver)),
            };
        }
        Known::New(Running { recent: Arc::clone(self), key, repeatable, sender, finished: false })
    }

    fn settle(&self, key: TurnKey, answer: Option<&Answer>) {
        let now = self.now();
        let mut shard = self.shard(key);
        let Some(answer) = answer.filter(|answer| answer.bytes() <= BODIES / SHARDS) else {
            shard.by_key.remove(&key);
            return;
        };
        shard.bodies += answer.bytes();
        shard.by_key.insert(key, Slot::Finished(answer.clone()));
        shard.finished.push_back((now, key));
        shard.forget(|_, shard| shard.finished.len() > self.most || shard.bodies > BODIES / SHARDS);
    }
}

impl Running {
    /// Who waits for the answer.
    pub(super) fn waiter(&self) -> Waiter {
        self.sender.subscribe()
    }

    /// Answers before the turn's end.
    pub(super) fn tell_early(&self, answer: Answer) {
        self.sender.send_replace(Some(answer));
    }

    /// The turn is at its end: its answer is remembered, unless the turn did not take place, and told to who still waits.
    pub(super) fn finish(mut self, answer: Answer) {
        self.finished = true;
        if self.repeatable {
            self.recent.settle(self.key, Some(&answer).filter(|answer| !answer.is_server_error()));
        }
        self.sender.send_replace(Some(answer));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished && self.repeatable {
            self.recent.settle(self.key, None);
        }
    }
}

impl Shard {
    /// Forgets the oldest while `too_much` says so of it.
    fn forget(&mut self, too_much: impl Fn(i64, &Self) -> bool) {
        while let Some((at, key)) = self.finished.front().copied() {
            if !too_much(at, self) {
                return;
            }
            self.finished.pop_front();
            if let Some(Slot::Finished(answer)) = self.by_key.remove(&key) {
                self.bodies -= answer.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::TestClock;

    /// Keys of one shard.
    fn key(n: u8) -> TurnKey {
        let mut key = [n; 16];
        key[0] = 0;
        TurnKey(key)
    }

    fn recent() -> (Arc<Recent>, TestClock) {
        let clock = TestClock::at("2026-11-23T12:00:00Z");
        (Recent::new(2 * SHARDS, Duration::from_secs(60), Arc::new(clock.clone())), clock)
    }

    fn enter(recent: &Arc<Recent>, n: u8) -> Known {
        recent.enter(key(n), true)
    }

    fn begin(recent: &Arc<Recent>, n: u8) -> Running {
        match enter(recent, n) {
            Known::New(running) => running,
            _ => panic!("{n} is known already"),
        }
    }

    fn body(bytes: usize) -> Answer {
        Answer { status: 200, body: Some(vec![b' '; bytes].into()) }
    }

    #[test]
    fn the_oldest_is_forgotten_past_the_number() {
        let (recent, _) = recent();
        for n in 1..=3 {
            begin(&recent, n).finish(Answer::ok());
        }
        assert!(matches!(enter(&recent, 2), Known::Finished(_)));
        assert!(matches!(enter(&recent, 3), Known::Finished(_)));
        drop(begin(&recent, 1));
    }

    #[test]
    fn the_oldest_is_forgotten_past_the_bytes() {
        let (recent, _) = recent();
        let half = BODIES / SHARDS / 2;
        begin(&recent, 1).finish(body(half));
        begin(&recent, 2).finish(body(half));
        assert!(matches!(enter(&recent, 1), Known::Finished(_)));
        begin(&recent, 3).finish(body(1));
        assert!(matches!(enter(&recent, 2), Known::Finished(_)));
        drop(begin(&recent, 1));
        begin(&recent, 4).finish(body(3 * half));
        drop(begin(&recent, 4));
        assert!(matches!(enter(&recent, 2), Known::Finished(_)), "one that is too large pushes nothing out");
    }

    #[test]
    fn after_its_time_it_is_forgotten() {
        let (recent, clock) = recent();
        begin(&recent, 1).finish(Answer::ok());
        clock.advance(Duration::from_secs(60));
        assert!(matches!(enter(&recent, 1), Known::Finished(_)));
        clock.advance(Duration::from_millis(1));
        drop(begin(&recent, 1));
        assert_eq!(recent.shard(key(1)).finished.len(), 0);
    }

    #[test]
    fn one_that_did_not_take_place_runs_again() {
        let (recent, _) = recent();
        let running = begin(&recent, 1);
        assert!(matches!(enter(&recent, 1), Known::Running(_)));
        running.finish(Answer::failed());
        drop(begin(&recent, 1));
        begin(&recent, 1).finish(Answer::ok());
        assert!(matches!(enter(&recent, 1), Known::Finished(_)));
    }

    #[test]
    fn what_cannot_be_repeated_takes_no_memory() {
        let (recent, _) = recent();
        let Known::New(first) = recent.enter(key(1), false) else { panic!("not new") };
        assert!(matches!(recent.enter(key(1), false), Known::New(_)));
        first.finish(Answer::ok());
        assert!(recent.shard(key(1)).by_key.is_empty());
    }
}
