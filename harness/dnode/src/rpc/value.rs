//! Values: JSON with functions, sharing and cycles.

use super::copies::Copies;
use super::types::{Function, Value};
use crate::error::Error;
use dnode_spec::compare::compare;
use dnode_spec::graph::{Graph, Node, NodeId, describe};
use dnode_spec::path::Path;
use dnode_spec::text::TextBuf;
use std::fmt;
use std::sync::Arc;

impl Value {
    /// The value at this node.
    pub(crate) fn new(graph: Graph<Function>, node: NodeId) -> Value {
        Value { graph: Arc::new(graph), node }
    }

    pub(super) fn of(node: Node<Function>) -> Value {
        let mut graph = Graph::new();
        let node = graph.add(node);
        Value::new(graph, node)
    }

    /// No value at all, as JavaScript's `undefined`. As an argument or an element it is sent as
    /// `null`; as a member it is left out.
    #[must_use]
    pub fn missing() -> Value {
        Value::of(Node::Missing)
    }

    /// An array. Clones of one value stay one value in it.
    pub fn array(items: impl IntoIterator<Item = Value>) -> Value {
        let mut copies = Copies::new();
        let items: Vec<NodeId> = items.into_iter().map(|item| copies.copy(item.graph, item.node)).collect();
        let node = copies.graph.array(items);
        Value::new(copies.graph, node)
    }

    /// An object. If two members have the same name, the last one counts.
    pub fn object<K: AsRef<str>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
        let mut copies = Copies::new();
        let copy =
            |(name, value): (K, Value)| (TextBuf::from(name.as_ref()), copies.copy(value.graph, value.node));
        let members = members.into_iter().map(copy).collect();
        let node = copies.graph.add(Node::Object(Box::new(members)));
        Value::new(copies.graph, node)
    }

    /// This value, with the part at the path `from` also at the path `to`. This is how to make a
    /// value that contains itself.
    ///
    /// A path is a list of member names and element indexes, and the empty path is the whole value.
    /// Missing parts on the way to `to` are made, as objects. In a message this becomes a link
    /// ("links", `from` and `to`).
    ///
    /// # Errors
    /// [`Error::BadPath`], if nothing is at `from`, or if `to` is empty or goes through a value
    /// that has no such part.
    pub fn linked(&self, from: &[&str], to: &[&str]) -> Result<Value, Error> {
        let mut copies = Copies::new();
        let root = copies.copy(Arc::clone(&self.graph), self.node);
        let path = |keys: &[&str]| Path::from_keys(keys.iter().map(|key| TextBuf::from(*key)).collect());
        let part = path(from).resolve(&copies.graph, root);
        let part = part.ok_or_else(|| Error::BadPath(format!("{self} has no value at the path {from:?}")))?;
        path(to)
            .place(&mut copies.graph, root, part)
            .map_err(|_| Error::BadPath(format!("{self} cannot take a value at the path {to:?}")))?;
        Ok(Value::new(copies.graph, root))
    }

    fn node(&self) -> &Node<Function> {
        self.graph.node(self.node)
    }

    fn part(&self, node: Option<NodeId>) -> Value {
        node.map_or_else(Value::missing, |node| Value { graph: Arc::clone(&self.graph), node })
    }

    /// The element of an array; missing if there is none, or if this is not an array.
    #[must_use]
    pub fn at(&self, index: usize) -> Value {
        self.part(self.graph.items(self.node).get(index).copied())
    }

    /// The member of an object; missing if there is none, or if this is not an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Value {
        self.part(self.graph.member(self.node, name))
    }

    /// The elements of an array, in order. Empty for any other value.
    pub fn items(&self) -> impl Iterator<Item = Value> + '_ {
        self.graph.items(self.node).iter().map(|node| self.part(Some(*node)))
    }

    /// The members of an object, in order. Empty for any other value. U+FFFD replaces lone
    /// surrogates in a name, which JavaScript may send.
    pub fn members(&self) -> impl Iterator<Item = (String, Value)> + '_ {
        let members = match self.node() {
            Node::Object(members) => Some(&**members),
            _ => None,
        };
        members.into_iter().flatten().map(|(name, node)| (name.to_string(), self.part(Some(*node))))
    }

    /// Whether this is no value: a part that does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.node(), Node::Missing)
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.node() {
            Node::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The number as the nearest double, if this is a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number_str()?.parse().ok()
    }

    /// The integer, if this is a number that is written as one and fits. `1.0` and `1e3` are not:
    /// JavaScript writes neither.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number_str()?.parse().ok()
    }

    /// The number as the peer wrote it, if this is a number. No digit is lost.
    #[must_use]
    pub fn as_number_str(&self) -> Option<&str> {
        match self.node() {
            Node::Number(text) => text.as_text().to_str(),
            _ => None,
        }
    }

    /// The string, if this is one without lone surrogates, which JavaScript may send.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.node() {
            Node::String(text) => text.as_text().to_str(),
            _ => None,
        }
    }

    /// The function, if this is one.
    #[must_use]
    pub fn as_function(&self) -> Option<&Function> {
        self.graph.leaf(self.node)
    }

    /// Calls this value, if it is a function: see [`Function::call`].
    ///
    /// # Errors
    /// [`Error::NotAFunction`] if it is not, and the errors of [`Function::call`].
    pub fn call(&self, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        match self.as_function() {
            Some(function) => function.call(arguments),
            None => Err(Error::NotAFunction(self.to_string())),
        }
    }

    /// Its graph and its node in it, to be sent.
    pub(crate) fn into_graph(self) -> (Graph<Function>, NodeId) {
        let graph = Arc::try_unwrap(self.graph).unwrap_or_else(|graph| (*graph).clone());
        (graph, self.node)
    }
}

/// Compares values as infinite trees: sharing and the order of members do not count, numbers are
/// compared as doubles, and a function equals only itself.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        let same = |function: &Function, node| match other.graph.leaf(node) {
            Some(of_other) if function == of_other => Ok(()),
            _ => Err(String::new()),
        };
        compare((&self.graph, self.node), (&other.graph, other.node), same).is_ok()
    }
}

/// One line of JSON-like text for people. Long values are shortened.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(&self.graph, self.node))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
