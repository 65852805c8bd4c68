//! The environment, or a `.env` file, as a source: `PROACT_` and a key in capitals, with underscores for the dots.
//!
//! A variable is found by the key that it stands for, never taken apart at its underscores, because keys have underscores too. One
//! that stands for no key is left alone: systems that start programs put variables of their own there (`PROACT_PORT`).

use figment::{
    Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use super::DEFAULT;

pub(super) struct Environment<'a> {
    name: &'static str,
    variables: &'a [(String, String)],
}

impl<'a> Environment<'a> {
    pub(super) fn new(name: &'static str, variables: &'a [(String, String)]) -> Self {
        Self { name, variables }
    }

    fn value(&self, path: &str) -> Option<&'a str> {
        let name = format!("PROACT_{}", path.replace('.', "_").to_uppercase());
        self.variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.as_str())
    }

    /// The keys of `defaults` that the environment has, as a table of the same shape.
    fn overlay(&self, path: &str, defaults: &Dict) -> Dict {
        let mut found = Dict::new();
        for (key, default) in defaults {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if let Value::Dict(_, table) = default {
                let inner = self.overlay(&path, table);
                if !inner.is_empty() {
                    found.insert(key.clone(), inner.into());
                }
            } else if let Some(text) = self.value(&path) {
                found.insert(key.clone(), typed(text, default));
            }
        }
        found
    }
}

/// The text as a value of the default's type; the items of a list have commas between them. What does not fit stays text, and is refused with the others that do not fit.
fn typed(text: &str, default: &Value) -> Value {
    match default {
        Value::Num(..) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Value::Array(..) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>().into()
        }
        Value::Bool(..) => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

impl Provider for Environment<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let defaults = Toml::string(DEFAULT).data()?.remove(&Profile::Default).unwrap_or_default();
        Ok(Profile::Default.collect(self.overlay("", &defaults)))
    }
}
