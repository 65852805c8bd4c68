//! What a job's message is to say, and what is done so that it does.

use super::*;

fn shown() -> Shown {
    Shown {
        number: 5,
        conversation: ConversationKey::new("test", "c").unwrap(),
        title: None,
        state: JobState::Running,
        reason: None,
        quiet: false,
        completed_at: None,
        percent: Some(40),
        line: None,
        way: ProgressWay::Edits,
        message_id: Some("a1".to_owned()),
        shown: None,
        told: 0,
        live: None,
        next_at: 0,
    }
}

#[test]
fn the_message_says_what_it_is_how_far_it_is_and_what_is_going_on() {
    let line = || Some("reading".to_owned());
    let title = || Some("Yearly report".to_owned());
    let reason = || Some("no paper".to_owned());
    assert_eq!(shown().text(), "Job 5: 40 %");
    assert_eq!(Shown { title: title(), line: line(), ..shown() }.text(), "Yearly report: 40 % – reading");
    assert_eq!(Shown { percent: None, line: line(), ..shown() }.text(), "Job 5: reading");
    let ended = |state| Shown { state, line: line(), ..shown() };
    assert_eq!(ended(JobState::Succeeded).text(), "Job 5: 100 %");
    assert_eq!(Shown { reason: reason(), ..ended(JobState::Failed) }.text(), "Job 5: failed – no paper");
    assert_eq!(ended(JobState::Cancelled).text(), "Job 5: cancelled");
    assert_eq!(ended(JobState::TimedOut).text(), "Job 5: timed out");
}

#[test]
fn the_next_step_follows_from_what_is_shown() {
    let edit = Step::Edit("a1".to_owned());
    let step = |shown: Shown| shown.step();
    assert_eq!(step(shown()), edit, "what it shows is not known");
    assert_eq!(step(Shown { shown: Some("Job 5: 40 %".to_owned()), ..shown() }), Step::Nothing);
    assert_eq!(step(Shown { shown: Some("Job 5: 39 %".to_owned()), ..shown() }), edit);
    assert_eq!(step(Shown { message_id: None, ..shown() }), Step::Message);
    let over = || Shown { state: JobState::Succeeded, ..shown() };
    assert_eq!(step(over()), edit);
    assert_eq!(step(Shown { message_id: None, ..over() }), Step::Nothing, "the end tells enough");
    for quiet in [Shown { quiet: true, ..shown() }, Shown { way: ProgressWay::Off, ..shown() }] {
        assert_eq!(step(quiet), Step::Nothing);
    }
}

#[test]
fn milestones_are_the_quarters_below_the_whole() {
    let of = |percent| Shown { percent, ..shown() }.milestone();
    let milestones = [None, Some(0), Some(24), Some(25), Some(50), Some(74), Some(75), Some(99), Some(100)];
    assert_eq!(milestones.map(of), [0, 0, 0, 1, 2, 2, 3, 3, 3]);
    let step = |percent, told| {
        Shown { way: ProgressWay::Milestones, percent: Some(percent), told, ..shown() }.step()
            == Step::Message
    };
    assert!(step(25, 0) && step(99, 0) && step(50, 1));
    assert!(!step(24, 0) && !step(49, 1) && !step(100, 3) && !step(10, 2), "none twice, none backwards");
    let over = Shown { way: ProgressWay::Milestones, state: JobState::Failed, percent: Some(99), ..shown() };
    assert_eq!(over.step(), Step::Nothing);
}
