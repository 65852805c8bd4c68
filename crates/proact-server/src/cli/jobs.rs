//! `proact jobs`: the log, one job, and bringing one to its end.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    Failed,
    control::text,
    pages::{List, Paging, Table},
    source::{Completed, End, Source},
};

const NO_SUCH_JOB: u8 = 4;
const ALREADY_COMPLETE: u8 = 5;

#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// Lists jobs, newest first
    List(Paging),
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

impl Jobs {
    pub(super) async fn run(self, source: &Source) -> Result<String, Failed> {
        match self {
            Self::List(paging) => {
                let list = List { path: "/v1/jobs", filters: Vec::new(), empty: "The job log is empty." };
                let mut table = Table::with(COLUMNS);
                list.show(paging, source, |jobs| table.lines(jobs.iter().map(row))).await
            }
            Self::Show { number } => show(source, number).await,
            Self::Complete(one) => end(source, one, End::Complete).await,
            Self::Fail { one, reason } => end(source, one, End::Fail { reason }).await,
            Self::Cancel(one) => end(source, one, End::Cancel).await,
        }
    }
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

fn row(job: &Value) -> [String; 6] {
    let place = &job["conversation"];
    [
        text(&job["number"]),
        text(&job["state"]),
        match &job["progress"]["percent"] {
            Value::Number(percent) => format!("{percent} %"),
            _ => "-".to_owned(),
        },
        text(&job["createdAt"]),
        text(&job["completedAt"]),
        format!("{}/{}", text(&place["channelId"]), text(&place["id"])),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_stays_in_its_column_and_out_of_the_terminal() {
        let job = |number: u32, id: &str| {
            json!({"number": number, "state": "running", "createdAt": "t", "completedAt": null,
                   "conversation": {"channelId": "directline", "id": id}})
        };
        let mut far = job(1, "b");
        far["progress"] = json!({ "percent": 40 });
        let text = Table::with(COLUMNS).lines([job(1000, "a\u{1b}[2J"), far].iter().map(row));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "NUMBER  STATE    PROGRESS  STARTED  COMPLETED  CONVERSATION");
        assert_eq!(lines[1], "1000    running  -         t        -          directline/a?[2J");
        assert_eq!(lines[2], "1       running  40 %      t        -          directline/b");
    }
}
