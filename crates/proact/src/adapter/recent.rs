//! Repetitions within this process: one that comes while its turn runs joins it; one that comes later gets the same answer.
//!
//! Finished answers are remembered for a day, up to a number; past it the oldest are forgotten. A forgotten turn that stored
//! nothing would give its replies again; what it stored is on record in the journal, which is asked next.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::Answer;
use crate::{clock::Clock, turn::TurnKey};

/// Bytes of answers with a body that are remembered; a larger sum forgets the oldest.
const BODIES: usize = 16 * 1024 * 1024;

enum Slot {
    Running(watch::Receiver<Option<Answer>>),
    Finished(Answer),
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<TurnKey, Slot>,
    finished: VecDeque<(i64, TurnKey)>,
    bodies: usize,
}

pub(super) struct Recent {
    slots: Mutex<Slots>,
    most: usize,
    kept: i64,
    clock: Arc<dyn Clock>,
}

/// What is known of an activity that comes in.
pub(super) enum Known {
    /// Nothing: run it, and tell the answer.
    New(watch::Sender<Option<Answer>>),
    /// It runs: wait for its answer.
    Running(watch::Receiver<Option<Answer>>),
    /// It was answered.
    Finished(Answer),
}

impl Recent {
    pub(super) fn new(most: usize, kept: Duration, clock: Arc<dyn Clock>) -> Self {
        let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        Self { slots: Mutex::default(), most, kept, clock }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks an activity up, and registers it as running when it is new.
    pub(super) fn enter(&self, key: TurnKey) -> Known {
        let now = self.clock.now().as_millisecond();
        let mut slots = self.slots();
        slots.forget(|at, _| at < now.saturating_sub(self.kept));
        match slots.by_key.get(&key) {
            Some(Slot::Running(answer)) => Known::Running(answer.clone()),
            Some(Slot::Finished(answer)) => Known::Finished(answer.clone()),
            None => {
                let (sender, receiver) = watch::channel(None);
                slots.by_key.insert(key, Slot::Running(receiver));
                Known::New(sender)
            }
        }
    }

    /// The turn is at its end. One that did not take place (5xx) is forgotten, so that it is run when it comes again.
    pub(super) fn finished(&self, key: TurnKey, answer: &Answer) {
        let now = self.clock.now().as_millisecond();
        let mut slots = self.slots();
        if answer.is_server_error() {
            slots.by_key.remove(&key);
            return;
        }
        slots.bodies += answer.body.as_ref().map_or(0, bytes::Bytes::len);
        slots.by_key.insert(key, Slot::Finished(answer.clone()));
        slots.finished.push_back((now, key));
        let most = self.most;
        slots.forget(|_, slots| slots.finished.len() > most || slots.bodies > BODIES);
    }
}

impl Slots {
    /// Forgets the oldest while `too_much` says so of it.
    fn forget(&mut self, too_much: impl Fn(i64, &Self) -> bool) {
        while let Some((at, key)) = self.finished.front().copied() {
            if !too_much(at, self) {
                return;
            }
            self.finished.pop_front();
            if let Some(Slot::Finished(answer)) = self.by_key.remove(&key) {
                self.bodies -= answer.body.as_ref().map_or(0, bytes::Bytes::len);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn key(n: u8) -> TurnKey {
        TurnKey([n; 16])
    }

    #[test]
    fn the_oldest_is_forgotten_past_the_number() {
        let recent = Recent::new(2, Duration::from_secs(60), Arc::new(SystemClock));
        for n in 1..=3 {
            assert!(matches!(recent.enter(key(n)), Known::New(_)));
            recent.finished(key(n), &Answer::ok());
        }
        assert!(matches!(recent.enter(key(1)), Known::New(_)));
        assert!(matches!(recent.enter(key(2)), Known::Finished(_)));
        assert!(matches!(recent.enter(key(3)), Known::Finished(_)));
    }

    #[test]
    fn one_that_failed_runs_again() {
        let recent = Recent::new(2, Duration::from_secs(60), Arc::new(SystemClock));
        let Known::New(_sender) = recent.enter(key(1)) else { panic!("new") };
        assert!(matches!(recent.enter(key(1)), Known::Running(_)));
        recent.finished(key(1), &Answer::failed());
        assert!(matches!(recent.enter(key(1)), Known::New(_)));
    }
}
