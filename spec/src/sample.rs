//! For tests: arguments of all shapes, from wire text or generated.

use crate::graph::{Graph, Node, NodeId};
use crate::message::{self, Id};
use crate::scrub::{Unscrubbed, unscrub};
use crate::session::{Arguments, Function, Handle};
use crate::text::TextBuf;
use crate::value::Value;
use proptest::prelude::*;
use proptest::sample::Index;

/// The arguments of this message with its callbacks and links in place. The message may have
/// problems.
pub(crate) fn unscrubbed(line: &str) -> Unscrubbed<Id> {
    let value = Value::parse(line.as_bytes()).unwrap();
    unscrub(&message::decode(&value).message.unwrap(), |id| id)
}

/// The same for a message without problems.
pub(crate) fn wire(line: &str) -> (Graph<Id>, NodeId) {
    let value = Value::parse(line.as_bytes()).unwrap();
    let decoded = message::decode(&value);
    assert_eq!(decoded.problems, [], "{line}");
    let unscrubbed = unscrub(&decoded.message.unwrap(), |id| id);
    assert_eq!(unscrubbed.problems, [], "{line}");
    (unscrubbed.graph, unscrubbed.root)
}

/// A generated node. Children are indexes into the list of all nodes.
#[derive(Debug, Clone)]
enum Spec {
    Scalar(Node<Function>),
    Array(Vec<Index>),
    Object(Vec<(&'static str, Index)>),
}

fn spec(functions: u64, width: usize) -> impl Strategy<Value = Spec> {
    let texts = ["", "x", "[Circular]", "[Function]", "é😀\u{0}\"\\"];
    let numbers = ["0", "-1.5", "1e3", "9007199254740993", "1e400"];
    let keys = ["a", "b", "0", "1", "", "x.y", "__proto__", "length", "é"];
    let scalar = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Boolean),
        prop::sample::select(numbers.to_vec()).prop_map(|text| Node::Number(text.into())),
        prop::sample::select(texts.to_vec()).prop_map(|text| Node::String(TextBuf::from(text))),
        (0..functions).prop_map(|n| Node::Leaf(Function::Own(Handle(n)))),
    ];
    prop_oneof![
        2 => scalar.prop_map(Spec::Scalar),
        2 => prop::collection::vec(any::<Index>(), 0..=width).prop_map(Spec::Array),
        2 => prop::collection::vec((prop::sample::select(keys.to_vec()), any::<Index>()), 0..=width).prop_map(Spec::Object),
    ]
}

fn build(specs: &[Spec]) -> Arguments {
    let mut graph = Graph::new();
    let ids: Vec<NodeId> = specs.iter().map(|_| graph.add(Node::Null)).collect();
    let at = |index: &Index| ids[index.index(ids.len())];
    for (id, spec) in ids.iter().zip(specs) {
        *graph.node_mut(*id).unwrap() = match spec {
            Spec::Scalar(node) => node.clone(),
            Spec::Array(items) => Node::Array(items.iter().map(at).collect()),
            Spec::Object(members) => Node::Object(Box::new(
                members.iter().map(|(key, index)| (TextBuf::from(*key), at(index))).collect(),
            )),
        };
    }
    let root = graph.array(ids.iter().take(3).copied());
    (graph, root)
}

/// Arguments with up to `nodes` nodes of up to `width` parts each. Any container may contain any
/// other, and itself. Functions are handles below `functions`.
pub(crate) fn arguments(nodes: usize, width: usize, functions: u64) -> impl Strategy<Value = Arguments> {
    prop::collection::vec(spec(functions, width), 0..=nodes).prop_map(|specs| build(&specs))
}

/// Any text. Keys with a special meaning in some language are more likely.
pub(crate) fn text() -> impl Strategy<Value = TextBuf> {
    let known = ["0", "1", "2", "01", "-1", "", "length", "__proto__", "constructor", "a", "[Circular]"];
    prop_oneof![
        prop::sample::select(known.to_vec()).prop_map(TextBuf::from),
        ".*".prop_map(|text| TextBuf::from(&*text))
    ]
}

/// `height` arrays in each other, with `core` innermost.
pub(crate) fn tower<F>(graph: &mut Graph<F>, height: usize, core: NodeId) -> NodeId {
    (0..height).fold(core, |inner, _| graph.array([inner]))
}
