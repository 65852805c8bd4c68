//! The commands of the job log against a model: whatever is asked in whatever order, the store says what the model says.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{
    DeliveryOptions, Proactive,
    job::{Completion, Reported},
    job_state::JobState,
    job_watch::Look,
    new_job::{NewJob, Progress},
};
use crate::{activity::ConversationKey, clock::Clock, store::Store, testkit::TestClock};

/// Something that happens to a job, or to the time.
#[derive(Debug, Clone)]
enum Act {
    Heartbeat,
    Progress(u8),
    End(JobState),
    Pass(u16),
    /// The watch looks.
    Look,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let end = prop_oneof![Just(JobState::Succeeded), Just(JobState::Failed), Just(JobState::Cancelled)];
    let act = prop_oneof![
        3 => Just(Act::Heartbeat),
        3 => (0..=100_u8).prop_map(Act::Progress),
        1 => end.prop_map(Act::End),
        3 => (1..4000_u16).prop_map(Act::Pass),
        4 => Just(Act::Look),
    ];
    prop::collection::vec(act, 1..30)
}

/// What is known of the job, by plain words.
struct Model {
    state: JobState,
    percent: Option<u8>,
    deadline: Option<i64>,
    heartbeat: Option<i64>,
    heard: i64,
    silence_told: bool,
    /// Messages that tell of silence or of an end.
    told: usize,
}

impl Model {
    fn hears(&mut self, now: i64) -> Reported {
        if self.state.is_finished() {
            return Reported::Finished { state: self.state };
        }
        (self.state, self.heard) = (JobState::Running, now);
        Reported::Noted
    }

    fn ends(&mut self, to: JobState) -> bool {
        let first = !self.state.is_finished();
        if first {
            self.state = to;
            self.told += 1;
        }
        first
    }

    fn looked(&mut self, now: i64) {
        if self.state.is_finished() {
            return;
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.ends(JobState::TimedOut);
        } else if self.state == JobState::Running
            && !self.silence_told
            && self.heartbeat.is_some_and(|every| self.heard + every <= now)
        {
            self.silence_told = true;
            self.told += 1;
        }
    }
}

async fn follows_the_model(deadline: Option<u16>, heartbeat: Option<u16>, queued: bool, acts: Vec<Act>) {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::default());
    let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(clock.clone())).unwrap();
    let engine = Proactive::open(store, DeliveryOptions::default()).await.unwrap();
    let now = || clock.now().as_millisecond();
    let millis = |time: u16| Duration::from_millis(time.into());
    let mut new = NewJob::new("k");
    (new.deadline, new.heartbeat, new.queued) = (deadline.map(millis), heartbeat.map(millis), queued);
    let job = engine.start_job(ConversationKey::new("test", "c").unwrap(), new).await.unwrap().number;
    let mut model = Model {
        state: if queued { JobState::Queued } else { JobState::Running },
        percent: None,
        deadline: deadline.map(|time| now() + i64::from(time)),
        heartbeat: heartbeat.map(i64::from),
        heard: now(),
        silence_told: false,
        told: 0,
    };
    for act in acts {
        match act.clone() {
            Act::Heartbeat => {
                assert_eq!(engine.job_heartbeat(job, None).await.unwrap(), model.hears(now()));
            }
            Act::Progress(percent) => {
                let reported = engine.job_progress(job, Progress::percent(percent), None).await.unwrap();
                let expected = model.hears(now());
                assert_eq!(reported, expected);
                if expected == Reported::Noted {
                    model.percent = Some(percent);
                }
            }
            Act::End(to) => {
                let message = crate::activity::Activity::message("over");
                let ended = match to {
                    JobState::Failed => engine.fail_job(job, None, message, None).await,
                    JobState::Cancelled => engine.cancel_job(job, message, None).await,
                    _ => engine.complete_job(job, message, None).await,
                };
                let first = matches!(ended.unwrap(), Completion::Completed { .. });
                assert_eq!(first, model.ends(to), "{act:?}");
            }
            Act::Pass(time) => clock.advance(millis(time)),
            Act::Look => {
                let _ = engine.store().commit(Look { desk: engine.desk(), limit: 10 }).await.unwrap();
                model.looked(now());
            }
        }
        let found = engine.job(job).await.unwrap().unwrap();
        assert_eq!(found.state, model.state, "{act:?}");
        assert_eq!(found.silent_at.is_some(), model.silence_told, "{act:?}");
        assert_eq!(found.progress.and_then(|progress| progress.percent), model.percent);
        assert_eq!(found.completed_at.is_some(), model.state.is_finished());
        let told = engine.notifications(super::NotificationFilter { limit: 100, ..Default::default() });
        let told = told.await.unwrap().items;
        let told = told.iter().filter(|told| told.cause == super::Cause::Job { job }).count();
        assert_eq!(told, model.told, "each end and each silence is told once: {act:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_the_store_says_what_the_model_says(
        deadline in prop::option::of(1..8000_u16),
        heartbeat in prop::option::of(1..4000_u16),
        queued: bool,
        acts in acts(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows_the_model(deadline, heartbeat, queued, acts));
    }
}
