//! A value in one short line, for people.

use super::{Graph, Node, NodeId};

/// How many bytes a description has at most, before the closing dots.
const LIMIT: usize = 160;

/// The value at `id` in one line of JSON-like text, cut short where it is long; functions and matchers stand unquoted.
#[must_use]
pub fn describe<F: std::fmt::Display>(graph: &Graph<F>, id: NodeId) -> String {
    enum Piece<'a> {
        Node(NodeId),
        Text(&'static str),
        Key(&'a crate::text::TextBuf),
    }
    let mut out: Vec<u8> = Vec::new();
    let mut todo = vec![Piece::Node(id)];
    while let Some(piece) = todo.pop() {
        if out.len() > LIMIT {
            break;
        }
        let node = match piece {
            Piece::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            Piece::Key(key) => {
                key.as_text().write_json(&mut out);
                out.push(b':');
                continue;
            }
            Piece::Node(id) => graph.node(id),
        };
        match node {
            Node::Missing => out.extend_from_slice(b"nothing"),
            Node::Null => out.extend_from_slice(b"null"),
            Node::Boolean(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Node::Number(text) => out.extend_from_slice(text.as_bytes()),
            Node::String(text) => text.as_text().write_json(&mut out),
            Node::Leaf(leaf) => out.extend_from_slice(leaf.to_string().as_bytes()),
            Node::Array(items) => {
                out.push(b'[');
                todo.push(Piece::Text("]"));
                for (n, &item) in items.iter().enumerate().take(LIMIT).collect::<Vec<_>>().into_iter().rev() {
                    todo.push(Piece::Node(item));
                    if n > 0 {
                        todo.push(Piece::Text(","));
                    }
                }
            }
            Node::Object(members) => {
                out.push(b'{');
                todo.push(Piece::Text("}"));
                for (n, (key, &item)) in
                    members.iter().enumerate().take(LIMIT).collect::<Vec<_>>().into_iter().rev()
                {
                    todo.push(Piece::Node(item));
                    todo.push(Piece::Key(key));
                    if n > 0 {
                        todo.push(Piece::Text(","));
                    }
                }
            }
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

/// The type of the value at `id`, in one word.
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
