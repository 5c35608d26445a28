//! Reads arbitrary bytes as a packet capture.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::capture(data));
