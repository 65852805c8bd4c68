//! A full disk fails the write: that work gets 503, reading goes on, and writing does when there is room again.

use super::Bench;
use proact_proof::api::Api;

/// Some writes go well before the disk is full, and then this many fail.
const GO_WELL: usize = 20;
const FAIL: usize = 12;
const ENOUGH: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_work_and_keeps_reading() {
    let _alone = crate::alone().await;
    let bench = Bench::new();
    let from = bench.calls_at_start("pwrite64").await + GO_WELL + 1;
    let injection = format!("pwrite64:error=ENOSPC:when={from}..{}", from + FAIL - 1);
    let mut program = bench.start("pwrite64", &[injection]).await;
    let api = Api::new(&bench.place.url(""));

    let mut kept = Vec::new();
    let refused = until(&bench, "filling", 503, &mut kept).await;
    assert!(bench.read().injected() > 0, "no write was made to fail");
    assert_eq!(bench.announced(&refused), None, "announced, in spite of the full disk");
    assert!(!kept.is_empty(), "nothing was accepted before");

    let jobs = api.jobs().await;
    for number in &kept {
        assert!(jobs.iter().any(|job| job.number == *number), "job {number} cannot be read");
    }
    assert_eq!(api.complete(kept[0]).await, Some(503), "a completion that cannot be written");
    let job = api.get(&format!("/v1/jobs/{}", kept[0])).await;
    assert_eq!(job["state"], "running", "a completion that was refused");

    until(&bench, "emptied", 200, &mut kept).await;
    assert_eq!(bench.read().injected(), FAIL, "it was not the end of the injection that helped");
    assert_eq!(api.complete(kept[0]).await, Some(200));
    let text = format!("Job {} is complete.", kept[0]);
    bench.channel.wait_for(|ledger| ledger.iter().any(|entry| entry.accepted && entry.text() == text)).await;
    assert!(program.stop().await.success());

    let mut program = bench.place.start_and_wait(&[]).await;
    let jobs = api.jobs().await;
    let stored: Vec<u64> = jobs.iter().map(|job| job.number).collect();
    kept.sort_unstable();
    assert_eq!(stored, kept, "what was announced, and nothing else, is in the log");
    assert!(program.stop().await.success());
}

/// Runs jobs until one is answered with `status`; answers its conversation. Only 200 and 503 may come.
async fn until(bench: &Bench, phase: &str, wanted: u16, kept: &mut Vec<u64>) -> String {
    for attempt in 0..ENOUGH {
        let conversation = format!("{phase} {attempt}");
        let (status, number) = bench.run(&conversation).await;
        kept.extend(number);
        assert!(matches!(status, Some(200 | 503)), "{status:?}");
        assert_eq!(status == Some(200), number.is_some(), "what was answered and what was announced differ");
        if status == Some(wanted) {
            return conversation;
        }
    }
    panic!("never answered with {wanted}");
}
