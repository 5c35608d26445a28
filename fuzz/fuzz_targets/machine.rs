//! Reads arbitrary text as the file of a machine.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::machine(data));
