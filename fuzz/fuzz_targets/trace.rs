//! Reads arbitrary text as the standard error of a peer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::trace(data));
