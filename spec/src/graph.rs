//! Values as a graph: the arguments of a message, after callbacks and links were applied.
//!
//! A [`Graph`] is an arena of nodes, so a value may have several places and may contain itself. The
//! leaf type `F` represents a function: an id on the wire, a handle in a session, a name or a
//! matcher in a transcript.
//!
//! Rules: nothing here recurses. The cost of each operation is linear in the nodes that it visits.
//! Of duplicate keys the last one counts, as usual in JSON.
//!
//! Deliberately absent: paths ([`crate::path`]), comparison ([`mod@crate::compare`]) and the wire
//! format ([`crate::scrub`]).

mod describe;

pub(crate) use describe::describe_cycle;
pub use describe::{class, describe};

use crate::text::TextBuf;
use crate::value::{self, Items, Kind, Ref};
use foldhash::{HashSet, HashSetExt, fast::RandomState};
use indexmap::IndexMap;

/// A node of a [`Graph`]: its index in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<F> {
    /// No value: a hole that a path beyond the end of an array has left.
    Missing,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number, as its text.
    Number(TextBuf),
    /// A string.
    String(TextBuf),
    /// An array.
    Array(Vec<NodeId>),
    /// An object, its keys in their order.
    Object(Box<Members>),
    /// A function.
    Leaf(F),
}

/// The members of an object. A node holds them in a box, so that all other nodes are small.
pub type Members = IndexMap<TextBuf, NodeId, RandomState>;

/// Values that may share parts and contain themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph<F> {
    nodes: Vec<Node<F>>,
}

impl<F> Default for Graph<F> {
    fn default() -> Self {
        Graph { nodes: Vec::new() }
    }
}

impl<F> Graph<F> {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty graph with room for this number of nodes.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        Graph { nodes: Vec::with_capacity(nodes) }
    }

    /// Adds a node that nothing refers to yet.
    pub fn add(&mut self, node: Node<F>) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        id
    }

    /// Adds an array of these nodes.
    pub fn array(&mut self, items: impl IntoIterator<Item = NodeId>) -> NodeId {
        let items = items.into_iter().collect();
        self.add(Node::Array(items))
    }

    /// Adds an object with these members.
    pub fn object<'k>(&mut self, members: impl IntoIterator<Item = (&'k str, NodeId)>) -> NodeId {
        let members: Members = members.into_iter().map(|(key, id)| (TextBuf::from(key), id)).collect();
        self.add(Node::Object(Box::new(members)))
    }

    /// Adds a string.
    pub fn string(&mut self, text: &str) -> NodeId {
        self.add(Node::String(TextBuf::from(text)))
    }

    /// Adds a number.
    pub fn number(&mut self, number: impl std::fmt::Display) -> NodeId {
        self.add(Node::Number(number.to_string().as_str().into()))
    }

    /// The node at `id`.
    ///
    /// An id of another graph gives any node of this one, or [`Node::Missing`].
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node<F> {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Missing)
    }

    /// The node at `id`, to change it; `None` for an id of another graph.
    pub fn node_mut(&mut self, id: NodeId) -> Option<&mut Node<F>> {
        self.nodes.get_mut(id.0 as usize)
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the graph has no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The same values with other leaves; each node keeps its id.
    pub fn map<G>(self, mut leaf: impl FnMut(F) -> G) -> Graph<G> {
        let node = |node| match node {
            Node::Leaf(old) => Node::Leaf(leaf(old)),
            Node::Missing => Node::Missing,
            Node::Null => Node::Null,
            Node::Boolean(value) => Node::Boolean(value),
            Node::Number(text) => Node::Number(text),
            Node::String(text) => Node::String(text),
            Node::Array(items) => Node::Array(items),
            Node::Object(members) => Node::Object(members),
        };
        Graph { nodes: self.nodes.into_iter().map(node).collect() }
    }

    /// The elements of the array at `id`; empty for anything else.
    #[must_use]
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(id) {
            Node::Array(items) => items,
            _ => &[],
        }
    }

    /// The member `key` of the object at `id`.
    #[must_use]
    pub fn member(&self, id: NodeId, key: &str) -> Option<NodeId> {
        match self.node(id) {
            Node::Object(members) => members.get(&TextBuf::from(key)).copied(),
            _ => None,
        }
    }

    /// The function at `id`.
    #[must_use]
    pub fn leaf(&self, id: NodeId) -> Option<&F> {
        match self.node(id) {
            Node::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }

    /// The nodes for which `sort` is true and that have more than one place. The root is a place
    /// too.
    pub(crate) fn shared(&self, root: NodeId, sort: impl Fn(&Node<F>) -> bool) -> HashSet<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        seen.get_mut(root.0 as usize).into_iter().for_each(|root| *root = true);
        let (mut shared, no_members) = (HashSet::new(), Members::default());
        for node in &self.nodes {
            let (items, members) = match node {
                Node::Array(items) => (items.as_slice(), &no_members),
                Node::Object(members) => (&[][..], &**members),
                _ => continue,
            };
            for &child in items.iter().chain(members.values()) {
                let again = seen.get_mut(child.0 as usize).is_some_and(|seen| std::mem::replace(seen, true));
                if again && sort(self.node(child)) {
                    shared.insert(child);
                }
            }
        }
        shared
    }

    /// Copies a wire value into the graph, and gives its node. `replace` may give another node for
    /// a value.
    pub fn import(&mut self, value: Ref<'_>, mut replace: impl FnMut(Ref<'_>) -> Option<Node<F>>) -> NodeId {
        // Keys are not nodes in the graph, so this reserves more than is needed.
        self.nodes.reserve(value.len_nodes());
        let mut open: Vec<Open<'_>> = Vec::new();
        let root = self.import_one(value, &mut replace, &mut open);
        while let Some(top) = open.last_mut() {
            let parent = top.node;
            match top.children.next() {
                None => {
                    open.pop();
                }
                Some((key, child)) => {
                    let id = self.import_one(child, &mut replace, &mut open);
                    match (self.node_mut(parent), key) {
                        (Some(Node::Array(items)), _) => items.push(id),
                        (Some(Node::Object(members)), Some(key)) => {
                            members.insert(key, id);
                        }
                        _ => {}
                    }
                }
            }
        }
        root
    }

    /// Adds the node of one value. A container is empty and is pushed to `open`, to be filled
    /// later.
    fn import_one<'v>(
        &mut self,
        value: Ref<'v>,
        replace: &mut impl FnMut(Ref<'_>) -> Option<Node<F>>,
        open: &mut Vec<Open<'v>>,
    ) -> NodeId {
        if let Some(node) = replace(value) {
            return self.add(node);
        }
        let id = self.add(shallow(value));
        match value.kind() {
            // It has no containers to fill later.
            Kind::Array if value.holds_scalars() => {
                let scalar = |item| self.add(replace(item).unwrap_or_else(|| shallow(item)));
                let items = value.items().map(scalar).collect();
                self.nodes[id.0 as usize] = Node::Array(items);
            }
            Kind::Array => open.push(Open { node: id, children: Children::Items(value.items()) }),
            Kind::Object => open.push(Open { node: id, children: Children::Members(value.members()) }),
            _ => {}
        }
        id
    }
}

/// The node of a value; a container is empty.
fn shallow<F>(value: Ref<'_>) -> Node<F> {
    match value.kind() {
        Kind::Null => Node::Null,
        Kind::Boolean => Node::Boolean(value.as_bool().unwrap_or_default()),
        Kind::Number => Node::Number(value.written().to_owned()),
        Kind::String => Node::String(value.written().to_owned()),
        Kind::Array if value.holds_scalars() => Node::Array(Vec::new()),
        Kind::Array => Node::Array(Vec::with_capacity(value.len())),
        Kind::Object => {
            let members = Members::with_capacity_and_hasher(value.len(), RandomState::default());
            Node::Object(Box::new(members))
        }
    }
}

/// A container whose children are not copied yet.
struct Open<'v> {
    node: NodeId,
    children: Children<'v>,
}

enum Children<'v> {
    Items(Items<'v>),
    Members(value::Members<'v>),
}

impl<'v> Children<'v> {
    fn next(&mut self) -> Option<(Option<TextBuf>, Ref<'v>)> {
        match self {
            Children::Items(items) => items.next().map(|item| (None, item)),
            Children::Members(members) => members.next().map(|(key, item)| (Some(key.to_owned()), item)),
        }
    }
}
