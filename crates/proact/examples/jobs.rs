//! A bot that works in the background and speaks up when it is done: `report` starts a job that takes five seconds.
//!
//! The job and its message are on disk. What is not: the five seconds. A process that was killed meanwhile forgets to complete the job,
//! so at the start every job that is still running is worked on again. That the message is sent once is the store's promise.

use std::time::Duration;

use proact::{
    app::{self, StopSignal},
    prelude::*,
    proactive::{JobFilter, Proactive},
};
use tokio_util::sync::CancellationToken;

struct Reports;

impl Bot for Reports {
    async fn on_turn(&self, ctx: &TurnContext) -> Result<(), BotError> {
        if ctx.activity().text().trim() == "report" {
            let job = ctx.jobs().start("report").await?;
            ctx.send(format!("Report {job} takes a moment. I'll tell you when it is there.")).await?;
            if let Some(engine) = ctx.service::<Proactive>() {
                tokio::spawn(work(Proactive::clone(&engine), job));
            }
        }
        Ok(())
    }
}

/// The work itself, and its end.
async fn work(engine: Proactive, job: u64) {
    tokio::time::sleep(Duration::from_secs(5)).await;
    let message = Activity::message(format!("Report {job} is there."));
    match engine.complete_job(job, message, None).await {
        Ok(Completion::Completed { .. }) => println!("report {job} is complete"),
        Ok(other) => println!("report {job}: {other:?}"),
        Err(error) => eprintln!("report {job} is worked on again at the next start: {error}"),
    }
}

#[tokio::main]
async fn main() -> Result<(), app::Error> {
    // The steps of `App::run`, one by one, because this program has something of its own to do in between.
    let mut signal = StopSignal::listen().map_err(|source| app::Error::Signals { source })?;
    let opened = App::new(Reports).data("./data-jobs").open().await?;
    let (listener, address) = app::listen("127.0.0.1:3978").await?;
    let parts = opened.at(address).await?;
    let unfinished = JobFilter { finished: Some(false), limit: 1000, ..JobFilter::default() };
    for job in parts.proactive.jobs(unfinished).await?.items {
        tokio::spawn(work(parts.proactive.clone(), job.number));
    }
    parts.start().await?;
    let stop = CancellationToken::new();
    let served = tokio::spawn(app::serve(listener, parts.gate.in_front_of(parts.router()), stop.clone()));
    println!("listening on http://{address}");

    tokio::select! {
        error = parts.store.failure() => return Err(error.into()),
        () = signal.next() => {}
    }
    parts.stop().await;
    stop.cancel();
    let _ = served.await;
    parts.store.close().await;
    Ok(())
}
