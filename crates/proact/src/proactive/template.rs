//! Templates: messages whose words are made when they are sent.
//!
//! A template is text for [minijinja](https://docs.rs/minijinja) and is compiled when it is stored, so that one that cannot work is refused
//! then. It makes the text of a message; one that begins with `{` makes a whole activity as JSON, in which every value is
//! written as JSON. What is filled in [mentions nobody and links nowhere](super::neutral), unless it passes through the filter `as_is`. A value that the data does not have is an error, not an empty place: the notification then uses up a try and waits, so
//! that the template can be mended.

use jiff::Timestamp;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::{Error, FromTemplate, Page, Proactive, job_queries::time, neutral, new::outgoing};
use crate::{
    activity::Activity,
    store::{self, Command, Query, Store, Tx},
};

/// Characters of a name, and bytes of a template, at most.
const NAME: usize = 100;
const SOURCE: usize = 64 * 1024;
/// Steps that filling a template may take: one without end is stopped.
const FUEL: u64 = 100_000;

/// A stored template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its text.
    pub source: String,
    /// When it was stored.
    pub updated_at: Timestamp,
}

/// What a list shows of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TemplateInfo {
    /// Its name.
    pub name: String,
    /// When it was stored.
    pub updated_at: Timestamp,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is none of that name.
    #[error("there is no template `{0}`: store one of that name")]
    NotFound(String),
    /// It cannot be compiled, or not be filled with this data.
    #[error("the template `{name}` cannot be used: {why}")]
    Unusable {
        /// Its name.
        name: String,
        /// What is wrong, with the line.
        why: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Whether the template makes an activity as JSON.
fn makes_json(source: &str) -> bool {
    source.trim_start().starts_with('{')
        && !source.trim_start().starts_with("{{")
        && !source.trim_start().starts_with("{%")
}

fn environment(json: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(move |_| if json { AutoEscape::Json } else { AutoEscape::None });
    environment.set_formatter(move |out, _, value| {
        let written = if value.is_safe() { value.to_string() } else { filled_in(value, json)? };
        out.write_str(&written).map_err(Into::into)
    });
    environment.add_filter("as_is", move |value: &Value| -> Result<Value, minijinja::Error> {
        let written = if json { as_json(value)?.to_string() } else { value.to_string() };
        Ok(Value::from_safe_string(written))
    });
    environment
}

/// A value as it is written, marked as one.
fn filled_in(value: &Value, json: bool) -> Result<String, minijinja::Error> {
    if json {
        let mut value = as_json(value)?;
        neutral::mark_all(&mut value);
        return Ok(value.to_string());
    }
    let text = value.to_string();
    Ok(if value.is_number() { text } else { neutral::mark(&text) })
}

fn as_json(value: &Value) -> Result<serde_json::Value, minijinja::Error> {
    serde_json::to_value(value).map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::BadSerialization, "this value cannot be JSON")
            .with_source(error)
    })
}

fn unusable(name: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError::Unusable { name: name.to_owned(), why: format!("{error:#}") }
}

/// Compiles it.
pub(super) fn check(name: &str, source: &str) -> Result<(), TemplateError> {
    let environment = environment(makes_json(source));
    environment.template_from_str(source).map(drop).map_err(|error| unusable(name, &error))
}

/// Refuses what cannot be a name.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME || !name.chars().all(fits) {
        let why = format!("a template's name is 1 to {NAME} letters, digits, hyphens, underscores and dots");
        return Err(Error::Invalid { field: "template.name", why });
    }
    Ok(())
}

/// Fills a template with data.
pub(super) fn fill(name: &str, source: &str, data: &str) -> Result<Activity, TemplateError> {
    let wrong = |why: String| TemplateError::Unusable { name: name.to_owned(), why };
    let json = makes_json(source);
    let environment = environment(json);
    let data: serde_json::Value = serde_json::from_str(data).map_err(|e| wrong(e.to_string()))?;
    let text = environment
        .template_from_str(source)
        .and_then(|template| template.render(minijinja::value::Serde(data)))
        .map_err(|error| unusable(name, &error))?;
    if !json {
        return Ok(Activity::message(neutral::text(&text)));
    }
    let not_one = |why: String| wrong(format!("what it makes is no activity: {why}"));
    let mut made = serde_json::from_str(&text).map_err(|e| not_one(e.to_string()))?;
    neutral::activity(&mut made);
    let activity = Activity::decode(made.to_string().as_bytes()).map_err(|e| not_one(e.to_string()))?;
    outgoing(activity.clone()).map_err(|e| wrong(e.to_string()))?;
    Ok(activity)
}

/// Makes the message of a stored template.
pub(super) async fn render(store: &Store, name: &str, data: &str) -> Result<Activity, TemplateError> {
    let template = store.read(ByName(name.to_owned())).await?;
    let template = template.ok_or_else(|| TemplateError::NotFound(name.to_owned()))?;
    fill(name, &template.source, data)
}

struct Put {
    name: String,
    source: String,
}

impl Command for Put {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        tx.prepare(
            "INSERT INTO template VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET source = excluded.source, updated_at = excluded.updated_at",
        )?
        .execute(params![self.name, self.source, tx.now()])?;
        Ok(())
    }
}

struct Remove(String);

impl Command for Remove {
    type Outcome = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, store::Error> {
        Ok(tx.prepare("DELETE FROM template WHERE name = ?1")?.execute([self.0])? > 0)
    }
}

struct ByName(String);

impl Query for ByName {
    type Answer = Option<Template>;

    fn run(self, connection: &Connection) -> Result<Option<Template>, store::Error> {
        Ok(connection
            .prepare_cached("SELECT name, source, updated_at FROM template WHERE name = ?1")?
            .query_row([self.0], read)
            .optional()?)
    }
}

/// A page of them without their text, which is long.
struct Listed {
    after: Option<String>,
    limit: u32,
}

impl Query for Listed {
    type Answer = Page<TemplateInfo, String>;

    fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
        let limit = self.limit.max(1) as usize;
        // A name is not empty.
        let after = self.after.unwrap_or_default();
        let mut statement = connection
            .prepare_cached("SELECT name, updated_at FROM template WHERE name > ?1 ORDER BY name LIMIT ?2")?;
        let info =
            |row: &rusqlite::Row<'_>| Ok(TemplateInfo { name: row.get(0)?, updated_at: time(row.get(1)?) });
        let rows = statement.query_map(params![after, limit as i64 + 1], info)?;
        Ok(Page::cut(rows.collect::<Result<_, _>>()?, limit, |info| info.name.clone()))
    }
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Template> {
    Ok(Template { name: row.get(0)?, source: row.get(1)?, updated_at: time(row.get(2)?) })
}

impl Proactive {
    /// Stores a template under a name, in place of the one that has it. What waits and is made from it uses the new one.
    ///
    /// # Errors
    /// A name or a template that cannot be used, or what the store says.
    pub async fn put_template(&self, name: &str, source: &str) -> Result<(), Error> {
        check_name(name)?;
        if source.len() > SOURCE {
            let why = format!("a template has {SOURCE} bytes at most");
            return Err(Error::Invalid { field: "source", why });
        }
        check(name, source)?;
        let put = Put { name: name.to_owned(), source: source.to_owned() };
        Ok(self.store().commit(put).await?)
    }

    /// Makes the message of a template as it is now and forgets it: says before a notification is accepted what would go wrong.
    ///
    /// # Errors
    /// No template of that name, one that cannot be filled with this data, or what the store says.
    pub async fn try_template(&self, filled: &FromTemplate) -> Result<(), TemplateError> {
        let data = serde_json::Value::Object(filled.data.clone()).to_string();
        render(self.store(), &filled.name, &data).await.map(drop)
    }

    /// Removes a template; whether there was one. What waits and is made from it uses up its tries.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove_template(&self, name: &str) -> Result<bool, Error> {
        Ok(self.store().commit(Remove(name.to_owned())).await?)
    }

    /// A template, or `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn template(&self, name: &str) -> Result<Option<Template>, Error> {
        Ok(self.store().read(ByName(name.to_owned())).await?)
    }

    /// A page of the templates, by name: those whose names come after `after`, `limit` at most.
    ///
    /// # Errors
    /// What the store says.
    pub async fn templates(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page<TemplateInfo, String>, Error> {
        Ok(self.store().read(Listed { after, limit }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_makes_a_message_or_an_activity() {
        let message = fill("t", "Hello {{ name }}!", r#"{"name":"Ann & <3"}"#).unwrap();
        assert_eq!(message.text(), "Hello Ann & <3!");
        let source = r#"{"type":"message","text":{{ "Price: " ~ price }},"importance":"high"}"#;
        let activity = fill("t", source, r#"{"price":"5\" or less"}"#).unwrap();
        assert_eq!(activity.text(), "Price: 5\" or less");
    }

    #[test]
    fn what_is_filled_in_does_nothing_unless_the_author_says_so() {
        let data = r#"{"who":"<at>all</at>","where":"https://example.org/a"}"#;
        let words = |source| fill("t", source, data).unwrap().text().to_owned();
        let tame = words("**{{ who }}** at {{ where }}");
        assert!(tame.starts_with("**") && !tame.contains("<at") && !tame.contains("://"), "{tame}");
        assert!(words("{{ who | upper }}").contains("<\u{2060}AT>"));
        assert_eq!(words("[here]({{ where | as_is }})"), "[here](https://example.org/a)");
        assert_eq!(words("{% if who == '<at>all</at>' %}equal{% endif %}"), "equal");

        let source = r#"{"type":"message","text":{{ who }},"attachments":[{"contentType":"image/png","contentUrl":{{ where }}}],
                         "summary":{{ where | as_is }},"channelData":{{ {"at": where} }}}"#;
        let activity = fill("t", source, data).unwrap();
        assert!(!activity.text().contains("<at"));
        assert_eq!(activity.attachments[0].content_url.as_deref(), Some("https://example.org/a"));
        assert_eq!(activity.summary.as_deref(), Some("https://example.org/a"));
        assert_eq!(activity.channel_data.unwrap()["at"], "https://example.org/a");
    }

    #[test]
    fn what_is_missing_or_without_end_is_an_error_that_says_where() {
        let missing = fill("t", "Hello {{ name }}!", "{}").unwrap_err();
        assert!(missing.to_string().contains("undefined"), "{missing}");
        let endless = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
        assert!(fill("t", endless, "{}").is_err());
        let broken = check("t", "One line\nHello {{ name").unwrap_err().to_string();
        assert!(broken.contains("t`") && broken.contains(":2"), "{broken}");
        assert!(fill("t", r#"{"type":"typing"}"#, "{}").is_err(), "a notification sends messages and events");
    }
}
