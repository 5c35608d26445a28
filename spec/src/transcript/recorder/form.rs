//! A message of ours as a line of bytes: for the ways of writing that no message of a transcript can say.

use super::bytes;
use crate::message::{Id, Message, write_links};

/// How a line is written. Each means the same as the plain form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Without anything special, but with other values than `"[Function]"` where functions stand.
    Plain,
    /// With white space around every token.
    Spaced,
    /// With the integer of the method as a fraction of zero.
    PointZero,
    /// With fields that stand twice: the last ones count.
    Twice,
}

/// A part of a line.
enum Piece {
    Text(Vec<u8>),
    /// The id of the function with this name, as JSON.
    Id(String),
}

impl Form {
    /// The step that sends `message`; `method` is the name of the function that it calls, as JSON.
    pub(super) fn step(self, message: &Message<'_>, method: &str) -> String {
        let mut line = Vec::new();
        let mut text = |text: &[u8]| line.push(Piece::Text(text.to_vec()));
        text(b"{");
        if self == Form::Twice {
            text(b"\"method\":\"no_such_method\",\"arguments\":[],");
        }
        text(b"\"method\":");
        line.push(Piece::Id(method.to_owned()));
        let mut rest = if self == Form::PointZero { b".0".to_vec() } else { Vec::new() };
        rest.extend(b",\"arguments\":");
        rest.extend(message.arguments.map_or_else(|| b"[]".to_vec(), |arguments| arguments.to_json()));
        rest.extend(b",\"callbacks\":{");
        for (n, (id, path)) in message.callbacks.iter().enumerate() {
            rest.extend(if n > 0 { &b",\""[..] } else { b"\"" });
            line.push(Piece::Text(std::mem::take(&mut rest)));
            line.push(Piece::Id(name(*id)));
            rest.extend(b"\":");
            path.write_json(&mut rest);
        }
        rest.extend(b"},\"links\":");
        write_links(&message.links, &mut rest);
        rest.push(b'}');
        line.push(Piece::Text(rest));
        if self == Form::Spaced {
            space(&mut line);
        }
        let pieces: Vec<String> = line.iter().map(Piece::written).collect();
        format!("{{\"line\":[{}]}}", pieces.join(","))
    }
}

/// The name of one of our functions, as JSON.
fn name(id: Id) -> String {
    format!("\"$ours{id}\"")
}

impl Piece {
    fn written(&self) -> String {
        match self {
            Piece::Text(text) => bytes(text),
            Piece::Id(name) => format!("{{\"id\":{name}}}"),
        }
    }
}

/// Puts white space around the line and at its tokens, outside strings.
fn space(line: &mut [Piece]) {
    let (mut in_string, mut escaped) = (false, false);
    let last = line.len().saturating_sub(1);
    for (n, piece) in line.iter_mut().enumerate() {
        let Piece::Text(text) = piece else { continue };
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
        form.step(&message::decode(&value).message.unwrap(), "\"echo\"")
    }

    #[test]
    fn each_form_is_a_line_of_its_kind() {
        insta::assert_snapshot!(step(Form::Plain), @r#"{"line":["{","\"method\":",{"id":"echo"},",\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
        insta::assert_snapshot!(step(Form::Spaced), @r#"{"line":[" \t{ ","\"method\": ",{"id":"echo"},", \"arguments\": [ \"a\\\"[\", \"[Function]\"], \"callbacks\": { \"",{"id":"$ours7"},"\": [ \"1\"]}, \"links\": [ ]} \t"]}"#);
        insta::assert_snapshot!(step(Form::PointZero), @r#"{"line":["{","\"method\":",{"id":"echo"},".0,\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
        insta::assert_snapshot!(step(Form::Twice), @r#"{"line":["{","\"method\":\"no_such_method\",\"arguments\":[],","\"method\":",{"id":"echo"},",\"arguments\":[\"a\\\"[\",\"[Function]\"],\"callbacks\":{\"",{"id":"$ours7"},"\":[\"1\"]},\"links\":[]}"]}"#);
    }
}
