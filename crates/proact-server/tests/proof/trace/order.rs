//! No acknowledgement leaves before the sync of its commit.

use proact::testkit::{ChannelAnswer, Gate};

use proact_proof::direct_line::Person;
use proact_proof::disk::SYNCS;

use super::{Bench, WRITES};
use proact_proof::api::Api;

/// What was acknowledged, and texts by which its bytes are found in the trace.
struct Said {
    what: &'static str,
    texts: Vec<String>,
    /// What the commit behind it wrote, where a later commit may be under way when it is said: a completion wakes the lane, whose
    /// own commit does not wait for the answer. `None`: whatever was written before it.
    commit: Option<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledgement_leaves_before_its_sync() {
    let _alone = crate::alone().await;
    let bench = Bench::new();
    let calls = format!("{SYNCS},{WRITES}");
    let mut program = bench.start(&calls, &[]).await;

    let mut said = Vec::new();
    let first = run(&bench, "first", &mut said).await;
    done(&bench, first, &mut said).await;
    let second = run(&bench, "second", &mut said).await;
    complete(&bench, second, &mut said).await;
    direct_line(&bench).await;
    assert!(program.stop().await.success());

    let trace = bench.read();
    for Said { what, texts, commit } in said {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let Some(call) = trace.sent(&texts) else { panic!("{what}: {texts:?} is not in the trace") };
        let why = match &commit {
            Some(written) => trace.unsynced_commit_of(written, call),
            None => trace.unsynced(call),
        };
        if let Some(why) = why {
            panic!("{what} left before its sync: {why}");
        }
    }
}

/// `run`: the announcement.
async fn run(bench: &Bench, conversation: &str, said: &mut Vec<Said>) -> u64 {
    let (status, number) = bench.run(conversation).await;
    assert_eq!(status, Some(200));
    let number = number.expect("a number was announced");
    bench.quiet().await;
    said.push(Said {
        what: "the announcement of a job",
        texts: vec![format!("We're starting job {number} ")],
        commit: None,
    });
    number
}

/// `done`: the answer to the sender, and the message, whose bytes may leave when its attempt is on record.
async fn done(bench: &Bench, number: u64, said: &mut Vec<Said>) {
    let gate = Gate::closed();
    bench.channel.script("first", [ChannelAnswer::ok().behind(&gate)]);
    let user = bench.channel.user("another");
    assert_eq!(bench.place.say(&user, &format!("done {number}")).await, Some(200));
    arrived(bench, number).await;
    // What the channel has not answered yet brings no further write into the picture.
    bench.quiet().await;
    gate.open();
    bench.quiet().await;
    let message = format!("Job {number} is complete.");
    let texts = vec![format!("Completing job {number}.")];
    said.push(Said { what: "the answer to `done`", texts, commit: Some(message.clone()) });
    said.push(Said { what: "the message", texts: vec![message], commit: None });
}

/// A completion over HTTP: its 200, and again the message.
async fn complete(bench: &Bench, number: u64, said: &mut Vec<Said>) {
    let gate = Gate::closed();
    bench.channel.script("second", [ChannelAnswer::ok().behind(&gate)]);
    assert_eq!(Api::new(&bench.place.url("")).complete(number).await, Some(200));
    arrived(bench, number).await;
    bench.quiet().await;
    gate.open();
    bench.quiet().await;
    let resource = vec![format!("\\\"number\\\":{number},"), "\\\"succeeded\\\"".to_owned()];
    let message = format!("Job {number} is complete.");
    let commit = Some(message.clone());
    said.push(Said { what: "the answer to a completion over HTTP", texts: resource, commit });
    said.push(Said { what: "the message", texts: vec![message], commit: None });
}

async fn arrived(bench: &Bench, number: u64) {
    let text = format!("Job {number} is complete.");
    bench.channel.wait_for(|ledger| ledger.iter().any(|entry| entry.text() == text)).await;
}

/// Direct Line: what a person says is taken with an id. Nothing that the bot does about it concerns that sync, so the commit is
/// found by what was said.
async fn direct_line(bench: &Bench) {
    let person = Person::start(&bench.place).await.expect("a conversation");
    bench.quiet().await;
    let id = person.say("what is said here must last").await.expect("an id");
    bench.quiet().await;

    let trace = bench.read();
    let answer = format!("{{\\\"id\\\":\\\"{id}\\\"}}");
    let answer = trace.sent(&[&answer]).expect("the answer is in the trace");
    if let Some(why) = trace.unsynced_commit_of("what is said here must last", answer) {
        panic!("the answer to a Direct Line post left before its sync: {why}");
    }
}
