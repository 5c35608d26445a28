//! The lines of a transcript: one type for the header and one for a step, for reading and for
//! writing.
//!
//! To change a transcript, change these values and write them. [`text`] writes a whole transcript;
//! `Display` writes one line, without its newline.

use super::bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the format that this crate reads and writes.
pub const VERSION: u64 = 1;

/// The first line. `fixtures/transcripts/README.md` describes each field.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the README of the format describes the fields")]
pub struct HeaderLine {
    pub dnode_transcript: u64,
    pub id: String,
    pub since: String,
    pub clauses: Vec<String>,
    pub about: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub recorded: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub hostile: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub crossing: bool,
}

/// The performer of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handshake {
    /// The replayer.
    Auto,
    /// The steps.
    Manual,
}

/// The end that the steps speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The end that connects.
    Client,
    /// The end that accepts.
    Server,
}

/// A step. `fixtures/transcripts/README.md` describes each field.
///
/// Messages and bytes are JSON text when a step is read, and [`Message`] and [`Bytes`] when it is
/// made: see [`Step`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the README of the format describes the fields")]
pub struct StepLine<M = Box<RawValue>, B = Box<RawValue>> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<M>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<B>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<B>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<M>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_order: Option<Vec<M>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub either: Option<Vec<Vec<StepLine<M, B>>>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub nothing: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub survive: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub served: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub half_close: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub reset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Box<RawValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Cuts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A step that a program makes.
pub type Step = StepLine<Message, Bytes>;

/// Where a step cuts its bytes into segments.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "split is \"each\" or offsets")]
pub enum Cuts {
    /// `each`: after each byte.
    Word(String),
    /// At these offsets, in bytes.
    At(Vec<usize>),
}

/// A message that a program makes: functions are names, values are JSON text.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Message {
    /// A field that no receiver knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Json>,
    /// A name or a number.
    pub method: Json,
    /// The arguments; `None` omits the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<Box<RawValue>>>,
    /// The callbacks that are not named in the arguments; `None` omits the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Box<RawValue>>,
    /// The links; `None` omits the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Box<RawValue>>,
}

#[cfg(feature = "generate")]
impl Step {
    /// The arguments that it expects.
    pub(crate) fn expected_mut(&mut self) -> impl Iterator<Item = &mut Box<RawValue>> {
        self.expect.iter_mut().filter_map(|message| message.arguments.as_mut()).flatten()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The text of a transcript: the header and each step on a line of its own.
///
/// ```
/// use dnode_spec::transcript::Transcript;
/// use dnode_spec::transcript::write::{HeaderLine, Step, VERSION, text};
///
/// let header = HeaderLine {
///     dnode_transcript: VERSION,
///     id: "my/case".to_owned(),
///     since: "0.1.0".to_owned(),
///     clauses: vec!["framing/half-close".to_owned()],
///     about: "We close our sending half at once.".to_owned(),
///     ..HeaderLine::default()
/// };
/// let steps = [Step { half_close: true, ..Step::default() }, Step { closed: true, ..Step::default() }];
/// assert_eq!(Transcript::read(&text(&header, &steps)).unwrap().steps.len(), 2);
/// ```
#[must_use]
pub fn text<S: Serialize>(header: &impl Serialize, steps: impl IntoIterator<Item = S>) -> String {
    let mut out = line(header);
    for step in steps {
        out.push('\n');
        out.push_str(&line(&step));
    }
    out.push('\n');
    out
}

/// One line. Nothing that is written here can fail: all keys are strings.
fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl fmt::Display for HeaderLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self))
    }
}

impl<M: Serialize, B: Serialize> fmt::Display for StepLine<M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self))
    }
}

/// Bytes as JSON text; `None` if they are not JSON, or not UTF-8.
pub(crate) fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}
