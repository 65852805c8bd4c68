//! `[events]`: who signs what is sent to `/v1/events`.

use std::{collections::BTreeMap, sync::Arc};

use proact::{
    keys::{Scope, Verb},
    proactive::Place,
};
use serde::Deserialize;

use super::Error;
use crate::http::{Sender, Senders, SigningSecret};

/// Secrets of one sender at most: each costs work before anybody is known.
const SECRETS: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    senders: BTreeMap<String, RawSender>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSender {
    secrets: Vec<String>,
    kinds: Option<Vec<String>>,
    conversations: Option<Vec<String>>,
}

impl Events {
    /// What is wrong is named by its key; a secret is never shown.
    pub(super) fn checked(self) -> Result<Senders, Error> {
        let checked = |(name, sender): (String, RawSender)| {
            let key = |part: &str| format!("events.senders.{name}.{part}");
            let RawSender { secrets, kinds, conversations } = sender;
            if !(1..=SECRETS).contains(&secrets.len()) {
                return Err(Error(format!("{}: give 1 to {SECRETS}", key("secrets"))));
            }
            let secrets = secrets.iter().map(|text| secret(text)).collect::<Result<Vec<_>, _>>();
            let secrets = secrets.map_err(|why| Error(format!("{}: {why}", key("secrets"))))?;
            let place = |text: &String| {
                text.parse::<Place>().map_err(|why| Error(format!("{}: {why}", key("conversations"))))
            };
            let places = conversations.map(|places| places.iter().map(place).collect::<Result<Vec<_>, _>>());
            let scope = Scope::new([Verb::Complete], kinds, places.transpose()?);
            let reach = scope.map_err(|why| Error(format!("{}: {why}", key(why.field()))))?.reach;
            Ok((name, Sender { secrets, reach }))
        };
        Ok(Arc::new(self.senders.into_iter().map(checked).collect::<Result<_, _>>()?))
    }
}

fn secret(text: &str) -> Result<SigningSecret, String> {
    match text.strip_prefix("env:") {
        Some(variable) => {
            let value = std::env::var(variable).map_err(|_| format!("there is no variable {variable}"))?;
            SigningSecret::read(&value).map_err(|why| format!("{variable}: {why}"))
        }
        None => SigningSecret::read(text).map_err(str::to_owned),
    }
}
