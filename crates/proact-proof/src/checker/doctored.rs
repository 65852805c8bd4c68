//! The checker itself: it accepts a history in which all is well, and rejects each of these, by the rule that is meant.

#[path = "doctored_work.rs"]
mod work;

use std::time::Duration;

use super::{RULES, check};
use crate::history::{
    Ask, Asked, At, Attempt, Call, History, Job, Line, Notification, Notify, Reply, Request, Store, Told,
};

/// The run's beginning by the program's clock.
const EPOCH: i64 = 1_700_000_000_000;

fn at(seconds: u64) -> At {
    Duration::from_secs(seconds)
}

fn ms(seconds: u64) -> i64 {
    EPOCH + i64::try_from(seconds).unwrap() * 1000
}

fn asked(id: &str, conversation: &str, ask: Ask, told: &[Told]) -> Asked {
    let (id, conversation) = (id.to_owned(), conversation.to_owned());
    Asked { id, conversation, ask, told: told.to_vec(), asked: at(1), heard: at(2) }
}

/// At the channel after so many seconds.
fn line(seconds: u64, conversation: &str, reply_to: &str, text: &str, accepted: bool) -> Line {
    Line {
        conversation: conversation.to_owned(),
        reply_to: Some(reply_to.to_owned()).filter(|id| !id.is_empty()),
        text: text.to_owned(),
        accepted,
        status: accepted.then_some(200),
        at: at(seconds),
        wall_ms: ms(seconds),
        answered_ms: Some(ms(seconds)),
        ..Line::default()
    }
}

fn throttled(seconds: u64, conversation: &str, text: &str, wait: u64) -> Line {
    let retry_after = Some(Duration::from_secs(wait));
    Line { status: Some(429), retry_after, ..line(seconds, conversation, "", text, false) }
}

fn starting(number: u64) -> String {
    format!("We're starting job {number} for you. We'll notify you when it's complete.")
}

fn job(number: u64, completed: bool) -> Job {
    let notification = completed.then(|| format!("n{number}"));
    let state = if completed { "succeeded" } else { "running" }.to_owned();
    Job { number, conversation: "a".to_owned(), completed, notification, state, ..Job::default() }
}

/// Attempts that were begun at these seconds and had their outcome a second later.
fn attempts(all: &[(u64, &str)]) -> Vec<Attempt> {
    let attempt = |(begun, outcome): &(u64, &str)| Attempt {
        outcome: Some((*outcome).to_owned()),
        begun_ms: ms(*begun),
        ended_ms: Some(ms(*begun + 1)),
    };
    all.iter().map(attempt).collect()
}

fn notification(id: &str, conversation: &str, text: &str, ready: u64, all: &[(u64, &str)]) -> Notification {
    Notification {
        id: id.to_owned(),
        conversation: conversation.to_owned(),
        state: "delivered".to_owned(),
        text: text.to_owned(),
        policy: "at_least_once".to_owned(),
        priority: "normal".to_owned(),
        moment: "after_turn".to_owned(),
        ready_ms: ms(ready),
        attempts: attempts(all),
        ..Notification::default()
    }
}

fn of_job(number: u64, ready: u64, all: &[(u64, &str)]) -> Notification {
    let text = format!("Job {number} is complete.");
    Notification { job: Some(number), ..notification(&format!("n{number}"), "a", &text, ready, all) }
}

fn ended(state: &str, one: Notification) -> Notification {
    Notification { state: state.to_owned(), ..one }
}

fn notify(text: &str) -> Notify {
    Notify {
        key: format!("key of {text}"),
        conversation: "c".to_owned(),
        text: text.to_owned(),
        priority: "normal".to_owned(),
        ..Notify::default()
    }
}

/// Asked at these seconds and answered a second later.
fn request(call: Call, replies: &[(u64, Told, &str)]) -> Request {
    let reply = |(seconds, told, id): &(u64, Told, &str)| Reply {
        told: *told,
        id: Some((*id).to_owned()).filter(|id| !id.is_empty()),
        asked: at(*seconds),
        heard: at(*seconds + 1),
    };
    Request { call, replies: replies.iter().map(reply).collect() }
}

/// Three jobs in conversation a, completed from b; the second one's message came twice, with a record of it, and the third is still
/// open. One activity was repeated, one refused, one abandoned. Over `/v1`, in c: one that was throttled, one repeated under its key,
/// one cancelled, one that failed and was replayed, one that may have arrived, one that expired; a pause. Jobs with workers are in w.
fn healthy() -> History {
    use Told::{Acknowledged, NoAnswer, Refused};
    let help = "Type 'run' or 'run job' to start a new job.\nand so on";
    let once = Notification {
        policy: "at_most_once".to_owned(),
        ..notification("m1", "c", "maybe", 60, &[(61, "unknown")])
    };
    let replay = Notification {
        replay_of: Some("f1".to_owned()),
        ..notification("f2", "c", "fails", 55, &[(56, "delivered")])
    };
    let store = Store {
        jobs: vec![job(1, true), job(2, true), job(3, false)],
        notifications: vec![
            of_job(1, 10, &[(11, "delivered")]),
            of_job(2, 12, &[(13, "unknown"), (15, "retry"), (17, "delivered")]),
            notification("t1", "c", "throttled", 30, &[(31, "retry"), (36, "delivered")]),
            notification("k1", "c", "keyed", 40, &[(41, "delivered")]),
            ended("cancelled", notification("c1", "c", "cancelled", 44, &[(45, "retry")])),
            ended("failed", notification("f1", "c", "fails", 50, &[(51, "failed")])),
            replay,
            ended("unknown", once),
            ended("expired", notification("x1", "c", "expires", 70, &[])),
            ended(
                "suppressed",
                Notification {
                    reason: Some("never met".to_owned()),
                    ..notification("s1", "e", "suppressed", 70, &[])
                },
            ),
        ],
        progress: Vec::new(),
    };
    let fails = Line { status: Some(400), ..line(51, "c", "", "fails", false) };
    let mut history = History {
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
            asked("u2", "c", Ask::Unknown, &[Acknowledged]),
            asked("u3", "d", Ask::Unknown, &[Acknowledged]),
        ],
        requests: vec![
            request(Call::Notify(notify("throttled")), &[(29, Acknowledged, "t1")]),
            request(
                Call::Notify(notify("keyed")),
                &[(38, NoAnswer, ""), (39, Acknowledged, "k1"), (40, Acknowledged, "k1")],
            ),
            request(
                Call::Notify(Notify { text: "other".to_owned(), ..notify("keyed") }),
                &[(41, Refused(409), "")],
            ),
            request(Call::Notify(notify("cancelled")), &[(43, Acknowledged, "c1")]),
            request(Call::Cancel { id: "c1".to_owned() }, &[(46, Acknowledged, "c1")]),
            request(Call::Notify(notify("fails")), &[(49, Acknowledged, "f1")]),
            request(Call::Replay { id: "f1".to_owned() }, &[(54, Acknowledged, "f2")]),
            request(
                Call::Notify(Notify { at_most_once: true, ..notify("maybe") }),
                &[(59, Acknowledged, "m1")],
            ),
            request(
                Call::Notify(Notify {
                    expires_ms: Some(ms(75)),
                    not_before_ms: Some(ms(70)),
                    ..notify("expires")
                }),
                &[(69, Acknowledged, "x1")],
            ),
            request(
                Call::Notify(Notify { conversation: "e".to_owned(), ..notify("suppressed") }),
                &[(69, Acknowledged, "s1")],
            ),
            request(Call::Pause { conversation: Some("c".to_owned()) }, &[(63, Acknowledged, "")]),
            request(
                Call::Resume { conversation: Some("c".to_owned()) },
                &[(76, NoAnswer, ""), (77, Acknowledged, "")],
            ),
        ],
        ledger: vec![
            line(1, "a", "r1", &starting(1), true),
            line(2, "a", "r2", &starting(2), true),
            line(3, "a", "r2", &starting(2), true),
            line(9, "b", "d1", "Completing job 1.", true),
            line(10, "b", "d1", "Completing job 1.", true),
            line(11, "a", "", "Job 1 is complete.", true),
            line(12, "b", "d2", "Job 1 is already complete.", true),
            line(13, "a", "", "Job 2 is complete.", true),
            line(15, "a", "", "Job 2 is complete.", false),
            line(17, "a", "", "Job 2 is complete.", true),
            line(18, "b", "u1", help, true),
            line(19, "c", "u2", help, true),
            line(19, "d", "u3", help, true),
            throttled(31, "c", "throttled", 5),
            line(36, "c", "", "throttled", true),
            line(41, "c", "", "keyed", true),
            line(45, "c", "", "cancelled", false),
            fails,
            line(56, "c", "", "fails", true),
            line(61, "c", "", "maybe", true),
        ],
        store,
        ..History::default()
    };
    work::add(&mut history);
    history.api = history.store.clone();
    history
}

/// What is done to the file's reading is done to the API's, or that difference would be what is found.
fn in_the_store(history: &mut History, doctor: impl Fn(&mut Store)) {
    doctor(&mut history.store);
    doctor(&mut history.api);
}

fn stored<'s>(store: &'s mut Store, id: &str) -> &'s mut Notification {
    store.notifications.iter_mut().find(|one| one.id == id).unwrap()
}

fn said<'h>(history: &'h mut History, text: &str) -> &'h mut Line {
    history.ledger.iter_mut().find(|line| line.text == text).unwrap()
}

fn called<'h>(history: &'h mut History, text: &str) -> &'h mut Request {
    let wanted =
        |request: &&mut Request| matches!(&request.call, Call::Notify(notify) if notify.text == text);
    history.requests.iter_mut().find(wanted).unwrap()
}

/// The attempts' outcomes, at the same times as before.
fn outcomes(one: &mut Notification, outcomes: &[&str]) {
    one.attempts.truncate(outcomes.len());
    for (attempt, outcome) in one.attempts.iter_mut().zip(outcomes) {
        attempt.outcome = Some((*outcome).to_owned());
    }
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
    ("a number is given once", |h| in_the_store(h, |s| s.jobs[2].number = 2)),
    ("a repeated activity hears the same number", |h| h.ledger[2].text = starting(3)),
    ("an announcement answers a run", |h| h.ledger.push(line(20, "b", "d1", &starting(1), true))),
    ("an announcement answers a run", |h| h.ledger.push(line(20, "a", "", &starting(3), true))),
    ("an acknowledged run was announced", |h| { h.ledger.remove(0); }),
    ("an acknowledged run was announced", |h| { h.ledger.remove(0); h.outages.push((at(3), at(9))); }),
    ("every job comes from a run", |h| in_the_store(h, |s| s.jobs.extend([job(4, false), job(5, false)]))),
    ("every job comes from a run", |h| { h.asked.retain(|asked| asked.told.contains(&Told::Acknowledged)); }),
    ("every job comes from a run", |h| in_the_store(h, |s| s.jobs.truncate(1))),
    ("a refusal has no effect", |h| h.ledger.push(line(20, "a", "f1", "Sorry, it looks like something went wrong.", true))),
    ("a refusal has no effect", |h| h.asked[4].told.push(Told::Acknowledged)),
    ("an unknown text is answered with help", |h| { h.ledger.remove(10); }),
    ("every activity got its answer", |h| h.asked[8].told.clear()),
    ("every activity got its answer", |h| h.asked[3].told = vec![Told::Refused(400)]),
    ("an acknowledged completion is stored", |h| in_the_store(h, |s| s.jobs[1] = job(2, false))),
    ("an acknowledged completion is stored", |h| h.ledger[6].text = "Completing job 3.".to_owned()),
    ("a completion is announced to one activity", |h| h.ledger[6].text = "Completing job 1.".to_owned()),
    ("a repeated activity hears the same outcome", |h| h.ledger[4].text = "Job 1 is already complete.".to_owned()),
    ("a completed job was asked for", |h| { h.asked.remove(7); }),
    ("a completed job has one notification", |h| in_the_store(h, |s| { s.notifications.remove(0); })),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.notifications.push(of_job(1, 10, &[(11, "delivered")])))),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.notifications[0].text = "Job 2 is complete.".to_owned())),
    ("a completed job has one notification", |h| in_the_store(h, |s| s.jobs[0].notification = None)),
    ("what was acknowledged is stored", |h| in_the_store(h, |s| s.notifications.retain(|one| one.id != "k1"))),
    ("what was acknowledged is stored", |h| in_the_store(h, |s| stored(s, "k1").conversation = "a".to_owned())),
    ("what was acknowledged is stored", |h| in_the_store(h, |s| stored(s, "m1").policy = "at_least_once".to_owned())),
    ("what was acknowledged is stored", |h| in_the_store(h, |s| s.notifications.retain(|one| one.id != "f2"))),
    ("a key has one answer", |h| called(h, "keyed").replies[2].id = Some("t1".to_owned())),
    ("a key has one answer", |h| called(h, "other").replies[0] = Reply { told: Told::Acknowledged, ..called(h, "keyed").replies[2].clone() }),
    ("a key makes one notification", |h| in_the_store(h, |s| s.notifications.push(notification("k2", "c", "keyed", 40, &[(41, "delivered")])))),
    ("a notification was asked for", |h| in_the_store(h, |s| s.notifications.push(of_job(3, 90, &[(91, "delivered")])))),
    ("a notification was asked for", |h| called(h, "throttled").replies[0].told = Told::Refused(400)),
    ("a replay is a new one", |h| in_the_store(h, |s| stored(s, "f2").replay_of = Some("k1".to_owned()))),
    ("a replay is a new one", |h| { h.requests.retain(|request| !matches!(request.call, Call::Replay { .. })); }),
    ("every notification has come to its end", |h| in_the_store(h, |s| s.notifications[0].state = "waiting".to_owned())),
    ("every notification has come to its end", |h| in_the_store(h, |s| s.notifications[1].attempts[0].outcome = None)),
    ("an end is explained", |h| in_the_store(h, |s| s.notifications[0].state = "failed".to_owned())),
    ("an end is explained", |h| in_the_store(h, |s| outcomes(stored(s, "k1"), &["unknown"]))),
    ("an end is explained", |h| in_the_store(h, |s| stored(s, "m1").policy = "at_least_once".to_owned())),
    ("an end is explained", |h| said(h, "fails").status = Some(503)),
    ("an end is explained", |h| in_the_store(h, |s| stored(s, "s1").reason = None)),
    ("an end is explained", |h| in_the_store(h, |s| outcomes(stored(s, "c1"), &["delivered"]))),
    ("an end is explained", |h| in_the_store(h, |s| outcomes(&mut s.notifications[1], &["delivered", "retry", "delivered"]))),
    ("a delivered message arrived", |h| { h.ledger.remove(5); }),
    ("a delivered message arrived", |h| h.ledger[5].accepted = false),
    ("a message appears only where it belongs", |h| h.ledger[5].conversation = "b".to_owned()),
    ("a message appears only where it belongs", |h| h.ledger.push(line(20, "a", "", "Job 3 is complete.", true))),
    ("a message appears only where it belongs", |h| h.ledger[5].reply_to = Some("d1".to_owned())),
    ("only who has talked to the bot is written to", |h| { h.asked.retain(|asked| asked.id != "u2"); }),
    ("only who has talked to the bot is written to", |h| h.asked.iter_mut().find(|asked| asked.id == "u4").unwrap().asked = at(90)),
    ("only who has talked to the bot is written to", |h| h.ledger.push(line(71, "e", "", "suppressed", true))),
    ("every send is on record", |h| h.ledger.push(line(12, "a", "", "Job 1 is complete.", false))),
    ("every send is on record", |h| h.ledger.push(line(75, "c", "", "expires", false))),
    ("every send is on record", |h| in_the_store(h, |s| outcomes(stored(s, "c1"), &["not_sent"]))),
    ("a duplicate is explained", |h| h.ledger[8].accepted = true),
    ("a duplicate is explained", |h| in_the_store(h, |s| outcomes(&mut s.notifications[1], &["retry", "retry", "delivered"]))),
    ("a duplicate is explained", |h| h.ledger.push(line(36, "c", "", "throttled", true))),
    ("at most once is at most once", |h| in_the_store(h, |s| stored(s, "m1").attempts = attempts(&[(61, "unknown"), (63, "unknown")]))),
    ("at most once is at most once", |h| h.ledger.push(line(62, "c", "", "maybe", true))),
    ("nobody follows a redirect", |h| h.strays.push("POST /canary".to_owned())),
    ("a class of a conversation is in order", |h| { let at = h.ledger[7].at; h.ledger[5].at = at + Duration::from_secs(1); }),
    ("a class of a conversation is in order", |h| said(h, "keyed").at = at(35)),
    ("nothing is sent after an acknowledged cancel", |h| h.ledger.push(line(48, "c", "", "cancelled", true))),
    ("nothing is sent after an acknowledged cancel", |h| in_the_store(h, |s| stored(s, "c1").state = "failed".to_owned())),
    ("a cancelled one was cancelled by somebody", |h| { h.requests.retain(|request| !matches!(request.call, Call::Cancel { .. })); }),
    ("what is paused sends nothing", |h| said(h, "maybe").at = at(70)),
    ("what is paused sends nothing", |h| h.requests[10] = request(Call::Pause { conversation: None }, &[(79, Told::Acknowledged, "")])),
    ("a send falls within an attempt", |h| in_the_store(h, |s| stored(s, "k1").attempts = attempts(&[(42, "delivered")]))),
    ("a send falls within an attempt", |h| in_the_store(h, |s| stored(s, "k1").attempts = attempts(&[(30, "delivered")]))),
    ("nothing is sent before its time", |h| h.ledger.push(line(69, "c", "", "expires", true))),
    ("nothing is sent after its end", |h| h.ledger.push(line(78, "c", "", "expires", true))),
    ("nothing is sent after its end", |h| { let Call::Notify(notify) = &mut called(h, "expires").call else { return }; notify.expires_ms = None; }),
    ("Retry-After is never undercut", |h| { let line = h.ledger.iter_mut().filter(|line| line.text == "throttled").nth(1).unwrap(); line.wall_ms -= 1000; }),
    ("the API shows what the file holds", |h| { h.api.jobs.pop(); }),
    ("the API shows what the file holds", |h| h.api.notifications[0].state = "waiting".to_owned()),
];

#[test]
fn each_doctored_history_is_rejected_by_the_rule_that_is_meant() {
    for (place, (rule, doctor)) in DOCTORED.iter().chain(work::DOCTORED).enumerate() {
        let mut history = healthy();
        doctor(&mut history);
        let found = check(&history);
        assert!(found.iter().any(|violation| violation.rule == *rule), "{place}, {rule}: {found:#?}");
    }
}

#[test]
fn there_is_a_doctored_history_for_every_rule() {
    for (rule, _) in RULES {
        assert!(DOCTORED.iter().chain(work::DOCTORED).any(|(doctored, _)| doctored == rule), "{rule}");
    }
}

#[test]
fn a_step_of_the_clock_takes_only_times_by_that_clock_from_the_proof() {
    let mut history = healthy();
    history.steps = vec![at(60)];
    said(&mut history, "keyed").wall_ms += 3_600_000;
    assert!(check(&history).is_empty(), "{:#?}", check(&history));
    history.ledger.push(line(42, "c", "", "keyed", true));
    assert!(check(&history).iter().any(|violation| violation.rule == "a duplicate is explained"));
}

#[test]
fn which_was_first_of_a_pause_and_a_resume_under_way_together_nobody_knows() {
    // The pause is asked for in second 63 and acknowledged in second 64; somebody else resumes.
    for (asked, is_paused) in [(61, true), (62, false), (63, false), (64, false)] {
        let mut history = healthy();
        said(&mut history, "maybe").at = at(70);
        let call = Call::Resume { conversation: Some("c".to_owned()) };
        history.requests.push(request(call, &[(asked, Told::Acknowledged, "")]));
        let found = check(&history);
        let broken = found.iter().any(|violation| violation.rule == "what is paused sends nothing");
        assert_eq!(broken, is_paused, "{asked}: {found:#?}");
    }
}
