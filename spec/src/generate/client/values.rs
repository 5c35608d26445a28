//! The values of a move.

use super::{Client, Does, Values};
use crate::generate::plan::{Move, Shape};
use crate::graph::{Node, NodeId};
use crate::session::Function;
use crate::text::TextBuf;

impl Client {
    /// The first value of a move.
    pub(super) fn first(&mut self, graph: &mut Values, step: &Move) -> NodeId {
        match step.values.first() {
            Some(shape) => self.value(graph, shape),
            None => graph.add(Node::Null),
        }
    }

    pub(super) fn value(&mut self, graph: &mut Values, shape: &Shape) -> NodeId {
        self.build(graph, shape, &mut Vec::new(), &mut Vec::new())
    }

    /// `around` is the list of containers around the value, the nearest last; `made` is the list of
    /// all values so far.
    fn build(
        &mut self,
        graph: &mut Values,
        shape: &Shape,
        around: &mut Vec<NodeId>,
        made: &mut Vec<NodeId>,
    ) -> NodeId {
        let node = match shape {
            Shape::Word(word) => graph
                .add([Node::Null, Node::Boolean(true), Node::Boolean(false)][usize::from(*word) % 3].clone()),
            Shape::Number(number) => graph.number(number),
            Shape::Integer(number) => graph.number(number),
            Shape::Text(text) => graph.string(text),
            Shape::Own(Some(pick)) if !self.sent.is_empty() => {
                let handle = self.sent[usize::from(*pick) % self.sent.len()];
                graph.add(Node::Leaf(Function::Own(handle)))
            }
            Shape::Own(_) => self.remembered(graph),
            Shape::Theirs(pick) => match self.held.get(usize::from(*pick) % self.held.len().max(1)) {
                Some((id, Does::CallOurs)) => graph.add(Node::Leaf(Function::Theirs(*id))),
                _ => graph.add(Node::Null),
            },
            Shape::Up(levels) => match around.len().checked_sub(1 + usize::from(*levels)) {
                Some(at) => return around[at],
                None => graph.add(Node::Null),
            },
            Shape::Again(pick) => match made.get(usize::from(*pick) % made.len().max(1)) {
                Some(value) => return *value,
                None => graph.add(Node::Null),
            },
            Shape::List(shapes) => {
                let list = graph.array([]);
                around.push(list);
                for shape in shapes {
                    let item = self.build(graph, shape, around, made);
                    if let Some(Node::Array(items)) = graph.node_mut(list) {
                        items.push(item);
                    }
                }
                around.pop();
                list
            }
            Shape::Object(members) => {
                let object = graph.object([]);
                around.push(object);
                for (key, shape) in members {
                    let value = self.build(graph, shape, around, made);
                    if let Some(Node::Object(members)) = graph.node_mut(object) {
                        members.insert(TextBuf::from(key.as_str()), value);
                    }
                }
                around.pop();
                object
            }
        };
        made.push(node);
        node
    }
}
