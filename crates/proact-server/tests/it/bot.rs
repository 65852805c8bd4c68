//! Every row of the job bot's table, word for word; and what only the whole server shows.

use proact::{
    activity::{Activity, ActivityType, ChannelAccount, Entity, TextFormat},
    testkit::{FakeChannel, TestAdapter, TestUser},
};
use proact_server::{config::Visibility, job_bot::JobBot};
use serde_json::json;

use crate::support::TestServer;

const HELP: &str = "Type 'run' or 'run job' to start a new job.\n\
                    Type 'show' or 'show jobs' to display the job log.\n\
                    Type 'done <jobNumber>' to complete a job.";

async fn people() -> (TestAdapter, TestUser, TestUser) {
    let test = TestAdapter::new(JobBot { visibility: Visibility::All, keys_required: false }).await;
    let (one, other) = (test.user("c1"), test.user("c2"));
    (test, one, other)
}

fn started(number: u64) -> String {
    format!("We're starting job {number} for you. We'll notify you when it's complete.")
}

#[tokio::test]
async fn run_starts_jobs_with_small_numbers_that_count_up() {
    let (_, one, _) = people().await;
    for (number, text) in (1..).zip(["run", "RUN", "  run job \n", "Run  Job"]) {
        one.send(text).expect(started(number)).expect_nothing().await;
    }
}

#[tokio::test]
async fn done_answers_the_sender_and_tells_the_jobs_own_conversation_once() {
    let (_, one, other) = people().await;
    one.send("run").expect(started(1)).await;
    other.send("done 1").expect("Completing job 1.").await;
    one.expect_with(|told| {
        assert_eq!((told.text(), &told.text_format), ("Job 1 is complete.", &Some(TextFormat::Plain)));
        assert_eq!(told.reply_to_id, None, "Web Chat would hold it back");
    })
    .await;
    other.send("Done 1").expect("Job 1 is already complete.").await;
    one.send("done 1 please").expect("Job 1 is already complete.").await;
    other.send("done 2").expect("The log does not contain a job 2.").await;
    for text in ["done", "done x", "done -1", "done 99999999999999999999"] {
        other.send(text).expect("Enter the job number after \"done\".").await;
    }
    other.script().expect_silence().await;
}

#[tokio::test]
async fn completed_in_its_own_conversation_it_is_told_there_after_the_answer() {
    let (_, one, _) = people().await;
    one.send("run")
        .expect(started(1))
        .send("done 1")
        .expect("Completing job 1.")
        .expect("Job 1 is complete.")
        .expect_silence()
        .await;
}

#[tokio::test]
async fn show_is_a_table_newest_first() {
    let (test, one, other) = people().await;
    one.send("show").expect("The job log is empty.").await;
    test.user("c|1").send("run").expect(started(1)).await;
    other.send("run").expect(started(2)).send("done 1").expect("Completing job 1.").await;
    let table = "| Job number | Conversation ID | Completed |\n| ---: | :--- | :--- |\n\
                 | 2 | c2 | false |\n| 1 | c\\|1 | true |";
    other.send("show").expect(table).await;
    let third = test.user("c3");
    third
        .send("Show Jobs")
        .expect_with(move |shown| {
            assert_eq!((shown.text(), &shown.text_format), (table, &Some(TextFormat::Markdown)));
        })
        .send("show 2")
        .expect("There is no page 2 of the job log: the last one is 1.")
        .await;
}

#[tokio::test]
async fn show_has_pages_of_twenty() {
    let (_, one, _) = people().await;
    for number in 1..=41 {
        one.send("run").expect(started(number)).await;
    }
    let page = |text: &str| text.lines().filter(|line| line.ends_with("false |")).count();
    one.send("show")
        .expect_with(move |first| {
            let first = first.text();
            assert_eq!(page(first), 20);
            assert!(first.contains("| 41 |") && first.contains("| 22 |"), "{first}");
            assert!(first.ends_with("\n\n21 more: type 'show 2' to see the next."), "{first}");
        })
        .send("show 2")
        .expect_with(move |second| {
            let second = second.text();
            assert!(second.contains("| 21 |") && second.contains("| 2 |"), "{second}");
            assert!(second.ends_with("\n\n1 more: type 'show 3' to see the next."), "{second}");
        })
        .send("show jobs 3")
        .expect_with(move |third| {
            let third = third.text();
            assert_eq!(page(third), 1);
            assert!(third.ends_with("| 1 | c1 | false |"), "{third}");
        })
        .await;
}

#[tokio::test]
async fn anything_else_is_answered_with_three_lines() {
    let (_, one, _) = people().await;
    for text in ["", "hello", "run away", "show me", "done17"] {
        one.send(text)
            .expect_with(|help| {
                assert_eq!(help.text(), HELP);
                assert_eq!(help.text_format, Some(TextFormat::Plain), "else <jobNumber> would be a tag");
            })
            .expect_nothing()
            .await;
    }
}

#[tokio::test]
async fn a_leading_mention_of_the_bot_is_not_looked_at() {
    let (_, one, _) = people().await;
    let bot = ChannelAccount::new("bot").with_name("Proact");
    let message = Activity::message("<at>Proact</at>&nbsp;RUN")
        .with_entity(Entity::mention(&bot, "<at>Proact</at>"))
        .with_recipient(bot);
    one.send(message).expect(started(1)).await;
}

#[tokio::test]
async fn whoever_is_added_is_welcomed_by_name_but_not_the_bot() {
    let (_, one, _) = people().await;
    let mut update = Activity::new(ActivityType::ConversationUpdate);
    update.members_added = vec![
        ChannelAccount::new("bot").with_name("Proact"),
        ChannelAccount::new("u1").with_name("Eva"),
        ChannelAccount::new("u2"),
    ];
    let welcome = |name: &str| format!("Welcome to Proact{name}.\n{HELP}");
    one.send(update).expect(welcome(", Eva")).expect(welcome("")).expect_nothing().await;
}

#[tokio::test]
async fn the_event_completes_a_job_without_an_answer() {
    let (test, one, _) = people().await;
    let elsewhere = test.user("elsewhere");
    for (number, (name, value)) in
        (1..).zip([("jobComplete", json!(1)), ("jobCompleted", json!("2")), ("jobCompleted", json!(" 3 "))])
    {
        one.send("run").expect(started(number)).await;
        elsewhere.event(name, value).expect_nothing().await;
        one.expect(format!("Job {number} is complete.")).await;
    }
    one.send("run").expect(started(4)).await;
    // Unknown, finished, unreadable, another name: nothing is sent.
    for value in
        [json!(99), json!(1), json!("one"), json!(null), json!({ "number": 4 }), json!(-4), json!(4.5)]
    {
        elsewhere.event("jobComplete", value).expect_silence().await;
    }
    elsewhere.event("jobcomplete", json!(4)).expect_silence().event("jobComplete", json!(4)).await;
    one.expect("Job 4 is complete.").expect_silence().await;
}

#[tokio::test]
async fn with_visibility_own_people_reach_their_own_jobs_only() {
    let test = TestAdapter::new(JobBot { visibility: Visibility::Own, keys_required: false }).await;
    let (one, other, third) = (test.user("c1"), test.user("c2"), test.user("c3"));
    one.send("run").expect(started(1)).await;
    other
        .send("run")
        .expect(started(2))
        .send("done 1")
        .expect("The log does not contain a job 1.")
        .send("show")
        .expect_that("the second job alone", |shown| {
            shown.text().contains("| 2 | c2 |") && !shown.text().contains("c1")
        })
        .await;
    third.send("show").expect("The job log is empty.").await;
    // The event comes from elsewhere anyway.
    third.event("jobComplete", 1).await;
    one.expect("Job 1 is complete.").await;
    other.send("done 2").expect("Completing job 2.").expect("Job 2 is complete.").expect_silence().await;
}

#[tokio::test]
async fn the_configuration_says_whose_jobs_are_reached() {
    let channel = FakeChannel::start();
    for (visibility, answer) in [("own", "The log does not contain a job 1."), ("all", "Completing job 1.")] {
        let server = TestServer::with(&[("PROACT_JOBS_VISIBILITY", visibility)]).await;
        for (conversation, text) in [(format!("{visibility}-1"), "run"), (visibility.to_owned(), "done 1")] {
            let posted = channel.user(&conversation).say(&server.bot(), text).await.unwrap();
            assert_eq!(posted.status, 200);
        }
        assert_eq!(channel.ledger().texts(visibility), [answer]);
    }
}

#[tokio::test]
async fn the_same_activity_again_starts_no_second_job() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    let run = channel.user("c1").message("run");
    for _ in 0..2 {
        assert_eq!(channel.user("c1").post(&server.bot(), &run).await.unwrap().status, 200);
    }
    let (_, jobs) = server.get("/v1/jobs").await;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_turn_that_fails_says_sorry() {
    let (server, channel) = (TestServer::start().await, FakeChannel::start());
    let run = channel.user("c1").message("run");
    assert_eq!(channel.user("c1").post(&server.bot(), &run).await.unwrap().status, 200);
    let (folder, _) = server.stop().await;
    // The journal has this activity's first command as a start; now it comes again and says something else.
    let server = TestServer::on(folder, &[]).await;
    let changed = Activity { text: Some("done 1".to_owned()), ..run };
    assert_eq!(channel.user("c1").post(&server.bot(), &changed).await.unwrap().status, 200);
    assert_eq!(channel.ledger().texts("c1")[1..], ["Sorry, it looks like something went wrong."]);
}
