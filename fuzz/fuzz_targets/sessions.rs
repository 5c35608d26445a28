//! Any operations of two sessions that talk.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::sessions(data));
