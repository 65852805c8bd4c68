//! Deadlines and heartbeats, by a clock that is moved by hand, also across a restart.

use std::time::Duration;

use proact::{
    proactive::{
        Completion, Counters, Hold, JobState, NewJob, NotificationFilter, Progress, Release, Reported,
    },
    testkit::{FakeChannel, TestClock},
};

use super::{World, seen};
use crate::support::life;

const MINUTE: Duration = Duration::from_secs(60);

fn watched(deadline: Option<u32>, heartbeat: Option<u32>) -> NewJob {
    let mut new = NewJob::new("report");
    new.deadline = deadline.map(|minutes| minutes * MINUTE);
    new.heartbeat = heartbeat.map(|minutes| minutes * MINUTE);
    new
}

/// Clock reads 09:00:00 on this day at the start.
const DAY: &str = "2026-01-05";

#[tokio::test]
async fn a_deadline_that_passes_ends_the_job_and_is_told_once() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(watched(Some(10), None)).await.number;
    let other = world.job(watched(Some(20), None)).await.number;
    clock.advance(10 * MINUTE - Duration::from_millis(1));
    assert_eq!(world.shown(job).await.state, JobState::Running);
    clock.advance(Duration::from_millis(1));
    let expected = format!("Job {job} did not come to its end in time: it had until {DAY} 09:10:00 UTC.");
    channel.wait_for(|ledger| seen(ledger) == [expected.as_str()]).await;
    let shown = world.shown(job).await;
    assert_eq!((shown.state, shown.completed_at), (JobState::TimedOut, shown.deadline));
    assert!(shown.notification_id.is_some());
    // Too late.
    assert_eq!(
        world.engine.complete_job(job, "done".into(), None).await.unwrap(),
        Completion::AlreadyCompleted
    );
    let late = world.engine.job_progress(job, Progress::percent(1), None).await.unwrap();
    assert_eq!(late, Reported::Finished { state: JobState::TimedOut });
    // One that ends before its deadline is left alone.
    world.complete(other).await;
    clock.advance(60 * MINUTE);
    world.settled().await;
    assert_eq!(seen(&channel.ledger()), [expected.as_str(), "Job 2 is complete."]);
}

#[tokio::test]
async fn a_silent_worker_is_told_of_once_and_may_come_back() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(watched(Some(60), Some(5))).await.number;
    for _ in 0..3 {
        clock.advance(4 * MINUTE);
        assert_eq!(world.engine.job_heartbeat(job, None).await.unwrap(), Reported::Noted);
    }
    clock.advance(5 * MINUTE);
    let silent = format!("No news of job {job} since {DAY} 09:12:00 UTC.");
    channel.wait_for(|ledger| seen(ledger) == [silent.as_str()]).await;
    let shown = world.shown(job).await;
    assert_eq!(
        (shown.state, shown.silent_at.map(|at| at.to_string())),
        (JobState::Running, Some(format!("{DAY}T09:17:00Z")))
    );
    // It comes back and goes away again: people are told once, and its deadline is what ends it.
    assert_eq!(world.engine.job_heartbeat(job, None).await.unwrap(), Reported::Noted);
    clock.advance(30 * MINUTE);
    world.engine.job(job).await.unwrap();
    assert_eq!(seen(&channel.ledger()), [silent.as_str()]);
    clock.advance(13 * MINUTE);
    channel.wait_for(|ledger| seen(ledger).len() == 2).await;
    assert_eq!(world.shown(job).await.state, JobState::TimedOut);
}

#[tokio::test]
async fn a_silent_worker_may_still_complete_and_a_queued_job_is_not_silent() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let silent = world.job(watched(None, Some(1))).await.number;
    let mut new = watched(None, Some(1));
    new.queued = true;
    let queued = world.job(new).await.number;
    clock.advance(10 * MINUTE);
    channel.wait_for(|ledger| seen(ledger) == ["No news of job 1 since 2026-01-05 09:00:00 UTC."]).await;
    world.complete(silent).await;
    channel.wait_for(|ledger| seen(ledger).last() == Some(&"Job 1 is complete.")).await;
    assert_eq!(world.shown(queued).await.state, JobState::Queued);
    // Its first report has it run, and from then on it is listened for.
    let _ = world.engine.job_heartbeat(queued, None).await.unwrap();
    assert_eq!(world.shown(queued).await.state, JobState::Running);
    clock.advance(MINUTE);
    channel
        .wait_for(|ledger| seen(ledger).last() == Some(&"No news of job 2 since 2026-01-05 09:10:00 UTC."))
        .await;
}

#[tokio::test]
async fn what_came_due_while_nobody_ran_is_found_at_the_next_start() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let path = folder.path();
    life(|| async {
        let world = World::start(path, &channel, &clock).await;
        world.job(watched(Some(10), None)).await;
        world.job(watched(None, Some(5))).await;
    });
    clock.advance(60 * MINUTE);
    for _ in 0..2 {
        life(|| async {
            let world = World::open(path, &clock).await;
            world.engine.start(world.adapter.clone()).await.unwrap();
            channel.wait_for(|ledger| seen(ledger).len() == 2).await;
            world.settled().await;
        });
    }
    let ledger = channel.ledger();
    let mut told = seen(&ledger);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "Job 1 did not come to its end in time: it had until 2026-01-05 09:10:00 UTC.",
            "No news of job 2 since 2026-01-05 09:00:00 UTC."
        ]
    );
}

#[tokio::test]
async fn jobs_of_before_a_restore_are_left_alone_until_its_release() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::open(folder.path(), &clock).await;
    world.meet(&channel, "c").await;
    let before = world.job(watched(Some(1), None)).await.number;
    world.engine.store().commit(Hold { gap: 10, last: Counters::default() }).await.unwrap();
    world.engine.store().close().await;
    drop(world);
    let world = World::open(folder.path(), &clock).await;
    world.engine.start(world.adapter.clone()).await.unwrap();
    clock.advance(5 * MINUTE);
    let after = world.job(watched(Some(1), None)).await.number;
    clock.advance(5 * MINUTE);
    channel.wait_for(|ledger| seen(ledger).len() == 1).await;
    assert_eq!(world.shown(after).await.state, JobState::TimedOut);
    assert_eq!(world.shown(before).await.state, JobState::Running);
    world.engine.release(Release::Send).await.unwrap();
    channel.wait_for(|ledger| seen(ledger).len() == 2).await;
    assert_eq!(world.shown(before).await.state, JobState::TimedOut);
    let all =
        world.engine.notifications(NotificationFilter { limit: 10, ..Default::default() }).await.unwrap();
    assert_eq!(all.items.len(), 2);
}
