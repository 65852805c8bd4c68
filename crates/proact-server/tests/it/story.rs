//! The article's own test over the built-in channel: two windows, one job log.

use serde_json::json;

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn what_the_second_window_completes_is_told_in_the_first() {
    let server = TestServer::start().await;
    let (one, two) = (server.chat(Some("Eva")).await, server.chat(None).await);
    one.hears(
        "Welcome to Proact, Eva.\nType 'run' or 'run job' to start a new job.\nType 'show' or 'show jobs' to display the job \
         log.\nType 'done <jobNumber>' to complete a job.",
    )
    .await;
    one.say("run").await;
    one.say("run").await;
    for number in [1, 2] {
        one.hears(&format!("We're starting job {number} for you. We'll notify you when it's complete."))
            .await;
    }
    two.say("show").await;
    two.hears(&format!(
        "| Job number | Conversation ID | Completed |\n| ---: | :--- | :--- |\n| 2 | {id} | false |\n| 1 | {id} | false |",
        id = one.id
    ))
    .await;

    two.say("done 1").await;
    two.hears("Completing job 1.").await;
    one.hears("Job 1 is complete.").await;
    assert!(!two.texts().await.contains(&"Job 1 is complete.".to_owned()));
    let message =
        one.heard().await.into_iter().find(|activity| activity["text"] == "Job 1 is complete.").unwrap();
    assert_eq!(message["replyToId"], json!(null), "Web Chat would hold it back");

    let (_, job) = server.get("/v1/jobs/1").await;
    assert_eq!((&job["state"], &job["conversation"]["id"]), (&json!("succeeded"), &json!(one.id)));
    let path = format!("/v1/notifications/{}", job["notificationId"].as_str().unwrap());
    let notification = eventually("delivered", async || {
        let (_, notification) = server.get(&path).await;
        (notification["state"] == "delivered").then_some(notification)
    })
    .await;
    assert_eq!(notification["text"], "Job 1 is complete.");
    assert_eq!(notification["cause"], json!({ "type": "job", "job": 1 }));
    assert_eq!(notification["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(notification["attempts"][0]["outcome"], "delivered");
    assert_eq!(notification["activity"]["text"], "Job 1 is complete.");
}

#[tokio::test]
async fn the_page_completes_jobs_over_the_api() {
    let server = TestServer::start().await;
    let chat = server.chat(None).await;
    chat.say("run").await;
    let (status, job) = server.post("/v1/jobs/1/complete", json!({})).await;
    assert_eq!((status, &job["state"]), (200, &json!("succeeded")));
    assert!(job["notificationId"].is_string() && job["completedAt"].is_string(), "{job}");
    chat.hears("Job 1 is complete.").await;
    let (status, problem) = server.post("/v1/jobs/1/complete", json!({})).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:proact:problem:job-already-complete")));
    chat.say("done 1").await;
    chat.hears("Job 1 is already complete.").await;
    assert_eq!(chat.texts().await.iter().filter(|text| *text == "Job 1 is complete.").count(), 1);
}
