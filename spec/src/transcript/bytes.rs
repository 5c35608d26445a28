//! Expressions for bytes, so that long and deep input is a short line in a file.

use super::error::Fault;
use super::names::{Called, Name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

/// The most bytes that an expression may stand for.
pub const MAX_BYTES: usize = 64 << 20;

/// An expression for bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytes {
    /// These bytes.
    Plain(Vec<u8>),
    /// These bytes, repeated so many times.
    Repeat(Box<Bytes>, usize),
    /// The first part so many times, the second once, the third so many times.
    Nest(Box<[Bytes; 3]>, usize),
    /// The number of a function, in decimal.
    Id(Called),
    /// The number of a function plus another number, in decimal.
    Plus(Called, i64),
    /// The number of a function with a minus sign. A function with the number 0 has none.
    Negated(Called),
    /// All parts, one after another.
    Concat(Vec<Bytes>),
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes::Plain(Vec::new())
    }
}

impl Bytes {
    /// Reads an expression from its JSON.
    pub(super) fn read(json: &str) -> Result<Bytes, Fault> {
        let value = serde_json::from_str(json).map_err(|error| Fault::Json(error.to_string()))?;
        let bytes = Bytes::from_json(&value)?;
        if bytes.len() > MAX_BYTES {
            return Err(Fault::BytesTooLong(MAX_BYTES));
        }
        Ok(bytes)
    }

    fn from_json(value: &Json) -> Result<Bytes, Fault> {
        let fields = match value {
            Json::String(text) => return Ok(Bytes::Plain(text.as_bytes().to_vec())),
            Json::Array(parts) => return Ok(Bytes::Concat(Bytes::list(parts)?)),
            Json::Object(fields) => fields,
            _ => return Err(Fault::Bytes),
        };
        let times =
            fields.get("times").map(|times| times.as_u64().and_then(|times| usize::try_from(times).ok()));
        let form = fields.iter().find(|(key, _)| *key != "times");
        match (form.map(|(key, form)| (key.as_str(), form)), times, fields.len()) {
            (Some(("base64", Json::String(text))), None, 1) => {
                BASE64.decode(text).map(Bytes::Plain).map_err(|error| Fault::Base64(error.to_string()))
            }
            (Some(("id", Json::String(name))), None, 1) => Ok(Bytes::Id(Called::read(name))),
            (Some((_, _)), None, 2) => Bytes::changed_id(fields),
            (Some(("repeat", bytes)), Some(Some(times)), 2) => {
                Ok(Bytes::Repeat(Box::new(Bytes::from_json(bytes)?), times))
            }
            (Some(("nest", Json::Array(parts))), Some(Some(times)), 2) => {
                let parts = <[Bytes; 3]>::try_from(Bytes::list(parts)?).map_err(|_| Fault::Bytes)?;
                Ok(Bytes::Nest(Box::new(parts), times))
            }
            _ => Err(Fault::Bytes),
        }
    }

    /// `{"id": NAME, "plus": INTEGER}` or `{"id": NAME, "negated": true}`.
    fn changed_id(fields: &serde_json::Map<String, Json>) -> Result<Bytes, Fault> {
        let called = fields.get("id").and_then(Json::as_str).map(Called::read).ok_or(Fault::Bytes)?;
        match (fields.get("plus").and_then(Json::as_i64), fields.get("negated")) {
            (Some(plus), None) => Ok(Bytes::Plus(called, plus)),
            (None, Some(Json::Bool(true))) => Ok(Bytes::Negated(called)),
            _ => Err(Fault::Bytes),
        }
    }

    fn list(parts: &[Json]) -> Result<Vec<Bytes>, Fault> {
        parts.iter().map(Bytes::from_json).collect()
    }

    /// The JSON that [`Bytes::read`] reads.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Bytes::Plain(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Json::from(text),
                Err(_) => json!({ "base64": BASE64.encode(bytes) }),
            },
            Bytes::Repeat(bytes, times) => json!({ "repeat": bytes.to_json(), "times": times }),
            Bytes::Nest(parts, times) => {
                json!({ "nest": parts.iter().map(Bytes::to_json).collect::<Vec<_>>(), "times": times })
            }
            Bytes::Id(called) => json!({ "id": called.written() }),
            Bytes::Plus(called, plus) => json!({ "id": called.written(), "plus": plus }),
            Bytes::Negated(called) => json!({ "id": called.written(), "negated": true }),
            Bytes::Concat(parts) => parts.iter().map(Bytes::to_json).collect(),
        }
    }

    /// The number of bytes that this stands for; an id counts as 20.
    fn len(&self) -> usize {
        match self {
            Bytes::Plain(bytes) => bytes.len(),
            Bytes::Repeat(bytes, times) => bytes.len().saturating_mul(*times),
            Bytes::Nest(parts, times) => {
                let around = parts[0].len().saturating_add(parts[2].len());
                around.saturating_mul(*times).saturating_add(parts[1].len())
            }
            Bytes::Id(_) | Bytes::Plus(..) | Bytes::Negated(_) => 20,
            Bytes::Concat(parts) => parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len())),
        }
    }

    /// The functions whose numbers it needs, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Bytes::Plain(_) => Vec::new(),
            Bytes::Repeat(bytes, _) => bytes.names(),
            Bytes::Nest(parts, _) => parts.iter().flat_map(Bytes::names).collect(),
            Bytes::Id(called) | Bytes::Plus(called, _) | Bytes::Negated(called) => match called {
                Called::Function(name) => vec![name],
                _ => Vec::new(),
            },
            Bytes::Concat(parts) => parts.iter().flat_map(Bytes::names).collect(),
        }
    }

    /// The bytes. `id` gives the number of a function as text, or the quoted name of a method if
    /// the peer answers to names only.
    ///
    /// # Errors
    /// The first function that has no number. The transcript or the replayer is at fault.
    pub fn expand(&self, id: &mut dyn FnMut(&Called) -> Option<Vec<u8>>) -> Result<Vec<u8>, Called> {
        let mut out = Vec::with_capacity(self.len());
        self.expand_into(id, &mut out)?;
        Ok(out)
    }

    fn expand_into(
        &self,
        id: &mut dyn FnMut(&Called) -> Option<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Called> {
        match self {
            Bytes::Plain(bytes) => out.extend_from_slice(bytes),
            Bytes::Repeat(bytes, times) => {
                repeat(&bytes.expand(id)?, *times, out);
            }
            Bytes::Nest(parts, times) => {
                let [open, core, close] = &**parts;
                let (open, close) = (open.expand(id)?, close.expand(id)?);
                repeat(&open, *times, out);
                core.expand_into(id, out)?;
                repeat(&close, *times, out);
            }
            Bytes::Id(called) => {
                let number = id(called).ok_or_else(|| called.clone())?;
                out.extend_from_slice(&number);
            }
            Bytes::Plus(called, plus) => out.extend(changed(called, id, |number| number.checked_add(*plus))?),
            Bytes::Negated(called) => {
                out.extend(changed(called, id, |number| number.checked_neg().filter(|it| *it != 0))?);
            }
            Bytes::Concat(parts) => parts.iter().try_for_each(|part| part.expand_into(id, out))?,
        }
        Ok(())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// The number of a function, changed, in decimal.
fn changed(
    called: &Called,
    id: &mut dyn FnMut(&Called) -> Option<Vec<u8>>,
    change: impl Fn(i64) -> Option<i64>,
) -> Result<Vec<u8>, Called> {
    let number = id(called).and_then(|text| std::str::from_utf8(&text).ok()?.parse::<i64>().ok());
    let changed = number.and_then(change).ok_or_else(|| called.clone())?;
    Ok(changed.to_string().into_bytes())
}

/// Appends `bytes`, repeated `times` times.
fn repeat(bytes: &[u8], times: usize, out: &mut Vec<u8>) {
    let (start, length) = (out.len(), bytes.len() * times);
    out.extend_from_slice(&bytes[..length.min(bytes.len())]);
    // Each round copies all that was appended so far.
    while out.len() < start + length {
        let there = out.len() - start;
        out.extend_from_within(start..start + there.min(length - there));
    }
}
