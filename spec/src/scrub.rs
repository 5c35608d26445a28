//! Between the arguments on the wire and the graph of values and functions: callbacks and links taken out, and put in.
//!
//! *Unscrub* puts a function at each callback's path and then applies the links in order (protocol document, "data fields" and
//! "links"; the order is dnode-protocol 0.2.2's). *Scrub* walks a graph depth first and left to right, replaces each function by
//! `"[Function]"` and each value that contains itself by `"[Circular]"`, and says where they stood.
//!
//! Rules: paths write only into the arguments; a path that cannot be followed is a [`Problem`] and leaves the rest alone.
//! Neither direction recurses. Unscrub is linear in the message. Scrub writes a value that stands at several places once for
//! each, as the reference does, up to [`EXPANSION`] times the graph; beyond that it sends links instead, so that no short message
//! is answered by an endless one.

use crate::graph::{Graph, Node, NodeId, describe};
use crate::message::{Id, Link, Message, Problem};
use crate::path::Path;
use crate::text::TextBuf;
use foldhash::{HashMap, HashMapExt, HashSet};

/// How many times its own size a graph may take on the wire before shared values are sent as links.
pub const EXPANSION: usize = 4;

/// The arguments of a message with its functions and links in place.
#[derive(Debug, Clone)]
pub struct Unscrubbed<F> {
    /// The values.
    pub graph: Graph<F>,
    /// The array of arguments.
    pub root: NodeId,
    /// What could not be put in place.
    pub problems: Vec<Problem>,
}

/// Puts the callbacks and links of a message into its arguments. `function` makes what stands for an id.
#[must_use]
pub fn unscrub<F: std::fmt::Display>(
    message: &Message<'_>,
    mut function: impl FnMut(Id) -> F,
) -> Unscrubbed<F> {
    let mut graph = Graph::new();
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

/// A graph made ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// The arguments as JSON text.
    pub arguments: Vec<u8>,
    /// Where the functions stand.
    pub callbacks: Vec<(Id, Path)>,
    /// Where values stand a second time.
    pub links: Vec<Link>,
}

/// What a leaf of a graph is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A function with this number.
    Function(Id),
    /// This JSON text, in its place.
    Json(Vec<u8>),
}

/// Takes the functions out of the array of arguments at `root`. `write` says what each leaf is, once for each place.
pub fn scrub<F>(graph: &Graph<F>, root: NodeId, mut write: impl FnMut(&F) -> Written) -> Scrubbed {
    let limit = graph.len().saturating_mul(EXPANSION).saturating_add(1024);
    let mut shared = graph.shared(is_container);
    // Where nothing is shared, each container is written once.
    if !shared.is_empty() && fits(graph, root, limit) {
        shared.clear();
    }
    let mut walk = Walk::new(graph, shared);
    walk.visit(root, &mut write);
    Scrubbed { arguments: walk.out, callbacks: walk.callbacks, links: walk.links }
}

/// One pass over a graph, depth first.
struct Walk<'g, F> {
    graph: &'g Graph<F>,
    /// The values that are sent as a link at their second place, though they do not contain it.
    shared: HashSet<NodeId>,
    /// Where the values that stand at several places were sent, where they are sent as links.
    places: HashMap<NodeId, Vec<TextBuf>>,
    /// The values around the current place, with the length of their paths.
    around: HashMap<NodeId, usize>,
    path: Vec<TextBuf>,
    open: Vec<Open>,
    out: Vec<u8>,
    callbacks: Vec<(Id, Path)>,
    links: Vec<Link>,
}

/// A container that is being written.
struct Open {
    node: NodeId,
    /// Which child comes next.
    next: usize,
    /// Whether none is written yet.
    empty: bool,
}

impl<'g, F> Walk<'g, F> {
    fn new(graph: &'g Graph<F>, shared: HashSet<NodeId>) -> Self {
        Walk {
            graph,
            shared,
            places: HashMap::new(),
            around: HashMap::new(),
            path: Vec::new(),
            open: Vec::new(),
            out: Vec::new(),
            callbacks: Vec::new(),
            links: Vec::new(),
        }
    }

    fn visit(&mut self, root: NodeId, write: &mut dyn FnMut(&F) -> Written) {
        self.enter(root, write);
        while let Some(&mut Open { node, ref mut next, ref mut empty }) = self.open.last_mut() {
            let child = match self.graph.node(node) {
                Node::Array(items) => {
                    items.get(*next).map(|&child| (TextBuf::from(next.to_string().as_str()), child))
                }
                Node::Object(members) => members.get_index(*next).map(|(key, &child)| (key.clone(), child)),
                _ => None,
            };
            let is_array = matches!(self.graph.node(node), Node::Array(_));
            let Some((key, child)) = child else {
                self.out.push(if is_array { b']' } else { b'}' });
                self.open.pop();
                self.path.pop();
                self.around.remove(&node);
                continue;
            };
            *next += 1;
            if !is_array && matches!(self.graph.node(child), Node::Missing) {
                continue;
            }
            if !std::mem::replace(empty, false) {
                self.out.push(b',');
            }
            if !is_array {
                key.as_text().write_json(&mut self.out);
                self.out.push(b':');
            }
            self.path.push(key);
            self.enter(child, write);
        }
    }

    /// Writes one value, or the beginning of a container, whose end pops the path again.
    fn enter(&mut self, node: NodeId, write: &mut dyn FnMut(&F) -> Written) {
        let ancestor = self.around.get(&node).map(|&depth| self.path[..depth].to_vec());
        if let Some(from) = ancestor.or_else(|| self.places.get(&node).cloned()) {
            self.links.push(Link { from: Path::from_keys(from), to: Path::from_keys(self.path.clone()) });
            self.out.extend_from_slice(b"\"[Circular]\"");
            self.path.pop();
            return;
        }
        match self.graph.node(node) {
            Node::Missing | Node::Null => self.out.extend_from_slice(b"null"),
            Node::Boolean(value) => self.out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Node::Number(text) => self.out.extend_from_slice(text.as_text().as_bytes()),
            Node::String(text) => text.as_text().write_json(&mut self.out),
            Node::Leaf(leaf) => match write(leaf) {
                Written::Function(id) => {
                    self.callbacks.push((id, Path::from_keys(self.path.clone())));
                    self.out.extend_from_slice(b"\"[Function]\"");
                }
                Written::Json(text) => self.out.extend_from_slice(&text),
            },
            Node::Array(_) => return self.open_container(node, b'['),
            Node::Object(_) => return self.open_container(node, b'{'),
        }
        self.path.pop();
    }

    fn open_container(&mut self, node: NodeId, bracket: u8) {
        self.out.push(bracket);
        self.open.push(Open { node, next: 0, empty: true });
        self.around.insert(node, self.path.len());
        if self.shared.contains(&node) {
            self.places.insert(node, self.path.clone());
        }
    }
}

fn is_container<F>(node: &Node<F>) -> bool {
    matches!(node, Node::Array(_) | Node::Object(_))
}

/// Whether writing out each value at each of its places takes at most `limit` nodes.
fn fits<F>(graph: &Graph<F>, root: NodeId, limit: usize) -> bool {
    let mut around: HashSet<NodeId> = HashSet::from_iter([root]);
    let mut open: Vec<(NodeId, usize)> = vec![(root, 0)];
    let mut count = 0;
    while let Some((node, next)) = open.last_mut() {
        let child = match graph.node(*node) {
            Node::Array(items) => items.get(*next).copied(),
            Node::Object(members) => members.get_index(*next).map(|(_, &id)| id),
            _ => None,
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
