//! An input: the bytes that one session of a campaign sends. It has lines, the places where they
//! are cut, and the end of the connection.
//!
//! An input is read from a transcript and can be written as one, so corpora and findings are
//! ordinary transcripts. The id of a method is not known before the peer declares it. In the bytes,
//! a *mark* stands for it: a large number, so that the line stays JSON and can be mutated.

use crate::cases::Case;
use crate::conversation::facts::Facts;
use dnode_spec::path::PathForm;
use dnode_spec::probe;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::write::{VERSION, text};
use dnode_spec::transcript::{Action, Addressing, Blank, Called, Names, Pattern, Split, Transcript};
use serde_json::{Value as Json, json};

/// The mark of the first method. The next number is the mark of the second method, and so on.
pub(super) const MARK: u32 = 770_000_000;
/// A function that was never declared.
pub(super) const UNDECLARED: &[u8] = b"900001";
/// The longest line of an input. Longer lines are played from their transcript and not mutated.
const LONGEST: usize = 1 << 16;

/// One line, without its newline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Line {
    /// The bytes, with marks.
    pub bytes: Vec<u8>,
    /// The offsets at which it is cut into segments.
    pub cuts: Vec<usize>,
}

/// The end of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum End {
    /// We make the known-good call and then close the connection in order.
    #[default]
    Asked,
    /// We close our sending half after the last byte; the last line has no newline.
    HalfClosed,
    /// We abort the connection.
    Reset,
}

/// The lines that one session sends after the handshake, and its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Input {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// How the session ends.
    pub end: End,
}

/// The methods that inputs call: those of the peer's object, or those of the probe if the peer
/// sends no object.
#[derive(Debug, Clone)]
pub struct Methods(Vec<String>);

impl Methods {
    /// The methods of this peer.
    #[must_use]
    pub fn of(facts: &Facts) -> Methods {
        let functions = |(name, is): (&String, &bool)| is.then(|| name.clone());
        let members: Vec<String> = facts.object.members.iter().flatten().filter_map(functions).collect();
        if !members.is_empty() {
            return Methods(members);
        }
        let known = probe::REQUIRED.iter().chain(probe::OPTIONAL).filter(|name| **name != probe::PLAIN);
        Methods(known.map(|name| (*name).to_owned()).collect())
    }

    /// No methods, for uses that look only at the line.
    #[must_use]
    pub fn none() -> Methods {
        Methods(Vec::new())
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The mark of a method.
    #[must_use]
    pub fn mark(&self, name: &str) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|method| method == name)?;
        Some((MARK as usize + at).to_string().into_bytes())
    }

    /// The method of a mark.
    pub(super) fn named(&self, number: i64) -> Option<&str> {
        let at = usize::try_from(number.checked_sub(i64::from(MARK))?).ok()?;
        self.0.get(at).map(String::as_str)
    }

    fn marked(&self, digits: &[u8]) -> Option<&str> {
        self.named(std::str::from_utf8(digits).ok()?.parse().ok()?)
    }

    /// Splits bytes into pieces: `Ok` for the bytes between marks, `Err` for the method of a mark.
    pub(super) fn pieces<'a>(&'a self, bytes: &'a [u8]) -> Vec<Result<&'a [u8], &'a str>> {
        let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
        while at < bytes.len() {
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if let Some(method) = self.marked(&bytes[at..at + digits]) {
                pieces.push(Ok(&bytes[start..at]));
                pieces.push(Err(method));
                start = at + digits;
            }
            at += digits.max(1);
        }
        pieces.push(Ok(&bytes[start..]));
        pieces.retain(|piece| !piece.is_ok_and(<[u8]>::is_empty));
        pieces
    }

    /// The bytes to send: each mark becomes the id of the method, or its quoted name if the peer
    /// declared no id.
    pub(super) fn fill(&self, bytes: &[u8], names: &Names, by: Addressing) -> Vec<u8> {
        let filled = self.pieces(bytes).into_iter().map(|piece| match piece {
            Ok(bytes) => bytes.to_vec(),
            Err(method) => names.method_of_member(&TextBuf::from(method), by),
        });
        filled.collect::<Vec<_>>().concat()
    }

    /// The bytes as JSON for a transcript.
    fn written(&self, bytes: &[u8], facts: &Facts) -> Json {
        let declared = |method: &str| {
            facts
                .object
                .members
                .as_ref()
                .is_some_and(|members| members.get(method).copied().unwrap_or_default())
        };
        let piece = |piece: Result<&[u8], &str>| match piece {
            Ok(bytes) => text_or_base64(bytes),
            Err(method) if declared(method) => json!({ "id": method }),
            Err(method) => json!(json!(method).to_string()),
        };
        let mut pieces: Vec<Json> = self.pieces(bytes).into_iter().map(piece).collect();
        match pieces.len() {
            0 => json!(""),
            1 => pieces.remove(0),
            _ => Json::Array(pieces),
        }
    }
}

fn text_or_base64(bytes: &[u8]) -> Json {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

impl Input {
    /// The input that a transcript sends. `None` if it sends nothing, or a long line.
    #[must_use]
    pub fn of(transcript: &Transcript, methods: &Methods) -> Option<Input> {
        Input::up_to(LONGEST, transcript, methods)
    }

    /// The same, with another limit for the length of a line.
    pub(super) fn up_to(longest: usize, transcript: &Transcript, methods: &Methods) -> Option<Input> {
        let mut names = Names::new(100);
        names.path_form = PathForm::Strings;
        let (mut input, mut open) = (Input::default(), Vec::new());
        for step in &transcript.steps {
            let (bytes, split) = match &step.action {
                Action::Call(called, pattern, split) => {
                    (line(called, pattern, &mut names, methods, false), split)
                }
                Action::Send(pattern, split) => {
                    (line(&pattern.called, pattern, &mut names, methods, true), split)
                }
                Action::Bytes(bytes, newline, split) => {
                    let mut fill = |blank: &Blank| match blank {
                        Blank::Id(called) => Some(method(called, &mut names, methods, false)),
                        Blank::Ping(_) => None,
                    };
                    let mut bytes = bytes.expand(&mut fill).ok()?;
                    bytes.extend(newline.then_some(b'\n'));
                    (bytes, split)
                }
                Action::HalfClose => {
                    input.end = End::HalfClosed;
                    break;
                }
                Action::Reset => {
                    input.end = End::Reset;
                    break;
                }
                _ => continue,
            };
            open.extend_from_slice(&bytes);
            if open.len() > longest {
                return None;
            }
            let cuts = match split {
                Split::At(offsets) if open.len() == bytes.len() => offsets.clone(),
                _ => Vec::new(),
            };
            if open.ends_with(b"\n") {
                open.pop();
                input.lines.push(Line { bytes: std::mem::take(&mut open), cuts });
            }
        }
        if !open.is_empty() {
            input.lines.push(Line { bytes: open, cuts: Vec::new() });
        }
        (!input.lines.is_empty() || input.end != End::Asked).then_some(input)
    }

    /// Writes the input as a transcript.
    #[must_use]
    pub fn transcript(&self, id: &str, about: &str, methods: &Methods, facts: &Facts) -> String {
        let clauses = ["robust/survives", "robust/not-deaf"];
        let header = json!({ "dnode-transcript": VERSION, "id": id, "since": env!("CARGO_PKG_VERSION"),
            "clauses": clauses, "hostile": true, "about": about });
        let mut rows = Vec::new();
        for (n, line) in self.lines.iter().enumerate() {
            let unfinished = self.end == End::HalfClosed && n + 1 == self.lines.len();
            let mut row =
                json!({ if unfinished { "bytes" } else { "line" }: methods.written(&line.bytes, facts) });
            if !line.cuts.is_empty() {
                row["split"] = json!(line.cuts);
            }
            rows.push(row);
        }
        match self.end {
            End::Asked => rows.push(json!({ "survive": true })),
            End::HalfClosed => rows.extend([json!({ "half-close": true }), json!({ "served": true })]),
            End::Reset => rows.extend([json!({ "reset": true }), json!({ "served": true })]),
        }
        text(&header, rows)
    }

    /// The number of bytes of its lines.
    #[must_use]
    pub fn size(&self) -> usize {
        self.lines.iter().map(|line| line.bytes.len()).sum()
    }

    /// Writes the input as a case.
    #[must_use]
    pub fn case(&self, id: &str, methods: &Methods, facts: &Facts) -> Option<Case> {
        Case::read(&self.transcript(id, "An input of a campaign.", methods, facts)).ok()
    }
}

fn line(
    called: &Called,
    pattern: &Pattern,
    names: &mut Names,
    methods: &Methods,
    as_it_stands: bool,
) -> Vec<u8> {
    let method = method(called, names, methods, as_it_stands);
    pattern.encode(&method, names)
}

/// The value of the field `method`. A function that the peer would pass in the session becomes an
/// undeclared id.
fn method(called: &Called, names: &mut Names, methods: &Methods, as_it_stands: bool) -> Vec<u8> {
    match called {
        Called::Member(key) => {
            let mark = key.as_text().to_str().and_then(|name| methods.mark(name)).filter(|_| !as_it_stands);
            mark.unwrap_or_else(|| {
                let mut text = Vec::new();
                key.as_text().write_json(&mut text);
                text
            })
        }
        Called::Function(_) => match names.number(called) {
            Some(id) => id.to_string().into_bytes(),
            None => UNDECLARED.to_vec(),
        },
        Called::Verbatim(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let mut facts = Facts::of_client();
        facts.object.members = Some([("add".to_owned(), true), ("echo".to_owned(), true)].into());
        facts
    }

    #[test]
    fn transcript_of_an_input_is_read_back() {
        let facts = facts();
        let methods = Methods::of(&facts);
        let text = "{\"dnode-transcript\":1,\"id\":\"t/x\",\"since\":\"0.1.0\",\"clauses\":[\"robust/survives\"],\"about\":\"A.\"}\n\
                    {\"call\":\"echo\",\"arguments\":[1,\"$cb\"]}\n{\"line\":{\"base64\":\"/w==\"}}\n{\"survive\":true}\n";
        let input = Input::of(&Transcript::read(text).unwrap(), &methods).unwrap();
        let first = String::from_utf8(input.lines[0].bytes.clone()).unwrap();
        assert!(first.starts_with("{\"method\":770000001,\"arguments\":[1,"), "{first}");
        let again = input.transcript("t/x", "A.", &methods, &facts);
        assert!(again.contains("[\"{\\\"method\\\":\",{\"id\":\"echo\"},"), "{again}");
        assert_eq!(Input::of(&Transcript::read(&again).unwrap(), &methods), Some(input));
    }
}
