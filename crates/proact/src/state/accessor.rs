//! Access to one property of a state.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{BotState, StateError};
use crate::turn::TurnContext;

/// Access to one property of a state, as a Rust type. Cheap to clone; make it once, beside the bot.
///
/// Values are given out as copies: change one with [`update`](Self::update), or [`set`](Self::set) it. Nothing is written
/// before the turn ends or [`BotState::save_changes`] is called.
pub struct Accessor<T> {
    state: BotState,
    property: Arc<str>,
    value: PhantomData<fn() -> T>,
}

impl<T> Accessor<T> {
    pub(super) fn new(state: BotState, property: Arc<str>) -> Self {
        Self { state, property, value: PhantomData }
    }

    /// The property's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.property
    }

    /// Deletes the property.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub async fn delete(&self, ctx: &TurnContext) -> Result<(), StateError> {
        let (state, key) = self.state.of(ctx)?;
        state
            .with(&key, |document| {
                document.delete(&self.property);
                Ok(())
            })
            .await
    }
}

impl<T: DeserializeOwned> Accessor<T> {
    /// The property's value, if it has one.
    ///
    /// # Errors
    /// If the state cannot be read, or the value is not a `T`.
    pub async fn get(&self, ctx: &TurnContext) -> Result<Option<T>, StateError> {
        let (state, key) = self.state.of(ctx)?;
        state.with(&key, |document| from_json(&key, &self.property, document.get(&self.property))).await
    }

    /// The property's value, or the type's default, which is not stored by that.
    ///
    /// # Errors
    /// If the state cannot be read, or the value is not a `T`.
    pub async fn get_or_default(&self, ctx: &TurnContext) -> Result<T, StateError>
    where
        T: Default,
    {
        Ok(self.get(ctx).await?.unwrap_or_default())
    }
}

impl<T: Serialize> Accessor<T> {
    /// Sets the property.
    ///
    /// If someone else changes it before this turn is saved, the save is a [`StateError::Conflict`].
    ///
    /// # Errors
    /// If the state cannot be read, or the value cannot be JSON.
    pub async fn set(&self, ctx: &TurnContext, value: &T) -> Result<(), StateError> {
        let value = to_json(&self.property, value)?;
        let (state, key) = self.state.of(ctx)?;
        state
            .with(&key, |document| {
                document.set(&self.property, value);
                Ok(())
            })
            .await
    }
}

impl<T: Serialize + DeserializeOwned> Accessor<T> {
    /// The property's value; if it has none, what `default` gives, which is kept from now on: a later default is not asked for.
    ///
    /// If someone else gives it a value before this turn is saved, theirs stays.
    ///
    /// # Errors
    /// If the state cannot be read, or the value is not a `T`, or the default cannot be JSON.
    pub async fn get_or_insert_with(
        &self,
        ctx: &TurnContext,
        default: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T, StateError> {
        let (state, key) = self.state.of(ctx)?;
        state
            .with(&key, |document| {
                if let Some(value) = from_json(&key, &self.property, document.get(&self.property))? {
                    return Ok(value);
                }
                let value = default();
                let property = Arc::clone(&self.property);
                let json = to_json(&property, &value)?;
                let again = move |found: Option<&Value>| match found {
                    Some(theirs) => Ok(theirs.clone()),
                    None => to_json(&property, &default()),
                };
                document.update(&self.property, json, Arc::new(again));
                Ok(value)
            })
            .await
    }
}

impl<T: Serialize + DeserializeOwned + Default> Accessor<T> {
    /// Changes the property in place, beginning with the type's default if it has no value, and returns what `change`
    /// returns.
    ///
    /// If someone else changes it before this turn is saved, `change` runs again on the fresh value, and what is saved is
    /// right for it; so it must do nothing but change the value. What it returned the first time stands.
    ///
    /// # Errors
    /// If the state cannot be read, or the value is not a `T`, or what it became cannot be JSON.
    pub async fn update<R>(
        &self,
        ctx: &TurnContext,
        change: impl Fn(&mut T) -> R + Send + Sync + 'static,
    ) -> Result<R, StateError> {
        let (state, key) = self.state.of(ctx)?;
        let apply = {
            let (key, property) = (key.clone(), Arc::clone(&self.property));
            move |value: Option<&Value>| {
                let mut value = from_json::<T>(&key, &property, value)?.unwrap_or_default();
                let returned = change(&mut value);
                Ok((to_json(&property, &value)?, returned))
            }
        };
        state
            .with(&key, |document| {
                let (value, returned) = apply(document.get(&self.property))?;
                let again = Arc::new(move |value: Option<&Value>| apply(value).map(|(value, _)| value));
                document.update(&self.property, value, again);
                Ok(returned)
            })
            .await
    }
}

fn from_json<T: DeserializeOwned>(
    key: &str,
    property: &str,
    value: Option<&Value>,
) -> Result<Option<T>, StateError> {
    // What serde says would repeat the value.
    value.map(T::deserialize).transpose().map_err(|_| StateError::Unreadable {
        key: key.to_owned(),
        property: property.to_owned(),
        expected: type_name::<T>(),
    })
}

fn to_json<T: Serialize>(property: &str, value: &T) -> Result<Value, StateError> {
    serde_json::to_value(value)
        .map_err(|error| StateError::Unwritable { property: property.to_owned(), reason: error.to_string() })
}

impl<T> Clone for Accessor<T> {
    fn clone(&self) -> Self {
        Self::new(self.state.clone(), Arc::clone(&self.property))
    }
}

impl<T> fmt::Debug for Accessor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accessor").field("state", &self.state).field("property", &self.property).finish()
    }
}
