//! Placeholders for the values of a recorded session.

use crate::graph::Node;
use crate::text::{Text, TextBuf};
use crate::value::{Kind, Ref};
use std::collections::HashMap;

/// Replaces strings and numbers by placeholders; equal values have the same one.
#[derive(Debug, Default)]
pub(super) struct Redaction(HashMap<Vec<u8>, usize>);

impl Redaction {
    /// The placeholder of a string or number; `None` for a name that calls are about.
    pub(super) fn replace<F>(
        &mut self,
        value: Ref<'_>,
        is_name: impl Fn(Text<'_>) -> bool,
    ) -> Option<Node<F>> {
        let is_kept = |text: Text<'_>| text == "[Function]" || text == "[Circular]" || is_name(text);
        if value.as_text().is_some_and(is_kept) || !matches!(value.kind(), Kind::String | Kind::Number) {
            return None;
        }
        let next = self.0.len() + 1;
        // Numbers are equal by value, however they are written.
        let double = value.as_number().and_then(|number| number.text().parse::<f64>().ok());
        let key = double.map_or_else(|| value.to_json(), |double| double.to_string().into_bytes());
        let number = *self.0.entry(key).or_insert(next);
        Some(match value.kind() {
            Kind::String => Node::String(TextBuf::from(format!("text {number}").as_str())),
            _ => Node::Number(number.to_string().as_str().into()),
        })
    }
}
