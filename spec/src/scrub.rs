//! Converts between the arguments on the wire and the graph of values and functions.
//!
//! *Unscrub* puts a function at each callback's path, then applies the links in order (protocol
//! document, "data fields" and "links"; the order is that of dnode-protocol 0.2.2). *Scrub* walks a
//! graph depth first and left to right. It replaces each function by `"[Function]"` and each value
//! that contains itself by `"[Circular]"`, and lists their places.
//!
//! Rules: paths write only into the arguments. A path that leads nowhere is a [`Problem`] and
//! changes nothing else. Neither direction recurses. Unscrub is linear in the message. If a value
//! has several places, scrub writes it once for each, as the reference does, up to [`EXPANSION`]
//! times the size of the graph. Beyond that it sends links, so that the answer to a short message
//! is never endless.

use crate::graph::{Graph, Node, NodeId, describe};
use crate::message::{Id, Link, Message, Problem};
use crate::path::Path;
use crate::text::TextBuf;
use foldhash::{HashMap, HashMapExt, HashSet};

/// A graph may be this many times its size on the wire. Above that, shared values are sent as
/// links.
pub const EXPANSION: usize = 4;

/// The arguments of a message with its functions and links in place.
#[derive(Debug, Clone)]
pub struct Unscrubbed<F> {
    /// The values.
    pub graph: Graph<F>,
    /// The array of arguments.
    pub root: NodeId,
    /// The paths that lead nowhere.
    pub problems: Vec<Problem>,
}

/// Puts the callbacks and links of a message into its arguments. `function` makes the leaf of an
/// id.
#[must_use]
pub fn unscrub<F: std::fmt::Display>(
    message: &Message<'_>,
    mut function: impl FnMut(Id) -> F,
) -> Unscrubbed<F> {
    let values = message.arguments.map_or(1, |arguments| arguments.len_nodes());
    let mut graph = Graph::with_capacity(values + message.callbacks.len());
    let root = match message.arguments {
        Some(arguments) => graph.import(arguments, |_| None),
        None => graph.array([]),
    };
    let mut problems = Vec::new();
    for (id, path) in &message.callbacks {
        let leaf = graph.add(Node::Leaf(function(*id)));
        if let Err(depth) = path.place(&mut graph, root, leaf) {
            let at = format!("callbacks[\"{id}\"]");
            problems.push(no_place(&graph, root, "callback/path-place", at, path, depth));
        }
    }
    for (n, link) in message.links.iter().enumerate() {
        let there = link.from.resolve(&graph, root).filter(|&id| !matches!(graph.node(id), Node::Missing));
        let Some(value) = there else {
            problems.push(Problem {
                clause: "link/from-place",
                at: format!("links[{n}].from"),
                expected: "a path to a value".to_owned(),
                actual: format!("{}, where nothing is", link.from),
                refused: false,
            });
            continue;
        };
        if let Err(depth) = link.to.place(&mut graph, root, value) {
            problems.push(no_place(&graph, root, "link/to-place", format!("links[{n}].to"), &link.to, depth));
        }
    }
    Unscrubbed { graph, root, problems }
}

fn no_place<F: std::fmt::Display>(
    graph: &Graph<F>,
    root: NodeId,
    clause: &'static str,
    at: String,
    path: &Path,
    depth: usize,
) -> Problem {
    let stop = path.prefix(depth);
    let there = stop.resolve(graph, root).map_or_else(|| "nothing".to_owned(), |id| describe(graph, id));
    Problem {
        clause,
        at,
        expected: "a path to a place that is there or can be made".to_owned(),
        actual: format!("{path}, but {stop} is {there}"),
        refused: true,
    }
}

/// Arguments in their wire format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The array of arguments as JSON.
    pub arguments: Vec<u8>,
    /// The functions and their places, depth first.
    pub callbacks: Vec<(Id, Path)>,
    /// The links to values that are not written again.
    pub links: Vec<Link>,
}

/// The wire format of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A function with this id.
    Function(Id),
    /// This JSON text, in its place.
    Json(Vec<u8>),
}

/// Takes the functions out of the array of arguments at `root`. `write` is called once for each
/// place of each leaf.
pub fn scrub<F>(graph: &Graph<F>, root: NodeId, mut write: impl FnMut(&F) -> Written) -> Scrubbed {
    let limit = graph.len().saturating_mul(EXPANSION).saturating_add(1024);
    let shared = graph.shared(root, is_container);
    // If nothing is shared, each container is written once.
    let as_links = !shared.is_empty() && !fits(graph, root, limit);
    let mut walk = Walk::new(graph, shared, as_links);
    walk.visit(root, &mut write);
    Scrubbed { arguments: walk.out, callbacks: walk.callbacks, links: walk.links }
}

/// One pass over a graph, depth first.
struct Walk<'g, F> {
    graph: &'g Graph<F>,
    /// The containers with several places. No other container can contain itself.
    shared: HashSet<NodeId>,
    /// At their second place they are sent as a link, even if they do not contain themselves.
    as_links: bool,
    /// Their first places, if `as_links`.
    places: HashMap<NodeId, Path>,
    /// Those around the current place, each with the number of containers around it.
    around: HashMap<NodeId, usize>,
    /// The containers around the current place, outermost first. The current place is the last
    /// child of each.
    open: Vec<Open>,
    out: Vec<u8>,
    callbacks: Vec<(Id, Path)>,
    links: Vec<Link>,
}

/// A container that is being written.
struct Open {
    node: NodeId,
    /// The index of the next child.
    next: usize,
    /// Whether no child is written yet.
    empty: bool,
}

impl<'g, F> Walk<'g, F> {
    fn new(graph: &'g Graph<F>, shared: HashSet<NodeId>, as_links: bool) -> Self {
        Walk {
            graph,
            shared,
            as_links,
            places: HashMap::new(),
            around: HashMap::new(),
            open: Vec::new(),
            // The other fields of a message get into the same allocation.
            out: Vec::with_capacity(16 * graph.len() + 160),
            callbacks: Vec::new(),
            links: Vec::new(),
        }
    }

    fn visit(&mut self, root: NodeId, write: &mut dyn FnMut(&F) -> Written) {
        self.enter(root, write);
        while let Some(open) = self.open.last_mut() {
            let (child, end) = match self.graph.node(open.node) {
                Node::Object(members) => {
                    (members.get_index(open.next).map(|(key, child)| (Some(key), *child)), b'}')
                }
                node => (items(node).get(open.next).map(|child| (None, *child)), b']'),
            };
            let Some((key, child)) = child else {
                self.out.push(end);
                self.close();
                continue;
            };
            open.next += 1;
            if key.is_some() && matches!(self.graph.node(child), Node::Missing) {
                continue;
            }
            if !std::mem::replace(&mut open.empty, false) {
                self.out.push(b',');
            }
            if let Some(key) = key {
                key.as_text().write_json(&mut self.out);
                self.out.push(b':');
            }
            self.enter(child, write);
        }
    }

    /// Writes one value, or the beginning of a container.
    fn enter(&mut self, node: NodeId, write: &mut dyn FnMut(&F) -> Written) {
        match self.graph.node(node) {
            Node::Missing | Node::Null => self.out.extend_from_slice(b"null"),
            Node::Boolean(value) => self.out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Node::Number(text) => self.out.extend_from_slice(text.as_text().as_bytes()),
            Node::String(text) => text.as_text().write_json(&mut self.out),
            Node::Leaf(leaf) => match write(leaf) {
                Written::Function(id) => {
                    self.callbacks.push((id, self.path(self.open.len())));
                    self.out.extend_from_slice(b"\"[Function]\"");
                }
                Written::Json(text) => self.out.extend_from_slice(&text),
            },
            Node::Array(_) => self.open_container(node, b'['),
            Node::Object(_) => self.open_container(node, b'{'),
        }
    }

    /// Begins a container, or writes a link to the place that it already has.
    fn open_container(&mut self, node: NodeId, bracket: u8) {
        if self.shared.contains(&node) {
            let ancestor = self.around.get(&node).map(|&depth| self.path(depth));
            if let Some(from) = ancestor.or_else(|| self.places.get(&node).cloned()) {
                self.links.push(Link { from, to: self.path(self.open.len()) });
                self.out.extend_from_slice(b"\"[Circular]\"");
                return;
            }
            self.around.insert(node, self.open.len());
            if self.as_links {
                self.places.insert(node, self.path(self.open.len()));
            }
        }
        self.out.push(bracket);
        self.open.push(Open { node, next: 0, empty: true });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop()
            && self.shared.contains(&open.node)
        {
            self.around.remove(&open.node);
        }
    }

    /// The first `depth` keys of the path to the current place.
    fn path(&self, depth: usize) -> Path {
        let key = |open: &Open| match self.graph.node(open.node) {
            Node::Object(members) => members.get_index(open.next - 1).map(|(key, _)| key.clone()),
            _ => Some(TextBuf::from((open.next - 1).to_string().as_str())),
        };
        Path::from_keys(self.open[..depth].iter().filter_map(key).collect())
    }
}

/// The elements of an array; empty for any other node.
fn items<F>(node: &Node<F>) -> &[NodeId] {
    match node {
        Node::Array(items) => items,
        _ => &[],
    }
}

fn is_container<F>(node: &Node<F>) -> bool {
    matches!(node, Node::Array(_) | Node::Object(_))
}

/// Whether at most `limit` nodes are needed to write each value at each of its places.
fn fits<F>(graph: &Graph<F>, root: NodeId, limit: usize) -> bool {
    let mut around: HashSet<NodeId> = HashSet::from_iter([root]);
    let mut open: Vec<(NodeId, usize)> = vec![(root, 0)];
    let mut count = 0;
    while let Some((node, next)) = open.last_mut() {
        let child = match graph.node(*node) {
            Node::Object(members) => members.get_index(*next).map(|(_, &id)| id),
            node => items(node).get(*next).copied(),
        };
        let Some(child) = child else {
            around.remove(node);
            open.pop();
            continue;
        };
        *next += 1;
        count += 1;
        if count > limit {
            return false;
        }
        if is_container(graph.node(child)) && around.insert(child) {
            open.push((child, 0));
        }
    }
    true
}

#[cfg(test)]
mod tests;
