//! Splits an arbitrary stream into lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::lines(data));
