//! What the session target is measured against: lines and serde_json alone.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::baseline::run(data));
