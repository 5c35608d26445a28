//! Paths: addresses of places inside the arguments of a message.
//!
//! On the wire a path is an array of keys and indexes; an index may be written as a number or as a
//! string of digits (protocol document, "data fields" and "methods": both stand in its examples).
//! Here both are the same text.
//!
//! Rules: a place is *reachable* if each key is an own member of an object or an index within an
//! array. It is *makeable* if the missing containers are below an object or an array, never below a
//! scalar. Missing containers are made as objects, as in dnode-protocol 0.2.2. Nothing outside the
//! arguments is ever touched: a key is only a key, even if objects of some language inherit a
//! member of that name. An index more than [`MAX_GAP`] beyond an array's end is not makeable, so
//! that a short message cannot claim much memory.

use crate::graph::{Graph, Members, Node, NodeId, describe_cycle};
use crate::text::TextBuf;
use crate::value::{Kind, Ref};
use foldhash::fast::RandomState;

/// The most holes that a path may leave at the end of an array.
pub const MAX_GAP: usize = 1024;

/// A place in the arguments of a message, from their root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(Vec<TextBuf>);

/// How indexes are written in a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PathForm {
    /// As strings of digits, as the reference does.
    #[default]
    Strings,
    /// As integers.
    Integers,
}

/// A value on the wire is not a path. The sender is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is not an array but of this type.
    #[error("a value of type {0}")]
    NotAnArray(Kind),
    /// The element at this index is neither a string nor an integer but of this type.
    #[error("an array whose element {0} is of type {1}, no key or index")]
    Element(usize, Kind),
}

impl Path {
    /// The path of these keys.
    #[must_use]
    pub fn from_keys(keys: Vec<TextBuf>) -> Path {
        Path(keys)
    }

    /// Reads a path off the wire.
    ///
    /// # Errors
    /// [`PathError`] if the value is not an array of strings and integers. An empty array is the
    /// path of the root; the caller decides whether that is valid in its place.
    pub fn decode(value: Ref<'_>) -> Result<Path, PathError> {
        if value.kind() != Kind::Array {
            return Err(PathError::NotAnArray(value.kind()));
        }
        let mut keys = Vec::with_capacity(value.len());
        for (index, element) in value.items().enumerate() {
            let key = match (element.as_text(), element.as_number().and_then(|number| number.to_integer())) {
                (Some(text), _) => text.to_owned(),
                (None, Some(number)) => TextBuf::from(number.to_string().as_str()),
                (None, None) => return Err(PathError::Element(index, element.kind())),
            };
            keys.push(key);
        }
        Ok(Path(keys))
    }

    /// The value at this place, `id`, in one line, if a part of it contains itself. That part is a
    /// reference to the place where it begins, `↑ arguments[0]`. [`describe`](crate::graph::describe)
    /// unrolls it.
    #[must_use]
    pub fn describe_cycle<F: std::fmt::Display>(&self, graph: &Graph<F>, id: NodeId) -> Option<String> {
        describe_cycle(graph, id, &self.0, |keys| Path(keys.to_vec()).to_string())
    }

    /// The keys, from the root on.
    #[must_use]
    pub fn keys(&self) -> &[TextBuf] {
        &self.0
    }

    /// Whether this is the root itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends the path as a JSON array of strings.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        self.write_json_as(PathForm::Strings, out);
    }

    /// Appends the path as a JSON array in this form.
    pub(crate) fn write_json_as(&self, form: PathForm, out: &mut Vec<u8>) {
        let is_index = |key: &TextBuf| {
            let key = key.as_text().to_str().unwrap_or_default();
            key.parse::<u32>().is_ok_and(|index| index.to_string() == key)
        };
        out.push(b'[');
        for (n, key) in self.0.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            match key.as_text().to_str().filter(|_| form == PathForm::Integers && is_index(key)) {
                Some(digits) => out.extend_from_slice(digits.as_bytes()),
                None => key.as_text().write_json(out),
            }
        }
        out.push(b']');
    }

    /// The node at this place below `root`; `None` if the place is not reachable.
    #[must_use]
    pub fn resolve<F>(&self, graph: &Graph<F>, root: NodeId) -> Option<NodeId> {
        self.0.iter().try_fold(root, |at, key| child(graph, at, key))
    }

    /// Puts `node` at this place below `root`, and makes the missing containers.
    ///
    /// # Errors
    /// The number of keys that lead to the obstacle: a scalar, a function, or an array without such
    /// an index. The root itself is never replaced (0 keys). Containers that were made before the
    /// obstacle stay.
    pub fn place<F>(&self, graph: &mut Graph<F>, root: NodeId, node: NodeId) -> Result<(), usize> {
        let Some((last, way)) = self.0.split_last() else {
            return Err(0);
        };
        let mut at = root;
        for (depth, key) in way.iter().enumerate() {
            at = match child(graph, at, key).filter(|&id| !matches!(graph.node(id), Node::Missing)) {
                Some(next) => next,
                None => {
                    // Room for one member only: a long path makes one container for each key.
                    let made = graph.add(Node::Object(Box::new(Members::with_capacity_and_hasher(
                        1,
                        RandomState::default(),
                    ))));
                    set(graph, at, key, made).map_err(|()| depth)?;
                    made
                }
            };
        }
        set(graph, at, last, node).map_err(|()| way.len())
    }

    /// The first `length` keys of this path.
    #[must_use]
    pub fn prefix(&self, length: usize) -> Path {
        Path(self.0[..length.min(self.0.len())].to_vec())
    }
}

/// `arguments[0].inc`: for people.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("arguments")?;
        self.0.iter().try_for_each(|key| write_key(f, key))
    }
}

fn write_key(f: &mut std::fmt::Formatter<'_>, key: &TextBuf) -> std::fmt::Result {
    let text = key.as_text();
    match text.to_str() {
        Some(word) if index(key).is_some() => write!(f, "[{word}]"),
        Some(word) if is_word(word) => write!(f, ".{word}"),
        _ => {
            let mut quoted = Vec::new();
            text.write_json(&mut quoted);
            write!(f, "[{}]", String::from_utf8_lossy(&quoted))
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// The array index of a key, which is decimal without leading zeros; `None` for any other key.
fn index(key: &TextBuf) -> Option<usize> {
    match key.as_text().as_bytes() {
        b"0" => Some(0),
        digits @ [b'1'..=b'9', ..] => digits.iter().try_fold(0usize, |index, digit| {
            let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
            index.checked_mul(10)?.checked_add(digit)
        }),
        _ => None,
    }
}

fn child<F>(graph: &Graph<F>, at: NodeId, key: &TextBuf) -> Option<NodeId> {
    match graph.node(at) {
        Node::Array(items) => items.get(index(key)?).copied(),
        Node::Object(members) => members.get(key).copied(),
        _ => None,
    }
}

fn set<F>(graph: &mut Graph<F>, at: NodeId, key: &TextBuf, node: NodeId) -> Result<(), ()> {
    let (index, gap) = match graph.node(at) {
        Node::Array(items) => {
            let index = index(key).filter(|index| *index <= items.len() + MAX_GAP).ok_or(())?;
            (index, (items.len()..index).len())
        }
        Node::Object(_) => (0, 0),
        _ => return Err(()),
    };
    // All holes of a gap are one node: no path leads into it.
    let hole = (gap > 0).then(|| graph.add(Node::Missing));
    match graph.node_mut(at) {
        Some(Node::Array(items)) => {
            items.extend(hole.into_iter().flat_map(|hole| std::iter::repeat_n(hole, gap)));
            match items.get_mut(index) {
                Some(place) => *place = node,
                None => items.push(node),
            }
        }
        Some(Node::Object(members)) => {
            members.insert(key.clone(), node);
        }
        _ => return Err(()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
