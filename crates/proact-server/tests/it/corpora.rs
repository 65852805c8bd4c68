//! The corpora of the fuzz targets, replayed on stable: each as it is, and changed at random, always in the same way.

use std::path::Path;

use proact::fuzzing::Target;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// Changed ones of each.
const CHANGED: usize = 150;
/// What parsers trip over.
const PIECES: &[&str] = &[
    "\0", "\n", "\"", "\\", "{", "}", "[", "]", "{{", "{%", "<at>", "</at>", ".", "-", "null", "1e999",
    "\u{a0}", "\u{202e}", "\\ud800", "%00",
];

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a file")).collect()
}

/// One of `all` with a few changes.
fn changed(all: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = all.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..5) {
        let at = random.random_range(0..=bytes.len());
        let until = (at + random.random_range(0..9)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes.splice(at..at, PIECES.choose(random).unwrap_or(&"").bytes()).for_each(drop),
            1 => bytes.drain(at..until).for_each(drop),
            2 => bytes.extend_from_within(at..until),
            3 => bytes.truncate(at),
            4 => {
                let other = all.choose(random).cloned().unwrap_or_default();
                let from = random.random_range(0..=other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.random();
                }
            }
        }
    }
    bytes
}

fn replay(name: &str, target: Target) {
    let all = corpus(name);
    assert!(!all.is_empty(), "{name} has no corpus");
    all.iter().for_each(|bytes| target(bytes));
    let mut random = SmallRng::seed_from_u64(all.len() as u64);
    for _ in 0..CHANGED * all.len() {
        let bytes = changed(&all, &mut random);
        let tried = std::panic::catch_unwind(|| target(&bytes));
        assert!(tried.is_ok(), "{name} trips over {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn no_parser_of_the_library_trips() {
    for (name, target) in proact::fuzzing::TARGETS {
        replay(name, *target);
    }
}

#[test]
fn no_parser_of_the_server_trips() {
    for (name, target) in proact_server::fuzzing::TARGETS {
        replay(name, *target);
    }
}

#[test]
fn every_corpus_has_its_target_and_every_target_is_fuzzed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let known = || proact::fuzzing::TARGETS.iter().chain(proact_server::fuzzing::TARGETS);
    for corpus in std::fs::read_dir(fuzz.join("corpus")).unwrap() {
        let name = corpus.unwrap().file_name().into_string().unwrap();
        assert!(known().any(|(target, _)| *target == name), "{name}");
    }
    for (name, _) in known() {
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name} has no fuzz target");
    }
}
