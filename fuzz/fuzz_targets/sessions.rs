//! Runs arbitrary operations of two connected sessions.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::sessions(data));
