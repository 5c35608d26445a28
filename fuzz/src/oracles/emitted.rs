//! Checks of the lines that our own code emits.

use dnode_spec::clause::{self, Level};
use dnode_spec::message::{self, Message};
use dnode_spec::monitor::{End, Monitor, Received};
use dnode_spec::value::Value;

/// Parses an emitted line, which must be one line of JSON with a newline at its end.
pub(super) fn parse(line: &[u8]) -> Value<'_> {
    let json = without_newline(line);
    assert!(!json.contains(&b'\n'), "an emitted message has several lines: {}", line.escape_ascii());
    Value::parse(json)
        .unwrap_or_else(|error| panic!("an emitted message is not JSON: {error} in {}", line.escape_ascii()))
}

/// Decodes an emitted message, which must not break a clause.
pub(super) fn decode<'v>(value: &'v Value<'_>) -> Message<'v> {
    let decoded = message::decode(value);
    assert!(decoded.problems.is_empty(), "an emitted message has {:?}: {value:?}", decoded.problems);
    decoded.message.unwrap_or_else(|| panic!("an emitted line is not a message: {value:?}"))
}

/// Checks that the monitor finds nothing worse than a remark in an emitted line.
pub(super) fn check_judgement(monitor: &mut Monitor, from: End, line: &[u8]) -> Option<Received> {
    let judgement = monitor.line(from, without_newline(line));
    for problem in judgement.problems {
        let level = clause::find(problem.clause).map(|clause| clause.level);
        assert_eq!(level, Some(Level::Observed), "{problem:?} in {}", line.escape_ascii());
    }
    judgement.received
}

fn without_newline(line: &[u8]) -> &[u8] {
    let Some((b'\n', line)) = line.split_last() else {
        panic!("an emitted line has no newline: {}", line.escape_ascii())
    };
    line
}
