//! Whatever is said, changed, taken back and forgotten in whatever order: a reader meets each version of each activity
//! once at most, in order, and in the end knows everything that is left.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::commands::{
    AddHistory, Became, Change, ForgetActivities, ForgetLong, Outcome, Past, Place, Say, Start,
};
use super::queries::{Otherwise, ReadPage, Surplus, TooLong};
use super::watermark::Generation;
use super::{MIGRATION, frame};
use crate::activity::{Activity, ActivityType};
use crate::clock::SystemClock;
use crate::store::Store;

const READERS: usize = 3;
/// Rows that are forgotten in one step.
const STEP: usize = 40;

#[derive(Debug, Clone)]
enum Step {
    /// So many activities of the bot, more than a page at times.
    Say(usize),
    /// The n-th of those that were said, changed; again the same if it was.
    Update(prop::sample::Index),
    Delete(prop::sample::Index),
    Past(usize),
    /// Only so many are kept.
    ForgetLong(u64),
    /// The oldest rows are forgotten, this many.
    ForgetOld(usize),
    /// One reader reads a page.
    Read(usize),
    /// One reader begins anew, as another client.
    Anew(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4_usize).prop_map(Step::Say),
        1 => (90..130_usize).prop_map(Step::Say),
        4 => any::<prop::sample::Index>().prop_map(Step::Update),
        2 => any::<prop::sample::Index>().prop_map(Step::Delete),
        1 => (1..4_usize).prop_map(Step::Past),
        1 => (1..40_u64).prop_map(Step::ForgetLong),
        1 => (1..20_usize).prop_map(Step::ForgetOld),
        8 => (0..READERS).prop_map(Step::Read),
        1 => (0..READERS).prop_map(Step::Anew),
    ]
}

/// What is shown under an id now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    id: String,
    what: String,
}

#[derive(Default)]
struct Reader {
    watermark: Option<String>,
    seen: Vec<Shown>,
}

struct World {
    store: Store,
    place: Place,
    /// Every activity in the order of its last change, as long as nothing is forgotten.
    model: Vec<Shown>,
    readers: [Reader; READERS],
    said: usize,
}

impl World {
    async fn new(folder: &std::path::Path) -> Self {
        let store = Store::open(&folder.join("db"), &[MIGRATION], Arc::new(SystemClock)).unwrap();
        let place = Place::new("c").unwrap();
        let start = Start { place: place.clone(), user: None, locale: None, key: None, most: 1 };
        store.commit(start).await.unwrap().unwrap();
        Self { store, place, model: Vec::new(), readers: Default::default(), said: 0 }
    }

    fn text(&mut self) -> String {
        self.said += 1;
        format!("text {}", self.said)
    }

    async fn step(&mut self, step: Step) {
        let place = self.place.clone();
        match step {
            Step::Say(count) => {
                let texts: Vec<_> = (0..count).map(|_| self.text()).collect();
                let says = texts.iter().map(|what| {
                    let body = frame::body(&Activity::message(&**what));
                    Say { place: place.clone(), body, key: None, ends: false }
                });
                let seqs = self.store.commit(says.collect::<Vec<_>>()).await.unwrap();
                for (seq, what) in seqs.into_iter().zip(texts) {
                    self.model.push(Shown { id: frame::id(&place.id, seq.unwrap()), what });
                }
            }
            Step::Past(count) => {
                let mut past = Vec::new();
                for _ in 0..count {
                    let what = self.text();
                    let id = format!("elsewhere {}", self.said);
                    past.push(Past {
                        id: Some(id.clone()),
                        at: Some(0),
                        body: frame::body(&Activity::message(&*what)),
                    });
                    self.model.push(Shown { id, what });
                }
                self.store.commit(AddHistory { place, past }).await.unwrap().unwrap();
            }
            Step::Update(index) if !self.model.is_empty() => {
                let what = self.text();
                let became = Became::Updated(frame::body(&Activity::message(&*what)));
                self.change(index.index(self.model.len()), became, what).await;
            }
            Step::Delete(index) if !self.model.is_empty() => {
                let became = Became::Deleted(frame::body(&Activity::new(ActivityType::MessageDelete)));
                self.change(index.index(self.model.len()), became, String::new()).await;
            }
            Step::Update(_) | Step::Delete(_) => {}
            Step::ForgetLong(keep) => {
                let too_long = TooLong { place: place.clone(), keep };
                let Surplus { up_to, pruned } = self.store.read(too_long).await.unwrap();
                let step = || ForgetLong { place: place.clone(), up_to, pruned, limit: STEP };
                while self.store.commit(step()).await.unwrap() == STEP {}
                let before = self.model.len();
                self.refresh().await;
                let keep = usize::try_from(keep).unwrap();
                assert_eq!(self.model.len(), before.min(keep), "however often they were changed");
            }
            Step::ForgetOld(rows) => {
                let step = ForgetActivities { before: i64::MAX, after_row: 0, limit: rows };
                self.store.commit(step).await.unwrap();
                self.refresh().await;
            }
            Step::Read(reader) => {
                self.read(reader).await;
            }
            Step::Anew(reader) => self.readers[reader] = Reader::default(),
        }
    }

    async fn change(&mut self, place_in_model: usize, became: Became, what: String) {
        let shown = self.model[place_in_model].clone();
        let change = Change { place: self.place.clone(), id: shown.id.clone(), became };
        let outcome = self.store.commit(change).await.unwrap().unwrap();
        let gone = shown.what.is_empty();
        let deletes = what.is_empty();
        assert_eq!(outcome, if gone && !deletes { Outcome::NotThere } else { Outcome::Done });
        if !gone {
            self.model.remove(place_in_model);
            self.model.push(Shown { what, ..shown });
        }
    }

    /// What was forgotten leaves the model; nothing else may have.
    async fn refresh(&mut self) {
        let mut anew = Reader::default();
        std::mem::swap(&mut anew, &mut self.readers[0]);
        while self.read(0).await {}
        std::mem::swap(&mut anew, &mut self.readers[0]);
        let left = anew.seen;
        let forgotten = self.model.len() - left.len();
        let mut expected = self.model.clone();
        expected.retain(|shown| left.contains(shown));
        assert_eq!(left, expected, "{forgotten} are forgotten, and the others are in their order");
        self.model = left;
    }

    /// Reads a page; whether there was anything on it.
    async fn read(&mut self, reader: usize) -> bool {
        let after = Generation::default().read(self.readers[reader].watermark.as_deref()).unwrap();
        let query = ReadPage { place: self.place.clone(), after, otherwise: Otherwise::Beginning };
        let page = self.store.read(query).await.unwrap().unwrap();
        for activity in &page.activities {
            let activity: Value = serde_json::from_str(activity).unwrap();
            let text = |name: &str| activity[name].as_str().unwrap_or_default().to_owned();
            let shown = Shown { id: text("id"), what: text("text") };
            assert_eq!(shown.what.is_empty(), activity["type"] == "messageDelete");
            assert!(!self.readers[reader].seen.contains(&shown), "{shown:?} comes twice");
            self.readers[reader].seen.push(shown);
        }
        self.readers[reader].watermark = Some(Generation::default().written(page.watermark));
        !page.activities.is_empty()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_is_repeated(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(folder.path()).await;
            for step in steps {
                world.step(step).await;
            }
            for reader in 0..READERS {
                while world.read(reader).await {}
                let seen = &world.readers[reader].seen;
                let known: Vec<_> = seen.iter().filter(|shown| world.model.contains(shown)).cloned().collect();
                assert_eq!(known, world.model, "reader {reader} knows all that is left, in order");
            }
            world.store.close().await;
        });
    }
}
