//! Values: JSON that may hold functions, stand at several places, and contain itself.

mod from;

use crate::{Error, Function};
use dnode_spec::compare::compare;
use dnode_spec::graph::{Graph, Node, NodeId, describe};
use dnode_spec::path::Path;
use dnode_spec::text::TextBuf;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A value that goes over the wire: JSON, with functions in it. It may stand at several places of another value, and contain itself.
///
/// It is made with [`From`], [`Value::array`], [`Value::object`] and [`args!`](crate::args), is never changed, and is cheap to clone. A part that is not
/// there is [missing](Value::is_missing) and not an error, so that what a peer sent is read without a check at each step. A part that is
/// kept keeps the message that it came in.
///
/// ```
/// use dnode::Value;
///
/// let value = Value::object([("name", "x".into()), ("list", Value::array([1.into(), true.into()]))]);
/// assert_eq!(value.get("name").as_str(), Some("x"));
/// assert_eq!(value.get("list").at(0).as_f64(), Some(1.0));
/// assert!(value.get("no").at(7).is_missing());
/// // A value that contains itself: what stands at the root stands at `self` too.
/// let cycle = value.linked(&[], &["self"])?;
/// assert_eq!(cycle.get("self").get("self").get("name").as_str(), Some("x"));
/// # Ok::<(), dnode::Error>(())
/// ```
#[derive(Clone)]
pub struct Value {
    graph: Arc<Graph<Function>>,
    node: NodeId,
}

impl Value {
    /// The value of this node.
    pub(crate) fn new(graph: Graph<Function>, node: NodeId) -> Value {
        Value { graph: Arc::new(graph), node }
    }

    fn of(node: Node<Function>) -> Value {
        let mut graph = Graph::new();
        let node = graph.add(node);
        Value::new(graph, node)
    }

    /// No value at all. It goes over the wire as `null`, and a member that has it is left out.
    #[must_use]
    pub fn missing() -> Value {
        Value::of(Node::Missing)
    }

    /// The array of these values. What is one value here, by its clones, is one value in the array.
    pub fn array(items: impl IntoIterator<Item = Value>) -> Value {
        let mut copy = Copies::default();
        let items: Vec<NodeId> = items.into_iter().map(|item| copy.take(item)).collect();
        let node = copy.graph.array(items);
        Value::new(copy.graph, node)
    }

    /// The object with these members; of a name that stands twice the last one counts.
    pub fn object<K: AsRef<str>>(members: impl IntoIterator<Item = (K, Value)>) -> Value {
        let mut copy = Copies::default();
        let members =
            members.into_iter().map(|(name, value)| (TextBuf::from(name.as_ref()), copy.take(value)));
        let members = members.collect();
        let node = copy.graph.add(Node::Object(Box::new(members)));
        Value::new(copy.graph, node)
    }

    /// The same value, where what stands at the path `from` also stands at the path `to`: that is how a value comes to contain itself.
    /// A path is the names and the indexes that lead to a place; what is missing on the way to `to` is made, as objects.
    ///
    /// # Errors
    /// [`Error::NoPlace`] where nothing is at `from`, or nothing can be put at `to`.
    pub fn linked(&self, from: &[&str], to: &[&str]) -> Result<Value, Error> {
        let mut copy = Copies::default();
        let root = copy.take(self.clone());
        let [from, to] =
            [from, to].map(|path| Path::from_keys(path.iter().map(|key| TextBuf::from(*key)).collect()));
        let value = from
            .resolve(&copy.graph, root)
            .ok_or_else(|| Error::NoPlace(format!("{from} leads to no value of {self}")))?;
        to.place(&mut copy.graph, root, value)
            .map_err(|_| Error::NoPlace(format!("{to} leads to no place in {self}")))?;
        Ok(Value::new(copy.graph, root))
    }

    fn node(&self) -> &Node<Function> {
        self.graph.node(self.node)
    }

    fn part(&self, node: Option<NodeId>) -> Value {
        node.map_or_else(Value::missing, |node| Value { graph: Arc::clone(&self.graph), node })
    }

    /// The element of an array; missing where there is none.
    #[must_use]
    pub fn at(&self, index: usize) -> Value {
        self.part(self.graph.items(self.node).get(index).copied())
    }

    /// The member of an object; missing where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Value {
        self.part(self.graph.member(self.node, name))
    }

    /// The elements of an array in their order; none for anything else.
    pub fn items(&self) -> impl Iterator<Item = Value> + '_ {
        self.graph.items(self.node).iter().map(|node| self.part(Some(*node)))
    }

    /// The members of an object in their order; none for anything else. U+FFFD stands for what is no Unicode in a name.
    pub fn members(&self) -> impl Iterator<Item = (String, Value)> + '_ {
        let members = match self.node() {
            Node::Object(members) => Some(&**members),
            _ => None,
        };
        members.into_iter().flatten().map(|(name, node)| (name.to_string(), self.part(Some(*node))))
    }

    /// Whether there is no value: what a part that is not there is.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.node(), Node::Missing)
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// The boolean that it is.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.node() {
            Node::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// The number that it is, as the nearest double.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    /// The integer that it is; not `1.0` or `1e3`, which JavaScript never writes.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    /// The number that it is, in the digits that came.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self.node() {
            Node::Number(text) => text.as_text().to_str(),
            _ => None,
        }
    }

    /// The string that it is; not where it has a lone surrogate, which JavaScript may send.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.node() {
            Node::String(text) => text.as_text().to_str(),
            _ => None,
        }
    }

    /// The function that it is.
    #[must_use]
    pub fn function(&self) -> Option<&Function> {
        self.graph.leaf(self.node)
    }

    /// Calls the function that it is; see [`Function::call`].
    ///
    /// # Errors
    /// [`Error::NotAFunction`] where it is none, and those of [`Function::call`].
    pub fn call(&self, arguments: impl IntoIterator<Item = Value>) -> Result<(), Error> {
        match self.function() {
            Some(function) => function.call(arguments),
            None => Err(Error::NotAFunction(self.to_string())),
        }
    }

    /// Its graph and its node, to be sent.
    pub(crate) fn into_graph(self) -> (Graph<Function>, NodeId) {
        let graph = Arc::try_unwrap(self.graph).unwrap_or_else(|graph| (*graph).clone());
        (graph, self.node)
    }
}

/// Copies values into one graph; what was one value stays one.
#[derive(Default)]
struct Copies {
    graph: Graph<Function>,
    done: HashMap<(*const Graph<Function>, NodeId), NodeId>,
    /// What was copied, so that the address of its graph stays its own.
    taken: Vec<Value>,
}

impl Copies {
    /// The copy of a value. It is a loop, for a peer may send what is deep.
    fn take(&mut self, value: Value) -> NodeId {
        let mut todo = Vec::new();
        let root = self.one(&value, value.node, &mut todo);
        while let Some((from, to)) = todo.pop() {
            let filled = match value.graph.node(from) {
                Node::Array(items) => {
                    Node::Array(items.iter().map(|item| self.one(&value, *item, &mut todo)).collect())
                }
                Node::Object(members) => {
                    let copy = |(name, item): (&TextBuf, &NodeId)| {
                        (name.clone(), self.one(&value, *item, &mut todo))
                    };
                    Node::Object(Box::new(members.iter().map(copy).collect()))
                }
                other => other.clone(),
            };
            if let Some(node) = self.graph.node_mut(to) {
                *node = filled;
            }
        }
        self.taken.push(value);
        root
    }

    /// The copy of one node; what it holds is still to be done.
    fn one(&mut self, value: &Value, node: NodeId, todo: &mut Vec<(NodeId, NodeId)>) -> NodeId {
        *self.done.entry((Arc::as_ptr(&value.graph), node)).or_insert_with(|| {
            let copy = self.graph.add(Node::Missing);
            todo.push((node, copy));
            copy
        })
    }
}

/// As infinite trees, numbers by their double; a function is equal to itself only.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        let same = |function: &Function, node| match other.graph.leaf(node) {
            Some(of_other) if function == of_other => Ok(()),
            _ => Err(String::new()),
        };
        compare((&self.graph, self.node), (&other.graph, other.node), same).is_ok()
    }
}

/// In one line, shortened where it is long.
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
