//! The flat wire value: one line of JSON, kept as it was written.
//!
//! A [`Value`] holds the nodes of the tree in preorder, in one allocation, and the line that they
//! point into. A second allocation holds the strings that have escapes in the line. A [`Ref`]
//! points at one node and reads it.
//!
//! ```
//! use dnode_spec::value::Value;
//!
//! let line = Value::parse(br#"{"method":"add","arguments":[1,2.50,"[Function]"]}"#)?;
//! let arguments = line.root().get("arguments").unwrap();
//! assert_eq!(arguments.len(), 3);
//! assert_eq!(arguments.item(1).unwrap().as_number().unwrap().text(), "2.50");
//! # Ok::<(), dnode_spec::value::ParseError>(())
//! ```
//!
//! Rules: nothing here recurses (parsing, writing, comparing, cloning, dropping), so only memory
//! limits the depth of a line. Only white space and the escapes of strings are lost: numbers keep
//! their text, members their order, duplicate keys stay, strings may have lone surrogates. Memory
//! is linear in the line.
//!
//! Deliberately absent: changing or building a value (write JSON and parse it), converting numbers
//! before a caller asks for it, and all knowledge of dnode messages.

mod error;
mod number;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use error::{Expected, ParseError};
pub use number::Number;

use crate::text::Text;
use std::borrow::Cow;
use std::fmt;

/// One line of JSON as a flat tree over the line itself.
///
/// Two values are equal if their lines are equal up to white space and the escapes of strings. The
/// texts of numbers, the order of members and duplicates all count.
#[derive(Clone)]
pub struct Value<'l> {
    /// In preorder. A member of an object is two nodes: its key (a string) and its value.
    nodes: Vec<Node>,
    /// The parsed line. It has the text of numbers, and of strings without escapes.
    line: Cow<'l, [u8]>,
    /// The text of the other strings, one after another.
    unescaped: Vec<u8>,
}

/// One node, in twelve bytes. The meaning of `a` and `b` depends on the kind.
#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// String: whether its text is in `unescaped`, not in the line.
    escaped: bool,
    /// Boolean: 0 or 1. Number, string: the offset of its text. Array, object: the number of items
    /// or members.
    a: u32,
    /// Number, string: the length of its text. Array, object: the index after the last node below
    /// it.
    b: u32,
}

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number of any size.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The name of the kind in lower case, as in the JSON standard.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl<'l> Value<'l> {
    /// Parses one line, without its newline, as RFC 8259 defines it. White space, even `\r`, may
    /// surround the value.
    ///
    /// # Errors
    /// The first byte at which the line can no longer become JSON: a syntax error, a raw control
    /// character in a string, invalid UTF-8, a byte order mark, or text after the value. A line of
    /// 4 GiB or more is an error too.
    pub fn parse(line: &'l [u8]) -> Result<Value<'l>, ParseError> {
        parse::parse(line)
    }

    /// The same value with an owned line.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        let line = Cow::Owned(self.line.into_owned());
        Value { nodes: self.nodes, line, unescaped: self.unescaped }
    }

    /// The whole value.
    #[must_use]
    pub fn root(&self) -> Ref<'_> {
        Ref { value: self, at: 0 }
    }

    /// The number of nodes of the tree. Each key of an object is a node too.
    #[must_use]
    pub fn len_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Whether one of its strings or keys is this text.
    pub(crate) fn has_string(&self, text: &str) -> bool {
        let is_it = |node: &Node| node.kind == Kind::String && self.bytes(*node) == text.as_bytes();
        self.nodes.iter().any(is_it)
    }

    /// The node at `at`. The index must come from this value.
    fn node(&self, at: u32) -> Node {
        self.nodes[at as usize]
    }

    /// The index after the last node of the subtree at `at`.
    fn end(&self, at: u32) -> u32 {
        let node = self.node(at);
        if matches!(node.kind, Kind::Array | Kind::Object) { node.b } else { at + 1 }
    }

    /// The text of the string or number `node`.
    fn bytes(&self, node: Node) -> &[u8] {
        let text = if node.escaped { &self.unescaped } else { &*self.line };
        &text[node.a as usize..][..node.b as usize]
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        let same = |ours: &Node, theirs: &Node| match ours.kind {
            Kind::Number | Kind::String => self.bytes(*ours) == other.bytes(*theirs),
            _ => (ours.a, ours.b) == (theirs.a, theirs.b),
        };
        let mut nodes = self.nodes.iter().zip(&other.nodes);
        self.nodes.len() == other.nodes.len()
            && nodes.all(|(ours, theirs)| ours.kind == theirs.kind && same(ours, theirs))
    }
}

impl Eq for Value<'_> {}

impl fmt::Debug for Value<'_> {
    /// The value as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.root(), f)
    }
}

/// One value inside a [`Value`]: an item, the value of a member, or the root.
#[derive(Clone, Copy)]
pub struct Ref<'a> {
    value: &'a Value<'a>,
    at: u32,
}

impl<'a> Ref<'a> {
    fn node(self) -> Node {
        self.value.node(self.at)
    }

    /// The kind of the value.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The boolean; `None` for any other kind.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        let node = self.node();
        (node.kind == Kind::Boolean).then_some(node.a != 0)
    }

    /// The number; `None` for any other kind.
    #[must_use]
    pub fn as_number(self) -> Option<Number<'a>> {
        let node = self.node();
        (node.kind == Kind::Number).then(|| Number::from_ascii(self.value.bytes(node)))
    }

    /// The text of a string; `None` for any other kind.
    #[must_use]
    pub fn as_text(self) -> Option<Text<'a>> {
        let node = self.node();
        (node.kind == Kind::String).then(|| Text::from_wtf8(self.value.bytes(node)))
    }

    /// The text of a string or of a number; empty for any other kind.
    pub(crate) fn written(self) -> Text<'a> {
        let node = self.node();
        let has_text = matches!(node.kind, Kind::Number | Kind::String);
        Text::from_wtf8(if has_text { self.value.bytes(node) } else { &[] })
    }

    /// The number of items of an array, or of members of an object, with duplicates; 0 for any
    /// other kind.
    #[must_use]
    pub fn len(self) -> usize {
        let node = self.node();
        if matches!(node.kind, Kind::Array | Kind::Object) { node.a as usize } else { 0 }
    }

    /// Whether it has no items and no members.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of nodes of its subtree, with itself and all keys.
    pub(crate) fn len_nodes(self) -> usize {
        (self.value.end(self.at) - self.at) as usize
    }

    /// The items of an array in order; empty for any other kind.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        let left = if self.kind() == Kind::Array { self.len() } else { 0 };
        Items { value: self.value, next: self.at + 1, left }
    }

    /// The members of an object in order, with duplicates; empty for any other kind.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        let left = if self.kind() == Kind::Object { self.len() } else { 0 };
        Members { value: self.value, next: self.at + 1, left }
    }

    /// Item number `n` of an array, from 0. The cost is linear in the items before it, unless all
    /// items are scalars. To look up many items, keep an index.
    #[must_use]
    pub fn item(self, n: usize) -> Option<Ref<'a>> {
        let node = self.node();
        if node.kind != Kind::Array || n >= node.a as usize {
            return None;
        }
        if self.holds_scalars() {
            return Some(Ref { value: self.value, at: self.at + 1 + u32::try_from(n).ok()? });
        }
        self.items().nth(n)
    }

    /// Whether it is an array of scalars only.
    pub(crate) fn holds_scalars(self) -> bool {
        let node = self.node();
        node.kind == Kind::Array && node.b - self.at - 1 == node.a
    }

    /// The value of the member `key` of an object. Of duplicates the last one counts, as in
    /// JavaScript. The cost is linear in the members.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Ref<'a>> {
        self.get_text(Text::from_str(key))
    }

    /// [`Ref::get`] for a key that may have lone surrogates.
    #[must_use]
    pub fn get_text(self, key: Text<'_>) -> Option<Ref<'a>> {
        self.members().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// Appends the value as compact JSON: no white space, numbers as they were written, strings as
    /// [`Text::write_json`] writes them. Parsing it gives an equal value.
    pub fn write_json(self, out: &mut Vec<u8>) {
        write::write(self, out);
    }

    /// The value as compact JSON, as [`Ref::write_json`] writes it.
    #[must_use]
    pub fn to_json(self) -> Vec<u8> {
        let nodes = self.value.end(self.at) - self.at;
        let mut out = Vec::with_capacity(nodes as usize * 8);
        self.write_json(&mut out);
        out
    }
}

impl fmt::Debug for Ref<'_> {
    /// The value as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_json()))
    }
}

/// The items of an array, from [`Ref::items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    value: &'a Value<'a>,
    next: u32,
    left: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Ref<'a>;

    fn next(&mut self) -> Option<Ref<'a>> {
        self.left = self.left.checked_sub(1)?;
        let at = self.next;
        self.next = self.value.end(at);
        Some(Ref { value: self.value, at })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The members of an object, from [`Ref::members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    value: &'a Value<'a>,
    next: u32,
    left: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Ref<'a>);

    fn next(&mut self) -> Option<(Text<'a>, Ref<'a>)> {
        self.left = self.left.checked_sub(1)?;
        let key = Text::from_wtf8(self.value.bytes(self.value.node(self.next)));
        let at = self.next + 1;
        self.next = self.value.end(at);
        Some((key, Ref { value: self.value, at }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Members<'_> {}
