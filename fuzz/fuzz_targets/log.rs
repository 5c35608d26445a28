//! Reads arbitrary text as a line log.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::log(data));
