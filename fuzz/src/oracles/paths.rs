//! Paths, callbacks and links: a message may change its own arguments and nothing else.

use super::emitted;
use dnode_spec::compare::compare;
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{self, Id, Message, Method};
use dnode_spec::path::{MAX_GAP, Path};
use dnode_spec::scrub::{Unscrubbed, Written, scrub, unscrub};
use dnode_spec::value::Value;
use std::collections::{HashMap, HashSet};

/// The maximum number of callbacks and links of a message that are checked one by one.
const FEW: usize = 16;

/// Applies the callbacks and links of each message of a stream.
///
/// 1. The size of the graph is linear in the size of the message, and its root is an array.
/// 2. A function is at its path, unless a later one replaced it.
/// 3. A refused link changes nothing. Any other link changes at most one container, and the value
///    is then at both paths.
/// 4. Scrubbing and unscrubbing the arguments gives equal values and no problems.
///
/// # Panics
/// If one of these does not hold.
pub fn paths(data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(value) = Value::parse(line) else { continue };
        let Some(message) = message::decode(&value).message else { continue };
        let unscrubbed = unscrub(&message, |id| id);
        check_size(&value, &message, &unscrubbed);
        check_callbacks(&message);
        (0..message.links.len().min(FEW)).for_each(|n| check_link(&message, n));
        check_round_trip(&unscrubbed.graph, unscrubbed.root);
    }
}

fn check_size(value: &Value<'_>, message: &Message<'_>, unscrubbed: &Unscrubbed<Id>) {
    let Unscrubbed { graph, root, .. } = unscrubbed;
    assert!(matches!(graph.node(*root), Node::Array(_)), "the arguments are no longer an array");
    // Each key of a path creates at most a container and a hole.
    let nodes = value.len_nodes();
    assert!(graph.len() <= 3 * nodes + 1, "{} graph nodes for {nodes} values", graph.len());
    let places = reachable(graph, *root).into_iter().map(|node| children(graph.node(node)).len());
    let paths = message.callbacks.len() + message.links.len();
    assert!(
        places.sum::<usize>() <= 2 * nodes + paths * (MAX_GAP + 1),
        "there are more places than paths can create"
    );
}

/// The arguments with only the first `links` links applied.
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

/// Applies link number `n` and compares the arguments before and after.
fn check_link(message: &Message<'_>, n: usize) {
    let (before, after) = (first_links(message, n), first_links(message, n + 1));
    let root = before.root;
    let known = reachable(&before.graph, root);
    let changed = known.iter().filter(|node| before.graph.node(**node) != after.graph.node(**node)).count();
    if after.problems.len() > before.problems.len() {
        assert_eq!(changed, 0, "a refused link changed {changed} values");
        return;
    }
    assert!(changed <= 1, "a link changed {changed} values");
    let link = &message.links[n];
    // If the path visits a container twice, writing at its end can change the path itself.
    let mut seen = HashSet::new();
    let visited = (0..link.to.keys().len()).map(|depth| link.to.prefix(depth).resolve(&before.graph, root));
    if visited.flatten().all(|node| seen.insert(node)) {
        assert_eq!(link.to.resolve(&after.graph, root), link.from.resolve(&before.graph, root));
    }
}

fn check_round_trip(graph: &Graph<Id>, root: NodeId) {
    let mut ids: HashMap<Id, Id> = HashMap::new();
    let scrubbed = scrub(graph, root, |id| {
        // Each place gets its own number, as in a session.
        let number = Id(i64::try_from(ids.len()).unwrap_or(i64::MAX));
        ids.insert(number, *id);
        Written::Function(number)
    });
    let line = message::encode(&Method::Id(Id(0)), scrubbed.arguments, &scrubbed.callbacks, &scrubbed.links);
    let value = emitted::parse(&line);
    let message = emitted::decode(&value);
    let again = unscrub(&message, |id| id);
    assert!(again.problems.is_empty(), "{:?} in {}", again.problems, line.escape_ascii());
    let same = compare((graph, root), (&again.graph, again.root), |id, at| {
        let theirs = again.graph.leaf(at).and_then(|number| ids.get(number));
        if theirs == Some(id) { Ok(()) } else { Err(id.to_string()) }
    });
    assert_eq!(same, Ok(()), "{}", line.escape_ascii());
}

/// The root and all nodes that it reaches.
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
