//! Expressions for bytes: so that long and deep input is a short line in a file.

use super::names::Name;
use super::pattern::Called;
use crate::message::Id;
use base64::Engine as _;
use serde::Deserialize;

/// How many bytes an expression may stand for.
pub const MAX_BYTES: usize = 64 << 20;

/// An expression for bytes.
#[derive(Debug, Clone)]
pub enum Bytes {
    /// These bytes.
    Plain(Vec<u8>),
    /// So many times these bytes.
    Repeat(Box<Bytes>, usize),
    /// The first so many times, the second once, the third so many times.
    Nest(Box<[Bytes; 3]>, usize),
    /// The number of a function, in decimal.
    Id(Called),
    /// One after another.
    Concat(Vec<Bytes>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Concat(Vec<Written>),
    Base64(Base64),
    Repeat(Repeat),
    Nest(Nest),
    Id(WrittenId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64 {
    base64: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    repeat: Box<Written>,
    times: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nest {
    nest: Box<[Written; 3]>,
    times: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenId {
    id: String,
}

impl Bytes {
    /// Reads an expression from its JSON.
    pub(super) fn read(json: &str) -> Result<Bytes, String> {
        let written: Written = serde_json::from_str(json).map_err(|_| {
            "not an expression for bytes: text, {\"base64\"}, {\"repeat\",\"times\"}, {\"nest\",\"times\"}, {\"id\"} or a list"
                .to_owned()
        })?;
        let bytes = Bytes::from_written(written)?;
        if bytes.len() > MAX_BYTES {
            return Err(format!("the expression stands for more than {MAX_BYTES} bytes"));
        }
        Ok(bytes)
    }

    fn from_written(written: Written) -> Result<Bytes, String> {
        Ok(match written {
            Written::Text(text) => Bytes::Plain(text.into_bytes()),
            Written::Concat(parts) => {
                Bytes::Concat(parts.into_iter().map(Bytes::from_written).collect::<Result<_, _>>()?)
            }
            Written::Base64(Base64 { base64 }) => {
                let decoded = base64::engine::general_purpose::STANDARD.decode(base64);
                Bytes::Plain(decoded.map_err(|error| format!("base64: {error}"))?)
            }
            Written::Repeat(Repeat { repeat, times }) => {
                Bytes::Repeat(Box::new(Bytes::from_written(*repeat)?), times)
            }
            Written::Nest(Nest { nest, times }) => {
                let [open, core, close] = *nest;
                let parts =
                    [Bytes::from_written(open)?, Bytes::from_written(core)?, Bytes::from_written(close)?];
                Bytes::Nest(Box::new(parts), times)
            }
            Written::Id(WrittenId { id }) => Bytes::Id(Called::read(&id)),
        })
    }

    /// How many bytes this stands for; an id counts as 20.
    fn len(&self) -> usize {
        match self {
            Bytes::Plain(bytes) => bytes.len(),
            Bytes::Repeat(bytes, times) => bytes.len().saturating_mul(*times),
            Bytes::Nest(parts, times) => {
                let around = parts[0].len().saturating_add(parts[2].len());
                around.saturating_mul(*times).saturating_add(parts[1].len())
            }
            Bytes::Id(_) => 20,
            Bytes::Concat(parts) => {
                parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len()))
            }
        }
    }

    /// The functions whose numbers it needs.
    pub(super) fn names(&self) -> Vec<&Name> {
        match self {
            Bytes::Plain(_) => Vec::new(),
            Bytes::Repeat(bytes, _) => bytes.names(),
            Bytes::Nest(parts, _) => parts.iter().flat_map(Bytes::names).collect(),
            Bytes::Id(Called::Function(name)) => vec![name],
            Bytes::Id(_) => Vec::new(),
            Bytes::Concat(parts) => parts.iter().flat_map(Bytes::names).collect(),
        }
    }

    /// The bytes. `id` gives the number of a function.
    ///
    /// # Errors
    /// The function that has no number.
    pub fn expand(&self, id: &mut dyn FnMut(&Called) -> Option<Id>) -> Result<Vec<u8>, Called> {
        let mut out = Vec::with_capacity(self.len());
        self.expand_into(id, &mut out)?;
        Ok(out)
    }

    fn expand_into(
        &self,
        id: &mut dyn FnMut(&Called) -> Option<Id>,
        out: &mut Vec<u8>,
    ) -> Result<(), Called> {
        match self {
            Bytes::Plain(bytes) => out.extend_from_slice(bytes),
            Bytes::Repeat(bytes, times) => {
                let once = bytes.expand(id)?;
                (0..*times).for_each(|_| out.extend_from_slice(&once));
            }
            Bytes::Nest(parts, times) => {
                let [open, core, close] = &**parts;
                let (open, close) = (open.expand(id)?, close.expand(id)?);
                (0..*times).for_each(|_| out.extend_from_slice(&open));
                core.expand_into(id, out)?;
                (0..*times).for_each(|_| out.extend_from_slice(&close));
            }
            Bytes::Id(called) => {
                let number = id(called).ok_or_else(|| called.clone())?;
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Bytes::Concat(parts) => parts.iter().try_for_each(|part| part.expand_into(id, out))?,
        }
        Ok(())
    }
}
