//! A failed sync is never forgiven: what was in that commit gets no definite answer, what comes after it is refused and leaves nothing,
//! and the process ends with an error; what was acknowledged before is there at the next start.

use proact_proof::disk::SYNCS;

use super::{Bench, WRITES};
use proact_proof::api::Api;

/// Some commits go well before the injection begins.
const GO_WELL: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_ends_the_process_and_is_never_acknowledged() {
    let _alone = crate::alone().await;
    let bench = Bench::new();
    let when = bench.calls_at_start(SYNCS).await + GO_WELL + 1;
    let mut program =
        bench.start(&format!("{SYNCS},{WRITES}"), &[format!("{SYNCS}:error=EIO:when={when}+")]).await;

    let mut kept = Vec::new();
    let mut failed = None;
    for round in 0..20 * when {
        // Several at once, so that one commit holds more than one.
        let conversations: Vec<String> =
            (0..4).map(|client| format!("round {round}, client {client}")).collect();
        let runs = futures_util::future::join_all(conversations.iter().map(|name| bench.run(name))).await;
        let numbers = conversations.iter().zip(&runs);
        kept.extend(numbers.filter_map(|(name, (_, number))| Some((name.clone(), (*number)?))));
        if runs.iter().any(|(status, _)| *status != Some(200)) {
            failed = Some((conversations, runs));
            break;
        }
    }
    let (conversations, failed) = failed.expect("the injection came to effect");
    let mut refused = Vec::new();
    for (conversation, (status, number)) in conversations.iter().zip(&failed) {
        match status {
            Some(200) => assert!(number.is_some(), "acknowledged without a number: {failed:?}"),
            // Not even if it was announced: what ended may have been the process, and not the commit.
            None => {}
            // It came when the commit had failed: then it is in no commit, and must not be on record.
            Some(503) if number.is_none() => refused.push(conversation),
            Some(_) => panic!("a definite answer about what nobody can know: {failed:?}"),
        }
    }
    assert!(failed.iter().any(|(status, _)| status.is_none()), "{failed:?}");

    let status = program.ended().await;
    assert!(!status.success(), "it ended as if all were well");
    assert_eq!(bench.run("afterwards").await, (None, None), "it accepts more");
    let trace = bench.read();
    assert!(trace.injected() > 0, "no sync was made to fail");
    for (conversation, number) in &kept {
        let said =
            trace.sent(&[&format!("We're starting job {number} ")]).expect("what was said is in the trace");
        if let Some(why) = trace.unsynced_commit_of(conversation, said) {
            panic!("job {number} was announced without a sync that succeeded: {why}");
        }
    }
    let errors = bench.place.errors();
    let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    assert!(last.contains("sync"), "its last line does not say that a sync failed: {errors}");

    let mut program = bench.place.start_and_wait(&[]).await;
    let jobs = Api::new(&bench.place.url("")).jobs().await;
    for (_, number) in &kept {
        assert!(jobs.iter().any(|job| job.number == *number), "job {number} was announced and is lost");
    }
    for conversation in refused {
        assert!(
            jobs.iter().all(|job| job.conversation != *conversation),
            "{conversation}: refused and on record"
        );
    }
    let (status, number) = bench.run("a new life").await;
    assert_eq!(status, Some(200));
    assert!(
        number.is_some_and(|number| kept.iter().all(|(_, kept)| *kept != number)),
        "job {number:?} is announced again"
    );
    assert!(program.stop().await.success());
}
