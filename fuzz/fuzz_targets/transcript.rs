//! Reads arbitrary text as a transcript.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::transcript(data));
