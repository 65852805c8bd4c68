//! `proact pause | resume | pauses | status | templates`: what an operator does to the outbox as a whole.

use std::{fmt::Write as _, fs, path::PathBuf};

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    Failed,
    pages::{List, Paging},
    source::Source,
};

/// What is meant: everything, a channel, or a conversation.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Scope {
    /// Everything
    #[arg(long)]
    all: bool,
    /// One channel, by its id
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// One conversation: the channel's id, a slash, the conversation's id
    #[arg(long, value_name = "CHANNEL/ID", value_parser = conversation)]
    conversation: Option<(String, String)>,
}

#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    scope: Scope,
    /// Why, for whoever looks at it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    #[command(flatten)]
    scope: Scope,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Shown {
    /// As JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Templates {
    /// Lists them, by name
    List(Paging),
    /// Stores one in place of what has its name; it is checked
    Put {
        /// Its name
        name: String,
        /// The file with its text
        file: PathBuf,
    },
    /// Removes one
    Remove {
        /// Its name
        name: String,
    },
}

/// A conversation as the command line names it.
pub(super) fn conversation(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((channel, id)) if !channel.is_empty() && !id.is_empty() => Ok((channel.into(), id.into())),
        _ => Err("give the channel's id, a slash and the conversation's id".to_owned()),
    }
}

/// A part of a path, or a value in a query.
pub(super) fn encoded(text: &str) -> String {
    // Form encoding writes a space as a plus sign, which a path does not know.
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What comes from elsewhere: nothing in it may reach into the terminal.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.replace(char::is_control, "?"),
        other => other.to_string(),
    }
}

impl Scope {
    fn path(&self) -> String {
        match (&self.channel, &self.conversation) {
            (Some(channel), _) => format!("/v1/pauses/channel/{}", encoded(channel)),
            (_, Some((channel, id))) => {
                format!("/v1/pauses/conversation/{}/{}", encoded(channel), encoded(id))
            }
            _ => "/v1/pauses/all".to_owned(),
        }
    }
}

pub(super) async fn pause(args: PauseArgs, source: &Source) -> Result<String, Failed> {
    let body = json!({ "reason": args.reason });
    let pause = source.ask(Method::PUT, &args.scope.path(), None, Some(body)).await?;
    if args.json {
        return Ok(format!("{pause}\n"));
    }
    Ok(format!("Paused: {}. `proact resume` takes it back.\n", told(&pause)))
}

pub(super) async fn resume(args: ScopeArgs, source: &Source) -> Result<String, Failed> {
    source.ask(Method::DELETE, &args.scope.path(), None, None).await?;
    if args.json {
        return Ok("{\"resumed\":true}\n".to_owned());
    }
    Ok(if source.is_running() {
        "Resumed: what was held back goes on.\n".to_owned()
    } else {
        "Resumed. No server runs on this data: what was held back goes on when one does.\n".to_owned()
    })
}

pub(super) async fn pauses(paging: Paging, source: &Source) -> Result<String, Failed> {
    let list = List { path: "/v1/pauses", filters: Vec::new(), empty: "Nothing is paused." };
    let line = |pause: &Value| format!("{}\n", told(pause));
    list.show(paging, source, |page| page.iter().map(line).collect()).await
}

fn told(pause: &Value) -> String {
    let place = &pause["conversation"];
    let what = match pause["scope"].as_str() {
        Some("channel") => format!("the channel {}", text(&pause["channelId"])),
        Some("conversation") => format!("{}/{}", text(&place["channelId"]), text(&place["id"])),
        _ => "everything".to_owned(),
    };
    let why = pause["reason"].as_str().map(|_| format!(": {}", text(&pause["reason"]))).unwrap_or_default();
    format!("{what}, since {}{why}", text(&pause["at"]))
}

pub(super) async fn status(args: Shown, source: &Source) -> Result<String, Failed> {
    let status = source.ask(Method::GET, "/v1/status", None, None).await?;
    if args.json {
        return Ok(format!("{status}\n"));
    }
    let mut lines = String::new();
    for (state, count) in status["notifications"].as_object().into_iter().flatten() {
        let _ = writeln!(lines, "{state:10}  {count}");
    }
    for (member, what) in [
        ("oldestWaiting", "The oldest that waits was accepted"),
        ("oldestDue", "The oldest that could go waits since"),
        ("heldSince", "A restored backup is held (`proact release`) since"),
    ] {
        if status[member].is_string() {
            let _ = writeln!(lines, "{what} {}", text(&status[member]));
        }
    }
    for open in status["breakers"].as_array().into_iter().flatten() {
        let (host, until, why) = (text(&open["host"]), text(&open["until"]), text(&open["reason"]));
        let _ = writeln!(lines, "Out of order: {host}, tried again at {until}: {why}");
    }
    for pause in status["pauses"].as_array().into_iter().flatten() {
        let _ = writeln!(lines, "Paused: {}", told(pause));
    }
    if !source.is_running() {
        lines += "No server runs on this data: nothing is sent before one does.\n";
    }
    Ok(lines)
}

impl Templates {
    pub(super) async fn run(self, source: &Source) -> Result<String, Failed> {
        match self {
            Self::List(paging) => {
                let list =
                    List { path: "/v1/templates", filters: Vec::new(), empty: "There are no templates." };
                let line = |one: &Value| format!("{}  {}\n", text(&one["updatedAt"]), text(&one["name"]));
                list.show(paging, source, |page| page.iter().map(line).collect()).await
            }
            Self::Put { name, file } => {
                let path = file.display();
                let read = fs::read_to_string(&file);
                let source_text =
                    read.map_err(|error| Failed::because(&format!("cannot read {path}: {error}")))?;
                let body = json!({ "source": source_text });
                let path = format!("/v1/templates/{}", encoded(&name));
                source.ask(Method::PUT, &path, None, Some(body)).await?;
                Ok(format!("Stored the template {name}.\n"))
            }
            Self::Remove { name } => {
                let path = format!("/v1/templates/{}", encoded(&name));
                source.ask(Method::DELETE, &path, None, None).await?;
                Ok(format!("Removed the template {name}.\n"))
            }
        }
    }
}
