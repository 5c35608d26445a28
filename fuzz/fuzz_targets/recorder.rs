//! Any bytes as one end of a connection that is written down.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::recorder(data));
