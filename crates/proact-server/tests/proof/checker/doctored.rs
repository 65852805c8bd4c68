//! The checker itself: it accepts a history in which all is well, and rejects each of these, by the rule that is meant.

use super::{RULES, check};
use crate::history::{Ask, Asked, History, Job, Line, Notification, Store, Told};

fn asked(id: &str, conversation: &str, ask: Ask, told: &[Told]) -> Asked {
    Asked { id: id.to_owned(), conversation: conversation.to_owned(), ask, told: told.to_vec() }
}

fn line(conversation: &str, reply_to: &str, text: &str, accepted: bool) -> Line {
    let reply_to = Some(reply_to.to_owned()).filter(|id| !id.is_empty());
    Line { conversation: conversation.to_owned(), reply_to, text: text.to_owned(), accepted }
}

fn starting(number: u64) -> String {
    format!("We're starting job {number} for you. We'll notify you when it's complete.")
}

fn job(number: u64, completed: bool) -> Job {
    let notification = completed.then(|| format!("n{number}"));
    Job { number, conversation: "a".to_owned(), completed, notification }
}

fn notification(job: u64, attempts: &[&str]) -> Notification {
    Notification {
        id: format!("n{job}"),
        conversation: "a".to_owned(),
        state: "delivered".to_owned(),
        job: Some(job),
        text: format!("Job {job} is complete."),
        attempts: attempts.iter().map(|outcome| Some((*outcome).to_owned())).collect(),
    }
}

/// Three jobs in one conversation, completed from another; the second one's message came twice, with a record of it, and the
/// third is still open. One activity was repeated, one refused, one abandoned.
fn healthy() -> History {
    use Told::{Acknowledged, NoAnswer, Refused};
    let help = "Type 'run' or 'run job' to start a new job.\nand so on";
    let store = Store {
        jobs: vec![job(1, true), job(2, true), job(3, false)],
        notifications: vec![
            notification(1, &["delivered"]),
            notification(2, &["unknown", "retry", "delivered"]),
        ],
    };
    History {
        asked: vec![
            asked("r1", "a", Ask::Run, &[Acknowledged]),
            asked("r2", "a", Ask::Run, &[NoAnswer, Refused(503), Acknowledged]),
            asked("r3", "a", Ask::Run, &[NoAnswer]),
            asked("r4", "a", Ask::Run, &[Refused(503)]),
            asked("f1", "a", Ask::Foreign, &[Refused(400)]),
            asked("d1", "b", Ask::Done(1), &[NoAnswer, Acknowledged]),
            asked("d2", "b", Ask::Done(1), &[Acknowledged]),
            asked("e2", "b", Ask::Event(2), &[Acknowledged]),
            asked("u1", "b", Ask::Unknown, &[Acknowledged]),
        ],
        ledger: vec![
            line("a", "r1", &starting(1), true),
            line("a", "r2", &starting(2), true),
            line("a", "r2", &starting(2), true),
            line("b", "d1", "Completing job 1.", true),
            line("b", "d1", "Completing job 1.", true),
            line("a", "", "Job 1 is complete.", true),
            line("b", "d2", "Job 1 is already complete.", true),
            line("a", "", "Job 2 is complete.", true),
            line("a", "", "Job 2 is complete.", false),
            line("a", "", "Job 2 is complete.", true),
            line("b", "u1", help, true),
        ],
        api: store.clone(),
        store,
    }
}

/// What is done to the file's reading is done to the API's, or that difference would be what is found.
fn in_the_store(history: &mut History, doctor: impl Fn(&mut Store)) {
    doctor(&mut history.store);
    doctor(&mut history.api);
}

#[test]
fn a_history_in_which_all_is_well_is_accepted() {
    let found = check(&healthy());
    assert!(found.is_empty(), "{found:#?}");
}

type Doctor = fn(&mut History);

#[rustfmt::skip]
const DOCTORED: &[(&str, Doctor)] = &[
    ("what was announced is in the log", |h| in_the_store(h, |s| { s.jobs.remove(2); s.jobs.remove(1); })),
    ("what was announced is in the log", |h| h.ledger[0].text = starting(9)),
    ("what was announced is in the log", |h| in_the_store(h, |s| s.jobs[0].conversation = "b".to_owned())),
    ("a number belongs to one activity", |h| h.ledger[1].text = starting(1)),
    ("a repeated activity hears the same number", |h| h.ledger[2].text = starting(3)),
    ("an announcement answers a run", |h| h.ledger.push(line("b", "d1", &starting(1), true))),
    ("an announcement answers a run", |h| h.ledger.push(line("a", "", &starting(3), true))),
    ("an acknowledged run was announced", |h| { h.ledger.remove(0); }),
    ("every job comes from a run", |h| in_the_store(h, |s| s.jobs.extend([job(4, false), job(5, false)]))),
    ("every job comes from a run", |h| { h.asked.retain(|asked| asked.told.contains(&Told::Acknowledged)); }),
    ("every job comes from a run", |h| in_the_store(h, |s| s.jobs.truncate(1))),
    ("a refusal has no effect", |h| h.ledger.push(line("a", "f1", "Sorry, it looks like something went wrong.", true))),
    ("a refusal has no effect", |h| h.asked[4].told.push(Told::Acknowledged)),
    ("an unknown text is answered with help", |h| { h.ledger.pop(); }),
    ("every activity got its answer", |h| h.asked[8].told.clear()),
    ("every activity got its answer", |h| h.asked[3].told = vec![Told::Refused(400)]),
    ("an acknowledged completion is stored", |h| in_the_store(h, |s| s.jobs[1] = job(2, false))),
    ("an acknowledged completion is stored", |h| h.ledger[6].text = "Completing job 3.".to_owned()),
    ("a completion is announced to one activity", |h| h.ledger[6].text = "Completing job 1.".to_owned()),
    ("a repeated activity hears the same outcome", |h| h.ledger[4].text = "Job 1 is already complete.".to_owned()),
    ("a completed job was asked for", |h| { h.asked.remove(7); }),
    ("a completed job has one notification", |h| in_the_store(h, |s| { s.notifications.remove(0); })),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.notifications.push(notification(1, &["delivered"])))),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.notifications[0].text = "Job 2 is complete.".to_owned())),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.jobs[0].notification = None)),
    ("no notification without a completed job", |h| in_the_store(h, |s| s.notifications.push(notification(3, &["delivered"])))),
    ("nothing is stuck", |h| in_the_store(h, |s| s.notifications[0].state = "waiting".to_owned())),
    ("nothing is stuck", |h| in_the_store(h, |s| s.notifications[0].state = "failed".to_owned())),
    ("nothing is stuck", |h| in_the_store(h, |s| s.notifications[1].attempts[0] = None)),
    ("a delivered message arrived", |h| { h.ledger.remove(5); }),
    ("a delivered message arrived", |h| h.ledger[5].accepted = false),
    ("a message appears only where it belongs", |h| h.ledger[5].conversation = "b".to_owned()),
    ("a message appears only where it belongs", |h| h.ledger.push(line("a", "", "Job 3 is complete.", true))),
    ("a message appears only where it belongs", |h| h.ledger[5].reply_to = Some("d1".to_owned())),
    ("every send is on record", |h| h.ledger.push(line("a", "", "Job 1 is complete.", false))),
    ("a duplicate is explained", |h| h.ledger[8].accepted = true),
    ("a duplicate is explained", |h| in_the_store(h, |s| s.notifications[1].attempts[0] = Some("retry".to_owned()))),
    ("a duplicate is explained", |h| in_the_store(h, |s| s.notifications[1].attempts[0] = Some("delivered".to_owned()))),
    ("a duplicate is explained", |h| in_the_store(h, |s| s.notifications[0].attempts = vec![Some("unknown".to_owned())])),
    ("a conversation is in order", |h| h.ledger.swap(5, 7)),
    ("the API shows what the file holds", |h| { h.api.jobs.pop(); }),
    ("the API shows what the file holds", |h| h.api.notifications[0].state = "waiting".to_owned()),
];

#[test]
fn each_doctored_history_is_rejected_by_the_rule_that_is_meant() {
    for (place, (rule, doctor)) in DOCTORED.iter().enumerate() {
        let mut history = healthy();
        doctor(&mut history);
        let found = check(&history);
        assert!(found.iter().any(|violation| violation.rule == *rule), "{place}, {rule}: {found:#?}");
    }
}

#[test]
fn there_is_a_doctored_history_for_every_rule() {
    for (rule, _) in RULES {
        assert!(DOCTORED.iter().any(|(doctored, _)| doctored == rule), "{rule}");
    }
}
