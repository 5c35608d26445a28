//! Writing a transcript: the lines of a live session, seen from one end.
//!
//! What that end sent becomes steps, what the other sent becomes expectations; ids become names, so that another implementation with
//! other numbers can be held against it. Our functions are `$oursN` and the other end's `$theirsN` by their ids of the session; a
//! method of an object is called by its name.
//!
//! Rules: a line of ours that is no sound message is kept as it stands; one of the other end cannot be expected and is left out
//! ([`Recorder::left_out`]), as are its culls, which may come at any time. A call that a server makes by itself, of a
//! method of our object that nothing asked it to call, is optional: no other implementation can know of it.
//!
//! The steps are taken as they come ([`Recorder::take_steps`]), so that a session may be longer than memory. Memory is linear in the ids.

mod form;

pub use form::Form;

use super::pattern::Pattern;
use crate::graph::{Graph, Node};
use crate::message::{self, Id, Link, Message, Method};
use crate::monitor::End;
use crate::path::{Path, PathForm};
use crate::scrub::{Written, scrub};
use crate::text::{Text, TextBuf};
use crate::value::{Kind, Ref, Value};
use base64::Engine as _;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// What a divergence of a recorded session breaks: a call reached another function, or none, or with other values.
const CLAUSE: &str = "callback/own-function";

/// What the first line of a written transcript says besides what the session tells.
#[derive(Debug, Clone)]
pub struct About {
    /// `group/name`.
    pub id: String,
    /// The version of the suite that writes it.
    pub since: String,
    /// One sentence.
    pub about: String,
    /// It was recorded: what its other end did not call, another may well call.
    pub recorded: bool,
    /// Anything else: who took part, how it was found.
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// How what we say is written: all of it means the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Our functions have these ids, counted on from here, instead of names.
    pub ids_from: Option<i64>,
    /// Indexes in the paths of those are integers.
    pub integer_paths: bool,
    /// Empty fields are omitted.
    pub omits: bool,
    /// There is a field that nobody knows, and it comes first.
    pub adds: bool,
}

/// Writes one session down.
#[derive(Debug)]
pub struct Recorder {
    ours: End,
    steps: Vec<String>,
    /// Our object, once it was sent.
    object: Option<String>,
    /// We said something before our object.
    manual: bool,
    /// The ids of each end's object, by [`End`]: ours and theirs.
    own_members: HashMap<Id, TextBuf>,
    members: HashMap<Id, TextBuf>,
    /// The ids that each end has declared in calls.
    own: HashSet<Id>,
    theirs: HashSet<Id>,
    /// The methods of the other end's object that are called, in the order of their first call.
    needs: Vec<String>,
    /// Our methods that `callMe` asked it to call.
    provoked: Vec<TextBuf>,
    left_out: usize,
    redaction: Option<Redaction>,
    style: Style,
    form: Option<Form>,
    /// We sent what nobody has to understand.
    hostile: bool,
}

/// Placeholders for values: equal ones alike.
#[derive(Debug, Default)]
struct Redaction(HashMap<Vec<u8>, usize>);

impl Redaction {
    /// What stands for this string or number; names that calls are about stay.
    fn replace(&mut self, value: Ref<'_>, is_name: impl Fn(Text<'_>) -> bool) -> Option<Node<Piece>> {
        let kept = |text: Text<'_>| text == "[Function]" || text == "[Circular]" || is_name(text);
        match value.kind() {
            Kind::String if value.as_text().is_some_and(kept) => None,
            Kind::String | Kind::Number => {
                let next = self.0.len() + 1;
                // Numbers are equal by their value, however they are written.
                let number = value.as_number().and_then(|number| number.text().parse::<f64>().ok());
                let same = number.map_or_else(|| value.to_json(), |number| number.to_string().into_bytes());
                let number = *self.0.entry(same).or_insert(next);
                Some(match value.kind() {
                    Kind::String => Node::String(TextBuf::from(format!("text {number}").as_str())),
                    _ => Node::Number(number.to_string().as_str().into()),
                })
            }
            _ => None,
        }
    }
}

/// A function or a piece of JSON in the arguments of a step.
struct Piece(Vec<u8>);

impl Recorder {
    /// Writes down what `ours` sends and expects.
    #[must_use]
    pub fn new(ours: End) -> Recorder {
        Recorder {
            ours,
            steps: Vec::new(),
            object: None,
            manual: false,
            own_members: HashMap::new(),
            members: HashMap::new(),
            own: HashSet::new(),
            theirs: HashSet::new(),
            needs: Vec::new(),
            provoked: Vec::new(),
            left_out: 0,
            redaction: None,
            style: Style::default(),
            form: None,
            hostile: false,
        }
    }

    /// The same, with what we say written in this style.
    #[must_use]
    pub fn styled(self, style: Style) -> Recorder {
        Recorder { style, ..self }
    }

    /// The same, with a handshake that is among the steps.
    #[must_use]
    pub fn with_handshake(self) -> Recorder {
        Recorder { manual: true, ..self }
    }

    /// From now on, calls of ours are lines of this form; or messages again.
    pub fn write_as(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// The same, with placeholders for the strings and numbers of arguments, equal ones alike. Keys and the names of methods stay; a line
    /// that is no sound message is left out.
    #[must_use]
    pub fn redacting(self) -> Recorder {
        Recorder { redaction: Some(Redaction::default()), ..self }
    }

    /// Takes the next line, without its newline, that `from` sent.
    pub fn line(&mut self, from: End, line: &[u8]) {
        let value = Value::parse(line);
        let decoded = value.as_ref().ok().map(message::decode);
        let sound = decoded.as_ref().is_some_and(message::Decoded::is_sound);
        match decoded.and_then(|decoded| decoded.message).filter(|_| sound) {
            Some(message) if from == self.ours => {
                if self.say(&message).is_none() {
                    self.verbatim(line);
                }
            }
            Some(message) => {
                if self.hear(&message).is_none() {
                    self.left_out += 1;
                }
            }
            None if from == self.ours => self.verbatim(line),
            None => self.left_out += 1,
        }
    }

    /// The steps so far that were not taken yet, one a line.
    pub fn take_steps(&mut self) -> Vec<String> {
        std::mem::take(&mut self.steps)
    }

    /// How many lines are no steps.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The first line of the transcript, for the steps so far.
    #[must_use]
    pub fn header(&self, about: &About) -> String {
        let mut header = json!({
            "dnode-transcript": super::VERSION,
            "id": about.id,
            "since": about.since,
            "clauses": [CLAUSE],
            "about": about.about,
        });
        if let Some(fields) = header.as_object_mut() {
            if !self.needs.is_empty() {
                fields.insert("needs".to_owned(), json!(self.needs));
            }
            if about.recorded {
                fields.insert("recorded".to_owned(), json!(true));
            }
            if self.hostile {
                fields.insert("hostile".to_owned(), json!(true));
                fields.insert("clauses".to_owned(), json!(["robust/not-deaf"]));
            }
            if self.manual {
                fields.insert("handshake".to_owned(), json!("manual"));
            }
            if self.ours == End::B {
                fields.insert("role".to_owned(), json!("server"));
            }
            if !about.meta.is_empty() {
                fields.insert("meta".to_owned(), json!(about.meta));
            }
        }
        let text = header.to_string();
        // Our object is text already: what it holds may be deeper than a parser of the header takes.
        let object = self.object.as_deref().unwrap_or("{}");
        format!("{},\"object\":{object}}}", &text[..text.len() - 1])
    }

    /// The whole transcript, where no steps were taken before.
    #[must_use]
    pub fn finish(mut self, about: &About) -> String {
        let mut out = self.header(about) + "\n";
        for step in self.take_steps() {
            out.push_str(&step);
            out.push('\n');
        }
        out
    }

    /// A message of ours; `None` where it has no step of its own kind.
    fn say(&mut self, message: &Message<'_>) -> Option<()> {
        if message.method.is("methods") && self.object.is_none() && !self.manual {
            return self.offer(message);
        }
        self.manual |= self.object.is_none();
        if message.method.is("cull") {
            let ids =
                ids(message).into_iter().map(|id| self.their_name(id).unwrap_or_else(|| id.to_string()));
            let ids: Vec<String> = ids.collect();
            self.steps
                .push(format!("{{\"send\":{{\"method\":\"cull\",\"arguments\":[{}]}}}}", ids.join(",")));
            return Some(());
        }
        let arguments = self.arguments(message, "ours")?;
        let method = match &message.method {
            Method::Id(id) if self.members.contains_key(id) => Some(self.need(*id)?),
            Method::Id(id) if self.theirs.contains(id) => Some(format!("\"$theirs{id}\"")),
            Method::Id(_) => return None,
            Method::Name(name) => self
                .members
                .iter()
                .find(|(_, key)| *key == name)
                .map(|(id, _)| *id)
                .and_then(|id| self.need(id)),
        };
        if method.as_deref() == Some("\"callMe\"") {
            let name = message.arguments.and_then(|arguments| arguments.item(0)).and_then(Ref::as_text);
            self.provoked.extend(name.map(Text::to_owned));
        }
        self.own.extend(message.callbacks.iter().map(|(id, _)| *id));
        if let (Some(form), Some(method)) = (self.form, &method) {
            self.steps.push(form.step(message, method));
            return Some(());
        }
        let step = self.step(message, method, &arguments)?;
        self.steps.push(step);
        Some(())
    }

    /// The step that says a message; `method` is the function of the other end that it calls, written.
    fn step(&self, message: &Message<'_>, method: Option<String>, arguments: &str) -> Option<String> {
        let (callbacks, links) = (self.numbered(&message.callbacks), links(&message.links));
        let Some(method) = method else {
            let Method::Name(name) = &message.method else { return None };
            let method = written(name)?;
            let callbacks = if callbacks.is_empty() { ",\"callbacks\":{}" } else { &callbacks };
            return Some(format!(
                "{{\"send\":{{\"method\":{method},\"arguments\":{arguments}{callbacks}{links}}}}}"
            ));
        };
        if !self.style.omits && !self.style.adds {
            return Some(format!("{{\"call\":{method},\"arguments\":{arguments}{callbacks}{links}}}"));
        }
        // In a message as it is written, a method of the other end's object is a function by its name.
        let name = if method.starts_with("\"$") { method } else { format!("\"${}", &method[1..]) };
        let added = if self.style.adds { "\"extra\":{\"x\":[1]}," } else { "" };
        let fields = if self.style.omits {
            let arguments = Some(format!(",\"arguments\":{arguments}")).filter(|it| !it.ends_with(":[]"));
            format!("{}{callbacks}{links}", arguments.unwrap_or_default())
        } else {
            let links = if links.is_empty() { ",\"links\":[]" } else { &links };
            format!(",\"arguments\":{arguments}{callbacks}{links}")
        };
        Some(format!("{{\"send\":{{{added}\"method\":{name}{fields}}}}}"))
    }

    /// The field `callbacks` where our functions have ids and no names.
    fn numbered(&self, callbacks: &[(Id, Path)]) -> String {
        let Some(from) = self.style.ids_from.filter(|_| !callbacks.is_empty()) else { return String::new() };
        let form = if self.style.integer_paths { PathForm::Integers } else { PathForm::Strings };
        let numbered: Vec<(Id, Path)> =
            callbacks.iter().map(|(id, path)| (Id(id.0 + from), path.clone())).collect();
        let mut out = b",\"callbacks\":".to_vec();
        message::write_callbacks(&numbered, form, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Our object.
    fn offer(&mut self, message: &Message<'_>) -> Option<()> {
        let arguments = self.arguments(message, "ours")?;
        let value = Value::parse(arguments.as_bytes()).ok()?;
        let object = value.root().item(0).filter(|object| object.kind() == Kind::Object);
        self.object = Some(match object {
            Some(object) => String::from_utf8(object.to_json()).ok()?,
            None => "{}".to_owned(),
        });
        self.own_members = members(message);
        Some(())
    }

    /// A message of the other end; `None` where it cannot be expected.
    fn hear(&mut self, message: &Message<'_>) -> Option<()> {
        if message.method.is("methods") {
            self.members = members(message);
            return Some(());
        }
        if message.method.is("cull") {
            return Some(());
        }
        let (called, key) = match &message.method {
            Method::Id(id) => match self.own_members.get(id) {
                Some(key) => (format!("\"$ours{id}\""), Some(key).filter(|_| !self.own.contains(id))),
                None if self.own.contains(id) => match self.style.ids_from {
                    Some(from) => ((id.0 + from).to_string(), None),
                    None => (format!("\"$ours{id}\""), None),
                },
                None => return None,
            },
            Method::Name(name) => {
                let member = self.own_members.values().find(|key| *key == name)?;
                (written(name)?, Some(member))
            }
        };
        let asked = key.and_then(|key| self.provoked.iter().position(|provoked| provoked == key));
        // To a server the calls that a client makes by itself are the session.
        let by_itself = key.is_some() && asked.is_none() && self.ours == End::A;
        let optional = if by_itself { ",\"optional\":true" } else { "" };
        let arguments = self.arguments(message, "theirs")?;
        let expected = format!("{{\"method\":{called},\"arguments\":{arguments}{}}}", links(&message.links));
        // A link that has no place cannot be expected; nor one whose place was a hole, which is null once it is written.
        Pattern::read(&expected, false).ok()?;
        if let Some(at) = asked {
            self.provoked.remove(at);
        }
        self.theirs.extend(message.callbacks.iter().map(|(id, _)| *id));
        self.steps.push(format!("{{\"expect\":{expected}{optional}}}"));
        Some(())
    }

    /// A line of ours that no step of its own kind can say.
    fn verbatim(&mut self, line: &[u8]) {
        self.manual |= self.object.is_none();
        self.hostile = true;
        if self.redaction.is_some() {
            self.left_out += 1;
            return;
        }
        self.steps.push(format!("{{\"line\":{}}}", bytes(line)));
    }

    /// A method of the other end's object, as `call` takes it; it is needed from now on.
    fn need(&mut self, id: Id) -> Option<String> {
        let key = self.members.get(&id)?.clone();
        let function = self.member_function(id)?;
        // By their names these are messages of the protocol.
        if key == "methods" || key == "cull" { Some(function) } else { written(&key) }
    }

    /// A method of the other end's object, as a function by its name; it is needed from now on.
    fn member_function(&mut self, id: Id) -> Option<String> {
        let name = self.members.get(&id)?.as_text().to_str()?.to_owned();
        // It would be one of the names that are given here.
        let is_ours = |word| name.strip_prefix(word).and_then(Id::from_key).is_some();
        if is_ours("ours") || is_ours("theirs") {
            return None;
        }
        let function = json!(format!("${name}")).to_string();
        if !self.needs.contains(&name) {
            self.needs.push(name);
        }
        Some(function)
    }

    /// A function of the other end, as a name in an argument of `cull`.
    fn their_name(&mut self, id: Id) -> Option<String> {
        if self.theirs.contains(&id) {
            return Some(format!("\"$theirs{id}\""));
        }
        self.member_function(id)
    }

    /// The arguments with names where the functions of `whose` stand; `None` where one has no place.
    fn arguments(&mut self, message: &Message<'_>, whose: &str) -> Option<String> {
        let mut graph: Graph<Piece> = Graph::new();
        let (members, own) = (&self.members, &self.own_members);
        let is_name = |text: Text<'_>| members.values().chain(own.values()).any(|key| key.as_text() == text);
        let redaction = &mut self.redaction;
        let root = match message.arguments {
            Some(arguments) => graph.import(arguments, |value| match redaction {
                Some(redaction) => redaction.replace(value, is_name).or_else(|| escape(value)),
                None => escape(value),
            }),
            None => graph.array([]),
        };
        // With ids for our functions, their places are said beside the arguments.
        let named = whose != "ours" || self.style.ids_from.is_none() || message.method.is("methods");
        for (id, path) in message.callbacks.iter().filter(|_| named) {
            let leaf = graph.add(Node::Leaf(Piece(format!("\"${whose}{id}\"").into_bytes())));
            path.place(&mut graph, root, leaf).ok()?;
        }
        String::from_utf8(scrub(&graph, root, |piece| Written::Json(piece.0.clone())).arguments).ok()
    }
}

/// What would mean something else in a transcript.
fn escape(value: Ref<'_>) -> Option<Node<Piece>> {
    if value.kind() == Kind::Object && value.len() == 1 && value.get("?json").is_some() {
        return Some(Node::Leaf(Piece(format!("{{\"?json\":{}}}", bytes(&value.to_json())).into_bytes())));
    }
    let text = value.as_text()?;
    let wtf8 = value.to_json();
    let starts = |mark: u8| wtf8.get(1) == Some(&mark);
    if !starts(b'$') && !starts(b'?') {
        return None;
    }
    match text.to_str() {
        Some(text) => Some(Node::String(TextBuf::from(format!("{}{text}", &text[..1]).as_str()))),
        None => Some(Node::Leaf(Piece(format!("{{\"?json\":{}}}", bytes(&wtf8)).into_bytes()))),
    }
}

/// The functions of an object that a message `methods` offers.
fn members(message: &Message<'_>) -> HashMap<Id, TextBuf> {
    let member = |(id, path): &(Id, Path)| match path.keys() {
        [first, key] if *first == "0" => Some((*id, key.clone())),
        _ => None,
    };
    message.callbacks.iter().filter_map(member).collect()
}

fn ids(message: &Message<'_>) -> Vec<Id> {
    let arguments = message.arguments.into_iter().flat_map(|arguments| arguments.items());
    arguments.filter_map(|id| id.as_number()).filter_map(Id::from_number).collect()
}

/// A name as `call` and `method` take it, quoted; `None` where no text file can hold it.
fn written(name: &TextBuf) -> Option<String> {
    let name = name.as_text().to_str()?;
    let escaped = if name.starts_with('$') { format!("${name}") } else { name.to_owned() };
    Some(json!(escaped).to_string())
}

fn links(links: &[Link]) -> String {
    if links.is_empty() {
        return String::new();
    }
    let mut out = b",\"links\":".to_vec();
    message::write_links(links, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Bytes as an expression.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text).to_string(),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }).to_string(),
    }
}

#[cfg(test)]
mod tests;
