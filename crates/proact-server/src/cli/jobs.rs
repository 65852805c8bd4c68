//! `proact jobs`: the log, one job, and bringing one to its end.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failed,
    source::{Completed, End, Source},
};
use crate::config::Config;

const NO_SUCH_JOB: u8 = 4;
const ALREADY_COMPLETE: u8 = 5;

#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// Lists jobs, newest first
    List {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Shows one job as JSON, with how far it is
    Show {
        /// The job's number
        number: u64,
    },
    /// Completes a job: its conversation is told
    Complete(One),
    /// Ends a job as failed: its conversation is told
    Fail {
        #[command(flatten)]
        one: One,
        /// Why, in a line that its conversation is told too
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Takes a job back: its conversation is told, and its worker when it reports next
    Cancel(One),
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The job's number
    number: u64,
    /// Answer with the job as JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(jobs: Jobs, config: &Config) -> Result<ExitCode, Failed> {
    let source = Source::find(config).await?;
    let done = match jobs {
        Jobs::List { json, limit } => list(&source, json, limit).await,
        Jobs::Show { number } => show(&source, number).await,
        Jobs::Complete(one) => end(&source, one, End::Complete).await,
        Jobs::Fail { one, reason } => end(&source, one, End::Fail { reason }).await,
        Jobs::Cancel(one) => end(&source, one, End::Cancel).await,
    };
    source.close().await;
    done.map(|text| {
        // A reader that has seen enough (`| head`) is no failure.
        let _ = std::io::stdout().write_all(text.as_bytes());
        ExitCode::SUCCESS
    })
}

async fn list(source: &Source, json: bool, limit: u32) -> Result<String, Failed> {
    let (jobs, more) = source.jobs(limit).await?;
    if json {
        return Ok(format!("{}\n", json!({ "items": jobs, "more": more })));
    }
    if jobs.is_empty() {
        return Ok("The job log is empty.\n".to_owned());
    }
    let mut text = table(&jobs);
    if more {
        let _ = writeln!(text, "There are more: --limit {} shows them.", limit.saturating_mul(5));
    }
    Ok(text)
}

async fn show(source: &Source, number: u64) -> Result<String, Failed> {
    match source.job(number).await? {
        Some(job) => Ok(format!("{job:#}\n")),
        None => Err(no_such_job(number)),
    }
}

async fn end(source: &Source, One { number, json }: One, end: End) -> Result<String, Failed> {
    let done = end.done();
    match source.end(number, end).await? {
        Completed::Now(job) if json => Ok(format!("{job}\n")),
        Completed::Now(_) if source.is_running() => {
            Ok(format!("Job {number} {done}. Its conversation is being told.\n"))
        }
        Completed::Now(_) => Ok(format!(
            "Job {number} {done}. No server runs on this data: its conversation is told when one does.\n"
        )),
        Completed::Before => {
            Err(Failed::because(&format!("job {number} is already complete")).with_code(ALREADY_COMPLETE))
        }
        Completed::NoSuchJob => Err(no_such_job(number)),
    }
}

fn no_such_job(number: u64) -> Failed {
    let line = format!("the log does not contain a job {number}: `proact jobs list` shows it");
    Failed::because(&line).with_code(NO_SUCH_JOB)
}

const COLUMNS: [&str; 6] = ["NUMBER", "STATE", "PROGRESS", "STARTED", "COMPLETED", "CONVERSATION"];

/// Columns as wide as what is in them.
fn table(jobs: &[Value]) -> String {
    let rows: Vec<[String; 6]> =
        std::iter::once(COLUMNS.map(str::to_owned)).chain(jobs.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len() - 1).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", row[COLUMNS.len() - 1]);
    }
    text
}

fn row(job: &Value) -> [String; 6] {
    let of = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        // Ids come from elsewhere: nothing in them may reach into the terminal.
        Value::String(text) => text.replace(char::is_control, "?"),
        other => other.to_string(),
    };
    let place = &job["conversation"];
    [
        of(&job["number"]),
        of(&job["state"]),
        match &job["progress"]["percent"] {
            Value::Number(percent) => format!("{percent} %"),
            _ => "-".to_owned(),
        },
        of(&job["createdAt"]),
        of(&job["completedAt"]),
        format!("{}/{}", of(&place["channelId"]), of(&place["id"])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_stays_in_its_column_and_out_of_the_terminal() {
        let job = |number: u32, id: &str| {
            json!({"number": number, "state": "running", "createdAt": "t", "completedAt": null,
                   "conversation": {"channelId": "directline", "id": id}})
        };
        let mut far = job(1, "b");
        far["progress"] = json!({ "percent": 40 });
        let text = table(&[job(1000, "a\u{1b}[2J"), far]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "NUMBER  STATE    PROGRESS  STARTED  COMPLETED  CONVERSATION");
        assert_eq!(lines[1], "1000    running  -         t        -          directline/a?[2J");
        assert_eq!(lines[2], "1       running  40 %      t        -          directline/b");
    }
}
