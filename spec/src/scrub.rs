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
    let shared = graph.shared(root, is_container);
    // Where nothing is shared, each container is written once.
    let as_links = !shared.is_empty() && !fits(graph, root, limit);
    let mut walk = Walk::new(graph, shared, as_links);
    walk.visit(root, &mut write);
    Scrubbed { arguments: walk.out, callbacks: walk.callbacks, links: walk.links }
}

/// One pass over a graph, depth first.
struct Walk<'g, F> {
    graph: &'g Graph<F>,
    /// The containers that stand at several places: no other can contain itself.
    shared: HashSet<NodeId>,
    /// They are sent as a link at their second place, though they do not contain it.
    as_links: bool,
    /// Where they were sent, where they are sent as links.
    places: HashMap<NodeId, Path>,
    /// Those around the current place, with how many containers are around each.
    around: HashMap<NodeId, usize>,
    /// The containers around the current place, which is the child that each had last.
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
    fn new(graph: &'g Graph<F>, shared: HashSet<NodeId>, as_links: bool) -> Self {
        Walk {
            graph,
            shared,
            as_links,
            places: HashMap::new(),
            around: HashMap::new(),
            open: Vec::new(),
            out: Vec::with_capacity(16 * graph.len()),
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

    /// Begins a container, or says by a link where it stands already.
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

    /// The path of the child at hand of the container that has so many around it, counted with itself.
    fn path(&self, depth: usize) -> Path {
        let key = |open: &Open| match self.graph.node(open.node) {
            Node::Object(members) => members.get_index(open.next - 1).map(|(key, _)| key.clone()),
            _ => Some(TextBuf::from((open.next - 1).to_string().as_str())),
        };
        Path::from_keys(self.open[..depth].iter().filter_map(key).collect())
    }
}

/// The elements of an array; of anything else, none.
fn items<F>(node: &Node<F>) -> &[NodeId] {
    match node {
        Node::Array(items) => items,
        _ => &[],
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
