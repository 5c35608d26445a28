//! The baseline of the target `session`: split lines and parse them with serde_json.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::baseline::run(data));
