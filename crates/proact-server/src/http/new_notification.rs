//! A notification as it is asked for over HTTP: one at a time, or as an item of a batch.

use proact::{
    activity::{Activity, ConversationKey},
    proactive::{Cause, Content, FromTemplate, Moment, NewNotification, Policy, Priority},
};
use serde_json::value::RawValue;

use super::{members::Members, problem::Problem};

/// Reads what is asked for; what is left in `members` is refused.
pub(super) fn read(mut members: Members<'_>) -> Result<NewNotification, Problem> {
    let conversation = conversation(&mut members)?;
    let mut new = NewNotification::new(conversation, content(&mut members)?);
    new.cause = cause(&mut members)?;
    if let Some(priority) =
        members.word("priority", Priority::ALL.iter().map(|one| one.as_str()), Priority::parse)?
    {
        new.priority = priority;
    }
    if let Some(policy) = members.word("policy", Policy::ALL.iter().map(|one| one.as_str()), Policy::parse)? {
        new.policy = policy;
    }
    if let Some(moment) = members.word("moment", Moment::ALL.iter().map(|one| one.as_str()), Moment::parse)? {
        new.moment = moment;
    }
    new.not_before = members.time("notBefore")?;
    new.expires_at = members.time("expiresAt")?;
    new.collapse_key = members.text("collapseKey")?;
    members.end("")?;
    Ok(new)
}

/// Who asks: a program, unless it is the command line.
pub(super) fn cause(members: &mut Members<'_>) -> Result<Cause, Problem> {
    let parse = |word: &str| match word {
        "api" => Some(Cause::Api),
        "command_line" => Some(Cause::CommandLine),
        _ => None,
    };
    Ok(members.word("cause", ["api", "command_line"].into_iter(), parse)?.unwrap_or(Cause::Api))
}

/// The conversation that something is for.
pub(super) fn conversation(members: &mut Members<'_>) -> Result<ConversationKey, Problem> {
    let name = "conversation";
    let shape = r#"{"channelId":"…","id":"…"}"#;
    let Some(value) = members.take(name)? else {
        return Err(Problem::field(name, format!("this is missing: give {shape}")));
    };
    let object = value.get().starts_with('{');
    if !object {
        return Err(Problem::field(name, format!("this must be {shape}")));
    }
    let mut parts = Members::within(name, value)?;
    let mut part = |member: &str| {
        let text: Option<String> = parts.text(member).map_err(|problem| problem.within(name))?;
        let empty = || Problem::field(&format!("{name}.{member}"), format!("this is missing: give {shape}"));
        text.filter(|text| !text.is_empty()).ok_or_else(empty)
    };
    let (channel_id, id) = (part("channelId")?, part("id")?);
    parts.end("conversation.")?;
    ConversationKey::new(channel_id, id).map_err(|error| Problem::field(name, error.to_string()))
}

fn content(members: &mut Members<'_>) -> Result<Content, Problem> {
    let text = members.text("text")?;
    let activity = members.take("activity")?;
    let template = members.take("template")?;
    match (text, activity, template) {
        (Some(text), None, None) if text.trim().is_empty() => {
            Err(Problem::field("text", "there is nothing in it to send"))
        }
        (Some(text), None, None) => Ok(text.into()),
        (None, Some(activity), None) => Ok(read_activity(activity)?.into()),
        (None, None, Some(template)) => Ok(read_template(template)?.into()),
        (None, None, None) => Err(Problem::field("text", "this is missing: give text, activity or template")),
        (_, None, _) => Err(Problem::field("template", "give one of text, activity and template")),
        _ => Err(Problem::field("activity", "give one of text, activity and template")),
    }
}

fn read_activity(activity: &RawValue) -> Result<Activity, Problem> {
    Activity::decode(activity.get().as_bytes()).map_err(|error| {
        let field = error.field().map(|field| format!("activity.{field}"));
        Problem::field(field.as_deref().unwrap_or("activity"), format!("this is no activity: {error}"))
    })
}

fn read_template(template: &RawValue) -> Result<FromTemplate, Problem> {
    let mut parts = Members::within("template", template)?;
    let inside = |problem: Problem| problem.within("template");
    let name = parts.need("name", "a template's name").map_err(inside)?;
    let data = parts.read("data", "an object").map_err(inside)?.unwrap_or_default();
    parts.end("template.")?;
    Ok(FromTemplate { name, data })
}
