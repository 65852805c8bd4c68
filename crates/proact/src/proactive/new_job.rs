//! What is asked for when a job is started, and what is given for it.

use std::time::Duration;

use super::Error;

/// Characters of a kind or a title at most.
const NAME: usize = 200;
/// Characters of a line of progress at most.
const LINE: usize = 500;
/// A deadline or a heartbeat is no longer than this: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A job to start. Everything but its kind has a default.
///
/// ```
/// use std::time::Duration;
/// use proact::proactive::NewJob;
///
/// let mut report = NewJob::new("report");
/// report.title = Some("Yearly report".to_owned());
/// report.deadline = Some(Duration::from_secs(3600));
/// report.heartbeat = Some(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJob {
    /// What kind of work, in the bot's own words: 1 to 200 characters.
    pub kind: String,
    /// What people are told that it is: `Yearly report: 40 %`. Without one it is `Job 17`.
    pub title: Option<String>,
    /// It must be at its end within this time from its start; if it is not, it times out and its conversation is told.
    pub deadline: Option<Duration>,
    /// Its worker is heard of at least this often while it runs; if it is not, its conversation is told once. Any report counts.
    pub heartbeat: Option<Duration>,
    /// It does not run yet: it does with the first report of its worker.
    pub queued: bool,
    /// Whether its conversation sees its progress. Default `true`; otherwise it is only kept.
    pub shows_progress: bool,
}

impl NewJob {
    /// A job that runs from now on, without a deadline.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            title: None,
            deadline: None,
            heartbeat: None,
            queued: false,
            shows_progress: true,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        one_line("kind", &self.kind, NAME)?;
        if let Some(title) = &self.title {
            one_line("title", title, NAME)?;
        }
        for (field, time) in [("deadline", self.deadline), ("heartbeat", self.heartbeat)] {
            if time.is_some_and(|time| time.as_millis() == 0 || time > LONGEST) {
                let why = "give a time of 1 ms to ten years, or none".to_owned();
                return Err(Error::Invalid { field, why });
            }
        }
        Ok(())
    }

    /// Everything that its caller chose beside the kind; nothing when that is nothing.
    pub(super) fn chosen(&self) -> Option<String> {
        let usual = Self::new(self.kind.clone());
        (*self != usual).then(|| {
            let Self { title, deadline, heartbeat, queued, shows_progress, .. } = self;
            format!("{title:?} {deadline:?} {heartbeat:?} {queued} {shows_progress}")
        })
    }
}

/// How far a job is. A part that is not given stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// From 0 to 100.
    pub percent: Option<u8>,
    /// A line about what is going on: at most 500 characters. An empty one takes the line away.
    pub text: Option<String>,
}

impl Progress {
    /// This many of a hundred.
    #[must_use]
    pub fn percent(percent: u8) -> Self {
        Self { percent: Some(percent), text: None }
    }

    /// This is going on.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { percent: None, text: Some(text.into()) }
    }

    /// With a line about what is going on.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.percent.is_some_and(|percent| percent > 100) {
            return Err(Error::Invalid {
                field: "percent",
                why: "give a whole number from 0 to 100".to_owned(),
            });
        }
        match &self.text {
            None if self.percent.is_none() => {
                Err(Error::Invalid { field: "percent", why: "give `percent`, `text`, or both".to_owned() })
            }
            Some(text) if !text.is_empty() => one_line("text", text, LINE),
            _ => Ok(()),
        }
    }
}

/// Text of one line that people see.
pub(super) fn one_line(field: &'static str, text: &str, most: usize) -> Result<(), Error> {
    if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        let why = format!("give 1 to {most} characters, none of them control characters");
        return Err(Error::Invalid { field, why });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_name() {
        let field = |result: Result<(), Error>| match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(NewJob::new("").check()), "kind");
        assert_eq!(field(NewJob::new("a\nb").check()), "kind");
        assert_eq!(field(NewJob { title: Some(" ".to_owned()), ..NewJob::new("k") }.check()), "title");
        assert_eq!(field(NewJob { deadline: Some(Duration::ZERO), ..NewJob::new("k") }.check()), "deadline");
        assert_eq!(field(NewJob { heartbeat: Some(Duration::MAX), ..NewJob::new("k") }.check()), "heartbeat");
        assert_eq!(field(Progress::percent(101).check()), "percent");
        assert_eq!(field(Progress::default().check()), "percent");
        assert_eq!(field(Progress::text("a\u{7}").check()), "text");
        assert!(Progress::percent(0).with_text("").check().is_ok());
        assert!(Progress::text("x".repeat(500)).check().is_ok());
    }

    #[test]
    fn a_job_of_its_kind_alone_is_what_it_always_was() {
        assert_eq!(NewJob::new("k").chosen(), None);
        assert!(NewJob { queued: true, ..NewJob::new("k") }.chosen().is_some());
    }
}
