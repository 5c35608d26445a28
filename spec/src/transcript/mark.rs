//! The parts of a pattern that stand for functions or for many values.

use super::bytes::Bytes;
use super::error::Fault;
use super::names::Name;
use crate::compare::compare;
use crate::graph::{Graph, Node, NodeId, class};
use crate::message::Id;
use crate::text::TextBuf;
use crate::value::{Kind, Ref, Value};

/// A leaf in the arguments of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A function.
    Function(Name),
    /// `?any`: any value.
    Any,
    /// `?function`: any function.
    AnyFunction,
    /// `?string` and so on: any value of this type.
    Type(Kind),
    /// `{"?json": …}`: the value of this JSON text, which names no functions.
    Json(Bytes),
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mark::Function(name) => write!(f, "{name}"),
            Mark::Any => f.write_str("any value"),
            Mark::AnyFunction => f.write_str("a function"),
            Mark::Type(kind) => write!(f, "a value of type {}", kind.word()),
            Mark::Json(bytes) => {
                let text = json_text(bytes);
                let short = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
                write!(f, "{short}{}", if text.len() > 60 { "…" } else { "" })
            }
        }
    }
}

impl Mark {
    /// Reads a value of the arguments; `None` if it stands for itself.
    pub(super) fn read(value: Ref<'_>) -> Result<Option<Node<Mark>>, Fault> {
        if value.kind() == Kind::Object && value.len() == 1 {
            return value.get("?json").map(read_json).transpose();
        }
        let Some(text) = value.as_text().and_then(|text| text.to_str()) else { return Ok(None) };
        let mark = match text.as_bytes() {
            [b'$', b'$', ..] | [b'?', b'?', ..] => return Ok(Some(Node::String(TextBuf::from(&text[1..])))),
            [b'$', ..] => Mark::Function(Name::Word(text[1..].to_owned())),
            [b'?', ..] => match &text[1..] {
                "any" => Mark::Any,
                "function" => Mark::AnyFunction,
                "null" => Mark::Type(Kind::Null),
                "boolean" => Mark::Type(Kind::Boolean),
                "number" => Mark::Type(Kind::Number),
                "string" => Mark::Type(Kind::String),
                "array" => Mark::Type(Kind::Array),
                "object" => Mark::Type(Kind::Object),
                _ => return Err(Fault::UnknownMatcher(text.to_owned())),
            },
            _ => return Ok(None),
        };
        Ok(Some(Node::Leaf(mark)))
    }

    /// Whether it stands for many values, so that it cannot be sent.
    pub(super) fn is_matcher(&self) -> bool {
        matches!(self, Mark::Any | Mark::AnyFunction | Mark::Type(_))
    }

    /// Whether the value at `at` fits. Adds the functions that it binds to `bound`.
    ///
    /// # Errors
    /// The expected value, in words.
    pub(super) fn check(
        &self,
        graph: &Graph<Id>,
        at: NodeId,
        bound: &mut Vec<(Name, Id)>,
    ) -> Result<(), String> {
        let fits = match self {
            Mark::Any => true,
            Mark::AnyFunction => graph.leaf(at).is_some(),
            Mark::Function(name) => {
                bound.extend(graph.leaf(at).map(|id| (name.clone(), *id)));
                graph.leaf(at).is_some()
            }
            // A hole is null.
            Mark::Type(Kind::Null) => matches!(graph.node(at), Node::Null | Node::Missing),
            Mark::Type(kind) => class(graph, at) == kind.word(),
            Mark::Json(bytes) => {
                let text = json_text(bytes);
                let value = Value::parse(&text).map_err(|error| error.to_string())?;
                match (value.root().as_text(), graph.node(at)) {
                    // A long string is not copied.
                    (Some(expected), Node::String(actual)) => expected == actual.as_text(),
                    _ => {
                        let mut expected: Graph<Mark> = Graph::new();
                        let root = expected.import(value.root(), |_| None);
                        compare((&expected, root), (graph, at), |_, _| Ok(())).is_ok()
                    }
                }
            }
        };
        if fits { Ok(()) } else { Err(self.to_string()) }
    }
}

/// The text of a `?json`. [`Mark::read`] has checked that it names no functions.
pub(super) fn json_text(json: &Bytes) -> Vec<u8> {
    json.expand(&mut |_| None).unwrap_or_default()
}

fn read_json(json: Ref<'_>) -> Result<Node<Mark>, Fault> {
    let bytes = Bytes::read(&String::from_utf8_lossy(&json.to_json()))?;
    // The text may be long: it is checked here, and not kept.
    let text = bytes.expand(&mut |_| None).map_err(|blank| Fault::JsonId(blank.to_string()))?;
    Value::parse(&text).map_err(Fault::JsonMark)?;
    Ok(Node::Leaf(Mark::Json(bytes)))
}
