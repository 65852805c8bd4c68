//! Values by their type: what a room, a middleware or a bot keeps with a turn, and the services that an adapter offers.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

type Entry = (TypeId, Arc<dyn Any + Send + Sync>);

/// At most one value of each type.
#[derive(Default)]
pub struct Values {
    /// A few entries at most: a list is faster than a map.
    entries: Mutex<Vec<Entry>>,
}

impl Values {
    /// Puts a value in place of the one of its type.
    pub fn insert<T: Send + Sync + 'static>(&self, value: Arc<T>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(id, _)| *id != TypeId::of::<T>());
        entries.push((TypeId::of::<T>(), value));
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, value) = entries.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        Arc::clone(value).downcast().ok()
    }

    /// Takes the value of this type away.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|(id, _)| *id == TypeId::of::<T>())?;
        entries.remove(at).1.downcast().ok()
    }

    /// The value of this type; the type's default is put in if there is none. Whoever asks gets the same one.
    #[must_use]
    pub fn get_or_default<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().find(|(id, _)| *id == TypeId::of::<T>());
        if let Some(Ok(value)) = found.map(|(_, value)| Arc::clone(value).downcast()) {
            return value;
        }
        let value = Arc::<T>::default();
        entries.push((TypeId::of::<T>(), Arc::clone(&value) as _));
        value
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").finish_non_exhaustive()
    }
}
