#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let target = proact::fuzzing::TARGETS.iter().find(|(name, _)| *name == "upload");
    target.expect("a target").1(bytes);
});
