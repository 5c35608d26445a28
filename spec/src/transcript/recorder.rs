//! Writes a transcript from the lines of a live session, seen from one end.
//!
//! The lines of that end become steps, the lines of the other end become expectations. Ids become
//! names, so that an implementation that numbers otherwise can play the session: our functions are
//! `$oursN`, those of the other end `$theirsN`, with their ids of the session. A method of an
//! object is called by its name.
//!
//! Rules: a line of ours that is not a sound message is kept as it stands. A line of the other end
//! that is not sound cannot be expected and is left out ([`Recorder::left_out`]). So are its culls,
//! which may come at any time. If a server calls a method of our object that nothing asked it to
//! call, the expectation is optional: other implementations cannot know of it.
//!
//! Take the steps while the session goes on ([`Recorder::take_steps`]): so a session may be longer
//! than memory. Memory is linear in the ids.

mod escape;
mod form;
mod order;
mod redaction;

pub use form::Form;

use super::bytes::Bytes;
use super::names::Called;
use super::pattern::Pattern;
use super::write::{self, Handshake, HeaderLine, Role, Step, raw};
use crate::graph::{Graph, Node};
use crate::message::{self, Id, Link, Message, Method};
use crate::path::{Path, PathForm};
use crate::scrub::{Written, scrub};
use crate::state::End;
use crate::text::{Text, TextBuf};
use crate::value::{Kind, Ref, Value};
use escape::{Piece, escape};
use order::Order;
use redaction::Redaction;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::collections::{HashMap, HashSet};

/// The clause of a recorded session. Every divergence is a call that reached another function, or
/// none, or that had other values.
const CLAUSE: &str = "callback/own-function";

/// The clause of a session in which we sent an unsound line.
const HOSTILE_CLAUSE: &str = "robust/not-deaf";

/// The fields of a header that the session does not give.
#[derive(Debug, Clone)]
pub struct About {
    /// `group/name`.
    pub id: String,
    /// The version of the suite that writes it.
    pub since: String,
    /// One sentence.
    pub about: String,
    /// Whether it was recorded: another peer may make calls that this one did not make.
    pub recorded: bool,
    /// The clauses that the other end broke, if a person knows of them.
    pub breaks: Vec<String>,
    /// Anything else, for people: the two implementations, how it was found.
    pub meta: serde_json::Map<String, Json>,
}

/// How our messages are written. All styles mean the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Our functions have ids instead of names, counted from this number.
    pub ids_from: Option<i64>,
    /// Indexes in the paths of those functions are integers.
    pub integer_paths: bool,
    /// Empty fields are omitted.
    pub omits: bool,
    /// The first field is one that no receiver knows.
    pub adds: bool,
}

/// Writes one session down.
#[derive(Debug)]
pub struct Recorder {
    ours: End,
    steps: Vec<Step>,
    /// Our object, once it was sent.
    object: Option<Box<RawValue>>,
    /// We sent a line before our object.
    manual: bool,
    /// The ids of our object and of the other end's.
    own_members: HashMap<Id, TextBuf>,
    members: HashMap<Id, TextBuf>,
    /// The ids that each end has declared in calls.
    own: HashSet<Id>,
    theirs: HashSet<Id>,
    /// The methods of the other end's object that are called, in the order of their first call.
    needs: Vec<String>,
    /// Our methods that `callMe` asked the other end to call.
    provoked: Vec<TextBuf>,
    left_out: usize,
    redaction: Option<Redaction>,
    order: Option<Order>,
    style: Style,
    form: Option<Form>,
    /// We sent an unsound line.
    hostile: bool,
}

impl Recorder {
    /// Records what `ours` sends and expects.
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
            order: None,
            style: Style::default(),
            form: None,
            hostile: false,
        }
    }

    /// The same, with our messages in this style.
    #[must_use]
    pub fn styled(self, style: Style) -> Recorder {
        Recorder { style, ..self }
    }

    /// The same, with the handshake among the steps.
    #[must_use]
    pub fn with_handshake(self) -> Recorder {
        Recorder { manual: true, ..self }
    }

    /// From now on, our calls are lines of this form; with `None`, messages again.
    pub fn write_as(&mut self, form: Option<Form>) {
        self.form = form;
    }

    /// The same, with placeholders for the strings and numbers of arguments; equal values have the
    /// same one. Keys and the names of methods stay. A line of ours that is not a sound message is
    /// left out.
    #[must_use]
    pub fn redacting(self) -> Recorder {
        Recorder { redaction: Some(Redaction::default()), ..self }
    }

    /// The same, with each call after the answers to earlier calls of functions that may share its
    /// state. Then the steps differ from the order of the lines, and [`Recorder::end`] gives the
    /// last ones.
    #[must_use]
    pub fn in_order(self) -> Recorder {
        Recorder { order: Some(Order::default()), ..self }
    }

    /// Takes the next line that `from` sent, without its newline.
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

    /// The steps since the last time. `Display` writes each as a line.
    pub fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// Ends the session, and gives the steps since the last time.
    pub fn end(&mut self) -> Vec<Step> {
        let mut steps = self.take_steps();
        steps.extend(self.order.take().map(|mut order| order.end()).unwrap_or_default());
        steps
    }

    /// The number of lines that are not among the steps.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The first line of the transcript, for the steps so far.
    #[must_use]
    pub fn header(&self, about: &About) -> HeaderLine {
        let clause = if self.hostile { HOSTILE_CLAUSE } else { CLAUSE };
        HeaderLine {
            dnode_transcript: write::VERSION,
            id: about.id.clone(),
            since: about.since.clone(),
            clauses: vec![clause.to_owned()],
            about: about.about.clone(),
            needs: self.needs.clone(),
            recorded: about.recorded,
            breaks: about.breaks.clone(),
            handshake: self.manual.then_some(Handshake::Manual),
            role: (self.ours == End::B).then_some(Role::Server),
            meta: about.meta.clone(),
            object: self.object.clone().or_else(|| raw(b"{}".to_vec())),
            hostile: self.hostile,
            ..HeaderLine::default()
        }
    }

    /// The whole transcript, if no steps were taken before.
    #[must_use]
    pub fn finish(mut self, about: &About) -> String {
        let steps = self.end();
        write::text(&self.header(about), steps)
    }

    /// Adds a step for a message of ours; `None` if no kind of step can say it.
    fn say(&mut self, message: &Message<'_>) -> Option<()> {
        if message.method.is("methods") && self.object.is_none() && !self.manual {
            return self.offer(message);
        }
        self.manual |= self.object.is_none();
        if message.method.is("cull") {
            self.say_cull(message);
            return Some(());
        }
        let arguments = self.arguments(message, "ours")?;
        let method = match &message.method {
            Method::Id(id) if self.members.contains_key(id) => Some(self.need(*id)?),
            Method::Id(id) if self.theirs.contains(id) => Some(format!("$theirs{id}")),
            Method::Id(_) => return None,
            Method::Name(name) => {
                let member = self.members.iter().find(|(_, key)| *key == name).map(|(id, _)| *id);
                member.and_then(|id| self.need(id))
            }
        };
        if method.as_deref() == Some("callMe") {
            let name = message.arguments.and_then(|arguments| arguments.item(0)).and_then(Ref::as_text);
            self.provoked.extend(name.map(Text::to_owned));
        }
        self.own.extend(message.callbacks.iter().map(|(id, _)| *id));
        let step = match (self.form, &method) {
            (Some(form), Some(method)) => form.step(message, method),
            _ => self.step(message, method, arguments)?,
        };
        self.say_step(step, message.method.id(), message.callbacks.iter().map(|(id, _)| *id).collect());
        Some(())
    }

    /// Adds a step of ours, which may call a function of the other end and declare callbacks.
    fn say_step(&mut self, step: Step, called: Option<Id>, callbacks: Vec<Id>) {
        match &mut self.order {
            Some(order) => self.steps.append(&mut order.say(step, called, callbacks)),
            None => self.steps.push(step),
        }
    }

    fn say_cull(&mut self, message: &Message<'_>) {
        let names = message.culls().into_iter().map(|id| self.their_name(id).map_or(json!(id.0), Json::from));
        let arguments = names.filter_map(|name| raw(name.to_string().into_bytes())).collect();
        let send = write::Message { method: json!("cull"), arguments: Some(arguments), ..Default::default() };
        self.say_step(Step { send: Some(send), ..Step::default() }, None, Vec::new());
    }

    /// The step that says a message; `method` is the function of the other end that it calls.
    fn step(&self, message: &Message<'_>, method: Option<String>, arguments: Vec<u8>) -> Option<Step> {
        let (callbacks, links) = (self.numbered(&message.callbacks), links(&message.links));
        let is_plain = !self.style.omits && !self.style.adds;
        if let (Some(method), true) = (&method, is_plain) {
            let (call, arguments) = (Some(method.clone()), Some(raw(arguments)?));
            return Some(Step { call, arguments, callbacks, links, ..Step::default() });
        }
        let arguments: Vec<Box<RawValue>> = serde_json::from_slice(&arguments).ok()?;
        let send = match (method, &message.method) {
            (None, Method::Id(_)) => return None,
            (None, Method::Name(name)) => {
                let callbacks = callbacks.or_else(|| raw(b"{}".to_vec()));
                write::Message {
                    method: written(name)?,
                    arguments: Some(arguments),
                    callbacks,
                    links,
                    extra: None,
                }
            }
            (Some(method), _) => {
                // In a message as it is written, a method of the other end's object is a function
                // by its name.
                let name = if method.starts_with('$') { method } else { format!("${method}") };
                let links = links.or_else(|| raw(b"[]".to_vec()).filter(|_| !self.style.omits));
                write::Message {
                    extra: self.style.adds.then(|| json!({ "x": [1] })),
                    method: Json::from(name),
                    arguments: Some(arguments).filter(|list| !self.style.omits || !list.is_empty()),
                    callbacks,
                    links,
                }
            }
        };
        Some(Step { send: Some(send), ..Step::default() })
    }

    /// The field `callbacks`, if our functions have ids instead of names.
    fn numbered(&self, callbacks: &[(Id, Path)]) -> Option<Box<RawValue>> {
        let from = self.style.ids_from.filter(|_| !callbacks.is_empty())?;
        let form = if self.style.integer_paths { PathForm::Integers } else { PathForm::Strings };
        let numbered: Vec<(Id, Path)> =
            callbacks.iter().map(|(id, path)| (Id(id.0 + from), path.clone())).collect();
        let mut out = Vec::new();
        message::write_callbacks(&numbered, form, &mut out);
        raw(out)
    }

    /// Takes our object.
    fn offer(&mut self, message: &Message<'_>) -> Option<()> {
        let arguments = self.arguments(message, "ours")?;
        let value = Value::parse(&arguments).ok()?;
        let object = value.root().item(0).filter(|object| object.kind() == Kind::Object);
        self.object = raw(object.map_or_else(|| b"{}".to_vec(), Ref::to_json));
        self.own_members = members(message);
        Some(())
    }

    /// Adds an expectation for a message of the other end; `None` if it cannot be expected.
    fn hear(&mut self, message: &Message<'_>) -> Option<()> {
        if message.method.is("methods") {
            self.members = members(message);
            return Some(());
        }
        if message.method.is("cull") {
            return Some(());
        }
        let (method, member) = self.heard(&message.method)?;
        let asked = member.as_ref().and_then(|key| self.provoked.iter().position(|provoked| provoked == key));
        // For a server, the calls that a client makes by itself are the session.
        let optional = member.is_some() && asked.is_none() && self.ours == End::A;
        let arguments = serde_json::from_slice(&self.arguments(message, "theirs")?).ok()?;
        let links = links(&message.links);
        let expect = write::Message { method, arguments: Some(arguments), links, ..Default::default() };
        // A link that has no place cannot be expected; nor one to a hole, which is null when it is
        // written.
        Pattern::read(&expect.to_string(), false).ok()?;
        if let Some(at) = asked {
            self.provoked.remove(at);
        }
        self.theirs.extend(message.callbacks.iter().map(|(id, _)| *id));
        let step = Step { expect: Some(expect), optional, ..Step::default() };
        match &mut self.order {
            Some(order) => {
                self.steps.append(&mut order.hear(message.method.id(), step));
                order.declare(message.callbacks.iter().map(|(id, _)| *id));
            }
            None => self.steps.push(step),
        }
        Some(())
    }

    /// The method of a message of the other end as we write it, and the member of our object that
    /// it calls; `None` if it calls no function of ours.
    fn heard(&self, method: &Method) -> Option<(Json, Option<TextBuf>)> {
        match method {
            Method::Id(id) => {
                let member = self.own_members.get(id);
                let declared = self.own.contains(id);
                if member.is_none() && !declared {
                    return None;
                }
                let number = self.style.ids_from.filter(|_| member.is_none());
                let called = number.map_or_else(|| json!(format!("$ours{id}")), |from| json!(id.0 + from));
                Some((called, member.filter(|_| !declared).cloned()))
            }
            Method::Name(name) => {
                let member = self.own_members.values().find(|key| *key == name)?;
                Some((written(name)?, Some(member.clone())))
            }
        }
    }

    /// Adds a step for a line of ours that no other kind of step can say.
    fn verbatim(&mut self, line: &[u8]) {
        self.manual |= self.object.is_none();
        self.hostile = true;
        if self.redaction.is_some() {
            self.left_out += 1;
            return;
        }
        let step = Step { line: Some(Bytes::Plain(line.to_vec())), ..Step::default() };
        self.say_step(step, None, Vec::new());
    }

    /// A method of the other end's object as `call` takes it; it is needed from now on.
    fn need(&mut self, id: Id) -> Option<String> {
        let key = self.members.get(&id)?.clone();
        let function = self.member_function(id)?;
        // By their names these are messages of the protocol.
        if key == "methods" || key == "cull" { Some(function) } else { Some(Called::Member(key).written()) }
    }

    /// A method of the other end's object, as a function by its name; it is needed from now on.
    fn member_function(&mut self, id: Id) -> Option<String> {
        let name = self.members.get(&id)?.as_text().to_str()?.to_owned();
        // It would be one of the names that this recorder gives.
        let is_ours = |word| name.strip_prefix(word).and_then(Id::from_key).is_some();
        if is_ours("ours") || is_ours("theirs") {
            return None;
        }
        let function = format!("${name}");
        if !self.needs.contains(&name) {
            self.needs.push(name);
        }
        Some(function)
    }

    /// A function of the other end, as a name in an argument of `cull`.
    fn their_name(&mut self, id: Id) -> Option<String> {
        if self.theirs.contains(&id) {
            return Some(format!("$theirs{id}"));
        }
        self.member_function(id)
    }

    /// The arguments as JSON, with names in the places of the functions of `whose`; `None` if one
    /// has no place.
    fn arguments(&mut self, message: &Message<'_>, whose: &str) -> Option<Vec<u8>> {
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
        // If our functions have ids, their places are written beside the arguments.
        let named = whose != "ours" || self.style.ids_from.is_none() || message.method.is("methods");
        for (id, path) in message.callbacks.iter().filter(|_| named) {
            let leaf = graph.add(Node::Leaf(Piece(format!("\"${whose}{id}\"").into_bytes())));
            path.place(&mut graph, root, leaf).ok()?;
        }
        Some(scrub(&graph, root, |piece| Written::Json(piece.0.clone())).arguments)
    }
}

/// The functions of the object that a message `methods` offers.
fn members(message: &Message<'_>) -> HashMap<Id, TextBuf> {
    let member = |(id, path): &(Id, Path)| match path.keys() {
        [first, key] if *first == "0" => Some((*id, key.clone())),
        _ => None,
    };
    message.callbacks.iter().filter_map(member).collect()
}

/// A name as the field `method` takes it; `None` if a text file cannot hold it.
fn written(name: &TextBuf) -> Option<Json> {
    name.as_text().to_str()?;
    Some(Json::from(Called::Member(name.clone()).written()))
}

/// The field `links`; `None` if there are none.
fn links(links: &[Link]) -> Option<Box<RawValue>> {
    let mut out = Vec::new();
    message::write_links(links, &mut out);
    raw(out).filter(|_| !links.is_empty())
}

#[cfg(test)]
mod tests;
