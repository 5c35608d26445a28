//! The lower bound for `oracles::session`: split a stream into lines and parse each line with
//! serde_json.
//!
//! Every implementation does at least this much work. `fuzz/speed` compares both, because a slow
//! session slows campaigns down.

use dnode_spec::line::Splitter;
use std::hint::black_box;

/// Parses the lines of a stream up to the first one that is not JSON, which also ends a session.
pub fn run(data: &[u8]) {
    let mut splitter = Splitter::new(1 << 20);
    for segment in data.split_inclusive(|&byte| byte == b'\n') {
        splitter.push(segment);
        while let Some(line) = splitter.next_line() {
            let value = line.ok().and_then(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
            if black_box(value).is_none() {
                return;
            }
        }
    }
}
