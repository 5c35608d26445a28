//! Writes a value as compact JSON, without recursion.

use super::{Kind, Node, Ref, Value};
use crate::text::Text;

/// Appends `root` to `out`.
pub(super) fn write(root: Ref<'_>, out: &mut Vec<u8>) {
    let value = root.value;
    // The end of each open array or object, and its closing bracket.
    let mut open: Vec<(u32, u8)> = Vec::new();
    let (mut at, stop) = (root.at, value.end(root.at));
    while at < stop {
        if let Some(&(end, bracket)) = open.last() {
            if at == end {
                out.push(bracket);
                open.pop();
                continue;
            }
            if !matches!(out.last(), Some(b'[' | b'{')) {
                out.push(b',');
            }
            if bracket == b'}' {
                write_scalar(value, value.node(at), out);
                out.push(b':');
                at += 1;
            }
        }
        let node = value.node(at);
        at += 1;
        match node.kind {
            Kind::Array => {
                out.push(b'[');
                open.push((node.b, b']'));
            }
            Kind::Object => {
                out.push(b'{');
                open.push((node.b, b'}'));
            }
            _ => write_scalar(value, node, out),
        }
    }
    out.extend(open.iter().rev().map(|(_, bracket)| bracket));
}

/// Appends a scalar.
fn write_scalar(value: &Value<'_>, node: Node, out: &mut Vec<u8>) {
    match node.kind {
        Kind::Number => out.extend_from_slice(value.bytes(node)),
        Kind::String => Text::from_wtf8(value.bytes(node)).write_json(out),
        Kind::Boolean if node.a != 0 => out.extend_from_slice(b"true"),
        Kind::Boolean => out.extend_from_slice(b"false"),
        _ => out.extend_from_slice(b"null"),
    }
}
