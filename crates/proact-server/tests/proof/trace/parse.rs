//! Reads what `strace -f -y` wrote.
//!
//! A call that another thread's call interrupts in the trace stands in two lines, its beginning and its end. So each call has
//! two places: nothing that begins after its end can have happened before it.

use std::collections::HashMap;
use std::path::Path;

/// One system call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Which thread made it.
    thread: u32,
    pub(super) name: String,
    /// What its first argument stands for: a path, or `socket:[…]`.
    pub(super) target: String,
    /// Its arguments, as written in the trace.
    pub(super) arguments: String,
    /// The line where it begins.
    pub(super) begins: usize,
    /// The line where it ends; `None` if it never did.
    pub(super) ends: Option<usize>,
    /// What it answered.
    result: String,
}

impl Call {
    pub(super) fn is_sync(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync")
    }

    pub(super) fn is_log_write(&self) -> bool {
        self.target.ends_with("-wal") && !self.is_sync()
    }

    /// Something that leaves the process.
    pub(super) fn is_sent(&self) -> bool {
        self.target.starts_with("socket:") || self.target.starts_with("TCP")
    }

    pub(super) fn succeeded(&self) -> bool {
        !self.result.starts_with('-') && self.ends.is_some()
    }

    pub(super) fn injected(&self) -> bool {
        self.result.contains("(INJECTED)")
    }
}

/// All calls, in the order in which they begin.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) calls: Vec<Call>,
}

impl Trace {
    pub(super) fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Self {
        let mut calls: Vec<Call> = Vec::new();
        let mut open: HashMap<u32, usize> = HashMap::new();
        for (place, line) in text.lines().enumerate() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let (Ok(thread), rest) = (thread.parse(), rest.trim_start()) else { continue };
            if let Some(end) = rest.strip_prefix("<... ") {
                let Some(call) = open.remove(&thread).map(|call| &mut calls[call]) else { continue };
                call.ends = Some(place);
                call.result = result(end);
                if let Some((_, late)) = end.split_once("resumed>") {
                    call.arguments.push_str(late);
                }
                continue;
            }
            let Some((name, arguments)) = rest.split_once('(') else { continue };
            let unfinished = rest.ends_with("<unfinished ...>");
            if unfinished {
                open.insert(thread, calls.len());
            }
            let target = arguments.split_once('<').and_then(|(_, path)| Some(path.split_once('>')?.0));
            calls.push(Call {
                thread,
                name: name.to_owned(),
                target: target.unwrap_or_default().to_owned(),
                arguments: arguments.to_owned(),
                begins: place,
                ends: (!unfinished).then_some(place),
                result: if unfinished { String::new() } else { result(rest) },
            });
        }
        Self { calls }
    }

    /// How many calls of one name the busiest thread made.
    pub(super) fn most_by_one_thread(&self) -> usize {
        let mut counts: HashMap<(u32, &str), usize> = HashMap::new();
        for call in &self.calls {
            *counts.entry((call.thread, &call.name)).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// How many calls were made to fail.
    pub(super) fn injected(&self) -> usize {
        self.calls.iter().filter(|call| call.injected()).count()
    }

    /// The first send whose bytes contain all of these texts.
    pub(super) fn sent(&self, texts: &[&str]) -> Option<&Call> {
        let mut sent = self.calls.iter().filter(|call| call.is_sent());
        sent.find(|call| texts.iter().all(|text| call.arguments.contains(text)))
    }

    /// Why `said` may not be said yet, if so: the last write to the log that began before it must be covered by a sync of
    /// the log that began after that write's end, and ended well before `said` began.
    pub(super) fn unsynced(&self, said: &Call) -> Option<String> {
        let written = self.calls.iter().filter(|call| call.is_log_write() && call.begins < said.begins);
        let Some(last) = written.max_by_key(|call| call.ends.unwrap_or(usize::MAX)) else {
            return Some("nothing was written before it".to_owned());
        };
        let Some(written) = last.ends.filter(|ends| *ends < said.begins) else {
            return Some(format!("a write to the log was under way, line {}", last.begins));
        };
        self.uncovered(written, said)
    }

    /// The same for one commit, whatever others are under way: that by which `text` came into the log.
    pub(super) fn unsynced_commit_of(&self, text: &str, said: &Call) -> Option<String> {
        let written = self.calls.iter().find(|call| call.is_log_write() && call.arguments.contains(text));
        match written.and_then(|call| call.ends) {
            Some(written) => self.uncovered(written, said),
            None => Some(format!("`{text}` is not in the log")),
        }
    }

    /// Why a write that ended in line `written` is not yet durable when `said` begins, if so.
    fn uncovered(&self, written: usize, said: &Call) -> Option<String> {
        let covers = |call: &&Call| {
            call.is_sync() && call.target.ends_with("-wal") && call.begins > written && call.succeeded()
        };
        let synced = self.calls.iter().filter(covers).filter_map(|call| call.ends).min();
        match synced {
            Some(synced) if synced < said.begins => None,
            _ => {
                Some(format!("written in line {written}, said in line {}, synced in {synced:?}", said.begins))
            }
        }
    }
}

/// What stands after the last ` = `.
fn result(line: &str) -> String {
    line.rsplit_once(" = ").map(|(_, result)| result.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Trace;

    const GOOD: &str = r#"10 pwrite64(5</d/p.db-wal>, "job"..., 4096, 0) = 4096
10 fsync(5</d/p.db-wal> <unfinished ...>
11 sendto(9<socket:[1]>, "other", 5, 0, NULL, 0) = 5
10 <... fsync resumed>)                    = 0
11 sendto(9<socket:[1]>, "job 1", 5, 0, NULL, 0) = 5
"#;

    fn verdict(text: &str) -> Option<String> {
        let trace = Trace::parse(text);
        trace.unsynced(trace.sent(&["job 1"]).expect("it was said"))
    }

    #[test]
    fn said_after_the_sync_is_right() {
        assert_eq!(verdict(GOOD), None);
        let trace = Trace::parse(GOOD);
        assert!(
            trace.unsynced(trace.sent(&["other"]).expect("it was said")).is_some(),
            "said during the sync"
        );
        assert_eq!((trace.most_by_one_thread(), trace.injected()), (2, 0));
    }

    #[test]
    fn doctored_traces_are_rejected() {
        let lines: Vec<&str> = GOOD.lines().collect();
        let early = [lines[0], lines[1], lines[4], lines[3]].join("\n");
        let never = [lines[0], lines[4]].join("\n");
        let other = GOOD.replace("fsync(5</d/p.db-wal>", "fsync(5</d/p.db>");
        let failed = GOOD.replace(")                    = 0", ") = -1 EIO (Input/output error) (INJECTED)");
        let before = [lines[1], lines[3], lines[0], lines[4]].join("\n");
        let again = [lines[0], lines[1], lines[3], lines[0], lines[4]].join("\n");
        let nothing = lines[4].to_owned();
        for doctored in [early, never, other, failed, before, again.clone(), nothing] {
            assert!(verdict(&doctored).is_some(), "{doctored}");
            let trace = Trace::parse(&doctored);
            let said = trace.sent(&["job 1"]).expect("it was said");
            // Found by its content, it is known to be synced once it was, whatever is written later.
            assert_eq!(trace.unsynced_commit_of("\"job\"", said).is_none(), doctored == again, "{doctored}");
        }
    }
}
