//! The example with a worker outside, as it is shown.

use std::time::Duration;

use proact::{app, testkit::FakeChannel};
use tokio_util::sync::CancellationToken;

#[expect(dead_code, reason = "its `main` is for people")]
#[path = "../../../examples/worker.rs"]
mod worker;

#[tokio::test]
async fn the_worker_reports_and_finishes_and_one_that_is_late_is_told_so() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), FakeChannel::start());
    // Each order is worked on twice: the second one finds the job at its end.
    let hire = |order: worker::Order| {
        tokio::spawn(async move {
            worker::work(order.clone(), Duration::from_millis(1)).await;
            worker::work(order, Duration::from_millis(1)).await;
        });
    };
    let (parts, router, listener) = worker::open(folder.path(), "127.0.0.1:0", hire).await.unwrap();
    parts.start().await.unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(app::serve(listener, router, stop.clone()));
    let bot = format!("{}api/messages", parts.base_url);
    assert!(channel.user("c").say(&bot, "report").await.unwrap().acknowledged());
    let expected = ["Report 1 takes a moment.", "Yearly report: 100 %", "Report 1 is there."];
    channel.wait_for(|ledger| ledger.shown("c") == expected).await;
    parts.stop().await;
    stop.cancel();
    served.await.unwrap();
    parts.store.close().await;
    assert_eq!(channel.ledger().shown("c"), expected);
}
