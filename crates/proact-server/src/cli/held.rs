//! `proact release`: what a restore holds, and what becomes of it. And how it is told to people.

use std::{fmt::Write as _, time::Duration};

use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use proact::{
    app::{Freed, Held},
    proactive::Release,
};
use serde_json::json;

use super::{Failed, print, source::Source};
use crate::config::Config;

/// Conversations that are listed when nothing else is asked for.
const NAMED: u32 = 10;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").args(["list", "send", "drop"])))]
pub(super) struct ReleaseArgs {
    /// Only lists what is held (what happens without a choice)
    #[arg(long)]
    list: bool,
    /// All of it goes
    #[arg(long)]
    send: bool,
    /// None of it goes: notifications end cancelled, turns are not run again
    #[arg(long)]
    drop: bool,
    /// With --send and --drop-rest: only what came due within this time (such as 2h), or comes due later, goes
    #[arg(long, value_name = "TIME", requires_all = ["send", "drop_rest"], value_parser = time)]
    newer_than: Option<Duration>,
    /// With --newer-than: what is older is dropped
    #[arg(long, requires = "newer_than")]
    drop_rest: bool,
    /// How many conversations are listed
    #[arg(long, value_name = "N", default_value_t = NAMED, value_parser = clap::value_parser!(u32).range(0..=1000))]
    limit: u32,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let span: SignedDuration =
        text.parse().map_err(|_| "give a number and a unit, such as 30m, 2h or 48h")?;
    Duration::try_from(span).map_err(|_| "this must not be below zero".to_owned())
}

impl ReleaseArgs {
    fn wanted(&self) -> Option<Release> {
        match (self.send, self.drop, self.newer_than) {
            (true, _, Some(within)) => Some(Release::SendDueWithin(within)),
            (true, ..) => Some(Release::Send),
            (_, true, _) => Some(Release::Drop),
            _ => None,
        }
    }
}

pub(super) async fn run(args: ReleaseArgs, config: &Config) -> Result<(), Failed> {
    let source = Source::find(config).await?;
    let done = match args.wanted() {
        None => list(&source, &args).await,
        Some(release) => end(&source, &args, release).await,
    };
    source.close().await;
    print(&done?);
    Ok(())
}

async fn list(source: &Source, args: &ReleaseArgs) -> Result<String, Failed> {
    let held = source.held(args.limit).await?;
    Ok(match held {
        held if args.json => format!("{}\n", json!({ "held": held })),
        Some(held) => told(&held, Timestamp::now()),
        None => NOTHING.to_owned(),
    })
}

const NOTHING: &str = "Nothing is held.\n";

async fn end(source: &Source, args: &ReleaseArgs, release: Release) -> Result<String, Failed> {
    let freed = source.release(release).await?;
    if args.json {
        return Ok(format!("{}\n", json!({ "released": freed })));
    }
    let Some(Freed { engine, activities_dropped, .. }) = freed else { return Ok(NOTHING.to_owned()) };
    let mut text = format!(
        "Released: {} to be sent, {} dropped; {} to be run again, {} dropped",
        many(engine.sent, "notification"),
        engine.dropped,
        many(engine.turns_run, "turn"),
        engine.turns_dropped,
    );
    if activities_dropped > 0 {
        let _ = write!(text, "; {} dropped before the bot had them", many(activities_dropped, "activity"));
    }
    text +=
        if source.is_running() { ".\n" } else { ".\nNo server runs on this data: it goes when one does.\n" };
    Ok(text)
}

/// What is held, and what can be done about it.
pub(super) fn told(held: &Held, now: Timestamp) -> String {
    let engine = &held.engine;
    let mut text = format!(
        "Held since {}: {} to {}",
        engine.since,
        many(engine.notifications, "notification"),
        many(engine.conversations, "conversation")
    );
    if let (Some(oldest), Some(newest)) = (engine.oldest_due, engine.newest_due) {
        let _ = write!(text, ", due {} to {}", age(oldest, now), age(newest, now));
    }
    let _ = writeln!(
        text,
        "; {} to be run again; {} that the bot does not have.",
        many(engine.turns, "turn"),
        many(held.activities, "activity")
    );
    for lane in &engine.sample {
        let place = &lane.conversation;
        let _ = writeln!(
            text,
            "  {}/{}: {}, the first due {}: {}",
            shown(&place.channel_id),
            shown(&place.id),
            lane.notifications,
            age(lane.first_due, now),
            shown(&lane.text)
        );
    }
    let others = engine.conversations.saturating_sub(engine.sample.len() as u64);
    if others > 0 {
        let _ = writeln!(text, "  and {} more: --limit lists them", many(others, "conversation"));
    }
    text += "Nothing of it goes before you say so: `proact release --send`, `--drop`, or \
             `--send --newer-than 2h --drop-rest`. What is accepted from now on goes at once.\n";
    text
}

/// What comes from elsewhere: nothing in it may reach into the terminal.
fn shown(text: &str) -> String {
    text.replace(char::is_control, "?")
}

fn many(n: u64, what: &str) -> String {
    match (n, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        (_, None) => format!("{n} {what}s"),
    }
}

/// How long ago, or in how long, in the two largest units.
fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let (minutes, hours, days) = (seconds.abs() / 60, seconds.abs() / 3600, seconds.abs() / 86_400);
    let long = if days > 0 {
        format!("{days} d {} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {} min", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} min")
    } else {
        format!("{} s", seconds.abs())
    };
    if seconds < 0 { format!("in {long}") } else { format!("{long} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_two_units() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |ago: i64| age(Timestamp::from_second(1_000_000 - ago).unwrap(), now);
        assert_eq!(
            [at(5), at(600), at(7260), at(183_600), at(-3600)],
            ["5 s ago", "10 min ago", "2 h 1 min ago", "2 d 3 h ago", "in 1 h 0 min"]
        );
        assert_eq!((many(1, "activity"), many(0, "turn")), ("1 activity".to_owned(), "0 turns".to_owned()));
    }
}
