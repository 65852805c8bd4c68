//! The agenda: which streams are to be read now, and when the others come due. Who asks it never looks through all targets.
//!
//! A stream stands in it once, or not at all: while it is read, or has nothing to read. One of a closed target is set aside when it is
//! met, so that a host that is down costs the others nothing; it comes back when the target may have opened.

use std::collections::{BTreeSet, HashSet};

use super::target::TargetId;

/// When a stream is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    Now,
    At(i64),
}

/// A stream: the class first, as it is the more urgent one that is read first.
pub(super) type StreamId = (usize, TargetId);

#[derive(Debug, Default)]
pub(super) struct Agenda {
    noted: BTreeSet<(When, StreamId)>,
    /// Each is to be read now: only a read could say otherwise.
    aside: HashSet<StreamId>,
}

impl Agenda {
    /// What a stream wants from now on, instead of what it `wanted`.
    pub(super) fn note(&mut self, stream: StreamId, wanted: Option<When>, wants: Option<When>) {
        if wanted == wants {
            return;
        }
        debug_assert!(!self.aside.contains(&stream), "a stream that is set aside is not read");
        if let Some(wanted) = wanted {
            self.noted.remove(&(wanted, stream));
        }
        if let Some(wants) = wants {
            self.noted.insert((wants, stream));
        }
    }

    /// Those that are to be read now, the most urgent first.
    pub(super) fn now(&self) -> impl Iterator<Item = StreamId> {
        self.noted.iter().map_while(|&(when, stream)| (when == When::Now).then_some(stream))
    }

    /// One that has come due.
    pub(super) fn due(&self, now: i64) -> Option<StreamId> {
        let (when, stream) = self.later().next()?;
        (when <= now).then_some(stream)
    }

    /// When the next one comes due.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.later().next().map(|(at, _)| at)
    }

    fn later(&self) -> impl Iterator<Item = (i64, StreamId)> {
        let first = (When::At(i64::MIN), (0, TargetId::MIN));
        self.noted.range(first..).filter_map(|&(when, stream)| match when {
            When::Now => None,
            When::At(at) => Some((at, stream)),
        })
    }

    /// One that is to be read now is left alone until it is taken back.
    pub(super) fn set_aside(&mut self, stream: StreamId) {
        if self.noted.remove(&(When::Now, stream)) {
            self.aside.insert(stream);
        }
    }

    /// Those of these targets that were set aside are to be read now again.
    pub(super) fn take_back(&mut self, which: impl Fn(TargetId) -> bool) {
        let back = self.aside.extract_if(|stream| which(stream.1));
        self.noted.extend(back.map(|stream| (When::Now, stream)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_read_comes_by_class_and_what_is_later_by_its_time() {
        let mut agenda = Agenda::default();
        agenda.note((2, 5), None, Some(When::Now));
        agenda.note((0, 9), None, Some(When::Now));
        agenda.note((1, 1), None, Some(When::At(20)));
        agenda.note((2, 1), None, Some(When::At(10)));
        assert_eq!(agenda.now().collect::<Vec<_>>(), [(0, 9), (2, 5)]);
        assert_eq!((agenda.next_due(), agenda.due(9), agenda.due(10)), (Some(10), None, Some((2, 1))));
        agenda.note((2, 1), Some(When::At(10)), Some(When::Now));
        agenda.note((0, 9), Some(When::Now), None);
        assert_eq!(agenda.now().collect::<Vec<_>>(), [(2, 1), (2, 5)]);
        assert_eq!(agenda.next_due(), Some(20));
    }

    #[test]
    fn what_was_set_aside_comes_back_once() {
        let mut agenda = Agenda::default();
        let now = |agenda: &Agenda| agenda.now().collect::<Vec<_>>();
        for stream in [(0, 1), (1, 2)] {
            agenda.note(stream, None, Some(When::Now));
            agenda.set_aside(stream);
        }
        agenda.note((0, 3), None, Some(When::At(10)));
        agenda.set_aside((0, 3));
        assert_eq!((now(&agenda), agenda.next_due()), (vec![], Some(10)), "only what is to be read now");
        agenda.take_back(|target| target == 2);
        assert_eq!(now(&agenda), [(1, 2)]);
        agenda.note((1, 2), Some(When::Now), None);
        agenda.take_back(|target| target == 2);
        assert_eq!(now(&agenda), []);
        agenda.take_back(|_| true);
        assert_eq!(now(&agenda), [(0, 1)]);
    }
}
