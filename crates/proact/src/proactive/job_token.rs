//! A worker's token: 256 random bits, given out once; the store has only its SHA-256.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::store::{self, Tx};

/// Tokens of one job that are good at the same time.
const KEPT: i64 = 8;

/// What a worker proves itself with, bound to one job: who has it can report on that job and finish it, and nothing else.
///
/// It cannot be had again: hand it to the worker at once. It does not show itself in `Debug`.
#[derive(Clone)]
pub struct JobToken(String);

impl JobToken {
    /// A new one.
    pub(super) fn new() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has random bytes");
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The token itself, for `Authorization: Bearer …`: 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> Digested {
        Digested::of(&self.0)
    }
}

impl std::fmt::Debug for JobToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobToken(…)")
    }
}

/// What is stored of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digested([u8; 32]);

impl Digested {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Puts it on record for a job. A turn that is run again gives out another one: the first may not have reached the worker. But who asks
    /// again and again does not make the record grow: the newest eight are good.
    pub(super) fn give(&self, tx: &Tx<'_>, job: i64) -> Result<(), store::Error> {
        let given: i64 = tx
            .prepare(
                "INSERT INTO job_token (job, digest, given)
                 VALUES (?1, ?2, 1 + (SELECT coalesce(max(given), 0) FROM job_token WHERE job = ?1)) RETURNING given",
            )?
            .query_row(rusqlite::params![job, self.0], |row| row.get(0))?;
        if given > KEPT {
            tx.prepare("DELETE FROM job_token WHERE job = ?1 AND given <= ?2")?
                .execute([job, given - KEPT])?;
        }
        Ok(())
    }

    /// Whether it was given out for this job. All are compared, each in constant time.
    pub(super) fn is_of(&self, tx: &Tx<'_>, job: i64) -> Result<bool, store::Error> {
        let mut statement = tx.prepare("SELECT digest FROM job_token WHERE job = ?1")?;
        let mut rows = statement.query([job])?;
        let mut found = subtle::Choice::from(0);
        while let Some(row) = rows.next()? {
            let digest: [u8; 32] = row.get(0)?;
            found |= digest.ct_eq(&self.0);
        }
        Ok(found.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_keep_themselves_to_themselves() {
        let (one, two) = (JobToken::new(), JobToken::new());
        assert_ne!(one.as_str(), two.as_str());
        assert_eq!(one.as_str().len(), 43);
        assert!(!format!("{one:?}").contains(one.as_str()));
    }
}
