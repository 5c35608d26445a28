//! Any bytes as one end of a connection that the monitor watches.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::monitor(data));
