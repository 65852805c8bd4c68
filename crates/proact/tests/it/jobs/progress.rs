//! Progress in one message that is edited in place: coalesced, spaced, and the last value always arrives.

use std::time::Duration;

use proact::{
    proactive::{Cause, NewJob, NotificationState, PauseScope, Progress},
    testkit::{ChannelAnswer, FakeChannel, Gate, TestClock},
};

use super::{World, edits, seen};
use crate::support::life;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_first_report_sends_a_message_and_later_ones_edit_it_once_a_second_with_the_newest() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let mut new = NewJob::new("report");
    new.title = Some("Yearly report".to_owned());
    let job = world.job(new).await.number;
    world.report(job, Progress::percent(10).with_text("reading")).await;
    channel.wait_for(|ledger| seen(ledger) == ["Yearly report: 10 % – reading"]).await;
    world.settled().await;
    for percent in 11..=40 {
        world.report(job, Progress::percent(percent)).await;
    }
    assert_eq!(edits(&channel.ledger()), [""; 0], "the second is not over");
    clock.advance(SECOND);
    channel.wait_for(|ledger| seen(ledger) == ["Yearly report: 40 % – reading"]).await;
    assert_eq!(edits(&channel.ledger()).len(), 1, "thirty values, one edit");
    world.report(job, Progress::percent(90).with_text("")).await;
    // The end does not wait for the second, and comes before what tells of it.
    world.complete(job).await;
    let ledger = channel.wait_for(|ledger| seen(ledger).len() == 2).await;
    assert_eq!(seen(&ledger), ["Yearly report: 100 %", &format!("Job {job} is complete.")]);
    let last: Vec<_> = ledger.of("c").map(|entry| entry.post.text()).collect();
    assert!(last.ends_with(&["Yearly report: 100 %", "Job 1 is complete."]), "{last:?}");
    let found = world.settled().await;
    let of_progress: Vec<_> =
        found.iter().filter(|n| matches!(n.cause, Cause::Progress { .. })).map(|n| n.text.as_str()).collect();
    assert_eq!(
        of_progress,
        ["Yearly report: 100 %", "Yearly report: 10 % – reading"],
        "the message and the last edit"
    );
}

#[tokio::test]
async fn a_slow_channel_has_one_edit_under_way_and_gets_the_last_value() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    world.report(job, Progress::percent(0)).await;
    world.settled().await;
    let gate = Gate::closed();
    channel.script("c", [ChannelAnswer::ok().behind(&gate)]);
    world.report(job, Progress::percent(1)).await;
    world.until(&channel, |ledger| edits(ledger).len() == 1).await;
    for percent in 2..=77 {
        world.report(job, Progress::percent(percent)).await;
        clock.advance(SECOND);
    }
    assert_eq!(edits(&channel.ledger()), ["Job 1: 1 %"]);
    gate.open();
    world.until(&channel, |ledger| seen(ledger) == ["Job 1: 77 %"]).await;
    assert_eq!(edits(&channel.ledger()), ["Job 1: 1 %", "Job 1: 77 %"]);
}

#[tokio::test]
async fn the_end_of_a_job_whose_edit_is_under_way_is_shown_before_it_is_told() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    world.report(job, Progress::percent(0)).await;
    world.settled().await;
    let gate = Gate::closed();
    channel.script("c", [ChannelAnswer::ok().behind(&gate)]);
    world.report(job, Progress::percent(1)).await;
    world.until(&channel, |ledger| edits(ledger).len() == 1).await;
    world.report(job, Progress::percent(50)).await;
    world.complete(job).await;
    gate.open();
    let ledger = channel.wait_for(|ledger| seen(ledger).len() == 2).await;
    let last: Vec<_> = ledger.of("c").map(|entry| entry.post.text()).collect();
    assert!(last.ends_with(&["Job 1: 1 %", "Job 1: 100 %", "Job 1 is complete."]), "{last:?}");
}

#[tokio::test]
async fn a_failed_job_says_why_in_its_message_and_an_edit_that_fails_holds_up_nobody() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    world.report(job, Progress::percent(10)).await;
    world.settled().await;
    channel.script("c", [ChannelAnswer::throttled(Some("3600"))]);
    let reason = Some("the disk is full".to_owned());
    let _ = world.engine.fail_job(job, reason, "It failed.".into(), None).await.unwrap();
    // The clock stands still: the edit waits for its hour, the message does not wait for the edit.
    channel.wait_for(|ledger| seen(ledger) == ["Job 1: 10 %", "It failed."]).await;
    clock.advance(3600 * SECOND);
    channel.wait_for(|ledger| seen(ledger) == ["Job 1: failed – the disk is full", "It failed."]).await;
}

#[tokio::test]
async fn what_was_reported_while_a_conversation_was_paused_is_sent_as_its_newest() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let (one, two) = (world.job(NewJob::new("a")).await.number, world.job(NewJob::new("b")).await.number);
    world.engine.pause(PauseScope::All, None).await.unwrap();
    for percent in [10, 20, 80] {
        world.report(one, Progress::percent(percent)).await;
        world.report(two, Progress::percent(percent)).await;
        clock.advance(SECOND);
    }
    // Nobody saw how far it was, and nobody needs to any more.
    world.complete(two).await;
    assert_eq!(seen(&channel.ledger()), [""; 0]);
    let _ = world.engine.resume(PauseScope::All).await.unwrap();
    let expected = ["Job 1: 80 %".to_owned(), format!("Job {two} is complete.")];
    channel.wait_for(|ledger| seen(ledger) == expected).await;
    let found = world.settled().await;
    let sent = found.iter().find(|n| n.cause == Cause::Progress { job: one, edits: None }).unwrap();
    assert_eq!(sent.text, "Job 1: 80 %", "on record is what was sent");
    let unneeded = found.iter().find(|n| n.cause == Cause::Progress { job: two, edits: None }).unwrap();
    assert_eq!(unneeded.state, NotificationState::Suppressed);
}

#[tokio::test]
async fn a_crash_between_the_send_and_its_record_loses_no_value() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let path = folder.path();
    channel.answer_with(|post| post.text().contains('%').then(|| ChannelAnswer::never().accepting()));
    life(|| async {
        let world = World::start(path, &channel, &clock).await;
        world.job(NewJob::new("report")).await;
        world.report(1, Progress::percent(10)).await;
        channel.wait_for(|ledger| seen(ledger) == ["Job 1: 10 %"]).await;
        world.report(1, Progress::percent(60)).await;
    });
    channel.behave();
    // Its id was never told: another message is sent, on record, and that is the one that goes on.
    channel.answer_with(|post| (post.method == "PUT").then(|| ChannelAnswer::never().accepting()));
    life(|| async {
        let world = World::open(path, &clock).await;
        world.engine.start(world.adapter.clone()).await.unwrap();
        world.until(&channel, |ledger| seen(ledger) == ["Job 1: 10 %", "Job 1: 60 %"]).await;
        world.report(1, Progress::percent(70)).await;
        // Under way when the process dies, again.
        world.until(&channel, |ledger| edits(ledger).last() == Some(&"Job 1: 70 %")).await;
        world.report(1, Progress::percent(71)).await;
    });
    channel.behave();
    let world = World::open(path, &clock).await;
    world.engine.start(world.adapter.clone()).await.unwrap();
    world.until(&channel, |ledger| seen(ledger) == ["Job 1: 10 %", "Job 1: 71 %"]).await;
    world.complete(1).await;
    world.until(&channel, |ledger| seen(ledger).ends_with(&["Job 1: 100 %", "Job 1 is complete."])).await;
}

#[tokio::test]
async fn faults_of_every_kind_change_nothing_about_the_last_value() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    world.report(job, Progress::percent(1)).await;
    world.settled().await;
    channel.script(
        "c",
        [
            ChannelAnswer::throttled(None),
            ChannelAnswer::status(503),
            ChannelAnswer::status(500),
            ChannelAnswer::cut().accepting(),
            ChannelAnswer::cut_unread(),
            ChannelAnswer::cut_after_head(200),
        ],
    );
    for percent in 2..=9 {
        world.report(job, Progress::percent(percent)).await;
        clock.advance(SECOND);
        tokio::task::yield_now().await;
    }
    world.until(&channel, |ledger| seen(ledger) == ["Job 1: 9 %"] && edits(ledger).len() == 6).await;
    assert_eq!(world.shown(job).await.progress.unwrap().way.as_str(), "edits");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_workers_on_one_job_end_with_the_last_value_and_one_end() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    let work = (0..16_u8).map(|worker| {
        let world = &world;
        async move {
            for n in 0..25_u8 {
                world.report(job, Progress::percent(n * 4).with_text(format!("worker {worker}"))).await;
                if n % 5 == 0 {
                    world.clock.advance(SECOND);
                }
            }
        }
    });
    futures_util::future::join_all(work).await;
    let last = world.shown(job).await.progress.unwrap();
    let text = format!("Job 1: {} % – {}", last.percent.unwrap(), last.text.unwrap());
    let ledger = world.until(&channel, |ledger| seen(ledger) == [text.as_str()]).await;
    assert!(edits(&ledger).len() < 16 * 25 / 2, "{} edits of 400 values", edits(&ledger).len());
    let ends = (0..16).map(|_| world.engine.complete_job(job, "Done.".into(), None));
    let ends = futures_util::future::try_join_all(ends).await.unwrap();
    let completed = |end: &&_| matches!(end, proact::proactive::Completion::Completed { .. });
    assert_eq!(ends.iter().filter(completed).count(), 1);
    world.until(&channel, |ledger| seen(ledger) == ["Job 1: 100 %", "Done."]).await;
}

#[tokio::test]
async fn quiet_progress_is_kept_and_not_shown() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let mut new = NewJob::new("report");
    new.shows_progress = false;
    let job = world.job(new).await.number;
    world.report(job, Progress::percent(50)).await;
    world.complete(job).await;
    channel.wait_for(|ledger| seen(ledger) == ["Job 1 is complete."]).await;
    let progress = world.shown(job).await.progress.unwrap();
    assert_eq!((progress.percent, progress.way.as_str()), (Some(50), "off"));
}

#[tokio::test]
async fn a_progress_message_that_somebody_cancels_is_not_sent_anew() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("report")).await.number;
    world.engine.pause(PauseScope::All, None).await.unwrap();
    world.report(job, Progress::percent(10)).await;
    let found = world.engine.notifications(Default::default()).await.unwrap().items;
    let _ = world.engine.cancel(found[0].id).await.unwrap();
    let _ = world.engine.resume(PauseScope::All).await.unwrap();
    world.report(job, Progress::percent(20)).await;
    world.complete(job).await;
    channel.wait_for(|ledger| seen(ledger) == ["Job 1 is complete."]).await;
    assert_eq!(world.shown(job).await.progress.unwrap().way.as_str(), "off");
}
