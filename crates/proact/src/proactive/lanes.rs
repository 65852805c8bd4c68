//! Lanes in memory: which conversation may go next. Pure bookkeeping, no I/O and no clock of its own.
//!
//! A lane holds its notifications in the order of acceptance and has one attempt in flight. A lane whose head is due later
//! waits for that time and holds nobody else up. Memory is capped: past [`Lanes::CAPACITY`] newly accepted ones stay in the
//! store alone (`behind`), and are read in the order of acceptance when there is room, so that nothing overtakes.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

use uuid::Uuid;

use crate::{activity::ConversationKey, store::Waiting};

/// One notification in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) due_at: i64,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Entry>,
    in_flight: bool,
}

/// All lanes of this process.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: HashMap<ConversationKey, Lane>,
    /// Lanes whose head may go now; a lane stands here at most once.
    ready: VecDeque<ConversationKey>,
    /// When the head of a lane comes due. An entry may be out of date; the lane decides.
    due: BinaryHeap<Reverse<(i64, i64, ConversationKey)>>,
    held: usize,
    /// The newest that was ever held: what comes after it is in the store alone.
    newest: i64,
    /// Up to here, what is read may be in memory already.
    read_before: i64,
    /// Whether the store has some that are not held; counts so that a reload notices what was accepted meanwhile.
    behind: Option<u64>,
}

impl Lanes {
    /// Notifications held in memory at most.
    pub(super) const CAPACITY: usize = 20_000;

    /// Nothing is held, everything is still in the store.
    pub(super) fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            due: BinaryHeap::new(),
            held: 0,
            newest: 0,
            read_before: 0,
            behind: Some(0),
        }
    }

    /// A notification was accepted.
    pub(super) fn accepted(&mut self, waiting: Waiting, now: i64) {
        match &mut self.behind {
            Some(count) => *count += 1,
            None if self.held >= Self::CAPACITY => self.behind = Some(1),
            None => self.hold(waiting, now),
        }
    }

    /// Where to read on in the store, and how many, if there is something to read and room for it.
    pub(super) fn to_read(&self) -> Option<(i64, usize, u64)> {
        let count = self.behind?;
        (self.held <= Self::CAPACITY / 2).then(|| (self.newest, Self::CAPACITY - self.held, count))
    }

    /// What the store held back may go: it is to be read from its beginning. What is in memory already is not taken in twice.
    pub(super) fn read_again(&mut self) {
        self.read_before = self.read_before.max(self.newest);
        self.newest = 0;
        self.behind = Some(self.behind.map_or(0, |count| count + 1));
    }

    /// Takes in what was read from the store by [`Self::to_read`].
    pub(super) fn loaded(&mut self, rows: Vec<Waiting>, limit: usize, count: u64, now: i64) {
        let all = rows.len() < limit;
        for waiting in rows {
            self.hold(waiting, now);
        }
        // Something accepted since the read began may be missing from it.
        if all && self.behind == Some(count) {
            self.behind = None;
        }
    }

    fn hold(&mut self, waiting: Waiting, now: i64) {
        let Waiting { seq, id, conversation, due_at } = waiting;
        self.newest = self.newest.max(seq);
        let lane = self.lanes.entry(conversation.clone()).or_default();
        if seq <= self.read_before && lane.queue.iter().any(|entry| entry.seq == seq) {
            return;
        }
        // Usually the end. What was held back until now goes before what came later, but not before what is in flight.
        let first = usize::from(lane.in_flight);
        let before = lane.queue.iter().skip(first).rposition(|entry| entry.seq < seq);
        let place = before.map_or(first, |before| first + before + 1);
        self.held += 1;
        lane.queue.insert(place, Entry { seq, id, due_at });
        if place == 0 {
            self.schedule(conversation, now);
        }
    }

    /// The next lane that may go, with its head; it is in flight from now on until [`Self::finished`].
    pub(super) fn next(&mut self, now: i64) -> Option<(ConversationKey, Entry)> {
        while let Some(Reverse((due_at, _, _))) = self.due.peek() {
            if *due_at > now {
                break;
            }
            if let Some(Reverse((_, seq, key))) = self.due.pop() {
                let current = self.lanes.get(&key).and_then(|lane| lane.queue.front());
                if current.is_some_and(|head| head.seq == seq && head.due_at <= now) {
                    self.ready.push_back(key);
                }
            }
        }
        while let Some(key) = self.ready.pop_front() {
            if let Some(lane) = self.lanes.get_mut(&key)
                && !lane.in_flight
                && let Some(entry) = lane.queue.front().copied()
            {
                lane.in_flight = true;
                return Some((key, entry));
            }
        }
        None
    }

    /// When the next lane comes due, if one waits for its time.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.due.peek().map(|Reverse((due_at, ..))| *due_at)
    }

    /// The lane's head is settled, or waits for another try at `retry_at`.
    pub(super) fn finished(&mut self, key: &ConversationKey, retry_at: Option<i64>, now: i64) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.in_flight = false;
        match (retry_at, lane.queue.front_mut()) {
            (Some(due_at), Some(head)) => head.due_at = due_at,
            _ => {
                lane.queue.pop_front();
                self.held -= 1;
            }
        }
        if lane.queue.is_empty() {
            self.lanes.remove(key);
        } else {
            self.schedule(key.clone(), now);
        }
    }

    fn schedule(&mut self, key: ConversationKey, now: i64) {
        let Some(head) = self.lanes.get(&key).and_then(|lane| lane.queue.front()) else { return };
        if head.due_at <= now {
            self.ready.push_back(key);
        } else {
            self.due.push(Reverse((head.due_at, head.seq, key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(seq: i64, conversation: u8, due_at: i64) -> Waiting {
        let conversation = ConversationKey::new("test", conversation.to_string()).unwrap();
        Waiting { seq, id: Uuid::from_u128(seq as u128), conversation, due_at }
    }

    /// The store's side of a reload: everything after `after` that still waits, in order.
    fn reload(lanes: &mut Lanes, stored: &[Waiting], now: i64) {
        while let Some((after, limit, count)) = lanes.to_read() {
            let rows: Vec<_> =
                stored.iter().filter(|waiting| waiting.seq > after).take(limit).cloned().collect();
            lanes.loaded(rows, limit, count, now);
        }
    }

    proptest! {
        #[test]
        fn each_goes_once_in_its_lanes_order_whatever_is_retried(
            conversations in proptest::collection::vec(0_u8..6, 1..60),
            retries in proptest::collection::vec(any::<bool>(), 200),
        ) {
            let stored: Vec<_> =
                conversations.iter().enumerate().map(|(n, c)| waiting(n as i64 + 1, *c, 0)).collect();
            let mut lanes = Lanes::new();
            reload(&mut lanes, &stored, 0);
            let (mut now, mut done, mut retries) = (0, Vec::new(), retries.into_iter());
            loop {
                let mut in_flight = Vec::new();
                while let Some(next) = lanes.next(now) {
                    prop_assert!(in_flight.iter().all(|(key, _)| *key != next.0), "two in flight in one lane");
                    in_flight.push(next);
                }
                for (key, entry) in in_flight {
                    let retry_at = retries.next().unwrap_or(false).then_some(now + 10);
                    if retry_at.is_none() {
                        done.push((key.clone(), entry.seq));
                    }
                    lanes.finished(&key, retry_at, now);
                }
                match lanes.next_due() {
                    Some(at) => now = now.max(at),
                    None if lanes.held == 0 => break,
                    None => {}
                }
            }
            prop_assert_eq!(done.len(), stored.len());
            for lane in 0..6_u8 {
                let key = ConversationKey::new("test", lane.to_string()).unwrap();
                let seqs: Vec<_> = done.iter().filter(|(k, _)| *k == key).map(|(_, seq)| *seq).collect();
                prop_assert!(seqs.is_sorted(), "{seqs:?}");
            }
        }
    }

    #[test]
    fn what_was_held_back_goes_once_and_before_what_came_later() {
        let mut lanes = Lanes::new();
        let later: Vec<_> = (11..=13).map(|seq| waiting(seq, 0, 0)).collect();
        reload(&mut lanes, &later, 0);
        let (key, in_flight) = lanes.next(0).unwrap();
        lanes.read_again();
        let all: Vec<_> = (1..=3).map(|seq| waiting(seq, 0, 0)).chain(later).collect();
        reload(&mut lanes, &all, 0);
        lanes.finished(&key, None, 0);
        let mut went = vec![in_flight.seq];
        while let Some((key, entry)) = lanes.next(0) {
            went.push(entry.seq);
            lanes.finished(&key, None, 0);
        }
        assert_eq!((went, lanes.held), (vec![11, 1, 2, 3, 12, 13], 0));
    }

    #[test]
    fn past_the_capacity_the_rest_is_read_in_order_when_there_is_room() {
        let all = Lanes::CAPACITY as i64 + 50;
        let mut lanes = Lanes::new();
        reload(&mut lanes, &[], 0);
        let stored: Vec<_> = (1..=all).map(|seq| waiting(seq, (seq % 3) as u8, 0)).collect();
        stored.iter().for_each(|waiting| lanes.accepted(waiting.clone(), 0));
        assert_eq!(lanes.held, Lanes::CAPACITY, "memory is capped");
        let mut seen = vec![Vec::new(); 3];
        while let Some((key, entry)) = lanes.next(0) {
            seen[(entry.seq % 3) as usize].push(entry.seq);
            lanes.finished(&key, None, 0);
            reload(&mut lanes, &stored, 0);
        }
        assert_eq!(seen.iter().map(Vec::len).sum::<usize>(), all as usize);
        assert!(seen.iter().all(|lane| lane.is_sorted()));
    }
}
