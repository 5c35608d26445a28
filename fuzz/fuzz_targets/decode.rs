//! Any bytes as a stream of messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::decode(data));
