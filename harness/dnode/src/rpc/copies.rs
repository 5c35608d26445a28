//! Copies values into one graph, to build a value from others.

use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::text::TextBuf;
use std::collections::HashMap;
use std::sync::Arc;

/// A graph that values are copied into. A value that is copied twice is one value in it.
pub(super) struct Copies<F> {
    pub(super) graph: Graph<F>,
    /// The copy of each node, by the address of its graph.
    done: HashMap<(*const Graph<F>, NodeId), NodeId>,
    /// The copied graphs, kept so that no other graph gets the same address.
    sources: Vec<Arc<Graph<F>>>,
}

impl<F: Clone> Copies<F> {
    pub(super) fn new() -> Copies<F> {
        Copies { graph: Graph::new(), done: HashMap::new(), sources: Vec::new() }
    }

    /// Copies the value at this node. This is a loop, because a peer may send a value that is too
    /// deep for recursion.
    pub(super) fn copy(&mut self, source: Arc<Graph<F>>, node: NodeId) -> NodeId {
        let mut todo = Vec::new();
        let root = self.reserve(&source, node, &mut todo);
        while let Some((from, to)) = todo.pop() {
            let filled = match source.node(from) {
                Node::Array(items) => {
                    Node::Array(items.iter().map(|item| self.reserve(&source, *item, &mut todo)).collect())
                }
                Node::Object(members) => {
                    let copy = |(name, item): (&TextBuf, &NodeId)| {
                        (name.clone(), self.reserve(&source, *item, &mut todo))
                    };
                    Node::Object(Box::new(members.iter().map(copy).collect()))
                }
                other => other.clone(),
            };
            if let Some(node) = self.graph.node_mut(to) {
                *node = filled;
            }
        }
        self.sources.push(source);
        root
    }

    /// The copy of a node. If it is new, `todo` says to fill it.
    fn reserve(&mut self, source: &Arc<Graph<F>>, node: NodeId, todo: &mut Vec<(NodeId, NodeId)>) -> NodeId {
        *self.done.entry((Arc::as_ptr(source), node)).or_insert_with(|| {
            let copy = self.graph.add(Node::Missing);
            todo.push((node, copy));
            copy
        })
    }
}
