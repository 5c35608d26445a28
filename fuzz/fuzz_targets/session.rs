//! Feeds an arbitrary stream to a session.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::session(data));
