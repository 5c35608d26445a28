//! Paths, callbacks and links: what a message can do to its arguments, and to nothing else.

use dnode_spec::compare::compare;
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{self, Id, Message, Method};
use dnode_spec::path::{MAX_GAP, Path};
use dnode_spec::scrub::{Unscrubbed, Written, scrub, unscrub};
use dnode_spec::value::Value;
use std::collections::{HashMap, HashSet};

/// How many callbacks and links of a message are looked at one by one.
const FEW: usize = 16;

/// Checks what the callbacks and links of each message of a stream do.
///
/// 1. The graph is linear in the message, and its root is an array.
/// 2. A function stands at its path, unless a later one took its place.
/// 3. A link changes one container, or nothing where it is refused; then the value stands at both places.
/// 4. Written for the wire and read again, the values are the same, with nothing wrong.
///
/// # Panics
/// Where one of these is not so.
pub fn paths(data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(value) = Value::parse(line) else { continue };
        let Some(message) = message::decode(&value).message else { continue };
        let unscrubbed = unscrub(&message, |id| id);
        check_size(&value, &message, &unscrubbed);
        check_callbacks(&message);
        (0..message.links.len().min(FEW)).for_each(|n| check_link(&message, n));
        check_there_and_back(&unscrubbed.graph, unscrubbed.root);
    }
}

fn check_size(value: &Value<'_>, message: &Message<'_>, unscrubbed: &Unscrubbed<Id>) {
    let Unscrubbed { graph, root, .. } = unscrubbed;
    assert!(matches!(graph.node(*root), Node::Array(_)), "the arguments are no array any more");
    // Each key of a path makes at most a container and a hole.
    let nodes = value.len_nodes();
    assert!(graph.len() <= 3 * nodes + 1, "{} nodes of {nodes}", graph.len());
    let places = reachable(graph, *root).into_iter().map(|node| children(graph.node(node)).len());
    let paths = message.callbacks.len() + message.links.len();
    assert!(places.sum::<usize>() <= 2 * nodes + paths * (MAX_GAP + 1), "more places than paths can make");
}

/// The message with its first `links` links alone.
fn first_links(message: &Message<'_>, links: usize) -> Unscrubbed<Id> {
    unscrub(&Message { links: message.links[..links].to_vec(), ..message.clone() }, |id| id)
}

fn check_callbacks(message: &Message<'_>) {
    let Unscrubbed { graph, root, problems } = first_links(message, 0);
    let refused: HashSet<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    let mut later: Vec<&Path> = Vec::new();
    for (id, path) in message.callbacks.iter().rev().take(FEW) {
        if refused.contains(format!("callbacks[\"{id}\"]").as_str()) {
            continue;
        }
        if !later.iter().any(|later| path.keys().starts_with(later.keys())) {
            let there = path.resolve(&graph, root).and_then(|node| graph.leaf(node));
            assert_eq!(there, Some(id), "at {path}");
        }
        later.push(path);
    }
}

/// What link number `n` changes.
fn check_link(message: &Message<'_>, n: usize) {
    let (before, after) = (first_links(message, n), first_links(message, n + 1));
    let root = before.root;
    let known = reachable(&before.graph, root);
    let changed = known.iter().filter(|node| before.graph.node(**node) != after.graph.node(**node)).count();
    if after.problems.len() > before.problems.len() {
        assert_eq!(changed, 0, "a link that is refused changes something");
        return;
    }
    assert!(changed <= 1, "a link changes {changed} values");
    let link = &message.links[n];
    // Where the way leads through a container twice, writing at its end changes the way.
    let mut seen = HashSet::new();
    let way = (0..link.to.keys().len()).map(|depth| link.to.prefix(depth).resolve(&before.graph, root));
    if way.flatten().all(|node| seen.insert(node)) {
        assert_eq!(link.to.resolve(&after.graph, root), link.from.resolve(&before.graph, root));
    }
}

fn check_there_and_back(graph: &Graph<Id>, root: NodeId) {
    let mut ids: HashMap<Id, Id> = HashMap::new();
    let scrubbed = scrub(graph, root, |id| {
        // A number of its own for each place, as a session has it.
        let number = Id(i64::try_from(ids.len()).unwrap_or(i64::MAX));
        ids.insert(number, *id);
        Written::Function(number)
    });
    let line = message::encode(&Method::Id(Id(0)), &scrubbed.arguments, &scrubbed.callbacks, &scrubbed.links);
    let value = Value::parse(&line).unwrap_or_else(|error| panic!("an encoded message is no JSON: {error}"));
    let decoded = message::decode(&value);
    assert!(decoded.problems.is_empty(), "{:?} in {}", decoded.problems, line.escape_ascii());
    let Some(message) = decoded.message else { panic!("an encoded message is none") };
    let again = unscrub(&message, |id| id);
    assert!(again.problems.is_empty(), "{:?} in {}", again.problems, line.escape_ascii());
    let same = compare((graph, root), (&again.graph, again.root), |id, at| {
        let theirs = again.graph.leaf(at).and_then(|number| ids.get(number));
        if theirs == Some(id) { Ok(()) } else { Err(id.to_string()) }
    });
    assert_eq!(same, Ok(()), "{}", line.escape_ascii());
}

/// The root and all nodes below it.
fn reachable(graph: &Graph<Id>, root: NodeId) -> Vec<NodeId> {
    let (mut seen, mut todo) = (HashSet::from([root]), vec![root]);
    let mut found = Vec::new();
    while let Some(at) = todo.pop() {
        found.push(at);
        todo.extend(children(graph.node(at)).into_iter().filter(|&child| seen.insert(child)));
    }
    found
}

fn children(node: &Node<Id>) -> Vec<NodeId> {
    match node {
        Node::Array(items) => items.clone(),
        Node::Object(members) => members.values().copied().collect(),
        _ => Vec::new(),
    }
}
