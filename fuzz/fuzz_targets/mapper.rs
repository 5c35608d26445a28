//! Answers the inputs of the learner with an arbitrary stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dnode_fuzz::oracles::mapper(data));
