//! The operation of a line: a permanent text that names the clause and field that the line breaks,
//! or the method that it calls.
//!
//! It depends only on the line, not on its history. So a finding keeps its identity when it is
//! shrunk, and when another mutation leads to it. These texts feed the identities of findings:
//! their bytes must not change.

use super::input::{End, Input, Methods};
use dnode_spec::message::{self, Message, Method, Problem};
use dnode_spec::scrub::unscrub;
use dnode_spec::value::{Ref, Value};

/// A longer line is also "long".
const LONG: usize = 8192;
/// A line with more levels is "deep".
const DEEP: usize = 100;

/// Names with a meaning in some language.
const ODD: [&str; 5] = ["__proto__", "constructor", "prototype", "toString", "\"length\""];

/// The operation of a line, without its newline.
#[must_use]
pub(super) fn operation(line: &[u8], methods: &Methods) -> String {
    let mut word = match Value::parse(line) {
        Ok(value) => of_value(&value, methods),
        Err(error) if error.is_utf8() => "not UTF-8".to_owned(),
        Err(_) if line.trim_ascii().is_empty() => "a blank line".to_owned(),
        Err(_) => "not JSON".to_owned(),
    };
    if line.len() > LONG {
        word.push_str(", long");
    }
    if is_deep(line) {
        word.push_str(", deep");
    }
    let text = String::from_utf8_lossy(line);
    if let Some(odd) = ODD.iter().find(|odd| text.contains(**odd)) {
        word.push_str(", with ");
        word.push_str(odd.trim_matches('"'));
    }
    word
}

/// The operation that an input is named after: the last one, because earlier ones mostly prepare
/// it.
#[must_use]
pub(super) fn of_input(input: &Input, methods: &Methods) -> String {
    match (input.end, input.lines.last()) {
        (End::Asked, Some(line)) => operation(&line.bytes, methods),
        (end, _) => of_end(end).to_owned(),
    }
}

/// All operations of an input, with its end if that is special.
#[must_use]
pub(super) fn all_of_input(input: &Input, methods: &Methods) -> Vec<String> {
    let lines = input.lines.iter().map(|line| operation(&line.bytes, methods));
    let end = (input.end != End::Asked).then(|| of_end(input.end).to_owned());
    lines.chain(end).collect()
}

/// The operation of an end.
#[must_use]
pub(super) fn of_end(end: End) -> &'static str {
    match end {
        End::Asked => "the end of a session",
        End::HalfClosed => "a half-close",
        End::Reset => "a reset",
    }
}

fn of_value(value: &Value<'_>, methods: &Methods) -> String {
    let decoded = message::decode(value);
    if let Some(problem) = decoded.problems.first() {
        return of_problem(problem, value.root());
    }
    let Some(message) = decoded.message else { return "no message".to_owned() };
    if let Some(problem) = unscrub(&message, |id| id).problems.first() {
        return of_problem(problem, value.root());
    }
    of_valid(&message, methods)
}

/// The broken clause, the field, and the type of its value.
fn of_problem(problem: &Problem, root: Ref<'_>) -> String {
    let field = problem.at.split(['.', '[']).next().unwrap_or_default();
    let kind = root.get(field).map_or(root.kind(), Ref::kind).word();
    format!(
        "{} ({}{kind})",
        problem.clause,
        if field.is_empty() { String::new() } else { format!("{field}: ") }
    )
}

/// The call of a valid message, and its callbacks and links.
fn of_valid(message: &Message<'_>, methods: &Methods) -> String {
    let mut word = match &message.method {
        Method::Name(name) => match name.as_text().to_str() {
            Some(name @ ("methods" | "cull")) => name.to_owned(),
            Some(name) if methods.names().iter().any(|known| known == name) => format!("call {name}"),
            _ => "call of an unknown name".to_owned(),
        },
        Method::Id(id) => match methods.named(id.0) {
            Some(name) => format!("call {name}"),
            None if id.0 < 0 => "call of a negative id".to_owned(),
            None => "call of an id".to_owned(),
        },
    };
    if message.callbacks.is_empty() {
        word.push_str(", no callback");
    }
    if !message.links.is_empty() {
        word.push_str(", links");
    }
    word
}

fn is_deep(line: &[u8]) -> bool {
    let mut depth = 0_usize;
    line.iter().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEP
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::facts::Facts;

    #[test]
    fn operation_is_the_broken_clause_or_the_call() {
        let methods = Methods::of(&Facts::of_client());
        let word = |line: &str| operation(line.as_bytes(), &methods);
        assert_eq!(word("null"), "message/object (null)");
        assert_eq!(word("{"), "not JSON");
        assert_eq!(word(r#"{"method":"echo","links":"x"}"#), "message/links (links: string)");
        assert_eq!(word(r#"{"method":770000001,"arguments":["$"],"callbacks":{"1":["0"]}}"#), "call echo");
        assert_eq!(word(r#"{"method":"echo"}"#), "call echo, no callback");
        let other = r#"{"method":"echo","arguments":[0],"links":[{"from":["7"],"to":["0"]}]}"#;
        assert!(word(other).starts_with("link/from-place"), "{}", word(other));
    }
}
