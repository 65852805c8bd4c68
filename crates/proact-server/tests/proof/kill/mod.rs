//! The kill test: the real binary is killed at random moments, under load, while its channel misbehaves, and started again
//! on the same data and port; in the end every promise is held against what happened.
//!
//! `PROACT_SEED` repeats the decisions of a run (what is asked, which fault comes when, how long a life lasts);
//! `PROACT_ROUNDS` makes it longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proact::testkit::FakeChannel;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use proact_proof::api::Api;
use proact_proof::checker;
use proact_proof::history::History;
use proact_proof::ledger;
use proact_proof::program::{Place, Program};
use proact_proof::{
    faults,
    load::{self, Load},
};

/// Lives that end by `kill -9`.
const ROUNDS: u64 = 50;
/// How long what is left may take in the end: retries wait for minutes when they failed often.
const SETTLES: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_holds_across_kill_9() {
    let _alone = crate::alone().await;
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().expect(name));
    let seed = number("PROACT_SEED").unwrap_or_else(rand::random);
    let rounds = number("PROACT_ROUNDS").unwrap_or(ROUNDS);
    println!("PROACT_SEED={seed}");

    let started = Instant::now();
    let channel = FakeChannel::start();
    let place = Place::new(crate::binary(), seed);
    let load = Arc::new(Load::new(&place, seed, started));
    faults::misbehave(&channel, seed, faults::Faults::Passing, &load);
    let clients = load::start(&load, &channel);

    let mut random = SmallRng::seed_from_u64(seed);
    for round in 1..=rounds {
        live_and_die(&place, &mut random, round).await;
    }
    let mut program = place.start_and_wait(&[]).await;
    channel.behave();
    load.finish();
    let asked = load::all_asked(clients).await;
    settle(&place).await;

    let api = Api::new(&place.url("")).store().await;
    let live = proact_proof::file::store(&place.data());
    let status = program.stop().await;
    assert!(status.success(), "asked to stop, it ended with {status}; it said: {}", place.errors());
    let store = proact_proof::file::store(&place.data());
    assert_eq!(store, live, "stopping changed what is stored");

    let history = History {
        asked,
        ledger: ledger::lines(&channel.ledger(), started),
        store,
        api,
        ..History::default()
    };
    describe(&history);
    // Nothing that this channel does is for good.
    let lost: Vec<_> = history.store.notifications.iter().filter(|one| one.state != "delivered").collect();
    assert!(lost.is_empty(), "PROACT_SEED={seed}: {lost:#?}");
    let broken = checker::check(&history);
    let (count, some) = (broken.len(), &broken[..broken.len().min(20)]);
    assert_eq!(count, 0, "PROACT_SEED={seed}: {some:#?}; it said: {}", tail(&place.errors()));
}

/// One life: most are killed under load, some while they start.
async fn live_and_die(place: &Place, random: &mut SmallRng, round: u64) {
    let mut program: Program = place.start(&[]);
    if random.random_bool(0.2) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..120))).await;
    } else {
        if let Err(why) = program.listening().await {
            panic!("life {round}: {why}; it said: {}", tail(&place.errors()));
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1500))).await;
    }
    program.kill();
}

/// Waits until nothing waits and nothing is under way.
async fn settle(place: &Place) {
    let api = Api::new(&place.url(""));
    let started = Instant::now();
    while api.is_settled().await != Some(true) {
        assert!(started.elapsed() < SETTLES, "something is stuck; it said: {}", tail(&place.errors()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// So that a run that proved nothing is noticed.
fn describe(history: &History) {
    let repeated = history.asked.iter().filter(|asked| asked.told.len() > 1).count();
    let completed = history.store.jobs.iter().filter(|job| job.completed).count();
    let attempts =
        |outcome: &str| history.store.notifications.iter().map(|one| one.ended(outcome)).sum::<usize>();
    println!(
        "{} activities, {repeated} of them repeated; {} jobs, {completed} completed; {} posts at the channel; attempts: {} \
         delivered, {} to be retried, {} unknown",
        history.asked.len(),
        history.store.jobs.len(),
        history.ledger.len(),
        attempts("delivered"),
        attempts("retry"),
        attempts("unknown"),
    );
    assert!(
        repeated > 0 && completed > 0 && attempts("retry") > 0 && attempts("unknown") > 0,
        "nothing was proved"
    );
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
