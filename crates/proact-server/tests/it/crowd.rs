//! Sixteen conversations that run, complete and complete again, all at once: nothing is lost, and each is told once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use proact::testkit::FakeChannel;

use crate::support::TestServer;

const CONVERSATIONS: usize = 16;
const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_conversations_lose_nothing_and_are_told_exactly_once() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    let bot = server.bot();
    join_all((0..CONVERSATIONS).map(|n| {
        let (user, channel, bot, conversation) =
            (channel.user(&format!("c{n}")), channel.clone(), bot.clone(), format!("c{n}"));
        async move {
            for round in 0..ROUNDS {
                assert_eq!(user.say(&bot, "run").await.unwrap().status, 200);
                let ledger = channel.ledger();
                let mut announced = ledger.texts(&conversation).into_iter().filter_map(number_started);
                let number = announced.next_back().unwrap();
                assert_eq!(
                    ledger.texts(&conversation).into_iter().filter_map(number_started).count(),
                    round + 1
                );
                // The same completion three times at once, by the same person and from elsewhere.
                let done = format!("done {number}");
                let event = user.in_conversation("elsewhere").event("jobComplete", number);
                let (one, two, three) =
                    tokio::join!(user.say(&bot, &done), user.say(&bot, &done), user.post(&bot, &event));
                assert!([one, two, three].into_iter().all(|posted| posted.unwrap().status == 200));
            }
        }
    }))
    .await;

    let wanted = CONVERSATIONS * ROUNDS;
    let complete = |texts: Vec<&str>| texts.into_iter().filter(|text| text.ends_with("is complete.")).count();
    let all = |ledger: &proact::testkit::Ledger| {
        (0..CONVERSATIONS).map(|n| complete(ledger.texts(&format!("c{n}")))).sum::<usize>()
    };
    channel.wait_for(|ledger| all(ledger) >= wanted).await;

    let mut jobs = BTreeMap::new();
    let mut next = String::new();
    loop {
        let (_, list) = server.get(&format!("/v1/jobs?limit=100{next}")).await;
        for job in list["items"].as_array().unwrap() {
            assert_eq!(job["state"], "succeeded");
            jobs.insert(
                job["number"].as_u64().unwrap(),
                job["conversation"]["id"].as_str().unwrap().to_owned(),
            );
        }
        match list["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(jobs.keys().copied().collect::<Vec<_>>(), (1..=wanted as u64).collect::<Vec<_>>());

    // Stopped, so that nothing can still be on its way: what was told is all that is told.
    server.stop().await;
    let ledger = channel.ledger();
    for (number, conversation) in jobs {
        let told = format!("Job {number} is complete.");
        let times = ledger.iter().filter(|entry| entry.text() == told).count();
        assert_eq!(times, 1, "{told}");
        assert!(ledger.texts(&conversation).contains(&told.as_str()), "{told} in {conversation}");
        let completing = format!("Completing job {number}.");
        assert!(ledger.iter().filter(|entry| entry.text() == completing).count() <= 1);
    }
    assert_eq!(ledger.of("elsewhere").count(), 0);
}

fn number_started(text: &str) -> Option<u64> {
    text.strip_prefix("We're starting job ")?.split(' ').next()?.parse().ok()
}
