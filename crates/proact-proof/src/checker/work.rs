//! Rules about jobs with workers outside: one start, one end, and what people see meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::history::{History, Job, Kind, Notification, Told};
use crate::work::{Report, What, Work};

fn jobs(history: &History) -> BTreeMap<&str, Vec<&Job>> {
    let mut jobs: BTreeMap<&str, Vec<&Job>> = BTreeMap::new();
    for job in &history.store.jobs {
        if let Some(title) = job.title.as_deref() {
            jobs.entry(title).or_default().push(job);
        }
    }
    jobs
}

/// Each work with its one job in the store.
fn stored(history: &History) -> Vec<(&Work, &Job)> {
    let jobs = jobs(history);
    history.works.iter().filter_map(|work| Some((work, *jobs.get(&*work.title)?.first()?))).collect()
}

fn with_text<'h>(history: &'h History, text: &str) -> Vec<&'h Notification> {
    let all = history.store.notifications.iter();
    all.filter(|one| one.text == text && one.replay_of.is_none()).collect()
}

pub(super) fn a_key_starts_one_job(history: &History, findings: &mut Findings) {
    let jobs = jobs(history);
    for work in &history.works {
        let acknowledged = work.starts.iter().filter(|reply| reply.told == Told::Acknowledged);
        let numbers: BTreeSet<_> = acknowledged.map(|reply| reply.id.clone()).collect();
        let of = jobs.get(&*work.title).map(Vec::as_slice).unwrap_or_default();
        let right = match (numbers.len(), of) {
            (0, []) => true,
            (0 | 1, [job]) => {
                job.conversation == work.conversation
                    && work.number().is_none_or(|number| number == job.number)
            }
            _ => false,
        };
        if !right {
            findings.add(format!("{work:?} was told of {numbers:?}, and there is {of:?}"));
        }
    }
    for (title, of) in jobs {
        let may = |work: &Work| work.title == title && !work.starts.iter().all(|reply| reply.told.for_good());
        if !history.works.iter().any(may) {
            findings.add(format!("nobody started {of:?}"));
        }
    }
}

pub(super) fn an_end_is_one_commit(history: &History, findings: &mut Findings) {
    for (work, job) in stored(history) {
        for (report, state, message) in work.ends() {
            let told = with_text(history, message);
            let happened = report.acknowledged() || job.state == state;
            let right = told.iter().all(|one| one.conversation == work.conversation)
                && (told.len() == 1) == (job.state == state)
                && (!happened || told.len() == 1);
            if !right || (report.acknowledged() && job.state != state) {
                findings.add(format!("{report:?}, and there is {job:?} with {told:?}"));
            }
        }
    }
}

pub(super) fn a_job_ends_for_a_reason(history: &History, findings: &mut Findings) {
    for (work, job) in stored(history) {
        let asked = |wanted: &str| {
            work.ends().any(|(report, state, _)| state == wanted && report.may_have_taken_effect())
        };
        let explained = match &*job.state {
            "queued" | "running" => true,
            "timed_out" => work.deadline,
            state => asked(state),
        };
        if !explained {
            findings.add(format!("nobody ended {job:?}: {work:?}"));
        }
    }
}

pub(super) fn the_same_report_gets_the_same_answer(history: &History, findings: &mut Findings) {
    for work in &history.works {
        for (report, ..) in work.ends().filter(|(report, ..)| report.acknowledged()) {
            let acknowledged = report.replies.iter().filter(|reply| reply.told == Told::Acknowledged);
            let bodies: BTreeSet<_> = acknowledged.map(|reply| reply.id.as_deref()).collect();
            // Taken back by who may do everything, it is at its end the second time.
            let by_worker = !matches!(report.what, What::Cancel(_));
            let refused = report.replies.iter().any(|reply| reply.told.for_good());
            if by_worker && (bodies.len() > 1 || refused) {
                findings.add(format!("{}: {report:?}", work.title));
            }
        }
    }
}

pub(super) fn another_end_is_refused(history: &History, findings: &mut Findings) {
    for (work, job) in stored(history) {
        for report in work.reports.iter().filter(|report| matches!(report.what, What::Another(_))) {
            refused_with(work, report, 409, findings);
        }
        for (report, state, _) in work.ends() {
            let refused = report.replies.iter().any(|reply| reply.told == Told::Refused(409));
            if refused && job.state == state && !report.may_have_taken_effect() {
                findings.add(format!("{report:?} was refused, and there is {job:?}"));
            }
        }
    }
}

pub(super) fn a_token_opens_its_job_alone(history: &History, findings: &mut Findings) {
    for work in &history.works {
        for report in work.reports.iter().filter(|report| matches!(report.what, What::Stranger(_))) {
            refused_with(work, report, 401, findings);
        }
    }
}

/// Every definite answer is this one.
fn refused_with(work: &Work, report: &Report, status: u16, findings: &mut Findings) {
    let wrong = |told: Told| told == Told::Acknowledged || (told.for_good() && told != Told::Refused(status));
    if report.replies.iter().any(|reply| wrong(reply.told)) {
        findings.add(format!("to be refused with {status}, of {}: {report:?}", work.title));
    }
}

pub(super) fn a_deadline_ends_a_job(history: &History, findings: &mut Findings) {
    // Of one that its program was never told of, nobody waited for the end.
    let waited = |work: &Work| work.deadline && work.number().is_some();
    for (work, job) in stored(history).into_iter().filter(|(work, _)| waited(work)) {
        let text = format!("{} did not come to its end in time", work.title);
        let all = history.store.notifications.iter().filter(|one| one.replay_of.is_none());
        let told = all.filter(|one| one.text.starts_with(&text)).count();
        if matches!(&*job.state, "queued" | "running") || told != usize::from(job.state == "timed_out") {
            findings.add(format!("{work:?}: {job:?}, told {told} times"));
        }
    }
}

pub(super) fn a_silence_is_told_once(history: &History, findings: &mut Findings) {
    for (work, job) in stored(history) {
        let text = format!("No news of {} since ", work.title);
        let all = history.store.notifications.iter().filter(|one| one.replay_of.is_none());
        let told = all.filter(|one| one.text.starts_with(&text)).count();
        // Left alone while it ran: somebody must have been told.
        let alone = work.heartbeat && work.number().is_some() && job.state == "running";
        if told != usize::from(job.silent) || told > usize::from(work.heartbeat) || (alone && told == 0) {
            findings.add(format!("{work:?}: {job:?}, told {told} times"));
        }
    }
}

/// What people may see of a job after its title.
fn may_be_seen(work: &Work, job: &Job) -> Vec<String> {
    let reported = work.reports.iter().filter_map(|report| match &report.what {
        What::Progress(shown) if report.may_have_taken_effect() => Some(shown.clone()),
        _ => None,
    });
    reported.chain(at_its_end(work, job)).collect()
}

/// What they see when it has come to its end.
fn at_its_end(work: &Work, job: &Job) -> Option<String> {
    match &*job.state {
        "succeeded" => Some("100 %".to_owned()),
        "cancelled" => Some("cancelled".to_owned()),
        "timed_out" => Some("timed out".to_owned()),
        "failed" => work.reports.iter().find_map(|report| match &report.what {
            What::Fail { reason, .. } => Some(format!("failed – {reason}")),
            _ => None,
        }),
        _ => None,
    }
}

pub(super) fn progress_is_what_was_reported(history: &History, findings: &mut Findings) {
    let works: BTreeMap<&str, (&Work, &Job)> =
        stored(history).into_iter().map(|(work, job)| (&*work.title, (work, job))).collect();
    for line in history.progress.iter().filter(|line| line.kind != Kind::Delete) {
        let (title, shown) = line.text.split_once(": ").unwrap_or_default();
        let right = works.get(title).is_some_and(|(work, job)| {
            work.conversation == line.conversation && may_be_seen(work, job).iter().any(|text| text == shown)
        });
        if !right {
            findings.add(format!("nobody reported {line:?}"));
        }
    }
}

/// What people see of a job in the end is the last that was acknowledged, or what was asked for after it; or how it ended.
pub(super) fn the_last_progress_arrives(history: &History, findings: &mut Findings) {
    for (work, job) in stored(history).into_iter().filter(|(_, job)| job.way.as_deref() == Some("edits")) {
        let reports: Vec<(&str, &Report)> = work
            .reports
            .iter()
            .filter_map(|report| match &report.what {
                What::Progress(shown) => Some((&**shown, report)),
                _ => None,
            })
            .collect();
        let Some(last) = reports.iter().rposition(|(_, report)| report.acknowledged()) else { continue };
        let last_sent = history.store.progress.iter().rfind(|one| one.job == Some(job.number));
        let Some(sent) = last_sent else {
            findings.add(format!("nothing shows what was reported of {job:?}: {work:?}"));
            continue;
        };
        // What did not arrive says why.
        if sent.state != "delivered" {
            continue;
        }
        let wanted: Vec<String> = match at_its_end(work, job) {
            Some(end) => vec![end],
            None => {
                let later = reports[last..].iter().filter(|(_, report)| report.may_have_taken_effect());
                later.map(|(shown, _)| (*shown).to_owned()).collect()
            }
        };
        let of_it = |text: &str| text.strip_prefix(&work.title)?.strip_prefix(": ").map(str::to_owned);
        let seen = history.progress.iter().filter(|line| line.accepted && line.kind != Kind::Delete);
        let seen = seen.filter_map(|line| of_it(&line.text)).next_back();
        if !seen.as_ref().is_some_and(|seen| wanted.contains(seen)) {
            findings.add(format!(
                "{job:?}: one of {wanted:?} was to be seen last, and it was {seen:?}: {work:?}"
            ));
        }
    }
}

pub(super) fn progress_comes_to_its_end(history: &History, findings: &mut Findings) {
    for one in &history.store.progress {
        if matches!(&*one.state, "waiting" | "sending") {
            findings.add(format!("not at its end: {one:?}"));
        }
    }
}
