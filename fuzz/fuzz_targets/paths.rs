//! Any bytes as messages with hostile paths.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::paths(data));
