//! Lists on the command line: one page, so many items, or all of them.
//!
//! What is read is shown at once, page by page, so that a list of any length takes the memory of one page. Whether there is more, and how to
//! see it, stands on stderr, so that a program that reads stdout is not misled. Should the server fail in the midst of a list, what was shown
//! stays, and the exit code says that it is not all.

use std::io::Write as _;

use axum::http::Method;
use clap::Args;
use serde_json::{Value, json};

use super::{Failed, control::encoded, print, source::Source};

/// Items on a page at most, as the API has it.
const PAGE: u32 = 100;

/// How much of a list is wanted.
#[derive(Debug, Args)]
pub(super) struct Paging {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// All of them, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Only what comes after: the `next` of the list before
    #[arg(long)]
    cursor: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A list: where it is read, and what it looks like.
pub(super) struct List<'a> {
    /// Its route.
    pub(super) path: &'a str,
    /// What it is filtered by, beside the page.
    pub(super) filters: Vec<(&'a str, String)>,
    /// What is said when there is nothing.
    pub(super) empty: &'a str,
}

impl List<'_> {
    /// Shows as much of it as is wanted; `shown` makes the lines of each page for people.
    pub(super) async fn show(
        &self,
        paging: Paging,
        source: &Source,
        mut shown: impl FnMut(&[Value]) -> String,
    ) -> Result<String, Failed> {
        let Paging { limit, all, mut cursor, json } = paging;
        let mut left = if all { u32::MAX } else { limit };
        let mut first = true;
        loop {
            let page = self.page(source, left.min(PAGE), cursor.as_deref()).await?;
            let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
            let text = match (json, first) {
                (true, true) => format!("{{\"items\":[{}", joined(items)),
                (true, false) if !items.is_empty() => format!(",{}", joined(items)),
                (true, false) => String::new(),
                (false, true) if items.is_empty() => format!("{}\n", self.empty),
                (false, _) => shown(items),
            };
            if !print(&text) {
                return Ok(String::new());
            }
            first = false;
            if !all {
                left = left.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() || left == 0 {
                break;
            }
        }
        if json {
            return Ok(format!("],\"next\":{}}}\n", json!(cursor)));
        }
        if let Some(next) = cursor {
            let line = format!("There are more: --all shows all of them, --cursor {next} the next ones.\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        Ok(String::new())
    }

    async fn page(&self, source: &Source, limit: u32, cursor: Option<&str>) -> Result<Value, Failed> {
        let mut path = format!("{}?limit={limit}", self.path);
        let filters = self.filters.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in filters.chain(cursor.map(|cursor| ("cursor", cursor))) {
            path += &format!("&{name}={}", encoded(value));
        }
        source.ask(Method::GET, &path, None, None).await
    }
}

fn joined(items: &[Value]) -> String {
    items.iter().map(Value::to_string).collect::<Vec<_>>().join(",")
}

/// Lines with columns as wide as what is in them; the last one takes what is left. A column stays as wide as it was on the page before.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    heads: Option<[&'static str; N]>,
    widths: [usize; N],
}

impl<const N: usize> Table<N> {
    /// With these heads above its first page.
    pub(super) const fn with(heads: [&'static str; N]) -> Self {
        Self { heads: Some(heads), widths: [0; N] }
    }

    /// The lines of the next page.
    pub(super) fn lines(&mut self, rows: impl IntoIterator<Item = [String; N]>) -> String {
        let heads = self.heads.take().map(|heads| heads.map(str::to_owned));
        let rows: Vec<_> = heads.into_iter().chain(rows).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(self.widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_was_in_them() {
        let mut table = Table::with(["A", "B", "C"]);
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        assert_eq!(table.lines([row(["1", "two", "x y"])]), "A  B    C\n1  two  x y\n");
        assert_eq!(table.lines([row(["1000", "b", "z"])]), "1000  b    z\n");
        assert_eq!(table.lines([row(["1", "b", "z"])]), "1     b    z\n", "the page after is no narrower");
    }
}
