//! What a key permits: which verbs, and how far it reaches.

use std::{collections::BTreeSet, fmt};

use crate::proactive::{LONGEST_REACH, Place, Reach};

/// What can be done, in five words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verb {
    /// To see jobs, notifications, conversations, and what changes.
    Read,
    /// To have something said in a conversation.
    Notify,
    /// To report of jobs: how far they are, that they are done, that they failed.
    Complete,
    /// To take back, move, repeat and hold back: jobs and notifications.
    Control,
    /// To change what concerns everything: templates, and what becomes of a restored backup.
    Manage,
}

impl Verb {
    /// Every verb.
    pub const ALL: &[Self] = &[Self::Read, Self::Notify, Self::Complete, Self::Control, Self::Manage];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Notify => "notify",
            Self::Complete => "complete",
            Self::Control => "control",
            Self::Manage => "manage",
        }
    }

    /// The verb that `word` stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verb| verb.as_str() == word)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key permits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// What may be done; never empty.
    pub verbs: BTreeSet<Verb>,
    /// To what.
    pub reach: Reach,
}

/// A scope that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// It would permit nothing.
    #[error("name at least one of read, notify, complete, control, manage")]
    NoVerb,
    /// A list is there and empty, too long, or has an entry that is none.
    #[error("give 1 to {LONGEST_REACH} entries of 1 to 255 characters, or leave it out for no limit")]
    List {
        /// `kinds` or `conversations`.
        list: &'static str,
    },
    /// A verb that has nothing to do with what the lists leave.
    #[error("`{verb}` has no use together with {list}: make a key of its own for it")]
    Useless {
        /// The verb.
        verb: Verb,
        /// `kinds` or `conversations`.
        list: &'static str,
    },
}

impl ScopeError {
    /// Which part cannot be meant: `verbs`, `kinds` or `conversations`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoVerb | Self::Useless { .. } => "verbs",
            Self::List { list } => list,
        }
    }
}

impl Scope {
    /// A scope of these verbs, on jobs of these kinds and what is about these conversations (`None`: any).
    ///
    /// # Errors
    /// [`ScopeError`]: one that would permit less than its words say is refused, so that nobody relies on it.
    pub fn new(
        verbs: impl IntoIterator<Item = Verb>,
        kinds: Option<Vec<String>>,
        places: Option<Vec<Place>>,
    ) -> Result<Self, ScopeError> {
        let verbs: BTreeSet<_> = verbs.into_iter().collect();
        if verbs.is_empty() {
            return Err(ScopeError::NoVerb);
        }
        let fits = |text: &str| (1..=255).contains(&text.chars().count());
        let listed = |list, ok: bool| if ok { Ok(()) } else { Err(ScopeError::List { list }) };
        if let Some(kinds) = &kinds {
            listed(
                "kinds",
                (1..=LONGEST_REACH).contains(&kinds.len()) && kinds.iter().all(|kind| fits(kind)),
            )?;
        }
        if let Some(places) = &places {
            listed("conversations", (1..=LONGEST_REACH).contains(&places.len()))?;
        }
        // What is said to a conversation is of no kind, and what concerns everything is within no limit.
        for (verb, list, useless) in [
            (Verb::Notify, "kinds", kinds.is_some()),
            (Verb::Manage, "kinds", kinds.is_some()),
            (Verb::Manage, "conversations", places.is_some()),
        ] {
            if useless && verbs.contains(&verb) {
                return Err(ScopeError::Useless { verb, list });
            }
        }
        let mut reach = Reach::everything();
        (reach.kinds, reach.places) = (kinds, places);
        Ok(Self { verbs, reach })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let places =
            |texts: &[&str]| Some(texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Place>>());
        let kinds = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert!(Scope::new([Verb::Read, Verb::Read], kinds(&["report"]), places(&["a/*"])).is_ok());
        assert_eq!(Scope::new([], None, None), Err(ScopeError::NoVerb));
        for wrong in [
            Scope::new([Verb::Read], kinds(&[]), None),
            Scope::new([Verb::Read], kinds(&[""]), None),
            Scope::new([Verb::Read], Some(vec!["k".to_owned(); 101]), None),
            Scope::new([Verb::Read], None, places(&[])),
            Scope::new([Verb::Read, Verb::Notify], kinds(&["report"]), None),
            Scope::new([Verb::Manage], None, places(&["a/1"])),
        ] {
            assert!(wrong.is_err(), "{wrong:?}");
        }
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.as_str()), Some(*verb));
        }
        assert_eq!(Verb::parse("Read"), None);
    }
}
