//! Applies the callbacks and links of arbitrary messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::paths(data));
