//! A value in one short line, for people.

use super::{Graph, Node, NodeId};
use crate::text::{Text, TextBuf};

/// The most bytes of a description, without the ellipsis.
const LIMIT: usize = 160;

/// A piece that is not written yet.
enum Piece<'a> {
    Node(NodeId),
    Text(&'static str),
    Key(&'a TextBuf),
}

/// The value at `id` in one line of JSON-like text, of at most 160 bytes and an ellipsis. Functions
/// and matchers have no quotes.
#[must_use]
pub fn describe<F: std::fmt::Display>(graph: &Graph<F>, id: NodeId) -> String {
    let mut out: Vec<u8> = Vec::new();
    let mut todo = vec![Piece::Node(id)];
    while let Some(piece) = todo.pop() {
        if out.len() > LIMIT {
            break;
        }
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Key(key) => {
                write_text(key, &mut out);
                out.push(b':');
            }
            Piece::Node(id) => write_node(graph.node(id), &mut out, &mut todo),
        }
    }
    if out.len() <= LIMIT {
        return String::from_utf8_lossy(&out).into_owned();
    }
    let mut cut = LIMIT;
    while cut > 0 && out[cut] & 0xc0 == 0x80 {
        cut -= 1;
    }
    format!("{}…", String::from_utf8_lossy(&out[..cut]))
}

/// Writes a scalar, or the opening bracket of a container. The parts of the container go to `todo`.
fn write_node<'g, F: std::fmt::Display>(node: &'g Node<F>, out: &mut Vec<u8>, todo: &mut Vec<Piece<'g>>) {
    let text = match node {
        Node::Missing => "nothing".to_owned(),
        Node::Null => "null".to_owned(),
        Node::Boolean(value) => value.to_string(),
        Node::Number(text) => return out.extend_from_slice(short(text.as_text().as_bytes())),
        Node::Leaf(leaf) => leaf.to_string(),
        Node::String(text) => return write_text(text, out),
        Node::Array(items) => {
            out.push(b'[');
            todo.push(Piece::Text("]"));
            return push_parts(items.iter().map(|&item| (None, item)), todo);
        }
        Node::Object(members) => {
            out.push(b'{');
            todo.push(Piece::Text("}"));
            return push_parts(members.iter().map(|(key, &item)| (Some(key), item)), todo);
        }
    };
    out.extend_from_slice(text.as_bytes());
}

/// Pushes the parts of a container, the first one on top, and no more than fit into a description.
fn push_parts<'g>(parts: impl Iterator<Item = (Option<&'g TextBuf>, NodeId)>, todo: &mut Vec<Piece<'g>>) {
    let parts: Vec<_> = parts.take(LIMIT).enumerate().collect();
    for (n, (key, item)) in parts.into_iter().rev() {
        todo.push(Piece::Node(item));
        todo.extend(key.map(Piece::Key));
        if n > 0 {
            todo.push(Piece::Text(","));
        }
    }
}

fn write_text(text: &TextBuf, out: &mut Vec<u8>) {
    Text::from_wtf8(short(text.as_text().as_bytes())).write_json(out);
}

/// The beginning of a text, one character longer than fits. So the cost of a description is
/// bounded.
fn short(text: &[u8]) -> &[u8] {
    &text[..text.len().min(LIMIT + 4)]
}

/// The type of the value at `id`, in one word: `absent` for a hole, `function` for a leaf, else the
/// JSON type.
#[must_use]
pub fn class<F>(graph: &Graph<F>, id: NodeId) -> &'static str {
    match graph.node(id) {
        Node::Missing => "absent",
        Node::Null => "null",
        Node::Boolean(_) => "boolean",
        Node::Number(_) => "number",
        Node::String(_) => "string",
        Node::Array(_) => "array",
        Node::Object(_) => "object",
        Node::Leaf(_) => "function",
    }
}
