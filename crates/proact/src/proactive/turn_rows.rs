//! The journal's rows: turns that are owed, turns that are done, and what to forget after a day.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    auth::Caller,
    store::{self, Command, Query, Tx},
    turn::TurnKey,
};

/// How often an early-answered activity is run, the first time included.
pub(super) const RUNS: u32 = 3;

/// A turn's row as found.
#[derive(Debug)]
pub(super) struct Row {
    /// The answer; `None` while the turn is owed.
    pub(super) answer: Option<(u16, Option<Vec<u8>>)>,
}

/// Looks up one turn.
#[derive(Debug)]
pub(super) struct Find {
    pub(super) partition: u16,
    pub(super) key: TurnKey,
}

impl Query for Find {
    type Answer = Option<Row>;

    fn run(self, connection: &Connection) -> Result<Option<Row>, store::Error> {
        Ok(connection
            .prepare_cached("SELECT status, body FROM turn WHERE partition = ?1 AND key = ?2")?
            .query_row(params![self.partition, self.key.0], |row| {
                let status: Option<u16> = row.get(0)?;
                let body = row.get(1)?;
                Ok(Row { answer: status.map(|status| (status, body)) })
            })
            .optional()?)
    }
}

/// An activity that is about to be answered early: owed from now on.
#[derive(Debug)]
pub(super) struct Owe {
    pub(super) partition: u16,
    pub(super) key: TurnKey,
    pub(super) activity: Vec<u8>,
    pub(super) caller: Caller,
}

impl Command for Owe {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let caller = serde_json::to_string(&self.caller).expect("a caller is JSON");
        tx.prepare(
            "INSERT INTO turn (partition, key, activity, caller, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![self.partition, self.key.0, self.activity, caller, tx.now()])?;
        Ok(())
    }
}

/// The end of a turn whose record must outlive the process: it was owed, or its state is saved in the same commit.
#[derive(Debug)]
pub(super) struct End {
    pub(super) partition: u16,
    pub(super) key: TurnKey,
    pub(super) status: u16,
    pub(super) body: Option<Vec<u8>>,
}

impl Command for End {
    type Outcome = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        tx.prepare(
            "INSERT INTO turn (partition, key, status, body, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET activity = NULL, caller = NULL, status = excluded.status, body = excluded.body",
        )?
        .execute(params![self.partition, self.key.0, self.status, self.body, tx.now()])?;
        Ok(())
    }
}

/// An owed turn whose process died.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) key: TurnKey,
    pub(super) activity: Vec<u8>,
    pub(super) caller: Caller,
    pub(super) runs: u32,
}

/// Takes up what earlier processes owe: counts each run up, and gives up those that were run three times. What a restore
/// [holds](super::hold) is left alone.
#[derive(Debug)]
pub(super) struct TakeUp {
    /// Only what was held until now: what is owed since this time or before.
    pub(super) held_through: Option<i64>,
}

/// What was taken up.
#[derive(Debug)]
pub(super) struct TakenUp {
    pub(super) owed: Vec<Owed>,
    /// What is owed since this time or before is held.
    pub(super) held_through: Option<i64>,
}

impl Command for TakeUp {
    type Outcome = TakenUp;

    fn apply(self, tx: &mut Tx<'_>) -> Result<TakenUp, store::Error> {
        let held_through = super::hold::turns(tx.connection())?;
        let owed = tx
            .prepare(
                "SELECT partition, key, activity, runs, caller FROM turn
                 WHERE activity IS NOT NULL AND at > ?1 AND at <= ?2 ORDER BY at",
            )?
            .query_map([held_through.unwrap_or(i64::MIN), self.held_through.unwrap_or(i64::MAX)], |row| {
                let (key, caller) = (TurnKey(row.get(1)?), row.get::<_, Option<String>>(4)?);
                let turn =
                    Owed { key, activity: row.get(2)?, caller: Caller::anonymous(), runs: row.get(3)? };
                Ok((row.get::<_, u16>(0)?, turn, caller))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        let mut taken = Vec::new();
        for (partition, mut turn, caller) in owed {
            // None on rows of before callers were put on record: nobody was asked then.
            match caller.map_or_else(|| Ok(Caller::anonymous()), |text| serde_json::from_str(&text)) {
                Ok(caller) => turn.caller = caller,
                Err(error) => {
                    // Of a kind that another version knows; as nobody, or as somebody else, it is not run.
                    tracing::error!(%error, "the caller of an unfinished activity cannot be read: it is left alone");
                    continue;
                }
            }
            if turn.runs >= RUNS {
                // It was answered 200 when it was accepted; that stays its answer.
                End { partition, key: turn.key, status: 200, body: None }.apply(tx)?;
                tracing::error!(
                    runs = turn.runs,
                    "an activity is given up: the process died in each of its turns"
                );
                continue;
            }
            turn.runs += 1;
            tx.prepare("UPDATE turn SET runs = ?3 WHERE partition = ?1 AND key = ?2")?
                .execute(params![partition, turn.key.0, turn.runs])?;
            taken.push(turn);
        }
        Ok(TakenUp { owed: taken, held_through })
    }
}

/// The first eight bytes of each key on record since `since` or owed, by itself or with a job that it started; up to `limit`.
#[derive(Debug)]
pub(super) struct Prefixes {
    pub(super) since: i64,
    pub(super) limit: usize,
}

impl Query for Prefixes {
    type Answer = Vec<u64>;

    fn run(self, connection: &Connection) -> Result<Vec<u64>, store::Error> {
        let mut statement =
            connection.prepare("SELECT key FROM turn WHERE at >= ?1 OR activity IS NOT NULL LIMIT ?2")?;
        let rows = statement.query_map(params![self.since, self.limit as i64], |row| row.get(0))?;
        let mut found =
            rows.map(|key| Ok(prefix(TurnKey(key?)))).collect::<Result<Vec<u64>, store::Error>>()?;
        // Jobs remember the turns that started them; the newest first, as far back as a turn is remembered.
        let mut statement = connection.prepare("SELECT turn, created_at FROM job ORDER BY number DESC")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? < self.since || found.len() >= self.limit {
                break;
            }
            found.extend(row.get::<_, Option<[u8; 16]>>(0)?.map(|turn| prefix(TurnKey(turn))));
        }
        Ok(found)
    }
}

/// The part of a key that is held in memory to know which turns may be on record.
pub(super) fn prefix(key: TurnKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = key.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Forgets what is older than `before`, a few rows at a time. Answers how many went. A turn that is owed keeps its commands:
/// it will be run again, and must find them.
#[derive(Debug)]
pub(super) struct Forget {
    pub(super) before: i64,
    pub(super) limit: usize,
}

impl Command for Forget {
    type Outcome = usize;

    fn apply(self, tx: &mut Tx<'_>) -> Result<usize, store::Error> {
        let limit = self.limit as i64;
        // Found by age, then deleted each by its whole key: the work of a step does not grow with the table.
        let turns = tx
            .prepare("SELECT partition, key FROM turn INDEXED BY turn_by_age WHERE at < ?1 AND activity IS NULL LIMIT ?2")?
            .query_map(params![self.before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(u16, [u8; 16])>, _>>()?;
        let commands = tx
            .prepare(
                "SELECT partition, turn, ordinal FROM command INDEXED BY command_by_age WHERE at < ?1
                    AND NOT EXISTS (SELECT 1 FROM turn WHERE turn.partition = command.partition
                        AND turn.key = command.turn AND turn.activity IS NOT NULL)
                 LIMIT ?2",
            )?
            .query_map(params![self.before, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(u16, [u8; 16], u32)>, _>>()?;
        for (partition, key) in &turns {
            tx.prepare("DELETE FROM turn WHERE partition = ?1 AND key = ?2")?
                .execute(params![partition, key])?;
        }
        for (partition, turn, ordinal) in &commands {
            tx.prepare("DELETE FROM command WHERE partition = ?1 AND turn = ?2 AND ordinal = ?3")?
                .execute(params![partition, turn, ordinal])?;
        }
        Ok(turns.len() + commands.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{clock::SystemClock, store::Store};

    #[tokio::test]
    async fn what_is_owed_is_kept_with_its_commands_and_the_rest_is_forgotten_in_steps() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
        let (owed, done) = (TurnKey([1; 16]), TurnKey([2; 16]));
        let owe = Owe { partition: 7, key: owed, activity: b"{}".to_vec(), caller: Caller::anonymous() };
        store.commit(owe).await.unwrap();
        store.commit(End { partition: 7, key: done, status: 200, body: None }).await.unwrap();
        store.commit(Commands(vec![(owed, 0), (done, 0), (done, 1)])).await.unwrap();
        let step = || store.commit(Forget { before: i64::MAX, limit: 1 });
        let mut steps = Vec::new();
        while let gone @ 1.. = step().await.unwrap() {
            steps.push(gone);
        }
        assert_eq!(steps.iter().sum::<usize>(), 3, "a turn and two commands");
        assert!(steps.len() > 1, "in steps: {steps:?}");
        let find = |key| store.read(Find { partition: 7, key });
        assert!(find(owed).await.unwrap().is_some());
        assert!(find(done).await.unwrap().is_none());
        assert_eq!(store.read(Recorded).await.unwrap(), [owed.0]);
    }

    #[tokio::test]
    async fn what_is_owed_to_a_caller_that_cannot_be_read_is_left_alone_and_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("proact.db"), &[], Arc::new(SystemClock)).unwrap();
        for (number, caller) in
            [(1, None), (2, Some(r#"{"kind":"unheardOf","serviceUrlVerified":true}"#)), (3, Some("{}"))]
        {
            let activity = b"{}".to_vec();
            let owe = Owe { partition: 7, key: TurnKey([number; 16]), activity, caller: Caller::itself() };
            store.commit((owe, Rewrite(number, caller))).await.unwrap();
        }
        let known = Owe {
            partition: 7,
            key: TurnKey([4; 16]),
            activity: b"{}".to_vec(),
            caller: Caller { service_url_verified: true, ..Caller::anonymous() },
        };
        store.commit(known).await.unwrap();
        let taken = store.commit(TakeUp { held_through: None }).await.unwrap().owed;
        let mut taken: Vec<_> = taken.into_iter().map(|turn| (turn.key.0[0], turn.caller)).collect();
        taken.sort_by_key(|(number, _)| *number);
        let verified = Caller { service_url_verified: true, ..Caller::anonymous() };
        assert_eq!(taken, [(1, Caller::anonymous()), (4, verified)]);
        assert!(
            store.read(Find { partition: 7, key: TurnKey([2; 16]) }).await.unwrap().unwrap().answer.is_none()
        );
    }

    /// Puts another caller on record, as another version would have.
    struct Rewrite(u8, Option<&'static str>);

    impl Command for Rewrite {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
            tx.prepare("UPDATE turn SET caller = ?2 WHERE key = ?1")?
                .execute(params![[self.0; 16], self.1])?;
            Ok(())
        }
    }

    struct Commands(Vec<(TurnKey, u32)>);

    impl Command for Commands {
        type Outcome = ();

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
            for (turn, ordinal) in self.0 {
                tx.prepare("INSERT INTO command VALUES (7, ?1, ?2, 'test', x'00', 'null', ?3)")?
                    .execute(params![turn.0, ordinal, tx.now()])?;
            }
            Ok(())
        }
    }

    struct Recorded;

    impl Query for Recorded {
        type Answer = Vec<[u8; 16]>;

        fn run(self, connection: &Connection) -> Result<Self::Answer, store::Error> {
            let mut statement = connection.prepare("SELECT turn FROM command")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        }
    }
}
