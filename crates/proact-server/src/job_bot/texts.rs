//! What the bot says, word for word.
//!
//! All of it but the table is plain text: in Markdown, `<jobNumber>` would be a tag and vanish, a single line break would be a
//! blank, and a person's name could be markup. In plain text channels show each line as a line of its own.

use proact::activity::{Activity, TextFormat};

/// Said when a turn has failed.
pub const SORRY: &str = "Sorry, it looks like something went wrong.";

const HELP: &str = "Type 'run' or 'run job' to start a new job.\n\
                    Type 'show' or 'show jobs' to display the job log.\n\
                    Type 'done <jobNumber>' to complete a job.";

fn plain(text: impl Into<String>) -> Activity {
    Activity::message(text).with_text_format(TextFormat::Plain)
}

pub(super) fn started(number: u64) -> Activity {
    plain(format!("We're starting job {number} for you. We'll notify you when it's complete."))
}

pub(super) fn completing(number: u64) -> Activity {
    plain(format!("Completing job {number}."))
}

pub(super) fn already_complete(number: u64) -> Activity {
    plain(format!("Job {number} is already complete."))
}

pub(super) fn no_such_job(number: u64) -> Activity {
    plain(format!("The log does not contain a job {number}."))
}

pub(super) fn which_number() -> Activity {
    plain("Enter the job number after \"done\".")
}

pub(super) fn empty_log() -> Activity {
    plain("The job log is empty.")
}

pub(super) fn no_such_page(page: u64, last: u64) -> Activity {
    plain(format!("There is no page {page} of the job log: the last one is {last}."))
}

pub(super) fn help() -> Activity {
    plain(HELP)
}

/// For someone who was added, by name where it is known.
pub(super) fn welcome(name: Option<&str>) -> Activity {
    let name = name.map(one_line).filter(|name| !name.is_empty());
    let to_whom = name.map(|name| format!(", {name}")).unwrap_or_default();
    plain(format!("Welcome to Proact{to_whom}.\n{HELP}"))
}

/// A name that cannot begin a line of its own.
fn one_line(name: &str) -> String {
    name.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a job's own conversation is told: the one proactive message.
pub(crate) fn complete_message(number: u64) -> Activity {
    plain(format!("Job {number} is complete."))
}

/// The same of a job that failed; the reason is one line.
pub(crate) fn failed_message(number: u64, reason: Option<&str>) -> Activity {
    match reason {
        Some(reason) => plain(format!("Job {number} failed: {reason}")),
        None => plain(format!("Job {number} failed.")),
    }
}

/// The same of a job that was taken back.
pub(crate) fn cancelled_message(number: u64) -> Activity {
    plain(format!("Job {number} was cancelled."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup_and_no_line() {
        assert_eq!(welcome(Some("Eva")).text().lines().next(), Some("Welcome to Proact, Eva."));
        assert_eq!(welcome(Some(" E\nva\t")).text().lines().next(), Some("Welcome to Proact, E va."));
        for nobody in [None, Some(""), Some("\n")] {
            assert_eq!(welcome(nobody).text().lines().next(), Some("Welcome to Proact."));
        }
        assert_eq!(welcome(None).text().lines().count(), 4);
        assert_eq!(help().text_format, Some(TextFormat::Plain));
    }
}
