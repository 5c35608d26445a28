//! What the fuzz targets check, in a form that plain tests replay.
//!
//! An oracle is a function of bytes that panics where a property of `dnode-spec` or `dnode-reports` is broken. The targets in
//! `fuzz_targets/` only hand it libFuzzer's inputs, and `tests/replay.rs` hands it the committed ones: `seeds/` (where a campaign
//! begins) and `regressions/` (what must not break again). So `cargo test` needs no nightly and no engine. How to run the
//! targets, and what they have reached, stands in README.md.
//!
//! Rules: an input is what stands on the wire or in a file, and nothing else. How it is cut into segments is no part of it: the
//! oracle tries some cuts by itself. So an input stays what it is when an oracle changes, and recorded traffic is one. Where there
//! is no such text, the encoding is documented and stable ([`generators::operations`]), or `arbitrary`'s ([`generators::events`]).
//!
//! Deliberately absent: what a legal session looks like, which is `dnode_spec`'s business. Live peers have a target of their own ([`live`]),
//! which no list of targets includes: it needs one.

pub mod baseline;
pub mod generators;
#[cfg(feature = "peer")]
pub mod live;
pub mod oracles;

/// An oracle of bytes.
pub type Oracle = fn(&[u8]);

/// Every target that has an oracle, by its name; its seeds are in `seeds/NAME`, its regressions in `regressions/NAME`.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("decode", oracles::decode),
    ("lines", oracles::lines),
    ("log", oracles::log),
    ("monitor", oracles::monitor),
    ("paths", oracles::paths),
    ("recorder", oracles::recorder),
    ("report", oracles::report),
    ("session", oracles::session),
    ("sessions", oracles::sessions),
    ("transcript", oracles::transcript),
];
