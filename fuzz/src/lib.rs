//! Oracles for fuzzing `dnode-spec`, `dnode-capture` and `dnode-reports`.
//!
//! An oracle is a function of bytes. It panics if a property of the code under test does not hold.
//! Each program in `fuzz_targets/` passes libFuzzer's inputs to one oracle. `tests/replay.rs`
//! passes the committed inputs: `seeds/` (starting points of a campaign) and `regressions/` (inputs
//! that once failed). So `cargo test` needs neither nightly Rust nor libFuzzer. README.md has the
//! commands and the results.
//!
//! An input is the text on the wire or in a file, and nothing else. It does not say how the text is
//! cut into segments: the oracle tries several cuts. So an input keeps its meaning when an oracle
//! changes, and recorded traffic is a valid input. If there is no such text, the encoding is
//! documented and stable ([`generators::operations`]), or it is `arbitrary`'s
//! ([`generators::events`]).
//!
//! Modules import downward only: [`oracles`], then [`generators`], then `dnode-spec`,
//! `dnode-capture` and `dnode-reports`.
//!
//! Deliberately absent: valid sessions (`dnode_spec::generate` makes them) and live peers
//! (`dnode-conform fuzz` tests them).

pub mod baseline;
pub mod generators;
pub mod oracles;

use std::path::{Path, PathBuf};

/// A check of one input.
pub type Oracle = fn(&[u8]);

/// Every target and its oracle. The seeds of a target are in `seeds/NAME`, its regressions in
/// `regressions/NAME`.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("capture", oracles::capture),
    ("decode", oracles::decode),
    ("learner", oracles::learner),
    ("lines", oracles::lines),
    ("log", oracles::log),
    ("machine", oracles::machine),
    ("mapper", oracles::mapper),
    ("monitor", oracles::monitor),
    ("paths", oracles::paths),
    ("recorder", oracles::recorder),
    ("report", oracles::report),
    ("session", oracles::session),
    ("sessions", oracles::sessions),
    ("stored", oracles::stored),
    ("trace", oracles::trace),
    ("transcript", oracles::transcript),
];

/// The files in a folder and its subfolders, sorted. Follows symbolic links.
///
/// # Errors
/// The first folder or entry that cannot be read.
pub fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
