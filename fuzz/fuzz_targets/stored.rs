//! Reads arbitrary text as a stored report.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::stored(data));
