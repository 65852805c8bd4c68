//! `proact keys`: what programs prove themselves with to `/v1`.

use axum::http::Method;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Failed,
    control::{encoded, text},
    pages::{List, Paging, Table},
    source::Source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Makes a key: it is shown once, here
    Create(Create),
    /// Lists keys, those that open nothing any more among them
    List(Paging),
    /// Revokes a key: it opens nothing any more when this is done
    Revoke {
        /// Its id: what stands between `proact_` and the next underscore
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whom it is for
    name: String,
    /// What it permits: read, notify, complete, control, manage (several with commas)
    #[arg(long, value_name = "VERBS", required = true, value_delimiter = ',')]
    allow: Vec<String>,
    /// Only with jobs of this kind (may be repeated)
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only with this conversation: the channel's id, a slash, the conversation's id or * for all (may be repeated)
    #[arg(long = "conversation", value_name = "CHANNEL/ID")]
    conversations: Vec<String>,
    /// When it ends by itself: a time from now, such as 90d or 12h
    #[arg(long, value_name = "TIME", value_parser = within)]
    expires_in: Option<SignedDuration>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A time such as 90d. A day is 24 hours.
fn within(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "give a time from now, such as 90d, 12h or 30m".to_owned();
    let span: SignedDuration = match text.strip_suffix('d') {
        Some(days) => SignedDuration::from_hours(
            days.parse::<i64>().ok().and_then(|n| n.checked_mul(24)).ok_or_else(wrong)?,
        ),
        None => text.parse().map_err(|_| wrong())?,
    };
    if span.is_positive() { Ok(span) } else { Err(wrong()) }
}

impl Keys {
    pub(super) async fn run(self, source: &Source) -> Result<String, Failed> {
        match self {
            Self::Create(create) => create.run(source).await,
            Self::List(paging) => {
                let empty = "There are no keys: `proact keys create` makes one.";
                let list = List { path: "/v1/keys", filters: Vec::new(), empty };
                let (mut table, now) = (Table::with(COLUMNS), Timestamp::now());
                list.show(paging, source, |keys| table.lines(keys.iter().map(|key| row(key, now)))).await
            }
            Self::Revoke { id } => {
                source.ask(Method::DELETE, &format!("/v1/keys/{}", encoded(&id)), None, None).await?;
                Ok(format!("The key {id} opens nothing any more.\n"))
            }
        }
    }
}

impl Create {
    async fn run(self, source: &Source) -> Result<String, Failed> {
        let Self { name, allow, kinds, conversations, expires_in, json } = self;
        let expires_at = match expires_in {
            Some(span) => Some(
                Timestamp::now()
                    .checked_add(span)
                    .map_err(|_| Failed::because(&"--expires-in: this is too far away"))?,
            ),
            None => None,
        };
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let body = json!({
            "name": name, "verbs": allow, "kinds": some(kinds), "conversations": some(conversations), "expiresAt": expires_at,
        });
        let made = source.ask(Method::POST, "/v1/keys", None, Some(body)).await?;
        if json {
            return Ok(format!("{made}\n"));
        }
        let ends = match &made["expiresAt"] {
            Value::Null => "until it is revoked".to_owned(),
            at => format!("until {}", text(at)),
        };
        Ok(format!(
            "{}\nThis is the key {} ({}), good {ends}. It is not shown again: keep it where its user finds it.\n",
            text(&made["key"]),
            text(&made["id"]),
            text(&made["name"]),
        ))
    }
}

const COLUMNS: [&str; 7] = ["ID", "STATE", "ALLOWS", "KINDS", "CONVERSATIONS", "LAST USED", "NAME"];

fn row(key: &Value, now: Timestamp) -> [String; 7] {
    let list = |value: &Value| match value {
        Value::Array(entries) => entries.iter().map(text).collect::<Vec<_>>().join(","),
        _ => "any".to_owned(),
    };
    let ended =
        key["expiresAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok()).is_some_and(|at| at <= now);
    let state = match (&key["revokedAt"], &key["expiresAt"]) {
        (Value::String(_), _) => "revoked".to_owned(),
        _ if ended => "expired".to_owned(),
        (_, Value::Null) => "good".to_owned(),
        (_, at) => format!("until {}", text(at)),
    };
    [
        text(&key["id"]),
        state,
        list(&key["verbs"]),
        list(&key["kinds"]),
        list(&key["conversations"]),
        text(&key["usedAt"]),
        text(&key["name"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_from_now() {
        assert_eq!(within("90d"), Ok(SignedDuration::from_hours(90 * 24)));
        assert_eq!(within("30m"), Ok(SignedDuration::from_mins(30)));
        for wrong in ["", "d", "0d", "-1d", "-5m", "soon", "99999999999999999999d"] {
            assert!(within(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_one_line_and_says_whether_it_opens_anything() {
        let key = |revoked: Value, expires: Value| {
            json!({"id": "ab", "name": "ci\u{1b}[2J", "verbs": ["read", "complete"], "kinds": ["report"], "conversations": null,
                   "usedAt": null, "revokedAt": revoked, "expiresAt": expires})
        };
        let now: Timestamp = "2030-01-02T00:00:00Z".parse().unwrap();
        let state = |revoked, expires| row(&key(revoked, expires), now)[1].clone();
        assert_eq!(state(Value::Null, Value::Null), "good");
        assert_eq!(state(Value::Null, "2030-01-02T00:00:00Z".into()), "expired");
        assert_eq!(state(Value::Null, "2030-01-03T00:00:00Z".into()), "until 2030-01-03T00:00:00Z");
        assert_eq!(state("2030-01-01T00:00:00Z".into(), "2030-01-03T00:00:00Z".into()), "revoked");
        let table = Table::with(COLUMNS).lines([row(&key(Value::Null, Value::Null), now)]);
        assert!(
            table.ends_with("ab  good   read,complete  report  any            -          ci?[2J\n"),
            "{table}"
        );
    }
}
