//! Records a session that receives an arbitrary stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::recorder(data));
