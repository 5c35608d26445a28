//! A message of ours as a line of bytes, for spellings that a message of a transcript cannot have.

use crate::message::{Id, Message, write_links};
use crate::transcript::bytes::{Blank, Bytes};
use crate::transcript::names::{Called, Name};
use crate::transcript::write::Step;

/// How a line is written. All forms mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing special, but other values than `"[Function]"` may stand in the places of functions.
    Plain,
    /// White space around every token.
    Spaced,
    /// The integer of the method ends with `.0`.
    PointZero,
    /// Fields are duplicated: the last ones count.
    Twice,
}

impl Form {
    /// The step that sends `message`; `method` is the function that it calls.
    pub(super) fn step(self, message: &Message<'_>, method: &str) -> Step {
        let mut line = Vec::new();
        let mut text = |text: &[u8]| line.push(Bytes::Plain(text.to_vec()));
        text(b"{");
        if self == Form::Twice {
            text(b"\"method\":\"no_such_method\",\"arguments\":[],");
        }
        text(b"\"method\":");
        line.push(Bytes::Blank(Blank::Id(Called::read(method))));
        let mut rest = if self == Form::PointZero { b".0".to_vec() } else { Vec::new() };
        rest.extend(b",\"arguments\":");
        rest.extend(message.arguments.map_or_else(|| b"[]".to_vec(), |arguments| arguments.to_json()));
        rest.extend(b",\"callbacks\":{");
        for (n, (id, path)) in message.callbacks.iter().enumerate() {
            rest.extend(if n > 0 { &b",\""[..] } else { b"\"" });
            line.push(Bytes::Plain(std::mem::take(&mut rest)));
            line.push(Bytes::Blank(Blank::Id(our_name(*id))));
            rest.extend(b"\":");
            path.write_json(&mut rest);
        }
        rest.extend(b"},\"links\":");
        write_links(&message.links, &mut rest);
        rest.push(b'}');
        line.push(Bytes::Plain(rest));
        if self == Form::Spaced {
            space(&mut line);
        }
        Step { line: Some(Bytes::Concat(line)), ..Step::default() }
    }
}

/// The name of one of our functions.
fn our_name(id: Id) -> Called {
    Called::Function(Name::Word(format!("ours{id}")))
}

/// Adds white space around the line and at its tokens, outside strings.
fn space(line: &mut [Bytes]) {
    let (mut in_string, mut escaped) = (false, false);
    let last = line.len().saturating_sub(1);
    for (n, piece) in line.iter_mut().enumerate() {
        let Bytes::Plain(text) = piece else { continue };
        let mut spaced = if n == 0 { b" \t".to_vec() } else { Vec::new() };
        for &byte in &*text {
            spaced.push(byte);
            if in_string {
                in_string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
            } else if byte == b'"' {
                in_string = true;
            } else if b"{[,:".contains(&byte) {
                spaced.push(b' ');
            }
        }
        if n == last {
            spaced.extend(b" \t");
        }
        *text = spaced;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;
    use crate::value::Value;

    fn step(form: Form) -> String {
        let line = br#"{"method":0,"arguments":["a\"[","[Function]"],"callbacks":{"7":["1"]},"links":[]}"#;
        let value = Value::parse(line).unwrap();
        form.step(&message::decode(&value).message.unwrap(), "echo").to_string()
    }

    #[test]
    fn each_form_has_its_spelling() {
        insta::assert_snapshot!(step(Form::Plain), @r#"{"line":["{","\"method\":",{"id":"echo"},",\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
        insta::assert_snapshot!(step(Form::Spaced), @r#"{"line":[" \t{ ","\"method\": ",{"id":"echo"},", \"arguments\": [ \"a\\\"[\", \"[Function]\"], \"callbacks\": { \"",{"id":"$ours7"},"\": [ \"1\"]}, \"links\": [ ]} \t"]}"#);
        insta::assert_snapshot!(step(Form::PointZero), @r#"{"line":["{","\"method\":",{"id":"echo"},".0,\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
        insta::assert_snapshot!(step(Form::Twice), @r#"{"line":["{","\"method\":\"no_such_method\",\"arguments\":[],","\"method\":",{"id":"echo"},",\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
    }
}
