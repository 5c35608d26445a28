//! A value in one short line, for people.

use super::{Graph, Node, NodeId};
use crate::text::{Text, TextBuf};

/// The most bytes of a description, without the ellipsis.
const LIMIT: usize = 160;

/// A piece that is not written yet.
enum Piece<'a> {
    /// A value, and its key in its container.
    Node(NodeId, Step<'a>),
    Text(&'static str),
    Key(&'a TextBuf),
    /// The end of a container.
    End(&'static str),
}

/// The way from a container to one of its parts.
#[derive(Clone, Copy)]
enum Step<'a> {
    Here,
    Index(usize),
    Key(&'a TextBuf),
}

/// The value at `id` in one line of JSON-like text, of at most 160 bytes and an ellipsis. Functions
/// and matchers have no quotes. Cycles are unrolled.
#[must_use]
pub fn describe<F: std::fmt::Display>(graph: &Graph<F>, id: NodeId) -> String {
    write(graph, id, &mut Open::unrolled())
}

/// Like [`describe`], but a part that contains itself is a reference to the place where it begins.
/// `at`: the keys that lead to `id`. `place`: the text of a place. `None` if no part contains itself.
pub(crate) fn describe_cycle<F: std::fmt::Display>(
    graph: &Graph<F>,
    id: NodeId,
    at: &[TextBuf],
    place: fn(&[TextBuf]) -> String,
) -> Option<String> {
    let mut open = Open { place: Some(place), keys: at.to_vec(), ..Open::unrolled() };
    let text = write(graph, id, &mut open);
    open.is_cyclic.then_some(text)
}

/// The containers that contain the piece to be written.
struct Open {
    /// The text of a place; `None` if cycles are unrolled.
    place: Option<fn(&[TextBuf]) -> String>,
    /// The containers, and how many keys lead to each.
    containers: Vec<(NodeId, usize)>,
    /// The keys that lead to the piece.
    keys: Vec<TextBuf>,
    /// There was a reference.
    is_cyclic: bool,
}

impl Open {
    fn unrolled() -> Open {
        Open { place: None, containers: Vec::new(), keys: Vec::new(), is_cyclic: false }
    }

    /// Goes to a part of the innermost container.
    fn enter(&mut self, step: Step<'_>) {
        if let Some((_, depth)) = self.containers.last() {
            self.keys.truncate(*depth);
        }
        match step {
            Step::Here => {}
            Step::Index(index) => self.keys.push(index.to_string().as_str().into()),
            Step::Key(key) => self.keys.push(key.clone()),
        }
    }

    /// A reference to this container if it contains the piece; otherwise it is open from now on.
    fn reference(&mut self, id: NodeId) -> Option<String> {
        let place = self.place?;
        let Some((_, depth)) = self.containers.iter().find(|(open, _)| *open == id) else {
            self.containers.push((id, self.keys.len()));
            return None;
        };
        self.is_cyclic = true;
        Some(format!("↑ {}", place(&self.keys[..*depth])))
    }
}

fn write<F: std::fmt::Display>(graph: &Graph<F>, id: NodeId, open: &mut Open) -> String {
    let mut out: Vec<u8> = Vec::new();
    let mut todo = vec![Piece::Node(id, Step::Here)];
    while let Some(piece) = todo.pop() {
        if out.len() > LIMIT {
            break;
        }
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::End(bracket) => {
                out.extend_from_slice(bracket.as_bytes());
                open.containers.pop();
            }
            Piece::Key(key) => {
                write_text(key, &mut out);
                out.push(b':');
            }
            Piece::Node(id, step) => {
                let node = graph.node(id);
                if open.place.is_some() && matches!(node, Node::Array(_) | Node::Object(_)) {
                    open.enter(step);
                    if let Some(reference) = open.reference(id) {
                        out.extend_from_slice(reference.as_bytes());
                        continue;
                    }
                }
                write_node(node, &mut out, &mut todo);
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
            todo.push(Piece::End("]"));
            return push_parts(items.iter().map(|&item| (None, item)), todo);
        }
        Node::Object(members) => {
            out.push(b'{');
            todo.push(Piece::End("}"));
            return push_parts(members.iter().map(|(key, &item)| (Some(key), item)), todo);
        }
    };
    out.extend_from_slice(text.as_bytes());
}

/// Pushes the parts of a container, the first one on top, and no more than fit into a description.
fn push_parts<'g>(parts: impl Iterator<Item = (Option<&'g TextBuf>, NodeId)>, todo: &mut Vec<Piece<'g>>) {
    let parts: Vec<_> = parts.take(LIMIT).enumerate().collect();
    for (n, (key, item)) in parts.into_iter().rev() {
        todo.push(Piece::Node(item, key.map_or(Step::Index(n), Step::Key)));
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
