//! Jobs with workers outside in a history in which all is well, and what is done to them.

use super::{Doctor, asked, in_the_store, line, notification};
use crate::history::{Ask, History, Job, Kind, Line, Notification, Reply, Told};
use crate::work::{Report, What, Work};

fn replies(all: &[(u64, Told, &str)]) -> Vec<Reply> {
    super::request(crate::history::Call::Cancel { id: String::new() }, all).replies
}

fn report(what: What, all: &[(u64, Told, &str)]) -> Report {
    Report { what, replies: replies(all) }
}

fn work(name: u64, reports: Vec<Report>) -> Work {
    Work {
        key: format!("w-{name}"),
        title: format!("work {name}"),
        conversation: "w".to_owned(),
        starts: replies(&[(80, Told::NoAnswer, ""), (81, Told::Acknowledged, &name.to_string())]),
        reports,
        ..Work::default()
    }
}

fn job(number: u64, state: &str) -> Job {
    let ended = state != "running";
    Job {
        number,
        conversation: "w".to_owned(),
        completed: state == "succeeded",
        notification: ended.then(|| format!("w{number}")),
        state: state.to_owned(),
        title: Some(format!("work {number}")),
        ..Job::default()
    }
}

fn told(number: u64, text: &str, at: u64) -> Notification {
    let one = notification(&format!("w{number}"), "w", text, at, &[(at, "delivered")]);
    Notification { job: Some(number), ..one }
}

const LATE: &str = "work 12 did not come to its end in time: it had until noon.";
const SILENT: &str = "No news of work 13 since noon.";

/// 11 was done, its worker said so twice, then something else, and so did a stranger; 12 had a deadline; 13 went silent; 14 goes on, and one
/// of its reports was not answered; 15 was asked for and never came to be.
pub(super) fn add(history: &mut History) {
    use Told::{Acknowledged, NoAnswer, Refused};
    let progress = |shown: &str| What::Progress(shown.to_owned());
    let done = || What::Complete("work 11 is done.".to_owned());
    let body = r#"{"number":11}"#;
    history.asked.push(asked("u4", "w", Ask::Unknown, &[Acknowledged]));
    history.ledger.push(line(20, "w", "u4", "Type 'run' or 'run job' to start a new job.", true));
    history.works = vec![
        work(
            11,
            vec![
                report(progress("10 % – step 0"), &[(82, Acknowledged, "{}")]),
                report(What::Stranger("not so".to_owned()), &[(83, NoAnswer, ""), (84, Refused(401), "")]),
                report(progress("20 % – step 1"), &[(84, Acknowledged, "{}")]),
                report(done(), &[(89, NoAnswer, ""), (90, Acknowledged, body), (92, Acknowledged, body)]),
                report(
                    What::Another("otherwise".to_owned()),
                    &[(94, Refused(503), ""), (95, Refused(409), "")],
                ),
            ],
        ),
        Work { deadline: true, ..work(12, Vec::new()) },
        Work { heartbeat: true, ..work(13, vec![report(What::Heartbeat, &[(83, Acknowledged, "{}")])]) },
        work(
            14,
            vec![
                report(progress("10 % – step 0"), &[(85, Acknowledged, "{}")]),
                report(progress("50 % – step 1"), &[(86, NoAnswer, "")]),
                report(progress("90 % – step 2"), &[(87, Acknowledged, "{}")]),
            ],
        ),
        Work { starts: replies(&[(80, NoAnswer, "")]), ..work(15, Vec::new()) },
    ];
    let edits = Some("edits".to_owned());
    history.store.jobs.extend([
        Job { way: edits.clone(), ..job(11, "succeeded") },
        job(12, "timed_out"),
        Job { silent: true, ..job(13, "running") },
        Job { way: edits, ..job(14, "running") },
    ]);
    history.store.notifications.extend([
        told(11, "work 11 is done.", 91),
        told(12, LATE, 93),
        told(13, SILENT, 95),
    ]);
    history.store.progress = vec![told(11, "work 11: 100 %", 90), told(14, "work 14: 90 % – step 2", 88)];
    for (seconds, text) in [(91, "work 11 is done."), (93, LATE), (95, SILENT)] {
        history.ledger.push(line(seconds, "w", "", text, true));
    }
    history.progress = vec![
        line(82, "w", "", "work 11: 10 % – step 0", true),
        edit(84, "work 11: 20 % – step 1"),
        line(86, "w", "", "work 14: 10 % – step 0", true),
        edit(88, "work 14: 90 % – step 2"),
        edit(90, "work 11: 100 %"),
    ];
}

fn edit(seconds: u64, text: &str) -> Line {
    Line { kind: Kind::Update, ..line(seconds, "w", "a9", text, true) }
}

fn of(history: &mut History, name: usize) -> &mut Work {
    &mut history.works[name - 11]
}

fn stored(history: &mut History, number: u64, doctor: impl Fn(&mut Job)) {
    in_the_store(history, |store| {
        doctor(store.jobs.iter_mut().find(|job| job.number == number).unwrap());
    });
}

#[rustfmt::skip]
pub(super) const DOCTORED: &[(&str, Doctor)] = &[
    ("a key starts one job", |h| stored(h, 14, |job| job.title = Some("work 11".to_owned()))),
    ("a key starts one job", |h| of(h, 12).starts[1].id = Some("77".to_owned())),
    ("a key starts one job", |h| of(h, 14).starts.push(Reply { id: Some("15".to_owned()), ..replies(&[(83, Told::Acknowledged, "")])[0].clone() })),
    ("a key starts one job", |h| of(h, 14).starts = replies(&[(80, Told::Refused(409), "")])),
    ("a key starts one job", |h| stored(h, 13, |job| job.conversation = "a".to_owned())),
    ("the end of a job and its message are one commit", |h| in_the_store(h, |s| s.notifications.retain(|one| one.text != "work 11 is done."))),
    ("the end of a job and its message are one commit", |h| in_the_store(h, |s| { let one = s.notifications.iter().find(|one| one.text == "work 11 is done.").unwrap().clone(); s.notifications.push(Notification { id: "w99".to_owned(), ..one }); })),
    ("the end of a job and its message are one commit", |h| stored(h, 11, |job| job.state = "running".to_owned())),
    ("a job ends for a reason", |h| stored(h, 14, |job| job.state = "failed".to_owned())),
    ("a job ends for a reason", |h| of(h, 12).deadline = false),
    ("a job ends for a reason", |h| stored(h, 13, |job| job.state = "cancelled".to_owned())),
    ("the same report gets the same answer", |h| of(h, 11).reports[3].replies[2].id = Some("{}".to_owned())),
    ("the same report gets the same answer", |h| of(h, 11).reports[3].replies[2].told = Told::Refused(409)),
    ("another end of a job is refused", |h| of(h, 11).reports[4].replies[1].told = Told::Acknowledged),
    ("another end of a job is refused", |h| of(h, 11).reports[4].replies[1].told = Told::Refused(404)),
    ("another end of a job is refused", |h| of(h, 11).reports[3].replies = replies(&[(90, Told::Refused(409), "")])),
    ("a token opens its job alone", |h| of(h, 11).reports[1].replies[1].told = Told::Acknowledged),
    ("a token opens its job alone", |h| of(h, 11).reports[1].replies[1].told = Told::Refused(409)),
    ("a deadline ends a job", |h| of(h, 13).deadline = true),
    ("a deadline ends a job", |h| in_the_store(h, |s| s.notifications.retain(|one| one.text != LATE))),
    ("a silence is told once", |h| stored(h, 13, |job| job.silent = false)),
    ("a silence is told once", |h| in_the_store(h, |s| { let one = s.notifications.iter().find(|one| one.text == SILENT).unwrap().clone(); s.notifications.push(Notification { id: "w98".to_owned(), ..one }); })),
    ("a silence is told once", |h| of(h, 13).heartbeat = false),
    ("a silence is told once", |h| of(h, 14).heartbeat = true),
    ("progress is what was reported", |h| h.progress.insert(3, edit(87, "work 14: 60 % – step 9"))),
    ("progress is what was reported", |h| h.progress.insert(3, edit(87, "work 14: 100 %"))),
    ("progress is what was reported", |h| h.progress[0].conversation = "a".to_owned()),
    ("the last progress arrives", |h| { h.progress.pop(); }),
    ("the last progress arrives", |h| h.progress.push(edit(91, "work 14: 50 % – step 1"))),
    ("the last progress arrives", |h| in_the_store(h, |s| { s.progress.pop(); })),
    ("progress comes to its end", |h| in_the_store(h, |s| s.progress[1].state = "waiting".to_owned())),
];
