//! Channels that take no edits, or give no id: the milestones as messages, remembered per job.

use std::time::Duration;

use proact::{
    proactive::{NewJob, Progress},
    testkit::{ChannelAnswer, FakeChannel, TestClock},
};

use super::{World, edits, seen};

/// Reports each percent of a hundred, with time enough between them; then the end.
async fn all_of_it(world: &World, job: u64) {
    for percent in 0..=100 {
        world.report(job, Progress::percent(percent)).await;
        world.clock.advance(Duration::from_secs(2));
        world.settled().await;
    }
    world.complete(job).await;
    world.settled().await;
}

#[tokio::test]
async fn a_channel_that_refuses_edits_gets_the_milestones() {
    for status in [400, 404, 405, 501] {
        let (folder, channel, clock) =
            (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
        channel.refuse_edits(ChannelAnswer::status(status));
        let world = World::start(folder.path(), &channel, &clock).await;
        let job = world.job(NewJob::new("report")).await.number;
        all_of_it(&world, job).await;
        let ledger = channel.ledger();
        let expected = ["Job 1: 0 %", "Job 1: 25 %", "Job 1: 50 %", "Job 1: 75 %", "Job 1 is complete."];
        assert_eq!(seen(&ledger), expected, "{status}");
        assert_eq!(edits(&ledger).len(), 1, "it is remembered: {status}");
        assert_eq!(world.shown(job).await.progress.unwrap().way.as_str(), "milestones");
        // The next job tries anew, and the conversation is not taken for dead.
        channel.behave();
        let job = world.job(NewJob::new("report")).await.number;
        world.report(job, Progress::percent(1)).await;
        world.settled().await;
        clock.advance(Duration::from_secs(2));
        world.report(job, Progress::percent(2)).await;
        channel.wait_for(|ledger| seen(ledger).last() == Some(&"Job 2: 2 %")).await;
    }
}

#[tokio::test]
async fn a_channel_that_gives_no_id_gets_the_milestones() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    channel.answer_with(|_| Some(ChannelAnswer::ok().with_body("{}")));
    let job = world.job(NewJob::new("report")).await.number;
    all_of_it(&world, job).await;
    let ledger = channel.ledger();
    let expected = ["Job 1: 0 %", "Job 1: 25 %", "Job 1: 50 %", "Job 1: 75 %", "Job 1 is complete."];
    assert_eq!(seen(&ledger), expected);
    assert_eq!(edits(&ledger), [""; 0]);
}
