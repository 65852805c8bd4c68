//! `proact notifications`: what is to be said, to whom, and what became of it.

use std::fmt::Write as _;

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failed,
    control::{conversation, encoded, text},
    pages::{List, Paging},
    source::Source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Notifications {
    /// Lists them, newest first
    List(ListArgs),
    /// Tells the whole story of one: why it waits, what was tried, what came back
    Show(One),
    /// Accepts one
    Send(SendArgs),
    /// Takes one back: nothing of it is sent any more
    Cancel(One),
    /// Sends one again that failed, or whose outcome is unknown
    Replay {
        #[command(flatten)]
        one: One,
        /// Asked again with the same key, it is replayed once
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Moves one that waits to another time
    Reschedule {
        #[command(flatten)]
        one: One,
        /// When, such as 2030-01-31T08:55:00Z; a time that has passed is at once
        #[arg(long, value_name = "TIME")]
        to: jiff::Timestamp,
    },
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those in this state
    #[arg(long)]
    state: Option<String>,
    /// Only those to this conversation
    #[arg(long, value_name = "CHANNEL/ID", value_parser = conversation)]
    conversation: Option<(String, String)>,
    /// Only those of this class: urgent, normal or bulk
    #[arg(long)]
    priority: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// Its id
    id: String,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// To whom: the channel's id, a slash, the conversation's id
    #[arg(long, value_name = "CHANNEL/ID", value_parser = conversation)]
    conversation: (String, String),
    /// What to say
    text: String,
    /// urgent, normal or bulk
    #[arg(long)]
    priority: Option<String>,
    /// What an unknown outcome means: send again (`at_least_once`), or leave it to a person (`at_most_once`)
    #[arg(long)]
    policy: Option<String>,
    /// Not before, such as 2030-01-31T08:55:00Z
    #[arg(long, value_name = "TIME")]
    not_before: Option<jiff::Timestamp>,
    /// Not from then on
    #[arg(long, value_name = "TIME")]
    expires_at: Option<jiff::Timestamp>,
    /// Takes the place of one that waits under the same key
    #[arg(long, value_name = "KEY")]
    collapse_key: Option<String>,
    /// Asked again with the same key, it is accepted once
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Notifications {
    pub(super) async fn run(self, source: &Source) -> Result<String, Failed> {
        match self {
            Self::List(args) => list(args, source).await,
            Self::Show(one) => {
                let path = format!("/v1/notifications/{}", encoded(&one.id));
                let found = source.ask(Method::GET, &path, None, None).await?;
                Ok(if one.json { format!("{found}\n") } else { story(&found) })
            }
            Self::Send(args) => send(args, source).await,
            Self::Cancel(one) => {
                let answer = act(source, &one, "cancel", None, json!({})).await?;
                let arrived = answer["mayHaveArrived"] == true;
                let warning = if arrived { " An earlier attempt may have arrived." } else { "" };
                Ok(one.told(&answer, &format!("Cancelled: nothing more is sent.{warning}")))
            }
            Self::Replay { one, key } => {
                let body = json!({ "cause": "command_line" });
                let answer = act(source, &one, "replay", key.as_deref(), body).await?;
                Ok(one.told(&answer, &format!("Accepted as {}.", text(&answer["id"]))))
            }
            Self::Reschedule { one, to } => {
                let answer = act(source, &one, "reschedule", None, json!({ "notBefore": to })).await?;
                Ok(one.told(&answer, &format!("Not before {}.", text(&answer["notBefore"]))))
            }
        }
    }
}

impl One {
    fn told(&self, answer: &Value, words: &str) -> String {
        if self.json { format!("{answer}\n") } else { format!("{words}\n") }
    }
}

async fn act(
    source: &Source,
    one: &One,
    what: &str,
    key: Option<&str>,
    body: Value,
) -> Result<Value, Failed> {
    let path = format!("/v1/notifications/{}/{what}", encoded(&one.id));
    source.ask(Method::POST, &path, key, Some(body)).await
}

async fn list(args: ListArgs, source: &Source) -> Result<String, Failed> {
    let place = args.conversation.map(|(channel, id)| format!("{channel}/{id}"));
    let filters = [("state", args.state), ("conversation", place), ("priority", args.priority)];
    let filters = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let list = List { path: "/v1/notifications", filters, empty: "There are none." };
    list.show(args.paging, source, |page| page.iter().map(line).collect()).await
}

fn line(one: &Value) -> String {
    let place = &one["conversation"];
    let (id, state, at) = (text(&one["id"]), text(&one["state"]), text(&one["createdAt"]));
    format!(
        "{id}  {state:10}  {at}  {}/{}  {}\n",
        text(&place["channelId"]),
        text(&place["id"]),
        text(&one["text"])
    )
}

async fn send(args: SendArgs, source: &Source) -> Result<String, Failed> {
    let (channel_id, id) = args.conversation;
    let body = json!({
        "conversation": { "channelId": channel_id, "id": id },
        "text": args.text,
        "priority": args.priority,
        "policy": args.policy,
        "notBefore": args.not_before,
        "expiresAt": args.expires_at,
        "collapseKey": args.collapse_key,
        "cause": "command_line",
    });
    let answer = source.ask(Method::POST, "/v1/notifications", args.key.as_deref(), Some(body)).await?;
    if args.json {
        return Ok(format!("{answer}\n"));
    }
    let later = if source.is_running() { "" } else { " No server runs on this data: it goes when one does." };
    Ok(format!("Accepted as {}.{later}\n", text(&answer["id"])))
}

/// The story of one, for people.
fn story(one: &Value) -> String {
    let place = &one["conversation"];
    let mut lines = format!(
        "{}  {}\nto        {}/{}\ntext      {}\naccepted  {}\n",
        text(&one["id"]),
        text(&one["state"]),
        text(&place["channelId"]),
        text(&place["id"]),
        text(&one["text"]),
        text(&one["createdAt"]),
    );
    for (member, name) in
        [("settledAt", "settled"), ("reason", "reason"), ("replayOf", "replays"), ("expiresAt", "expires")]
    {
        if one[member].is_string() {
            let _ = writeln!(lines, "{name:8}  {}", text(&one[member]));
        }
    }
    for gate in one["gates"].as_array().into_iter().flatten() {
        let more = ["until", "reason", "host"].map(|member| &gate[member]);
        let more: Vec<_> = more.into_iter().filter(|value| !value.is_null()).map(text).collect();
        let _ = writeln!(lines, "waits     {} {}", text(&gate["gate"]), more.join(" "));
    }
    for attempt in one["attempts"].as_array().into_iter().flatten() {
        let outcome = attempt["outcome"].as_str().unwrap_or("under way");
        let _ = writeln!(
            lines,
            "attempt {}  {}  {outcome}  HTTP {}  {}",
            text(&attempt["number"]),
            text(&attempt["begunAt"]),
            text(&attempt["status"]),
            text(&attempt["error"]),
        );
    }
    if one["mayHaveArrived"] == true && one["state"] != "delivered" {
        lines += "It may have arrived all the same.\n";
    }
    lines
}
