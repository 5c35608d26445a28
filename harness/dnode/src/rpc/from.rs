//! Conversions into values.

use super::types::{Function, Value};
use dnode_spec::graph::{Graph, Node};

macro_rules! from_integers {
    ($($integer:ty)*) => { $(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Value {
                Value::of(Node::Number(number.to_string().as_str().into()))
            }
        }
    )* };
}

// JSON has no limit for integers. A peer that stores numbers as doubles, as JavaScript does, rounds
// them above 2^53.
from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// Infinity and NaN become `null`, as in JavaScript, because JSON cannot express them.
impl From<f64> for Value {
    fn from(number: f64) -> Value {
        // Written in full, 1e300 has 301 digits.
        let plain = number == 0.0 || (1e-7..1e21).contains(&number.abs());
        let text = if plain { number.to_string() } else { format!("{number:e}") };
        Value::of(if number.is_finite() { Node::Number(text.as_str().into()) } else { Node::Null })
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::of(Node::Boolean(value))
    }
}

/// `()` becomes `null`.
impl From<()> for Value {
    fn from((): ()) -> Value {
        Value::of(Node::Null)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::of(Node::String(text.into()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::from(text.as_str())
    }
}

impl From<Function> for Value {
    fn from(function: Function) -> Value {
        Value::of(Node::Leaf(function))
    }
}

impl From<&Function> for Value {
    fn from(function: &Function) -> Value {
        Value::from(function.clone())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

/// `None` becomes `null`.
impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Value {
        value.map_or_else(|| Value::from(()), Into::into)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Value {
        Value::array(items.into_iter().map(Into::into))
    }
}

/// Keeps the digits of numbers and the order of members.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Value {
        let text = json.to_string();
        let mut graph = Graph::new();
        let node = match dnode_spec::value::Value::parse(text.as_bytes()) {
            Ok(value) => graph.import(value.root(), |_| None),
            // serde_json always writes valid JSON.
            Err(_) => graph.add(Node::Missing),
        };
        Value::new(graph, node)
    }
}
