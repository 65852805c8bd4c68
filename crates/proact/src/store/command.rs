//! Commands and queries: what can be asked of a store, typed.
//!
//! A command is applied inside the writer's transaction and must touch nothing but that: its outcome is told only after the
//! sync. Commands compose: `(A, B)` commits both or neither.

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{Error, sqlite::Tx};
use crate::turn::CommandKey;

/// Something to write, whole or not at all.
pub trait Command: Send + 'static {
    /// What the writer answers, once it is durable.
    type Outcome: Send + 'static;

    /// Makes the change. On an error the whole command is undone.
    ///
    /// # Errors
    /// Whatever refuses it.
    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error>;

    /// How much of it there is to undo should it fail. What is answered must hold for whatever the command meets: only one that says
    /// [`Writes::Many`] is given a savepoint.
    fn writes(&self) -> Writes {
        Writes::Many
    }
}

/// How much a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Nothing: it reads at most, and refuses nothing.
    Nothing,
    /// What may refuse it is asked before its first change: it is one statement of one row, or one that SQLite undoes by itself, or it asks
    /// first. After that only the database can fail; then the whole commit is undone, and everybody in it is told so.
    Surely,
    /// Several statements, any of which may be refused.
    Many,
}

impl Writes {
    /// Both, one after the other: of two that write, the second may be refused when the first stands already.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            _ => Self::Many,
        }
    }
}

/// Something to read, on what is committed.
pub trait Query: Send + 'static {
    /// What was found.
    type Answer: Send + 'static;

    /// Reads.
    ///
    /// # Errors
    /// Whatever the database says.
    fn run(self, connection: &rusqlite::Connection) -> Result<Self::Answer, Error>;
}

/// A query as a command: it reads what the commands before it in the same commit will leave.
#[derive(Debug)]
pub struct Read<Q>(pub Q);

impl<Q: Query> Command for Read<Q> {
    type Outcome = Q::Answer;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Q::Answer, Error> {
        self.0.run(tx.connection())
    }

    fn writes(&self) -> Writes {
        Writes::Nothing
    }
}

/// Writes something that matters to nobody: to see whether the disk takes it.
pub(super) struct Touch;

impl Command for Touch {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.prepare("UPDATE bot_state_etag SET last = last + 1 WHERE only = 1")?.execute([])?;
        Ok(())
    }
}

impl Command for () {
    type Outcome = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn writes(&self) -> Writes {
        Writes::Nothing
    }
}

impl<A: Command, B: Command> Command for (A, B) {
    type Outcome = (A::Outcome, B::Outcome);

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        Ok((self.0.apply(tx)?, self.1.apply(tx)?))
    }

    fn writes(&self) -> Writes {
        self.0.writes().and(self.1.writes())
    }
}

impl<C: Command> Command for Option<C> {
    type Outcome = Option<C::Outcome>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        self.map(|command| command.apply(tx)).transpose()
    }

    fn writes(&self) -> Writes {
        self.as_ref().map_or(Writes::Nothing, Command::writes)
    }
}

impl<C: Command> Command for Vec<C> {
    type Outcome = Vec<C::Outcome>;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        self.into_iter().map(|command| command.apply(tx)).collect()
    }

    fn writes(&self) -> Writes {
        self.iter().map(Command::writes).fold(Writes::Nothing, Writes::and)
    }
}

/// An outcome that can stand on record.
pub trait Effect: Serialize + DeserializeOwned + Send + 'static {
    /// Whether the command changed anything. What changed nothing leaves no record, and is asked anew when the turn is run again.
    fn took_effect(&self) -> bool;
}

/// A command that takes effect once per turn: run again under the same key, it answers what stands on record.
#[derive(Debug)]
pub struct Keyed<C> {
    /// Where it stands; `None` for a command that comes from outside a turn.
    pub key: Option<CommandKey>,
    /// The kind of the command, in plain words: `job.start`.
    pub kind: &'static str,
    /// What its content comes down to; a command on record with another is refused.
    pub digest: [u8; 16],
    /// The command itself.
    pub command: C,
}

impl<C> Keyed<C> {
    /// What everything that a caller chose about a command comes down to.
    #[must_use]
    pub fn digest(content: &[&[u8]]) -> [u8; 16] {
        let mut hash = Sha256::new();
        for part in content {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        digest
    }
}

impl<C: Command<Outcome: Effect>> Command for Keyed<C> {
    type Outcome = C::Outcome;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Outcome, Error> {
        let Some(key) = self.key else { return self.command.apply(tx) };
        if let Some((kind, digest, outcome)) = tx.recorded_command(key)? {
            if kind != self.kind || digest != self.digest {
                return Err(Error::CommandDiffers { ordinal: key.ordinal, recorded: kind });
            }
            return Ok(serde_json::from_str(&outcome)?);
        }
        let outcome = self.command.apply(tx)?;
        if outcome.took_effect() {
            tx.record_command(key, self.kind, self.digest, &serde_json::to_string(&outcome)?)?;
        }
        Ok(outcome)
    }

    fn writes(&self) -> Writes {
        if self.key.is_none() { self.command.writes() } else { Writes::Many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_write_are_many_and_one_that_reads_is_nothing() {
        #[derive(Serialize, serde::Deserialize)]
        struct Done;
        impl Effect for Done {
            fn took_effect(&self) -> bool {
                true
            }
        }
        struct Writing(Writes);
        impl Command for Writing {
            type Outcome = Done;
            fn apply(self, _: &mut Tx<'_>) -> Result<Done, Error> {
                Ok(Done)
            }
            fn writes(&self) -> Writes {
                self.0
            }
        }
        let sure = || Writing(Writes::Surely);
        assert_eq!(sure().writes(), Writes::Surely);
        assert_eq!((sure(), (None::<Writing>, ())).writes(), Writes::Surely);
        assert_eq!(((), vec![sure()]).writes(), Writes::Surely);
        assert_eq!((sure(), sure()).writes(), Writes::Many);
        assert_eq!(vec![sure(), sure()].writes(), Writes::Many);
        assert_eq!((Some(Writing(Writes::Many)), ()).writes(), Writes::Many);
        let keyed = |key| Keyed { key, kind: "test", digest: [0; 16], command: sure() };
        assert_eq!(keyed(None).writes(), Writes::Surely);
        let key = CommandKey { turn: crate::turn::TurnKey([0; 16]), partition: 0, ordinal: 0 };
        assert_eq!(keyed(Some(key)).writes(), Writes::Many, "its record comes after it");
    }
}
