//! What a worker with a token may do, and what it may not.

use proact::{
    proactive::{Completion, JobState, JobToken, NewJob, Progress, WorkerAnswer, WorkerReport},
    testkit::{FakeChannel, TestClock},
};

use super::{World, key, seen};

fn complete(text: &str) -> WorkerReport {
    WorkerReport::Complete(Box::new(text.into()))
}

fn fail(text: &str) -> WorkerReport {
    WorkerReport::Fail { reason: Some("no paper".to_owned()), message: Box::new(text.into()) }
}

#[tokio::test]
async fn a_token_is_bound_to_its_job_and_says_nothing_about_others() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let (one, two) = (world.job(NewJob::new("a")).await, world.job(NewJob::new("b")).await);
    let reports = || {
        let progress = WorkerReport::Progress(Progress::percent(50));
        [WorkerReport::Heartbeat, progress, complete("done"), fail("no")]
    };
    let half = &one.token.as_str()[..42];
    for (number, token) in [
        (one.number, two.token.as_str()),
        (one.number, ""),
        (one.number, half),
        (99, one.token.as_str()),
        (u64::MAX, "x"),
    ] {
        for report in reports() {
            let answer = world.engine.worker_reports(number, token, report).await.unwrap();
            assert_eq!(answer, WorkerAnswer::NotAllowed, "{number}");
        }
    }
    world.settled().await;
    assert_eq!(seen(&channel.ledger()), [""; 0]);
    assert_eq!(world.shown(one.number).await.heard_at, None);
    // What is stored is not the token.
    let bytes = std::fs::read(folder.path().join("proact.db-wal")).unwrap();
    let token = one.token.as_str().as_bytes();
    assert!(!bytes.windows(token.len()).any(|found| found == token));
}

#[tokio::test]
async fn the_same_report_gets_the_same_answer_and_another_is_too_late() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("a")).await;
    let token = job.token.as_str();
    let engine = &world.engine;
    let first = engine.worker_reports(job.number, token, complete("Your report is there.")).await.unwrap();
    let WorkerAnswer::Noted(view) = &first else { panic!("{first:?}") };
    assert_eq!((view.number, view.state), (job.number, JobState::Succeeded));
    clock.advance(std::time::Duration::from_secs(60));
    for _ in 0..3 {
        let again =
            engine.worker_reports(job.number, token, complete("Your report is there.")).await.unwrap();
        assert_eq!(again, first);
    }
    for other in [complete("Another."), fail("Your report is there."), WorkerReport::Heartbeat] {
        let answer = engine.worker_reports(job.number, token, other).await.unwrap();
        assert_eq!(answer, WorkerAnswer::Finished(view.clone()));
    }
    world.settled().await;
    assert_eq!(seen(&channel.ledger()), ["Your report is there."]);
}

#[tokio::test]
async fn of_the_tokens_of_one_job_the_newest_eight_are_good() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let other = world.job(NewJob::new("b")).await;
    let mut given = Vec::new();
    for _ in 0..20 {
        let again = world.engine.start_job_under(key("c"), NewJob::new("a"), Some("nightly".to_owned()));
        given.push(again.await.unwrap());
    }
    let report = |job: u64, token: &JobToken| {
        let token = token.as_str().to_owned();
        let engine = world.engine.clone();
        async move { engine.worker_reports(job, &token, WorkerReport::Heartbeat).await.unwrap() }
    };
    for (n, started) in given.iter().enumerate() {
        assert_eq!(started.number, given[0].number);
        let answer = report(started.number, &started.token).await;
        assert_eq!(matches!(answer, WorkerAnswer::Noted(_)), n >= 12, "{n}: {answer:?}");
    }
    assert!(matches!(report(other.number, &other.token).await, WorkerAnswer::Noted(_)));
}

#[tokio::test]
async fn a_job_that_ended_otherwise_tells_its_worker_so() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("a")).await;
    let cancelled = world.engine.cancel_job(job.number, "It was cancelled.".into(), None).await.unwrap();
    assert!(matches!(cancelled, Completion::Completed { .. }));
    for report in [WorkerReport::Heartbeat, complete("It was cancelled."), fail("x")] {
        let answer = world.engine.worker_reports(job.number, job.token.as_str(), report).await.unwrap();
        let WorkerAnswer::Finished(view) = answer else { panic!("{answer:?}") };
        assert_eq!(view.state, JobState::Cancelled);
    }
    channel.wait_for(|ledger| seen(ledger) == ["It was cancelled."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_workers_that_finish_one_job_together_end_it_once() {
    let (folder, channel, clock) = (tempfile::tempdir().unwrap(), FakeChannel::start(), TestClock::default());
    let world = World::start(folder.path(), &channel, &clock).await;
    let job = world.job(NewJob::new("a")).await;
    let reports = (0..16).map(|n| {
        let report = if n % 2 == 0 { complete(&format!("by {n}")) } else { fail(&format!("by {n}")) };
        world.engine.worker_reports(job.number, job.token.as_str(), report)
    });
    let answers = futures_util::future::try_join_all(reports).await.unwrap();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, WorkerAnswer::Noted(_))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, WorkerAnswer::Finished(_))).count(), 15);
    world.settled().await;
    assert_eq!(seen(&channel.ledger()).len(), 1);
}
