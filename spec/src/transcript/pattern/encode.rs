//! Writes a pattern as a line, with the numbers of one replay.

use super::{Pattern, read_key, read_name};
use crate::dialect::Dialect;
use crate::message::{Id, write_callbacks};
use crate::path::Path;
use crate::scrub::{Written, scrub};
use crate::text::Text;
use crate::transcript::mark::{Mark, json_text};
use crate::transcript::names::{Called, Name, Names};
use crate::value::{Kind, Ref};
use foldhash::{HashSet, HashSetExt};

impl Pattern {
    /// This message as a line, with its newline. Functions have their numbers of `names`; `method`
    /// is the JSON text of the field.
    pub fn encode(&self, method: &[u8], names: &mut Names) -> Vec<u8> {
        let mut callbacks: Vec<(Id, Path)> = Vec::new();
        let mut used = HashSet::new();
        let arguments = if let Some(ids) = self.encode_culls(names) {
            Some(ids)
        } else if self.verbatim {
            self.source.root().get("arguments").map(|arguments| arguments.to_json())
        } else {
            let scrubbed = scrub(&self.graph, self.root, |mark| match mark {
                Mark::Function(name) => Written::Function(names.declare_once(name, &mut used)),
                Mark::Json(bytes) => Written::Json(json_text(bytes)),
                _ => Written::Json(b"null".to_vec()),
            });
            callbacks = scrubbed.callbacks;
            Some(scrubbed.arguments)
        };
        self.write_fields(method, arguments.as_deref(), &callbacks, names)
    }

    fn encode_culls(&self, names: &mut Names) -> Option<Vec<u8>> {
        if self.culls.is_empty() {
            return None;
        }
        let mut ids = Vec::new();
        for value in self.source.root().get("arguments")?.items() {
            let Some(name) = read_name(value, false) else {
                ids.push(String::from_utf8_lossy(&value.to_json()).into_owned());
                continue;
            };
            let known = match names.dialect {
                Dialect::V0_1 => names.our_number(&name),
                // If all numbers of the name are culled, the latest is culled again.
                Dialect::V0_2 => {
                    names.callable(&name).or_else(|| names.number(&Called::Function(name.clone())))
                }
            };
            let id = known.or(match name {
                Name::Ours(id) | Name::Theirs(id) => Some(id),
                Name::Word(_) => None,
            });
            if let Some(id) = id {
                names.culled_by_us(id);
                ids.push(id.to_string());
            }
        }
        Some(format!("[{}]", ids.join(",")).into_bytes())
    }

    /// Writes all fields in the order of the transcript, then those that it lacks.
    fn write_fields(
        &self,
        method: &[u8],
        arguments: Option<&[u8]>,
        callbacks: &[(Id, Path)],
        names: &mut Names,
    ) -> Vec<u8> {
        let root = self.source.root();
        let mut line = Fields::with_capacity(method.len() + arguments.map_or(0, <[u8]>::len) + 128);
        let is_empty = matches!(&self.called, Called::Verbatim(text) if text.is_empty());
        if root.get("method").is_none() && !is_empty {
            line.field("method").extend_from_slice(method);
        }
        let mut callbacks_are_due = !callbacks.is_empty();
        for (n, (key, value)) in root.members().enumerate() {
            // Of duplicate fields the last one counts; the others go out as they are.
            let counts = root.members().skip(n + 1).all(|(later, _)| later != key);
            let out = line.field(key);
            match (key.to_str().filter(|_| counts), arguments) {
                (Some("method"), _) => out.extend_from_slice(method),
                (Some("arguments"), Some(arguments)) => out.extend_from_slice(arguments),
                (Some("callbacks"), _) if value.kind() == Kind::Object => {
                    callbacks_are_due = false;
                    rename_callbacks(value, callbacks, names, out);
                }
                _ => value.write_json(out),
            }
        }
        if callbacks_are_due {
            write_callbacks(callbacks, names.path_form, line.field("callbacks"));
        }
        for (key, empty) in [("arguments", "[]"), ("callbacks", "{}"), ("links", "[]")] {
            let is_written = root.get(key).is_some() || key == "callbacks" && callbacks_are_due;
            if self.complete && !is_written {
                line.field(key).extend_from_slice(empty.as_bytes());
            }
        }
        line.end()
    }
}

/// The `callbacks` field of the transcript with numbers for names, then the functions of the
/// arguments.
fn rename_callbacks(value: Ref<'_>, more: &[(Id, Path)], names: &mut Names, out: &mut Vec<u8>) {
    let mut used: HashSet<Id> = more.iter().map(|(id, _)| *id).collect();
    out.push(b'{');
    for (n, (key, path)) in value.members().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        match key.to_str().and_then(|key| read_key(key, true)) {
            Some(name @ Name::Word(_)) => {
                out.extend_from_slice(format!("\"{}\"", names.declare_once(&name, &mut used)).as_bytes());
            }
            Some(name) => out.extend_from_slice(format!("\"{}\"", names.declare(&name)).as_bytes()),
            None => key.write_json(out),
        }
        out.push(b':');
        path.write_json(out);
    }
    let mut rest = Vec::new();
    write_callbacks(more, names.path_form, &mut rest);
    if !value.is_empty() && !more.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(&rest[1..]);
}

/// A JSON object that is being written.
struct Fields(Vec<u8>);

impl Fields {
    fn with_capacity(bytes: usize) -> Fields {
        Fields(Vec::with_capacity(bytes))
    }

    /// Writes the key of the next field. The caller appends the value.
    fn field<'k>(&mut self, key: impl Into<Text<'k>>) -> &mut Vec<u8> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        key.into().write_json(&mut self.0);
        self.0.push(b':');
        &mut self.0
    }

    /// The line, with its newline.
    fn end(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}
