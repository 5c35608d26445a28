//! Values that would mean something else in a transcript.

use crate::graph::Node;
use crate::text::TextBuf;
use crate::transcript::bytes::Bytes;
use crate::value::{Kind, Ref};
use serde_json::json;

/// JSON text in the arguments of a step.
pub(super) struct Piece(pub(super) Vec<u8>);

/// Escapes a value that would mean something else in a transcript; `None` if it stands for itself.
pub(super) fn escape(value: Ref<'_>) -> Option<Node<Piece>> {
    let as_json = |json: Vec<u8>| {
        let mark = json!({ "?json": Bytes::Plain(json).to_json() });
        Some(Node::Leaf(Piece(mark.to_string().into_bytes())))
    };
    if value.kind() == Kind::Object && value.len() == 1 && value.get("?json").is_some() {
        return as_json(value.to_json());
    }
    let text = value.as_text()?;
    let [mark @ (b'$' | b'?'), ..] = text.as_bytes() else { return None };
    match text.to_str() {
        Some(text) => Some(Node::String(TextBuf::from(format!("{}{text}", char::from(*mark)).as_str()))),
        None => as_json(value.to_json()),
    }
}
