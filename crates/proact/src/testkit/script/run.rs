//! Taking a script's steps.

use serde_json::Value;

use super::describe::describe;
use super::expectation::Expectation;
use super::room::How;
use super::steps::{Doing, Step};
use super::{Script, TestUser};
use crate::activity::Activity;
use crate::adapter::Answer;

/// What was sent last, and what the bot answered.
struct Sent {
    activity: Activity,
    answer: Answer,
}

pub(super) async fn run(script: Script) {
    let mut sent: Option<Sent> = None;
    let mut steps = script.steps.into_iter().enumerate().peekable();
    while let Some((number, Step { doing, user, at })) = steps.next() {
        let judged_next = steps.peek().is_some_and(|(_, next)| matches!(next.doing, Doing::Answered(..)));
        let result = match doing {
            Doing::Send(activity) => post(&user, user.address(*activity), judged_next, &mut sent).await,
            Doing::Again => match sent.take() {
                Some(Sent { activity, .. }) => post(&user, activity, judged_next, &mut sent).await,
                None => Err("nothing was sent in this script that could come again".to_owned()),
            },
            Doing::Answered(status, body) => answered(&user, sent.as_ref(), status, body),
            Doing::Expect(expectation) => expect(&user, expectation).await,
            Doing::ExpectNothing => nothing(&user, true).await,
            Doing::ExpectSilence => nothing(&user, false).await,
            Doing::Advance(by) => {
                user.test.clock().advance(by);
                Ok(())
            }
            Doing::ChannelAnswers(status) => {
                user.test.room().answer_next(status);
                Ok(())
            }
        };
        if let Err(problem) = result {
            let talk = user.test.room().transcript(&user.conversation());
            let talk = if talk.is_empty() { "    nothing was said\n".to_owned() } else { talk };
            panic!(
                "the script's step {} at {at} did not go as written\n  {problem}\n  the talk in {}:\n{talk}",
                number + 1,
                user.conversation()
            );
        }
    }
}

async fn post(
    user: &TestUser,
    activity: Activity,
    judged_next: bool,
    sent: &mut Option<Sent>,
) -> Result<(), String> {
    let Some(answer) = user.test.post(&activity).await else {
        return Err(format!(
            "the bot gave no answer to {} within {:?}: does its handler wait for something that does not come?",
            describe(How::New, &activity),
            user.test.patience()
        ));
    };
    let Sent { activity, answer } = sent.insert(Sent { activity, answer });
    if judged_next || (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(format!(
        "the bot answered {} with {}{}",
        describe(How::New, activity),
        answer.status,
        why(user, activity, answer)
    ))
}

/// What the handler failed with; or what the adapter says, if it failed elsewhere.
fn why(user: &TestUser, activity: &Activity, answer: &Answer) -> String {
    match (user.test.error_of(activity.id.as_deref().unwrap_or_default()), &answer.body) {
        (Some(error), _) => format!(": {error}"),
        (None, Some(body)) => format!(": {}", String::from_utf8_lossy(body)),
        (None, None) => String::new(),
    }
}

fn answered(user: &TestUser, sent: Option<&Sent>, status: u16, body: Option<Value>) -> Result<(), String> {
    let Some(Sent { activity, answer }) = sent else {
        return Err("nothing was sent in this script that could be answered".to_owned());
    };
    let came: Option<Value> = answer.body.as_ref().and_then(|body| serde_json::from_slice(body).ok());
    if answer.status == status && body.as_ref().is_none_or(|body| came.as_ref() == Some(body)) {
        return Ok(());
    }
    let expected = body.map(|body| format!(" {body}")).unwrap_or_default();
    let shown = came.map(|body| format!(" {body}")).unwrap_or_default();
    let why = user.test.error_of(activity.id.as_deref().unwrap_or_default());
    let why = why.map(|error| format!(" ({error})")).unwrap_or_default();
    Err(format!(
        "expected the answer: {status}{expected}\n  came:                {}{shown}{why}",
        answer.status
    ))
}

async fn expect(user: &TestUser, expectation: Expectation) -> Result<(), String> {
    match user.test.next(&user.conversation()).await {
        Some((how, came)) => expectation.check(how, &came),
        None => Err(format!(
            "expected: {}\n  came:     nothing within {:?}{}",
            expectation.words(),
            user.test.patience(),
            user.test.waiting(&user.conversation()).await
        )),
    }
}

async fn nothing(user: &TestUser, here: bool) -> Result<(), String> {
    user.test.settled().await;
    let here = here.then(|| user.conversation());
    let came = user.test.room().unexpected(here.as_ref());
    if came.is_empty() {
        return Ok(());
    }
    let came: String =
        came.iter().map(|(id, how, came)| format!("\n    in {id}: {}", describe(*how, came))).collect();
    Err(format!("expected: nothing more\n  came:{came}"))
}
