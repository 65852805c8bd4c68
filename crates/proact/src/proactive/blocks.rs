//! Where a conversation's rows stand in a log, block by block, newest first.
//!
//! The indexes of a conversation's jobs and notifications begin with the block of the log that a row stands in, so that what is written goes into
//! a few pages, however long the log is. Who looks for a conversation's rows asks once for each block.

use rusqlite::{Connection, Row, params_from_iter, types::Value};

use crate::store::Error;

/// Rows in a block, as a power of two. The same stands in the indexes and in what asks them (`number >> 12`).
const BITS: u32 = 12;

/// Blocks, the newest first.
pub(super) type Blocks = std::iter::Rev<std::ops::Range<i64>>;

/// The blocks of a log from the newest to the oldest, all of them or from the one that ends before a row. `bounds` reads the first and the
/// last number of the log.
pub(super) fn blocks(connection: &Connection, bounds: &str, before: Option<u64>) -> Result<Blocks, Error> {
    let (oldest, newest): (Option<i64>, Option<i64>) =
        connection.prepare_cached(bounds)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (oldest, newest) = (oldest.unwrap_or(0), newest.unwrap_or(-1));
    let last = before.map_or(newest, |before| newest.min(i64::try_from(before).unwrap_or(i64::MAX) - 1));
    let range = if last < oldest { 0..0 } else { oldest >> BITS..(last >> BITS) + 1 };
    Ok(range.rev())
}

/// Goes through what `sql` finds, for as long as `each` wants more: once, or once for each of `blocks`, which is then the first of `values`.
pub(super) fn each_row(
    connection: &Connection,
    sql: &str,
    blocks: Option<Blocks>,
    mut values: Vec<Value>,
    mut each: impl FnMut(&Row<'_>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut ask = |values: &[Value]| {
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !each(row)? {
                return Ok(false);
            }
        }
        Ok::<_, Error>(true)
    };
    let Some(blocks) = blocks else { return ask(&values).map(drop) };
    for block in blocks {
        values[0] = block.into();
        if !ask(&values)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_that_may_hold_a_row_before_another_is_asked_once_and_no_other() {
        let connection = Connection::open_in_memory().unwrap();
        let of = |bounds: &str, before| blocks(&connection, bounds, before).unwrap().collect::<Vec<_>>();
        assert!(of("SELECT NULL, NULL", None).is_empty(), "an empty log");
        assert!(of("SELECT NULL, NULL", Some(9)).is_empty());
        assert_eq!(of("SELECT 1, 4095", None), [0]);
        assert_eq!(of("SELECT 1, 4096", None), [1, 0]);
        assert_eq!(of("SELECT 5000, 12288", None), [3, 2, 1]);
        assert_eq!(of("SELECT 5000, 12288", Some(12288)), [2, 1]);
        assert_eq!(of("SELECT 5000, 12288", Some(u64::MAX)), [3, 2, 1]);
        assert!(of("SELECT 5000, 12288", Some(5000)).is_empty());
        assert!(of("SELECT 1, 1", Some(0)).is_empty());
    }
}
