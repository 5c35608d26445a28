//! Compares two graphs as infinite trees: cycles are unfolded, sharing is ignored.

use crate::graph::{Graph, Members, Node, NodeId, class, describe};
use crate::path::Path;
use crate::text::TextBuf;
use crate::value::Value;
use foldhash::{HashSet, HashSetExt};

/// The kind of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Both values exist and are not equal.
    Differs,
    /// The actual value lacks something that the expected one has.
    Absent,
    /// The actual value has something that the expected one lacks.
    Unexpected,
}

impl Kind {
    /// The name of the kind in reports. Fingerprints depend on it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Differs => "differs",
            Kind::Absent => "absent",
            Kind::Unexpected => "unexpected",
        }
    }
}

/// The first difference between two graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The place, from both roots.
    pub path: Path,
    /// The kind.
    pub kind: Kind,
    /// The expected value, in one line.
    pub expected: String,
    /// The actual value, in one line.
    pub actual: String,
    /// The expected value with references, if it has a cycle: see [`Path::describe_cycle`].
    pub expected_cycle: Option<String>,
    /// The actual value with references, if it has a cycle.
    pub actual_cycle: Option<String>,
    /// The type of the actual value, in one word: see [`class`].
    pub class: &'static str,
}

/// Finds the first difference of two graphs, in the order of `expected`. Missing and extra parts of
/// a container come before differences within its parts. Of several extra members, the one with the
/// least key comes first.
///
/// `leaf` compares a leaf of `expected` with a node of `actual`. `Ok` accepts the whole value of
/// that node; `Err` is the expected value, in words. Numbers are compared as IEEE 754 doubles. A
/// hole in an array equals `null`, and a member without a value equals no member.
///
/// # Errors
/// The first [`Difference`]. The end that made `actual` is at fault.
pub fn compare<E, A>(
    (expected, expected_root): (&Graph<E>, NodeId),
    (actual, actual_root): (&Graph<A>, NodeId),
    mut leaf: impl FnMut(&E, NodeId) -> Result<(), String>,
) -> Result<(), Box<Difference>>
where
    E: std::fmt::Display,
    A: std::fmt::Display,
{
    let few = expected.len().min(8);
    let mut comparison = Comparison {
        expected,
        actual,
        seen: HashSet::new(),
        trails: Vec::with_capacity(few),
        todo: Vec::with_capacity(few),
    };
    comparison.trails.push((0, Key::Root));
    comparison.todo.push((expected_root, actual_root, 0));
    while let Some((e, a, trail)) = comparison.todo.pop() {
        match (expected.node(e), actual.node(a)) {
            (Node::Leaf(mark), _) => leaf(mark, a).map_err(|expected| {
                comparison.differs(trail, Kind::Differs, Expected::Words(expected), Some(a), Key::Root)
            })?,
            (Node::Array(es), Node::Array(actuals)) => comparison.arrays((e, es), (a, actuals), trail)?,
            (Node::Object(es), Node::Object(actuals)) => comparison.objects((e, es), (a, actuals), trail)?,
            (node, other) if scalars_equal(node, other) => {}
            _ => {
                return Err(comparison.differs(trail, Kind::Differs, Expected::Node(e), Some(a), Key::Root));
            }
        }
    }
    Ok(())
}

/// What was expected.
enum Expected {
    Node(NodeId),
    Words(String),
}

impl Expected {
    fn nothing() -> Expected {
        Expected::Words(nothing())
    }
}

struct Comparison<'g, E, A> {
    expected: &'g Graph<E>,
    actual: &'g Graph<A>,
    /// The pairs of containers that were compared: a cycle ends here. They are recorded only after
    /// more places than nodes were visited, because until then there may be no cycle.
    seen: HashSet<(NodeId, NodeId)>,
    /// For each place, the index of its parent's place in this list, and its key.
    trails: Vec<(usize, Key<'g>)>,
    todo: Vec<(NodeId, NodeId, usize)>,
}

/// The key of a place in its container. It becomes text only for a difference.
#[derive(Clone, Copy)]
enum Key<'g> {
    Root,
    Index(usize),
    Member(&'g TextBuf),
}

impl Key<'_> {
    fn to_text(self) -> Option<TextBuf> {
        match self {
            Key::Root => None,
            Key::Index(index) => Some(TextBuf::from(index.to_string().as_str())),
            Key::Member(key) => Some(key.clone()),
        }
    }
}

impl<'g, E: std::fmt::Display, A: std::fmt::Display> Comparison<'g, E, A> {
    /// Whether this pair of containers is new, as far as pairs are recorded.
    fn is_new(&mut self, pair: (NodeId, NodeId)) -> bool {
        self.trails.len() <= self.expected.len() + self.actual.len() || self.seen.insert(pair)
    }

    fn arrays(
        &mut self,
        (e, es): (NodeId, &[NodeId]),
        (a, actuals): (NodeId, &[NodeId]),
        trail: usize,
    ) -> Result<(), Box<Difference>> {
        let shared = es.len().min(actuals.len());
        let index = Key::Index(shared);
        if let Some(&e) = es.get(shared) {
            return Err(self.differs(trail, Kind::Absent, Expected::Node(e), None, index));
        }
        if let Some(&a) = actuals.get(shared) {
            return Err(self.differs(trail, Kind::Unexpected, Expected::nothing(), Some(a), index));
        }
        if self.is_new((e, a)) {
            for (n, (&e, &a)) in es.iter().zip(actuals).enumerate().rev() {
                self.compare_later(e, a, trail, Key::Index(n));
            }
        }
        Ok(())
    }

    fn objects(
        &mut self,
        (e, es): (NodeId, &'g Members),
        (a, actuals): (NodeId, &'g Members),
        trail: usize,
    ) -> Result<(), Box<Difference>> {
        if !self.is_new((e, a)) {
            return Ok(());
        }
        let (wanted, there) = (|e| present(self.expected, e), |a| present(self.actual, a));
        let extra =
            actuals.iter().filter(|(key, a)| there(Some(a)).is_some() && wanted(es.get(*key)).is_none());
        if let Some((key, &a)) = extra.min_by_key(|(key, _)| *key) {
            return Err(self.differs(
                trail,
                Kind::Unexpected,
                Expected::nothing(),
                Some(a),
                Key::Member(key),
            ));
        }
        let mut pairs = Vec::with_capacity(es.len());
        for (key, e) in es {
            let Some(e) = wanted(Some(e)) else { continue };
            let Some(a) = there(actuals.get(key)) else {
                return Err(self.differs(trail, Kind::Absent, Expected::Node(e), None, Key::Member(key)));
            };
            pairs.push((e, a, key));
        }
        for (e, a, key) in pairs.into_iter().rev() {
            self.compare_later(e, a, trail, Key::Member(key));
        }
        Ok(())
    }

    fn compare_later(&mut self, e: NodeId, a: NodeId, trail: usize, key: Key<'g>) {
        self.trails.push((trail, key));
        self.todo.push((e, a, self.trails.len() - 1));
    }

    fn differs(
        &self,
        trail: usize,
        kind: Kind,
        expected: Expected,
        actual: Option<NodeId>,
        key: Key<'_>,
    ) -> Box<Difference> {
        let path = trace(&self.trails, trail, key);
        let (expected, expected_cycle) = match expected {
            Expected::Words(words) => (words, None),
            Expected::Node(id) => (describe(self.expected, id), path.describe_cycle(self.expected, id)),
        };
        Box::new(Difference {
            kind,
            expected,
            expected_cycle,
            actual_cycle: actual.and_then(|id| path.describe_cycle(self.actual, id)),
            path,
            actual: actual.map_or_else(nothing, |id| describe(self.actual, id)),
            class: actual.map_or("absent", |id| class(self.actual, id)),
        })
    }
}

fn nothing() -> String {
    "nothing".to_owned()
}

/// A member, if it has a value.
fn present<F>(graph: &Graph<F>, id: Option<&NodeId>) -> Option<NodeId> {
    id.copied().filter(|&id| !matches!(graph.node(id), Node::Missing))
}

fn scalars_equal<E, A>(expected: &Node<E>, actual: &Node<A>) -> bool {
    match (expected, actual) {
        (Node::Null | Node::Missing, Node::Null | Node::Missing) => true,
        (Node::Boolean(e), Node::Boolean(a)) => e == a,
        (Node::String(e), Node::String(a)) => e == a,
        (Node::Number(e), Node::Number(a)) => e == a || double(e).is_some_and(|e| double(a) == Some(e)),
        _ => false,
    }
}

/// The value of a number's text as a double, at any length.
fn double(text: &TextBuf) -> Option<f64> {
    Value::parse(text.as_text().as_bytes()).ok()?.root().as_number().map(|number| number.to_f64())
}

/// The path of a trail, followed by the key `last`.
fn trace(trails: &[(usize, Key<'_>)], mut at: usize, last: Key<'_>) -> Path {
    let mut keys: Vec<TextBuf> = last.to_text().into_iter().collect();
    while let Some((parent, key)) = trails.get(at).and_then(|(parent, key)| Some((parent, key.to_text()?))) {
        keys.push(key);
        at = *parent;
    }
    keys.reverse();
    Path::from_keys(keys)
}

#[cfg(test)]
mod tests;
