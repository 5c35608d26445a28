//! What the fuzz targets check, in a form that plain tests replay.
//!
//! An oracle is a function of bytes that panics where a property of `dnode-spec` is broken. The targets in
//! `fuzz_targets/` only hand it libFuzzer's inputs, and `tests/replay.rs` hands it the committed ones:
//! `seeds/` (where a campaign begins) and `regressions/` (what must not break again). So `cargo test` needs
//! no nightly and no engine.
//!
//! ```text
//! mkdir -p fuzz/corpus/decode &&
//! cargo fuzz run --features engine --sanitizer none decode \
//!     fuzz/corpus/decode fuzz/seeds/decode -- -timeout=10 -dict=fuzz/dictionary/dnode.dict
//! ```
//!
//! Rules: an input is what stands on the wire, and nothing else. How it is cut into segments is no part of
//! it: the oracle tries some cuts by itself. So an input stays what it is when an oracle changes, and
//! recorded traffic is one.
//!
//! Deliberately absent: generators. What a legal session looks like is `dnode_spec`'s business.

pub mod oracles;
