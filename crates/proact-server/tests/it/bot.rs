//! Every row of the job bot's table, word for word, against a channel that keeps a ledger.

use proact::{
    activity::{Activity, ActivityType, ChannelAccount, Entity},
    testkit::{FakeChannel, FakeUser},
};
use serde_json::json;

use crate::support::{TestServer, say};

const HELP: &str = "Type 'run' or 'run job' to start a new job.\n\
                    Type 'show' or 'show jobs' to display the job log.\n\
                    Type 'done <jobNumber>' to complete a job.";

struct Talk {
    server: TestServer,
    channel: FakeChannel,
}

impl Talk {
    async fn begin() -> Self {
        Self::with(&[]).await
    }

    async fn with(environment: &[(&str, &str)]) -> Self {
        Self { server: TestServer::with(environment).await, channel: FakeChannel::start() }
    }

    fn user(&self, conversation: &str) -> FakeUser {
        self.channel.user(conversation)
    }

    /// Says it in `conversation` and answers what came back there within the turn.
    async fn says(&self, conversation: &str, text: &str) -> Vec<String> {
        say(&self.channel, &self.user(conversation), conversation, &self.server.bot(), text).await
    }

    /// Posts an activity, which must be taken.
    async fn posts(&self, conversation: &str, activity: &Activity) {
        let posted = self.user(conversation).post(&self.server.bot(), activity).await.unwrap();
        assert_eq!(posted.status, 200);
    }

    async fn told(&self, conversation: &str, text: &str) {
        self.channel.wait_for(|ledger| ledger.texts(conversation).contains(&text)).await;
    }
}

fn started(number: u64) -> String {
    format!("We're starting job {number} for you. We'll notify you when it's complete.")
}

#[tokio::test]
async fn run_starts_jobs_with_small_numbers_that_count_up() {
    let talk = Talk::begin().await;
    for (number, text) in ["run", "RUN", "  run job \n", "Run  Job"].into_iter().enumerate() {
        assert_eq!(talk.says("c1", text).await, [started(number as u64 + 1)]);
    }
}

#[tokio::test]
async fn done_answers_the_sender_and_tells_the_jobs_own_conversation_once() {
    let talk = Talk::begin().await;
    talk.says("c1", "run").await;
    assert_eq!(talk.says("c2", "done 1").await, ["Completing job 1."]);
    talk.told("c1", "Job 1 is complete.").await;
    assert_eq!(talk.says("c2", "Done 1").await, ["Job 1 is already complete."]);
    assert_eq!(talk.says("c1", "done 1 please").await, ["Job 1 is already complete."]);
    assert_eq!(talk.says("c2", "done 2").await, ["The log does not contain a job 2."]);
    for text in ["done", "done x", "done -1", "done 99999999999999999999"] {
        assert_eq!(talk.says("c2", text).await, ["Enter the job number after \"done\"."], "{text}");
    }
    let ledger = talk.channel.ledger();
    assert_eq!(ledger.texts("c1").iter().filter(|text| **text == "Job 1 is complete.").count(), 1);
    assert!(!ledger.texts("c2").contains(&"Job 1 is complete."));
    let proactive = ledger.of("c1").find(|entry| entry.text() == "Job 1 is complete.").unwrap();
    assert_eq!(proactive.activity()["replyToId"], json!(null), "Web Chat would hold it back");
    assert_eq!(proactive.activity()["textFormat"], "plain");
}

#[tokio::test]
async fn completed_in_its_own_conversation_it_is_told_there_after_the_answer() {
    let talk = Talk::begin().await;
    talk.says("c1", "run").await;
    talk.says("c1", "done 1").await;
    talk.told("c1", "Job 1 is complete.").await;
    assert_eq!(talk.channel.ledger().texts("c1")[1..], ["Completing job 1.", "Job 1 is complete."]);
}

#[tokio::test]
async fn show_is_a_table_newest_first() {
    let talk = Talk::begin().await;
    assert_eq!(talk.says("c1", "show").await, ["The job log is empty."]);
    talk.says("c|1", "run").await;
    talk.says("c2", "run").await;
    talk.says("c2", "done 1").await;
    let table = "| Job number | Conversation ID | Completed |\n| ---: | :--- | :--- |\n\
                 | 2 | c2 | false |\n| 1 | c\\|1 | true |";
    assert_eq!(talk.says("c2", "show").await, [table]);
    assert_eq!(talk.says("c3", "Show Jobs").await, [table]);
    assert_eq!(talk.says("c3", "show 2").await, ["There is no page 2 of the job log: the last one is 1."]);
    let ledger = talk.channel.ledger();
    assert_eq!(ledger.of("c3").next().unwrap().activity()["textFormat"], "markdown");
}

#[tokio::test]
async fn show_has_pages_of_twenty() {
    let talk = Talk::begin().await;
    for _ in 0..41 {
        talk.says("c1", "run").await;
    }
    let page = |text: &str| text.lines().filter(|line| line.ends_with("false |")).count();
    let first = talk.says("c1", "show").await.remove(0);
    assert_eq!(page(&first), 20);
    assert!(first.contains("| 41 |") && first.contains("| 22 |"), "{first}");
    assert!(first.ends_with("\n\n21 more: type 'show 2' to see the next."), "{first}");
    let second = talk.says("c1", "show 2").await.remove(0);
    assert!(second.contains("| 21 |") && second.contains("| 2 |"), "{second}");
    assert!(second.ends_with("\n\n1 more: type 'show 3' to see the next."), "{second}");
    let third = talk.says("c1", "show jobs 3").await.remove(0);
    assert_eq!(page(&third), 1);
    assert!(third.ends_with("| 1 | c1 | false |"), "{third}");
}

#[tokio::test]
async fn anything_else_is_answered_with_three_lines() {
    let talk = Talk::begin().await;
    for text in ["", "hello", "run away", "show me", "done17"] {
        assert_eq!(talk.says("c1", text).await, [HELP], "{text}");
    }
    assert_eq!(talk.channel.ledger()[0].activity()["textFormat"], "plain", "else <jobNumber> would be a tag");
}

#[tokio::test]
async fn a_leading_mention_of_the_bot_is_not_looked_at() {
    let talk = Talk::begin().await;
    let bot = ChannelAccount::new("bot").with_name("Proact");
    let message = talk
        .user("c1")
        .message("<at>Proact</at>&nbsp;RUN")
        .with_entity(Entity::mention(&bot, "<at>Proact</at>"))
        .with_recipient(bot);
    talk.posts("c1", &message).await;
    assert_eq!(talk.channel.ledger().texts("c1"), [started(1)]);
}

#[tokio::test]
async fn whoever_is_added_is_welcomed_by_name_but_not_the_bot() {
    let talk = Talk::begin().await;
    let mut update = talk.user("c1").activity(ActivityType::ConversationUpdate);
    update.members_added = vec![
        ChannelAccount::new("bot").with_name("Proact"),
        ChannelAccount::new("u1").with_name("Eva"),
        ChannelAccount::new("u2"),
    ];
    talk.posts("c1", &update).await;
    let welcome = |name: &str| format!("Welcome to Proact{name}.\n{HELP}");
    assert_eq!(talk.channel.ledger().texts("c1"), [welcome(", Eva"), welcome("")]);
}

#[tokio::test]
async fn the_event_completes_a_job_without_an_answer() {
    let talk = Talk::begin().await;
    for (number, (name, value)) in
        [("jobComplete", json!(1)), ("jobCompleted", json!("2")), ("jobCompleted", json!(" 3 "))]
            .into_iter()
            .enumerate()
    {
        talk.says("c1", "run").await;
        talk.posts("elsewhere", &talk.user("elsewhere").event(name, value)).await;
        talk.told("c1", &format!("Job {} is complete.", number + 1)).await;
    }
    talk.says("c1", "run").await;
    // Unknown, finished, unreadable, another name: nothing is sent. Job 4 is completed last, so all of it would be there by then.
    for value in
        [json!(99), json!(1), json!("one"), json!(null), json!({ "number": 4 }), json!(-4), json!(4.5)]
    {
        talk.posts("elsewhere", &talk.user("elsewhere").event("jobComplete", value)).await;
    }
    talk.posts("elsewhere", &talk.user("elsewhere").event("jobcomplete", json!(4))).await;
    talk.posts("elsewhere", &talk.user("elsewhere").event("jobComplete", json!(4))).await;
    talk.told("c1", "Job 4 is complete.").await;
    let ledger = talk.channel.ledger();
    assert_eq!(ledger.of("elsewhere").count(), 0);
    assert_eq!(ledger.texts("c1").len(), 8, "{:?}", ledger.texts("c1"));
}

#[tokio::test]
async fn with_visibility_own_people_reach_their_own_jobs_only() {
    let talk = Talk::with(&[("PROACT_JOBS_VISIBILITY", "own")]).await;
    talk.says("c1", "run").await;
    talk.says("c2", "run").await;
    assert_eq!(talk.says("c2", "done 1").await, ["The log does not contain a job 1."]);
    let shown = talk.says("c2", "show").await.remove(0);
    assert!(shown.contains("| 2 | c2 |") && !shown.contains("c1"), "{shown}");
    assert_eq!(talk.says("c3", "show").await, ["The job log is empty."]);
    // The event comes from elsewhere anyway.
    talk.posts("c3", &talk.user("c3").event("jobComplete", 1)).await;
    talk.told("c1", "Job 1 is complete.").await;
    assert_eq!(talk.says("c2", "done 2").await, ["Completing job 2."]);
    talk.told("c2", "Job 2 is complete.").await;
}

#[tokio::test]
async fn the_same_activity_again_starts_no_second_job() {
    let talk = Talk::begin().await;
    let run = talk.user("c1").message("run");
    talk.posts("c1", &run).await;
    talk.posts("c1", &run).await;
    let (_, jobs) = talk.server.get("/v1/jobs").await;
    assert_eq!(jobs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_turn_that_fails_says_sorry() {
    let talk = Talk::begin().await;
    let run = talk.user("c1").message("run");
    talk.posts("c1", &run).await;
    let (folder, _) = talk.server.stop().await;
    // The journal has this activity's first command as a start; now it comes again and says something else.
    let talk = Talk { server: TestServer::on(folder, &[]).await, channel: talk.channel };
    let changed = Activity { text: Some("done 1".to_owned()), ..run };
    talk.posts("c1", &changed).await;
    assert_eq!(talk.channel.ledger().texts("c1")[1..], ["Sorry, it looks like something went wrong."]);
}
