//! The least that any end does with what comes: cut it into lines, and parse each as JSON with serde_json.
//!
//! `oracles::session` is measured against it: a session that costs much more than this would make campaigns slow.

use dnode_spec::line::Splitter;
use std::hint::black_box;

/// Parses the lines of a stream up to the first that is not JSON, where a session ends too.
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
