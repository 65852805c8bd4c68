//! Lanes against a model of the store: whatever is accepted, retried, paused and resumed, each goes once, one at a time in its lane.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;

/// What is stored: the model of the database.
#[derive(Debug, Clone)]
struct Row {
    seq: i64,
    lane: u8,
    priority: Priority,
    due_at: i64,
    retrying: bool,
}

const TARGETS: i64 = 3;

fn key(lane: u8) -> ConversationKey {
    ConversationKey::new("test", lane.to_string()).unwrap()
}

fn target_of(lane: u8) -> TargetId {
    i64::from(lane) % TARGETS
}

#[derive(Debug, Default)]
struct Closed {
    targets: HashSet<String>,
    /// Closed because one attempt tries them.
    tried: HashSet<String>,
    lanes: HashSet<ConversationKey>,
}

impl Gates for Closed {
    fn open(&self, target: &Target) -> bool {
        !self.targets.contains(&*target.host) && !self.tried.contains(&*target.host)
    }

    fn is_being_tried(&self, target: &Target) -> bool {
        self.tried.contains(&*target.host)
    }

    fn holds(&self, key: &ConversationKey) -> bool {
        self.lanes.contains(key)
    }
}

struct World {
    lanes: Lanes<()>,
    closed: Closed,
    rows: BTreeMap<i64, Row>,
    now: i64,
    flying: Vec<(ConversationKey, usize, i64)>,
    /// Of these the exchange is over.
    exchanged: BTreeSet<i64>,
    gone: Vec<(u8, Priority, i64)>,
}

impl World {
    fn new(slots: usize) -> Self {
        let mut lanes = Lanes::new(slots);
        for id in 0..TARGETS {
            lanes.know(id, Target::new("test", &format!("http://host-{id}/")));
        }
        Self {
            lanes,
            closed: Closed::default(),
            rows: BTreeMap::new(),
            now: 0,
            flying: Vec::new(),
            exchanged: BTreeSet::new(),
            gone: Vec::new(),
        }
    }

    fn accept(&mut self, seq: i64, lane: u8, priority: Priority, due_at: i64) {
        let due_at = if due_at <= self.now { 0 } else { due_at };
        self.rows.insert(seq, Row { seq, lane, priority, due_at, retrying: false });
        let waiting = Waiting { key: key(lane), target: target_of(lane), priority, due_at, interject: false };
        self.lanes.announced(&waiting, self.now, &self.closed);
    }

    /// What the head query answers.
    fn head(&self, lane: u8) -> Option<Row> {
        CLASSES.iter().find_map(|class| {
            let of_class = || self.rows.values().filter(|row| row.lane == lane && row.priority == *class);
            let held_back = of_class().any(|row| row.retrying && row.due_at > self.now);
            let first = of_class().find(|row| row.due_at <= self.now).cloned();
            if held_back { None } else { first }
        })
    }

    fn read(&mut self) {
        while let Some(what) = self.lanes.begin_read(self.now, &self.closed) {
            let of = |row: &&Row| target_of(row.lane) == what.target && class(row.priority) == what.class;
            let mut due: Vec<_> =
                self.rows.values().filter(of).map(|row| (row.due_at, row.seq, row.lane)).collect();
            due.sort_unstable();
            let next = due.iter().map(|row| row.0).find(|due_at| *due_at > self.now);
            let found: Vec<_> = due
                .into_iter()
                .filter(|row| (row.0, row.1) > what.after && row.0 <= self.now)
                .take(2)
                .collect();
            let found = FoundDue {
                end: found.len() < 2,
                last: found.last().map(|row| (row.0, row.1)),
                next: if found.len() < 2 { next } else { None },
                keys: found.iter().map(|row| key(row.2)).collect(),
            };
            self.lanes.read(what, found, &self.closed);
        }
    }

    fn take_off(&mut self) {
        while let Some(pick) = self.lanes.next(&self.closed, &mut Vec::new()) {
            assert!(self.flying.iter().all(|(other, ..)| *other != pick.key), "two in flight in one lane");
            assert!(!self.closed.lanes.contains(&pick.key));
            let lane: u8 = pick.key.conversation_id().parse().unwrap();
            assert!(!self.closed.targets.contains(&format!("http://host-{}", target_of(lane))));
            match self.head(lane) {
                Some(row) => self.flying.push((pick.key, pick.class, row.seq)),
                None => drop(self.lanes.finished(&pick.key, None)),
            }
        }
        assert_eq!(self.lanes.under_way(), self.flying.len());
        assert!(self.flying.len() <= 2 * self.lanes.slots);
    }

    /// The exchange of an attempt is over; how it ended is not on record yet.
    fn exchange(&mut self, which: usize) {
        let Some((key, _, seq)) = self.flying.get(which % self.flying.len().max(1)) else { return };
        self.lanes.gives_slot(key);
        self.exchanged.insert(*seq);
    }

    /// One attempt ends: delivered, or to be tried again after a while.
    fn land(&mut self, which: usize, retry: bool) {
        if self.flying.is_empty() {
            return;
        }
        let (key, class, seq) = self.flying.remove(which % self.flying.len());
        self.exchanged.remove(&seq);
        let row = self.rows.get_mut(&seq).unwrap();
        if retry {
            row.due_at = self.now + 5;
            row.retrying = true;
            let (target, priority, due_at) = (target_of(row.lane), row.priority, row.due_at);
            let waiting = Waiting { key: key.clone(), target, priority, due_at, interject: false };
            self.lanes.announced(&waiting, self.now, &self.closed);
        } else {
            self.gone.push((row.lane, row.priority, seq));
            self.rows.remove(&seq);
        }
        self.lanes.finished(&key, Some(class));
    }

    /// A target opens because its time has come: nobody says that everything of it is to be read anew.
    fn may_be_tried(&mut self, id: u8) {
        let host = format!("http://host-{id}");
        self.closed.targets.remove(&host);
        self.lanes.look_again(|_, target| *target.host == *host);
    }

    fn open_all(&mut self) {
        self.closed = Closed::default();
        self.lanes.reset(|_| true);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Accept(u8, u8, i64),
    Exchange(usize),
    Land(usize, bool),
    Pass(i64),
    CloseTarget(u8),
    MayBeTried(u8),
    CloseLane(u8),
    OpenAll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_u8..9, 0_u8..3, 0_i64..20).prop_map(|(lane, class, due)| Step::Accept(lane, class, due)),
        6 => (any::<usize>(), prop::bool::weighted(0.3)).prop_map(|(which, retry)| Step::Land(which, retry)),
        3 => any::<usize>().prop_map(Step::Exchange),
        2 => (1_i64..10).prop_map(Step::Pass),
        1 => (0_u8..3).prop_map(Step::CloseTarget),
        1 => (0_u8..3).prop_map(Step::MayBeTried),
        1 => (0_u8..9).prop_map(Step::CloseLane),
        1 => Just(Step::OpenAll),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn each_goes_once_and_none_is_forgotten(steps in steps(), slots in 1_usize..6) {
        let mut world = World::new(slots);
        let mut accepted = 0;
        for step in steps {
            match step {
                Step::Accept(lane, class, due) => {
                    accepted += 1;
                    let due_at = if due < 10 { 0 } else { world.now + due };
                    world.accept(accepted, lane, CLASSES[class as usize], due_at);
                }
                Step::Exchange(which) => world.exchange(which),
                Step::Land(which, retry) => world.land(which, retry),
                Step::Pass(time) => world.now += time,
                Step::CloseTarget(id) => drop(world.closed.targets.insert(format!("http://host-{id}"))),
                Step::MayBeTried(id) => world.may_be_tried(id),
                Step::CloseLane(lane) => drop(world.closed.lanes.insert(key(lane))),
                Step::OpenAll => world.open_all(),
            }
            world.read();
            world.take_off();
        }
        // Everything opens, nothing is retried any more, and time goes on as the lanes ask for it. For a host it is enough that it may
        // be tried; what was held back is read anew.
        if world.closed.lanes.is_empty() {
            (0..3).for_each(|id| world.may_be_tried(id));
        } else {
            world.open_all();
        }
        for _ in 0..2000 {
            world.read();
            world.take_off();
            if world.flying.is_empty() {
                if world.rows.is_empty() {
                    break;
                }
                let next = world.lanes.next_due();
                prop_assert!(next.is_some(), "something waits and nobody knows: {:?}", world.rows);
                world.now = world.now.max(next.unwrap_or_default());
            }
            world.land(0, false);
        }
        prop_assert_eq!(world.gone.len() as i64, accepted);
        prop_assert_eq!(world.gone.iter().map(|gone| gone.2).collect::<HashSet<_>>().len() as i64, accepted);
        prop_assert!(world.lanes.lanes.is_empty(), "a lane without anything takes no memory");
    }

    #[test]
    fn of_those_that_can_go_at_once_a_class_never_overtakes_itself(
        lanes in prop::collection::vec((0_u8..4, 0_u8..3), 1..80), retries in prop::collection::vec(any::<bool>(), 400),
    ) {
        let mut world = World::new(3);
        let mut retries = retries.into_iter();
        for (seq, (lane, class)) in (1..).zip(&lanes) {
            world.accept(seq, *lane, CLASSES[*class as usize], 0);
            world.take_off();
        }
        while !world.rows.is_empty() {
            world.read();
            world.take_off();
            if world.flying.is_empty() {
                world.now = world.now.max(world.lanes.next_due().unwrap());
            }
            world.land(0, retries.next().unwrap_or(false));
        }
        for lane in 0..4_u8 {
            for priority in CLASSES {
                let gone: Vec<_> =
                    world.gone.iter().filter(|gone| gone.0 == lane && gone.1 == priority).map(|gone| gone.2).collect();
                prop_assert!(gone.is_sorted(), "{gone:?}");
            }
        }
    }
}

/// Counts how often it is asked whether a target is open.
#[derive(Default)]
struct Asked {
    closed: Closed,
    times: std::cell::Cell<usize>,
}

impl Gates for Asked {
    fn open(&self, target: &Target) -> bool {
        self.times.set(self.times.get() + 1);
        self.closed.open(target)
    }

    fn is_being_tried(&self, target: &Target) -> bool {
        self.closed.is_being_tried(target)
    }

    fn holds(&self, _: &ConversationKey) -> bool {
        false
    }
}

#[test]
fn what_is_looked_for_costs_the_same_with_any_number_of_targets_and_of_dead_hosts() {
    let mut lanes: Lanes<()> = Lanes::new(4);
    let gates = (0..1_000).fold(Asked::default(), |mut gates, id| {
        lanes.know(id, Target::new("test", &format!("http://host-{id}/")));
        if id < 900 {
            gates.closed.targets.insert(format!("http://host-{id}"));
        }
        gates
    });
    while let Some(what) = lanes.begin_read(0, &gates) {
        assert!(what.target >= 900);
        lanes.read(what, FoundDue { keys: Vec::new(), last: None, end: true, next: None }, &gates);
    }
    let announce = |lanes: &mut Lanes<()>, lane: u8, target| {
        let waiting =
            Waiting { key: key(lane), target, priority: Priority::Normal, due_at: 0, interject: false };
        lanes.announced(&waiting, 0, &gates);
    };
    gates.times.set(0);
    assert!(!lanes.has_work(), "nothing is read of hosts that are down");
    for lane in 0..10 {
        announce(&mut lanes, lane, 5);
        assert_eq!(lanes.begin_read(0, &gates), None);
        announce(&mut lanes, 100 + lane, 950);
        let pick = lanes.next(&gates, &mut Vec::new()).expect("another host's goes");
        lanes.finished(&pick.key, None);
    }
    assert!(gates.times.get() <= 60, "asked {} times", gates.times.get());
    // When one may be tried again, it is read, and nothing of the others is.
    let gates = Asked { closed: Closed::default(), ..gates };
    lanes.look_again(|_, target| &*target.host == "http://host-5");
    let read: Vec<_> = std::iter::from_fn(|| lanes.begin_read(0, &gates).map(|what| what.target)).collect();
    assert_eq!(read, [5, 5, 5]);
}

#[test]
fn behind_one_that_tries_a_host_and_has_nothing_to_send_the_next_one_tries() {
    let mut lanes: Lanes<()> = Lanes::new(4);
    lanes.know(0, Target::new("test", "http://h/"));
    let mut gates = Closed::default();
    // Of the first lane something is due, but behind another that is being retried: it has nothing to send.
    let read = |lanes: &mut Lanes<()>, gates: &Closed| {
        while let Some(what) = lanes.begin_read(0, gates) {
            let normal = what.class == class(Priority::Normal) && what.after == (i64::MIN, i64::MIN);
            let keys = if normal { vec![key(0), key(1)] } else { Vec::new() };
            lanes.read(what, FoundDue { keys, last: Some((0, 2)), end: true, next: None }, gates);
        }
    };
    read(&mut lanes, &gates);
    let tries = lanes.next(&gates, &mut Vec::new()).unwrap();
    assert_eq!(tries.key, key(0));
    gates.tried.insert("http://h".to_owned());
    assert!(lanes.next(&gates, &mut Vec::new()).is_none(), "one tries it");
    read(&mut lanes, &gates);
    // It says nothing.
    gates.tried.clear();
    lanes.finished(&key(0), None);
    lanes.look_again(|_, _| true);
    read(&mut lanes, &gates);
    let next = lanes.next(&gates, &mut Vec::new()).expect("another may try");
    assert_eq!(next.key, key(1), "and not the same again");
}

#[test]
fn a_target_that_hangs_leaves_room_for_the_others() {
    let mut world = World::new(40);
    for seq in 0..100 {
        // All of one target: three lanes apart.
        world.accept(seq, (seq * TARGETS) as u8, Priority::Normal, 0);
    }
    world.take_off();
    let hanging = world.flying.len();
    assert!((30..40).contains(&hanging), "{hanging} of 40 slots");
    world.accept(1000, 1, Priority::Normal, 0);
    world.take_off();
    assert!(world.flying.iter().any(|(_, _, seq)| *seq == 1000), "another target's goes at once");
}

#[test]
fn the_slot_of_an_exchange_that_is_over_is_free_before_its_outcome_is_on_record() {
    let mut world = World::new(2);
    for (seq, lane) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
        world.accept(seq, lane, Priority::Normal, 0);
    }
    let flying = |world: &World| world.flying.iter().map(|(_, _, seq)| *seq).collect::<Vec<_>>();
    world.take_off();
    assert_eq!(flying(&world), [0, 2], "there are two slots");
    world.exchange(0);
    world.take_off();
    assert_eq!(flying(&world), [0, 2, 3], "the next one of the same lane waits for the outcome");
    world.land(0, false);
    world.take_off();
    assert_eq!(flying(&world), [2, 3], "a slot is free once");
    world.land(0, false);
    world.take_off();
    assert_eq!(flying(&world), [3, 1]);
}

#[test]
fn where_no_outcome_is_put_on_record_nothing_more_is_begun_than_twice_the_slots() {
    let mut world = World::new(4);
    for seq in 0..20 {
        world.accept(seq, seq as u8, Priority::Normal, 0);
    }
    for _ in 0..20 {
        world.take_off();
        (0..world.flying.len()).for_each(|which| world.exchange(which));
    }
    let stuck = world.flying.len();
    assert!((4..=8).contains(&stuck), "{stuck} of 4 slots");
    let claimed = world.lanes.claim(&key(100), target_of(100), Priority::Urgent, &world.closed);
    assert!(!claimed, "nor with its acceptance");
    world.land(0, false);
    world.take_off();
    let flying = world.flying.len();
    assert!((stuck..=8).contains(&flying), "one is on record, and others go: {flying}");
}

#[test]
fn urgent_ones_do_not_wait_behind_a_broadcast_and_bulk_does_not_starve() {
    let mut world = World::new(1);
    for seq in 0..60 {
        world.accept(seq, seq as u8, Priority::Bulk, 0);
    }
    for seq in 100..160 {
        world.accept(seq, seq as u8, Priority::Urgent, 0);
    }
    let mut order = Vec::new();
    for _ in 0..60 {
        world.take_off();
        order.push(world.flying[0].2);
        world.land(0, false);
    }
    let bulk = order.iter().filter(|seq| **seq < 100).count();
    assert!((1..=8).contains(&bulk), "{order:?}");
}

#[test]
fn memory_is_capped_and_what_finds_no_room_is_read_later() {
    let mut lanes: Lanes<()> = Lanes::new(1);
    lanes.know(0, Target::new("test", "http://h/"));
    let closed = Closed::default();
    assert!(lanes.begin_read(0, &closed).is_some());
    let nothing = |what: ToRead| (what, FoundDue { keys: Vec::new(), last: None, end: true, next: None });
    for _ in 0..3 {
        if let Some((what, found)) = lanes.begin_read(0, &closed).map(nothing) {
            lanes.read(what, found, &closed);
        }
    }
    for n in 0..CAPACITY + 100 {
        let key = ConversationKey::new("test", n.to_string()).unwrap();
        let waiting = Waiting { key, target: 0, priority: Priority::Normal, due_at: 0, interject: false };
        lanes.announced(&waiting, 0, &closed);
    }
    assert_eq!(lanes.lanes.len(), CAPACITY);
    assert_eq!(lanes.begin_read(0, &closed), None, "no room yet");
    while lanes.lanes.len() > OF_TARGET / 2 {
        let pick = lanes.next(&closed, &mut Vec::new()).unwrap();
        lanes.finished(&pick.key, None);
    }
    let read = lanes.begin_read(0, &closed).expect("what found no room is read now");
    assert_eq!((read.target, read.class), (0, class(Priority::Normal)));
}

#[test]
fn one_that_waits_for_a_turn_lets_what_interjects_pass() {
    let mut lanes: Lanes<u8> = Lanes::new(4);
    lanes.know(0, Target::new("test", "http://h/"));
    let closed = Closed::default();
    let announce = |lanes: &mut Lanes<u8>, interject| {
        let waiting = Waiting { key: key(0), target: 0, priority: Priority::Normal, due_at: 0, interject };
        lanes.announced(&waiting, 0, &closed);
    };
    let mut let_go = Vec::new();
    announce(&mut lanes, false);
    let pick = lanes.next(&closed, &mut let_go).unwrap();
    assert!(!pick.parked);
    lanes.parked(&key(0), pick.class);
    assert!(lanes.is_parked(&key(0)));
    let looks = lanes.next(&closed, &mut let_go).unwrap();
    assert!(looks.parked, "whatever interjects is looked for once");
    lanes.finished(&key(0), None);
    announce(&mut lanes, false);
    assert!(lanes.next(&closed, &mut let_go).is_none(), "it waits for the turn's end");
    announce(&mut lanes, true);
    let passes = lanes.next(&closed, &mut let_go).unwrap();
    assert!(passes.parked);
    lanes.finished(&key(0), Some(passes.class));
    lanes.next(&closed, &mut let_go).unwrap();
    lanes.finished(&key(0), None);
    assert_eq!(lanes.place_came(&key(0), 1, Some(7)), None);
    let goes = lanes.next(&closed, &mut let_go).unwrap();
    assert_eq!((goes.parked, goes.place), (false, Some(Some(7))));
    lanes.finished(&key(0), None);
    assert_eq!(lanes.place_came(&key(0), 1, Some(8)), Some(8), "nobody wants it any more");
    assert!(lanes.lanes.is_empty() && lanes.under_way() == 0);
}

#[test]
fn what_came_due_and_cannot_be_read_yet_is_not_waited_for_as_if_it_could() {
    let mut lanes: Lanes<()> = Lanes::new(1);
    lanes.know(0, Target::new("test", "http://h/"));
    let closed = Closed::default();
    while let Some(what) = lanes.begin_read(0, &closed) {
        lanes.read(what, FoundDue { keys: Vec::new(), last: None, end: true, next: None }, &closed);
    }
    let announce = |lanes: &mut Lanes<()>, n: usize, due_at| {
        let key = ConversationKey::new("test", n.to_string()).unwrap();
        let waiting = Waiting { key, target: 0, priority: Priority::Normal, due_at, interject: false };
        lanes.announced(&waiting, 0, &closed);
    };
    announce(&mut lanes, 0, 10);
    assert_eq!(lanes.next_due(), Some(10));
    for n in 1..=OF_TARGET / 2 + 1 {
        announce(&mut lanes, n, 0);
    }
    assert_eq!(lanes.begin_read(20, &closed), None, "no room");
    assert_eq!(lanes.next_due(), None, "who waits for a time that has passed never waits");
    let pick = lanes.next(&closed, &mut Vec::new()).unwrap();
    lanes.finished(&pick.key, None);
    assert!(lanes.has_work(), "there is room again");
    let what = lanes.begin_read(20, &closed).unwrap();
    announce(&mut lanes, 0, 15);
    assert_eq!(lanes.next_due(), None, "it is being read");
    lanes.read(what, FoundDue { keys: Vec::new(), last: None, end: true, next: Some(30) }, &closed);
    assert_eq!(lanes.next_due(), Some(15));
}

#[test]
fn a_conversation_that_is_reached_elsewhere_goes_on_there_though_its_old_host_is_dead() {
    let mut lanes: Lanes<()> = Lanes::new(4);
    lanes.know(0, Target::new("test", "http://old/"));
    lanes.know(1, Target::new("test", "http://new/"));
    let mut closed = Closed::default();
    let read_all = |lanes: &mut Lanes<()>, at: TargetId| {
        while let Some(what) = lanes.begin_read(0, &Closed::default()) {
            let here = what.target == at && what.class == class(Priority::Normal);
            let keys = if here { vec![key(0), key(1)] } else { Vec::new() };
            lanes.read(what, FoundDue { keys, last: None, end: true, next: None }, &Closed::default());
        }
    };
    read_all(&mut lanes, 0);
    let tries = lanes.next(&closed, &mut Vec::new()).unwrap();
    assert_eq!((tries.key, tries.target), (key(0), 0), "the other one is queued behind it");
    // Both are reached elsewhere now: everything is read anew, and nothing is read again after that.
    lanes.reset(|_| true);
    read_all(&mut lanes, 1);
    closed.targets.insert("http://old".to_owned());
    lanes.finished(&key(0), None);
    for expected in [key(1), key(0)] {
        let pick = lanes.next(&closed, &mut Vec::new()).expect("it goes on at the new host");
        assert_eq!((&pick.key, pick.target), (&expected, 1));
        lanes.finished(&pick.key, None);
    }
    assert!(lanes.next(&closed, &mut Vec::new()).is_none());
    assert!(lanes.lanes.is_empty() && lanes.under_way() == 0 && lanes.of_host.is_empty());
    assert!(lanes.targets.values().all(|of| of.lanes == 0), "nothing is counted where it is not");
}
