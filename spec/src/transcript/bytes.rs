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
    /// What is known only when the bytes are sent.
    Blank(Blank),
    /// A number that is known only then plus another number, in decimal.
    Plus(Blank, i64),
    /// A number that is known only then with a minus sign. The number 0 has none.
    Negated(Blank),
    /// A number that is known only then with the fraction .5. A number from 2^52 on has none: readers
    /// of doubles take it for another number, which may be an id.
    Half(Blank),
    /// All parts, one after another.
    Concat(Vec<Bytes>),
}

/// A part of an expression that is filled in when the bytes are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blank {
    /// The number of a function, in decimal.
    Id(Called),
    /// A part of the known-good call, as JSON.
    Ping(PingPart),
}

/// A part of the known-good call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PingPart {
    /// Its method, as the peer wants it: the id or the quoted name.
    Method,
    /// The id of its method.
    Id,
    /// The quoted name of its method.
    Name,
    /// Its arguments.
    Arguments,
    /// The path of its callback.
    Path,
}

impl PingPart {
    const ALL: [(&'static str, PingPart); 5] = [
        ("method", PingPart::Method),
        ("id", PingPart::Id),
        ("name", PingPart::Name),
        ("arguments", PingPart::Arguments),
        ("path", PingPart::Path),
    ];

    fn read(text: &str) -> Option<PingPart> {
        PingPart::ALL.iter().find(|(name, _)| *name == text).map(|(_, part)| *part)
    }

    fn written(self) -> &'static str {
        PingPart::ALL.iter().find(|(_, part)| *part == self).map_or("", |(name, _)| name)
    }
}

impl Blank {
    /// `{"id": NAME}` or `{"ping": PART}`, perhaps with another field beside it.
    fn read(fields: &serde_json::Map<String, Json>) -> Option<Blank> {
        let text = |key| fields.get(key).and_then(Json::as_str);
        match (text("id"), text("ping")) {
            (Some(name), None) => Some(Blank::Id(Called::read(name))),
            (None, Some(part)) => PingPart::read(part).map(Blank::Ping),
            _ => None,
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Blank::Id(called) => json!({ "id": called.written() }),
            Blank::Ping(part) => json!({ "ping": part.written() }),
        }
    }

    fn with(&self, key: &str, value: Json) -> Json {
        let mut fields = self.to_json();
        fields[key] = value;
        fields
    }
}

impl std::fmt::Display for Blank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Blank::Id(called) => write!(f, "{called}"),
            Blank::Ping(part) => write!(f, "the {} of the known-good call", part.written()),
        }
    }
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

    /// The known-good call as one message, with this function as its callback.
    pub(super) fn ping(callback: Called) -> Bytes {
        let text = |text: &str| Bytes::Plain(text.as_bytes().to_vec());
        let part = |part| Bytes::Blank(Blank::Ping(part));
        Bytes::Concat(vec![
            text("{\"method\":"),
            part(PingPart::Method),
            text(",\"arguments\":"),
            part(PingPart::Arguments),
            text(",\"callbacks\":{\""),
            Bytes::Blank(Blank::Id(callback)),
            text("\":"),
            part(PingPart::Path),
            text("},\"links\":[]}"),
        ])
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
            (Some(("id" | "ping", _)), None, 1) => Blank::read(fields).map(Bytes::Blank).ok_or(Fault::Bytes),
            (Some((_, _)), None, 2) => Bytes::changed(fields),
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

    /// A blank with `"plus": INTEGER`, `"negated": true` or `"half": true`.
    fn changed(fields: &serde_json::Map<String, Json>) -> Result<Bytes, Fault> {
        let blank = Blank::read(fields).ok_or(Fault::Bytes)?;
        let plus = fields.get("plus").map(Json::as_i64);
        let [negated, half] = ["negated", "half"].map(|change| fields.get(change).map(Json::as_bool));
        match (plus, negated, half) {
            (Some(Some(plus)), None, None) => Ok(Bytes::Plus(blank, plus)),
            (None, Some(Some(true)), None) => Ok(Bytes::Negated(blank)),
            (None, None, Some(Some(true))) => Ok(Bytes::Half(blank)),
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
            Bytes::Blank(blank) => blank.to_json(),
            Bytes::Plus(blank, plus) => blank.with("plus", json!(plus)),
            Bytes::Negated(blank) => blank.with("negated", json!(true)),
            Bytes::Half(blank) => blank.with("half", json!(true)),
            Bytes::Concat(parts) => parts.iter().map(Bytes::to_json).collect(),
        }
    }

    /// The number of bytes that this stands for; what is filled in counts as 20.
    fn len(&self) -> usize {
        match self {
            Bytes::Plain(bytes) => bytes.len(),
            Bytes::Repeat(bytes, times) => bytes.len().saturating_mul(*times),
            Bytes::Nest(parts, times) => {
                let around = parts[0].len().saturating_add(parts[2].len());
                around.saturating_mul(*times).saturating_add(parts[1].len())
            }
            Bytes::Blank(_) | Bytes::Plus(..) | Bytes::Negated(_) | Bytes::Half(_) => 20,
            Bytes::Concat(parts) => parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len())),
        }
    }

    /// Whether it has a part of the known-good call.
    #[must_use]
    pub fn pings(&self) -> bool {
        self.has_ping(&|_| true)
    }

    /// Whether it has the id of the known-good call, which not every peer declares.
    #[must_use]
    pub fn pings_by_id(&self) -> bool {
        self.has_ping(&|part| part == PingPart::Id)
    }

    fn has_ping(&self, is_such: &dyn Fn(PingPart) -> bool) -> bool {
        match self {
            Bytes::Plain(_) => false,
            Bytes::Repeat(bytes, _) => bytes.has_ping(is_such),
            Bytes::Nest(parts, _) => parts.iter().any(|part| part.has_ping(is_such)),
            Bytes::Blank(blank) | Bytes::Plus(blank, _) | Bytes::Negated(blank) | Bytes::Half(blank) => {
                matches!(blank, Blank::Ping(part) if is_such(*part))
            }
            Bytes::Concat(parts) => parts.iter().any(|part| part.has_ping(is_such)),
        }
    }

    /// The functions whose numbers it needs, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Bytes::Plain(_) => Vec::new(),
            Bytes::Repeat(bytes, _) => bytes.names(),
            Bytes::Nest(parts, _) => parts.iter().flat_map(Bytes::names).collect(),
            Bytes::Blank(blank) | Bytes::Plus(blank, _) | Bytes::Negated(blank) | Bytes::Half(blank) => {
                match blank {
                    Blank::Id(Called::Function(name)) => vec![name],
                    _ => Vec::new(),
                }
            }
            Bytes::Concat(parts) => parts.iter().flat_map(Bytes::names).collect(),
        }
    }

    /// The bytes. `fill` gives each blank as text: the number of a function, the quoted name of a
    /// method if the peer answers to names only, or a part of the known-good call.
    ///
    /// # Errors
    /// The first part that is not known. The transcript or the replayer is at fault.
    pub fn expand(&self, fill: &mut dyn FnMut(&Blank) -> Option<Vec<u8>>) -> Result<Vec<u8>, Blank> {
        let mut out = Vec::with_capacity(self.len());
        self.expand_into(fill, &mut Vec::new(), &mut out)?;
        Ok(out)
    }

    /// The bytes, and the numbers that were changed.
    ///
    /// # Errors
    /// As [`Bytes::expand`].
    pub fn expand_and_change(
        &self,
        fill: &mut dyn FnMut(&Blank) -> Option<Vec<u8>>,
    ) -> Result<(Vec<u8>, Vec<i64>), Blank> {
        let (mut out, mut changed) = (Vec::with_capacity(self.len()), Vec::new());
        self.expand_into(fill, &mut changed, &mut out)?;
        Ok((out, changed))
    }

    fn expand_into(
        &self,
        fill: &mut dyn FnMut(&Blank) -> Option<Vec<u8>>,
        numbers: &mut Vec<i64>,
        out: &mut Vec<u8>,
    ) -> Result<(), Blank> {
        match self {
            Bytes::Plain(bytes) => out.extend_from_slice(bytes),
            Bytes::Repeat(bytes, times) => {
                repeat(&bytes.expand(fill)?, *times, out);
            }
            Bytes::Nest(parts, times) => {
                let [open, core, close] = &**parts;
                let (open, close) = (open.expand(fill)?, close.expand(fill)?);
                repeat(&open, *times, out);
                core.expand_into(fill, numbers, out)?;
                repeat(&close, *times, out);
            }
            Bytes::Blank(blank) => out.extend(fill(blank).ok_or_else(|| blank.clone())?),
            Bytes::Plus(blank, plus) => {
                let number = changed(blank, fill, |number| number.checked_add(*plus))?;
                numbers.push(number);
                out.extend(number.to_string().into_bytes());
            }
            Bytes::Negated(blank) => {
                let number = changed(blank, fill, |number| number.checked_neg().filter(|it| *it != 0))?;
                numbers.push(number);
                out.extend(number.to_string().into_bytes());
            }
            Bytes::Half(blank) => {
                let has_half = |number: i64| (number.unsigned_abs() < 1 << 52).then_some(number);
                out.extend(format!("{}.5", changed(blank, fill, has_half)?).into_bytes());
            }
            Bytes::Concat(parts) => parts.iter().try_for_each(|part| part.expand_into(fill, numbers, out))?,
        }
        Ok(())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// A number that is known now, changed.
fn changed(
    blank: &Blank,
    fill: &mut dyn FnMut(&Blank) -> Option<Vec<u8>>,
    change: impl Fn(i64) -> Option<i64>,
) -> Result<i64, Blank> {
    let number = fill(blank).and_then(|text| std::str::from_utf8(&text).ok()?.parse::<i64>().ok());
    number.and_then(change).ok_or_else(|| blank.clone())
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
