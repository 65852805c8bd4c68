//! Lanes in memory: which conversation may go next. Pure bookkeeping: no I/O, no clock of its own.
//!
//! A lane is known here only while it has, or may have, something that can go soon; what it holds stays in the store and is read when its
//! turn comes. A lane has one attempt in flight. Urgent ones are served before normal before bulk (every sixteenth choice begins at
//! the other end, so that nothing starves), targets in turn, and a target takes no more slots than a share of those that are free, so
//! that a slow one leaves room for all others. A target that is closed (paused, out of order) is forgotten until it opens.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{
    agenda::{Agenda, StreamId, When},
    head::FoundDue,
    notification::Priority,
    scan::{Cursor, Stream},
    target::{Target, TargetId},
};
use crate::activity::ConversationKey;

/// Lanes known at most: past it, what is found in the store stays there until there is room.
const CAPACITY: usize = 20_000;
/// Lanes of one target that are looked for in the store.
const OF_TARGET: usize = 5_000;
/// What a target may have under way, as a multiple of the slots that are free.
const SHARE: usize = 4;
/// Every so many choices the least urgent go first.
const FOR_THE_LAST: u32 = 16;

/// Classes, the most urgent first.
pub(super) const CLASSES: [Priority; 3] = [Priority::Urgent, Priority::Normal, Priority::Bulk];

pub(super) const fn class(priority: Priority) -> usize {
    match priority {
        Priority::Urgent => 0,
        Priority::Normal => 1,
        Priority::Bulk => 2,
    }
}

/// What holds whole targets and conversations back.
pub(super) trait Gates {
    /// Whether anything may go to this target now.
    fn open(&self, target: &Target) -> bool;
    /// Whether it is closed only until an attempt that is under way has said whether its host works.
    fn is_being_tried(&self, target: &Target) -> bool;
    /// Whether this conversation is held back.
    fn holds(&self, key: &ConversationKey) -> bool;
}

/// Something that waits, as it is announced.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) key: ConversationKey,
    pub(super) target: TargetId,
    pub(super) priority: Priority,
    /// 0 is at once.
    pub(super) due_at: i64,
    /// It does not wait for a turn to end.
    pub(super) interject: bool,
}

/// A lane whose turn has come. It is in flight until [`Lanes::finished`] or [`Lanes::parked`].
#[derive(Debug)]
pub(super) struct Pick<P> {
    pub(super) key: ConversationKey,
    pub(super) target: TargetId,
    pub(super) class: usize,
    /// It waits for a turn to end: only what interjects may go.
    pub(super) parked: bool,
    /// It has waited: with its place among the turns, or with none because it took too long.
    pub(super) place: Option<Option<P>>,
}

/// What to read of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToRead {
    pub(super) target: TargetId,
    pub(super) class: usize,
    pub(super) after: Cursor,
    resets: u32,
}

#[derive(Debug)]
struct Lane<P> {
    target: TargetId,
    in_flight: bool,
    /// The host whose slot it has: from its turn to the end of its exchange.
    slot: Option<Arc<str>>,
    queued: [bool; 3],
    /// The store may have something for it that was announced since it was looked at.
    more: Option<usize>,
    /// Its conversation is reached elsewhere since its attempt began.
    moves_to: Option<TargetId>,
    parked: bool,
    place: Option<Option<P>>,
}

#[derive(Debug)]
struct OfTarget {
    target: Target,
    streams: [Stream; 3],
    in_ring: [bool; 3],
    lanes: usize,
}

/// All lanes of this process.
#[derive(Debug)]
pub(super) struct Lanes<P> {
    lanes: HashMap<ConversationKey, Lane<P>>,
    targets: HashMap<TargetId, OfTarget>,
    rings: [VecDeque<TargetId>; 3],
    /// What is to be read in the store, and when.
    agenda: Agenda,
    /// Exchanges under way, in all and with each host: slots that are taken.
    taken: usize,
    of_host: HashMap<Arc<str>, usize>,
    slots: usize,
    /// Attempts whose exchange is over and whose outcome is not on record yet.
    unrecorded: usize,
    choices: u32,
}

impl<P> Lanes<P> {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            lanes: HashMap::new(),
            targets: HashMap::new(),
            rings: Default::default(),
            agenda: Agenda::default(),
            taken: 0,
            of_host: HashMap::new(),
            slots: slots.max(1),
            unrecorded: 0,
            choices: 0,
        }
    }

    /// A target exists; the same number can be moved to another host.
    pub(super) fn know(&mut self, id: TargetId, target: Target) {
        if let Some(known) = self.targets.get_mut(&id) {
            known.target = target;
            return self.look_again(|other, _| other == id);
        }
        let streams = [Stream::new(), Stream::new(), Stream::new()];
        self.targets.insert(id, OfTarget { target, streams, in_ring: [false; 3], lanes: 0 });
        for class in 0..CLASSES.len() {
            self.agenda.note((class, id), None, Some(When::Now));
        }
    }

    /// Changes a stream, and notes when it is to be read then.
    fn stream<T>(&mut self, (class, id): StreamId, change: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        let stream = &mut self.targets.get_mut(&id)?.streams[class];
        let wanted = stream.wants();
        let answer = change(stream);
        self.agenda.note((class, id), wanted, stream.wants());
        Some(answer)
    }

    pub(super) fn target(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(&id).map(|of| &of.target)
    }

    /// Attempts that were begun and whose outcome is not on record.
    pub(super) fn under_way(&self) -> usize {
        self.taken + self.unrecorded
    }

    /// Something waits, from this commit on.
    pub(super) fn announced(&mut self, waiting: &Waiting, now: i64, gates: &impl Gates) {
        let class = class(waiting.priority);
        let stream = (class, waiting.target);
        if waiting.due_at > now {
            self.stream(stream, |stream| stream.due_at(waiting.due_at));
            return;
        }
        if self.lanes.contains_key(&waiting.key) {
            self.moves(&waiting.key, waiting.target);
        }
        let Some(of) = self.targets.get(&waiting.target) else { return };
        let known = self.lanes.get_mut(&waiting.key);
        if let Some(lane) = known {
            if lane.in_flight {
                lane.more = Some(lane.more.map_or(class, |other| other.min(class)));
            } else if !lane.parked || waiting.interject {
                self.queue(&waiting.key, class, false);
            }
        } else if !gates.open(&of.target) || self.lanes.len() >= CAPACITY {
            self.stream(stream, Stream::reset);
        } else if !gates.holds(&waiting.key) {
            self.add(waiting.key.clone(), waiting.target);
            self.queue(&waiting.key, class, false);
        }
    }

    /// Something was found in the store that is due.
    fn found(&mut self, key: ConversationKey, target: TargetId, class: usize, gates: &impl Gates) {
        if gates.holds(&key) {
            return;
        }
        if self.lanes.contains_key(&key) {
            self.moves(&key, target);
        } else {
            self.add(key.clone(), target);
        }
        self.queue(&key, class, false);
    }

    fn add(&mut self, key: ConversationKey, target: TargetId) {
        let lane = Lane {
            target,
            in_flight: false,
            slot: None,
            queued: [false; 3],
            more: None,
            moves_to: None,
            parked: false,
            place: None,
        };
        if self.lanes.insert(key, lane).is_none()
            && let Some(of) = self.targets.get_mut(&target)
        {
            of.lanes += 1;
        }
    }

    /// The conversation of a lane that is known is reached at `target`: it goes on there, and does not share the old one's fate. An
    /// attempt under way ends where it began.
    fn moves(&mut self, key: &ConversationKey, target: TargetId) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.moves_to = Some(target);
        if !lane.in_flight {
            self.move_now(key);
        }
    }

    fn move_now(&mut self, key: &ConversationKey) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        let Some(to) = lane.moves_to.take().filter(|to| *to != lane.target) else { return };
        let from = std::mem::replace(&mut lane.target, to);
        lane.queued = [false; 3];
        if let Some(of) = self.targets.get_mut(&from) {
            of.lanes = of.lanes.saturating_sub(1);
        }
        if let Some(of) = self.targets.get_mut(&to) {
            of.lanes += 1;
        }
    }

    /// What it held of a place is handed back, to be let go without a lock.
    fn remove(&mut self, key: &ConversationKey) -> Option<P> {
        let lane = self.lanes.remove(key)?;
        if let Some(of) = self.targets.get_mut(&lane.target) {
            of.lanes = of.lanes.saturating_sub(1);
        }
        lane.place.flatten()
    }

    fn queue(&mut self, key: &ConversationKey, class: usize, first: bool) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        if lane.in_flight {
            lane.more = Some(lane.more.map_or(class, |other| other.min(class)));
            return;
        }
        let Some(of) = self.targets.get_mut(&lane.target) else { return };
        if lane.queued[class] && !first {
            return;
        }
        lane.queued[class] = true;
        let ready = &mut of.streams[class].ready;
        if first {
            ready.push_front(key.clone())
        } else {
            ready.push_back(key.clone())
        }
        if !of.in_ring[class] {
            of.in_ring[class] = true;
            self.rings[class].push_back(lane.target);
        }
    }

    /// Slots that are free. None, while there are as many outcomes to be put on record: where the disk cannot keep up, or is full, nothing
    /// more is begun that a crash would leave unknown.
    fn free(&self) -> usize {
        if self.unrecorded < self.slots { self.slots.saturating_sub(self.taken) } else { 0 }
    }

    fn has_slot(&self, host: &str) -> bool {
        let free = self.free();
        free > 0 && self.of_host.get(host).copied().unwrap_or(0) < free.saturating_mul(SHARE)
    }

    fn take_slot(&mut self, key: &ConversationKey, host: Arc<str>) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.slot = Some(Arc::clone(&host));
        self.taken += 1;
        *self.of_host.entry(host).or_default() += 1;
    }

    /// The lane's exchange with its host is over. Its slot is for others from now on; the lane itself goes on when the outcome is on
    /// record, which may wait for the disk.
    pub(super) fn gives_slot(&mut self, key: &ConversationKey) {
        if self.free_slot(key) {
            self.unrecorded += 1;
        }
    }

    /// Frees the slot that a lane has; `false` if it has none.
    fn free_slot(&mut self, key: &ConversationKey) -> bool {
        let Some(host) = self.lanes.get_mut(key).and_then(|lane| lane.slot.take()) else { return false };
        self.taken = self.taken.saturating_sub(1);
        if let Some(count) = self.of_host.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.of_host.remove(&host);
            }
        }
        true
    }

    /// Whether a notification that was just accepted may go at once: nothing of its lane is known here, its target is open and has a
    /// slot, and nobody of its class waits for one. The lane is then in flight.
    pub(super) fn claim(
        &mut self,
        key: &ConversationKey,
        target: TargetId,
        priority: Priority,
        gates: &impl Gates,
    ) -> bool {
        let Some(of) = self.targets.get(&target) else { return false };
        let first = of.streams[..=class(priority)].iter().all(|stream| stream.ready.is_empty());
        let host = Arc::clone(&of.target.host);
        let may = first
            && !self.lanes.contains_key(key)
            && gates.open(&of.target)
            && !gates.holds(key)
            && self.has_slot(&host);
        if may {
            self.add(key.clone(), target);
            if let Some(lane) = self.lanes.get_mut(key) {
                lane.in_flight = true;
            }
            self.take_slot(key, host);
        }
        may
    }

    /// The next lane that may go. Places of lanes that are held back meanwhile are handed back, to be let go without a lock.
    pub(super) fn next(&mut self, gates: &impl Gates, let_go: &mut Vec<P>) -> Option<Pick<P>> {
        if self.free() == 0 {
            return None;
        }
        self.choices = self.choices.wrapping_add(1);
        let upside_down = self.choices.is_multiple_of(FOR_THE_LAST);
        (0..CLASSES.len())
            .map(|n| if upside_down { CLASSES.len() - 1 - n } else { n })
            .find_map(|class| self.next_of(class, gates, let_go))
    }

    fn next_of(&mut self, class: usize, gates: &impl Gates, let_go: &mut Vec<P>) -> Option<Pick<P>> {
        for _ in 0..self.rings[class].len() {
            let id = self.rings[class].pop_front()?;
            let Some(of) = self.targets.get_mut(&id) else { continue };
            if !gates.open(&of.target) {
                // Those behind the one that tries keep their places: if it says nothing (there was nothing to send), the next one tries.
                // Were they read anew, the same one would be the first again.
                if gates.is_being_tried(&of.target) {
                    self.rings[class].push_back(id);
                } else {
                    self.close(id, let_go);
                }
                continue;
            }
            let host = Arc::clone(&of.target.host);
            if !self.has_slot(&host) {
                self.rings[class].push_back(id);
                continue;
            }
            let pick = self.pop(id, class, gates, let_go);
            let Some(of) = self.targets.get_mut(&id) else { continue };
            of.in_ring[class] = !of.streams[class].ready.is_empty();
            if of.in_ring[class] {
                self.rings[class].push_back(id);
            }
            if let Some(pick) = pick {
                self.take_slot(&pick.key, host);
                return Some(pick);
            }
        }
        None
    }

    fn pop(
        &mut self,
        id: TargetId,
        class: usize,
        gates: &impl Gates,
        let_go: &mut Vec<P>,
    ) -> Option<Pick<P>> {
        while let Some(key) = self.targets.get_mut(&id)?.streams[class].ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            // One that has moved is queued there.
            if lane.target != id || !std::mem::take(&mut lane.queued[class]) || lane.in_flight {
                continue;
            }
            if gates.holds(&key) {
                let_go.extend(self.remove(&key));
                continue;
            }
            lane.in_flight = true;
            let (parked, place) = (lane.parked, lane.place.take());
            return Some(Pick { key, target: id, class, parked, place });
        }
        None
    }

    /// Forgets the lanes of a target that are not in flight; the store has what they hold.
    pub(super) fn close(&mut self, id: TargetId, let_go: &mut Vec<P>) {
        let mut gone = Vec::new();
        for class in 0..CLASSES.len() {
            let Some(of) = self.targets.get_mut(&id) else { return };
            of.in_ring[class] = false;
            self.rings[class].retain(|other| *other != id);
            self.stream((class, id), |stream| {
                gone.extend(stream.ready.drain(..));
                stream.reset();
            });
        }
        gone.retain(|key| self.lanes.get(key).is_some_and(|lane| lane.target == id));
        for key in gone {
            if self.lanes.get(&key).is_some_and(|lane| !lane.in_flight && !lane.parked) {
                let_go.extend(self.remove(&key));
            } else if let Some(lane) = self.lanes.get_mut(&key) {
                lane.queued = [false; 3];
            }
        }
    }

    /// A lane's attempt is over, or it had nothing to send. `again`: it may have more, in this class.
    pub(super) fn finished(&mut self, key: &ConversationKey, again: Option<usize>) -> Option<P> {
        let had_slot = self.free_slot(key);
        let lane = self.lanes.get_mut(key)?;
        let was_in_flight = std::mem::take(&mut lane.in_flight);
        if was_in_flight && !had_slot {
            self.unrecorded = self.unrecorded.saturating_sub(1);
        }
        let again = match (lane.more.take(), again) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let parked = lane.parked;
        self.move_now(key);
        match again {
            Some(class) => self.queue(key, class, false),
            None if !parked => return self.remove(key),
            None => {}
        }
        None
    }

    /// The lane's next one waits for a turn to end. Whatever interjects is looked for meanwhile.
    pub(super) fn parked(&mut self, key: &ConversationKey, class: usize) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.parked = true;
        }
        self.finished(key, Some(class));
    }

    /// The turn has ended, or it took too long (`None`). The lane goes before others. A place that nobody wants any more comes back.
    pub(super) fn place_came(&mut self, key: &ConversationKey, class: usize, place: Option<P>) -> Option<P> {
        let Some(lane) = self.lanes.get_mut(key) else { return place };
        lane.parked = false;
        let before = lane.place.replace(place);
        self.queue(key, class, true);
        before.flatten()
    }

    /// Reads everything of these targets anew: they have opened, or something was changed behind the lanes' back.
    pub(super) fn reset(&mut self, which: impl Fn(&Target) -> bool) {
        let ids: Vec<_> =
            self.targets.iter().filter(|(_, of)| which(&of.target)).map(|(id, _)| *id).collect();
        for stream in ids.into_iter().flat_map(|id| (0..CLASSES.len()).map(move |class| (class, id))) {
            self.stream(stream, Stream::reset);
        }
        self.look_again(|_, target| which(target));
    }

    /// Reads on what was set aside of these targets: they may have opened.
    pub(super) fn look_again(&mut self, which: impl Fn(TargetId, &Target) -> bool) {
        let targets = &self.targets;
        self.agenda.take_back(|id| targets.get(&id).is_some_and(|of| which(id, &of.target)));
    }

    /// What to read in the store, if there is something to read and room for it.
    pub(super) fn begin_read(&mut self, now: i64, gates: &impl Gates) -> Option<ToRead> {
        while let Some(due) = self.agenda.due(now) {
            self.stream(due, Stream::came_due);
        }
        if self.lanes.len() > CAPACITY / 2 {
            return None;
        }
        let mut closed = Vec::new();
        let found = self.agenda.now().find(|stream| {
            let Some(of) = self.targets.get(&stream.1) else { return false };
            let open = gates.open(&of.target);
            if !open {
                closed.push(*stream);
            }
            // Few are full, or there is no room at all.
            open && of.lanes <= OF_TARGET / 2
        });
        for stream in closed {
            self.agenda.set_aside(stream);
        }
        let (class, target) = found?;
        let (after, resets) = self.stream((class, target), |stream| stream.begin_read(now))?;
        Some(ToRead { target, class, after, resets })
    }

    /// What was read: lanes with something due, where it ended, and what comes due next.
    pub(super) fn read(&mut self, what: ToRead, found: FoundDue, gates: &impl Gates) {
        let Some(of) = self.targets.get(&what.target) else { return };
        let open = gates.open(&of.target);
        self.stream((what.class, what.target), |stream| {
            stream.read(what.resets, found.last, found.end, found.next);
            if !open {
                // Closed meanwhile: what was found is read again when it opens.
                stream.reset();
            }
        });
        if open {
            for key in found.keys {
                self.found(key, what.target, what.class, gates);
            }
        }
    }

    pub(super) fn read_failed(&mut self, what: ToRead) {
        self.stream((what.class, what.target), Stream::read_failed);
    }

    /// When the next stream comes due. What has come due and cannot be read yet is no time to wait for: it is looked at again when there
    /// is room.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.agenda.next_due()
    }

    /// Whether a lane waits for its turn, or a stream to be read.
    pub(super) fn has_work(&self) -> bool {
        self.rings.iter().any(|ring| !ring.is_empty()) || self.agenda.now().next().is_some()
    }

    /// Whether a lane is known, and whether it waits for a turn to end.
    pub(super) fn is_parked(&self, key: &ConversationKey) -> bool {
        self.lanes.get(key).is_some_and(|lane| lane.parked)
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
