//! Reading line logs of sessions.

use dnode_spec::clause;
use dnode_spec::monitor::End;
use dnode_spec::transcript::rows::{self, Row};

/// Reads an input as a line log.
///
/// 1. Reading does not panic, and an error names a line of the input.
/// 2. Reading adds no rows, and every problem names an existing clause.
/// 3. The rows, written in the order that reading chose, are read back in the same order.
///
/// # Panics
/// If one of these does not hold.
pub fn log(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines = text.lines().count();
    match rows::read(text) {
        Ok((_, judged)) => {
            assert!(judged.len() < lines, "there are more rows than lines");
            let problems = judged.iter().flat_map(|(.., problems)| problems);
            problems.for_each(|problem| assert!(clause::find(problem.clause).is_some(), "{problem:?}"));
            let written = write(&judged);
            match rows::read(&written) {
                Ok((_, again)) => assert_eq!(format!("{again:?}"), format!("{judged:?}")),
                Err(error) => panic!("the written rows are rejected: {error}"),
            }
        }
        Err(error) => assert!((1..=lines.max(1)).contains(&error.line), "{error}"),
    }
}

/// A log of these rows, with times so far apart that their order is unambiguous.
fn write(judged: &[rows::Judged]) -> String {
    let mut written = String::from("{\"client\":\"a\",\"server\":\"b\"}\n");
    for (n, (end, row, _)) in judged.iter().enumerate() {
        let from = if *end == End::A { "client" } else { "server" };
        let ms = n * 1000;
        let row = match row {
            Row::Line(line) => serde_json::json!({ "ms": ms, "from": from, "line": line }),
            Row::End(rest) => serde_json::json!({ "ms": ms, "from": from, "end": true, "rest": rest }),
        };
        written.push_str(&row.to_string());
        written.push('\n');
    }
    written
}
