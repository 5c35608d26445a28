//! Reading a transcript from its text.

use super::bytes::Bytes;
use super::names::Name;
use super::pattern::{Called, Pattern};
use super::{Action, Header, Split, Step, Transcript, VERSION};
use crate::dialect::Dialect;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// What is wrong with a transcript, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl std::fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for TranscriptError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenHeader {
    dnode_transcript: u64,
    id: String,
    since: String,
    clauses: Vec<String>,
    about: String,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    hostile: bool,
    #[serde(default)]
    recorded: bool,
    #[serde(default)]
    crossing: bool,
    object: Option<Box<RawValue>>,
    handshake: Option<Handshake>,
    role: Option<Role>,
    dialect: Option<String>,
    #[serde(default, rename = "meta")]
    _meta: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Handshake {
    Auto,
    Manual,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Role {
    Client,
    Server,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct WrittenStep {
    label: Option<String>,
    clause: Option<String>,
    call: Option<String>,
    arguments: Option<Box<RawValue>>,
    callbacks: Option<Box<RawValue>>,
    links: Option<Box<RawValue>>,
    send: Option<Box<RawValue>>,
    line: Option<Box<RawValue>>,
    bytes: Option<Box<RawValue>>,
    split: Option<WrittenSplit>,
    expect: Option<Box<RawValue>>,
    optional: bool,
    any_order: Option<Vec<Box<RawValue>>>,
    either: Option<Vec<Vec<WrittenStep>>>,
    nothing: bool,
    survive: bool,
    served: bool,
    closed: bool,
    half_close: bool,
    reset: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "split is \"each\" or offsets")]
enum WrittenSplit {
    Word(String),
    At(Vec<usize>),
}

/// Reads a transcript line by line: one that is longer than memory is read in parts.
///
/// Memory is linear in the names that the transcript has, whatever its length.
#[derive(Debug, Clone)]
pub struct Reader {
    names: Owners,
    /// How many steps were read.
    steps: usize,
    /// The highest small number that a function of ours has.
    highest: i64,
    /// Bytes are sent as they stand.
    raw: bool,
}

impl Reader {
    /// Begins with the first line.
    ///
    /// # Errors
    /// What is wrong with the header.
    pub fn begin(line: &str) -> Result<(Reader, Header), String> {
        let header = read_header(line)?;
        let mut names = Owners { dialect: header.dialect.unwrap_or_default(), ends: HashMap::new() };
        names.declare(header.object.declared(), true)?;
        // The members of the peer's object are bound to their own names.
        let members: Vec<Name> = header.needs.iter().map(|method| Name::Word(method.clone())).collect();
        names.declare(&members, false)?;
        Ok((Reader { names, steps: 0, highest: -1, raw: false }, header))
    }

    /// The next step.
    ///
    /// # Errors
    /// What is wrong with this line.
    pub fn step(&mut self, line: &str) -> Result<Step, String> {
        let step = read_step(line, self.steps + 1)?;
        self.names.step(&step)?;
        self.steps += 1;
        self.highest = self.highest.max(highest(std::slice::from_ref(&step)));
        self.raw |= matches!(step.action, Action::Bytes(..));
        Ok(step)
    }

    /// How many steps were read so far.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The first number that no function of ours has in what was read. Large ones are stepped around, not over: beyond 2^53 a peer could
    /// not tell numbers apart.
    #[must_use]
    pub fn first_free_number(&self) -> i64 {
        // Numbers written into raw bytes are small in practice; stay clear of them where bytes are sent.
        self.highest.saturating_add(1).max(if self.raw { 1000 } else { FIRST_NUMBER })
    }
}

/// The highest small number that these steps give a function of ours.
fn highest(steps: &[Step]) -> i64 {
    let numbers = steps.iter().map(|step| match &step.action {
        Action::Call(_, pattern, _) | Action::Send(pattern, _) => {
            let ours = pattern.declared().iter().map(|name| match name {
                Name::Ours(id) if id.0 < LARGE => id.0,
                _ => -1,
            });
            ours.max().unwrap_or(-1)
        }
        Action::Either(branches) => branches.iter().map(|steps| highest(steps)).max().unwrap_or(-1),
        _ => -1,
    });
    numbers.max().unwrap_or(-1)
}

impl Transcript {
    /// Reads a transcript from the text of its file.
    ///
    /// # Errors
    /// The line and what is wrong there: JSON that is none, an unknown field or clause, a step without or with two actions,
    /// a name that nothing binds, or one that both ends declare.
    pub fn read(text: &str) -> Result<Transcript, TranscriptError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let at = |line: usize| move |problem| TranscriptError { line: line + 1, problem };
        let (first, header) = lines.next().ok_or_else(|| at(0)("the transcript is empty".to_owned()))?;
        let (mut reader, header) = Reader::begin(header).map_err(at(first))?;
        let steps = lines.map(|(line, text)| reader.step(text).map_err(at(line)));
        let steps = steps.collect::<Result<_, _>>()?;
        Ok(Transcript { header, steps, first_free_number: reader.first_free_number() })
    }

    /// Whether it waits for the peer's `methods` before it has sent anything.
    #[must_use]
    pub fn awaits_methods(&self) -> bool {
        let first = self.steps.iter().map(|step| &step.action).next();
        matches!(first, Some(Action::Expect(pattern, _)) if pattern.called == Called::Member("methods".into()))
    }

    /// Whether a step writes the id of a method of the peer's object where the replayer cannot choose its name.
    #[must_use]
    pub fn calls_methods_by_id(&self) -> bool {
        fn any(steps: &[Step], needs: &[String]) -> bool {
            let method = |called: &Called| match called {
                Called::Function(Name::Word(word)) => needs.contains(word),
                _ => false,
            };
            steps.iter().any(|step| match &step.action {
                Action::Send(pattern, _) => method(&pattern.called),
                Action::Bytes(bytes, ..) => {
                    bytes.names().into_iter().any(|name| method(&Called::Function(name.clone())))
                }
                Action::Either(branches) => branches.iter().any(|steps| any(steps, needs)),
                _ => false,
            })
        }
        any(&self.steps, &self.header.needs)
    }

    /// Whether a step expects a call that `calls` takes for it, from step `from` on.
    #[must_use]
    pub fn expects(&self, from: usize, calls: &dyn Fn(&Pattern) -> bool) -> bool {
        fn any(steps: &[Step], calls: &dyn Fn(&Pattern) -> bool) -> bool {
            steps.iter().any(|step| match &step.action {
                Action::Expect(pattern, _) => calls(pattern),
                Action::AnyOrder(patterns) => patterns.iter().any(calls),
                Action::Either(branches) => branches.iter().any(|steps| any(steps, calls)),
                _ => false,
            })
        }
        any(self.steps.get(from..).unwrap_or_default(), calls)
    }
}

fn read_header(text: &str) -> Result<Header, String> {
    let header: WrittenHeader = read_object(text).map_err(|problem| format!("the header: {problem}"))?;
    if header.dnode_transcript != VERSION {
        return Err(format!(
            "version {} of the format is not known; this reads {VERSION}",
            header.dnode_transcript
        ));
    }
    if header.clauses.is_empty() {
        return Err("clauses is empty".to_owned());
    }
    for clause in header.clauses.iter().chain(&header.requires) {
        check_clause(clause)?;
    }
    let dialect = header.dialect.as_deref().map(str::parse).transpose()?;
    let object = header.object.as_ref().map_or(DEFAULT_OBJECT, |object| object.get());
    let methods = Called::Member("methods".into());
    let object = Pattern::call(methods, &format!("[{object}]"))?;
    Ok(Header {
        id: header.id,
        since: header.since,
        clauses: header.clauses,
        about: header.about,
        needs: header.needs,
        requires: header.requires,
        hostile: header.hostile,
        recorded: header.recorded,
        crossing: header.crossing,
        object,
        manual_handshake: header.handshake == Some(Handshake::Manual),
        server: header.role == Some(Role::Server),
        dialect,
    })
}

/// An object of one line. Its line in the file is said elsewhere.
fn read_object<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err("a line is a JSON object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string().replace(" at line 1 column ", " at column "))
}

fn check_clause(id: &str) -> Result<(), String> {
    crate::clause::find(id).map(|_| ()).ok_or_else(|| format!("there is no clause {id}"))
}

fn read_step(text: &str, number: usize) -> Result<Step, String> {
    make_step(read_object(text)?, text.trim().to_owned(), &number.to_string())
}

fn make_step(written: WrittenStep, text: String, number: &str) -> Result<Step, String> {
    if let Some(clause) = &written.clause {
        check_clause(clause)?;
    }
    let sends = written.call.is_some() || written.send.is_some();
    if written.split.is_some() && !sends && written.line.is_none() && written.bytes.is_none() {
        return Err("split belongs to call, send, line or bytes".to_owned());
    }
    if written.optional && written.expect.is_none() {
        return Err("optional belongs to expect".to_owned());
    }
    let label = written.label.clone().unwrap_or_else(|| format!("step {number}"));
    let clause = written.clause.clone();
    Ok(Step { label, clause, action: read_action(written, number)?, text })
}

fn read_action(mut step: WrittenStep, number: &str) -> Result<Action, String> {
    let split = match step.split.take() {
        None => Split::Whole,
        Some(WrittenSplit::Word(word)) if word == "each" => Split::Each,
        Some(WrittenSplit::Word(word)) => return Err(format!("split is \"each\" or offsets, not {word:?}")),
        Some(WrittenSplit::At(offsets)) => Split::At(offsets),
    };
    let mut actions: Vec<Action> = Vec::new();
    if let Some(function) = &step.call {
        let called = Called::read(function);
        actions.push(Action::Call(
            called.clone(),
            Pattern::read_call(called, &call_fields(&step))?,
            split.clone(),
        ));
    } else if step.arguments.is_some() || step.callbacks.is_some() || step.links.is_some() {
        return Err("arguments, callbacks and links belong to call, or into the message".to_owned());
    }
    if let Some(message) = &step.send {
        actions.push(Action::Send(Pattern::read(message.get(), true)?, split.clone()));
    }
    for (bytes, newline) in [(&step.line, true), (&step.bytes, false)] {
        if let Some(bytes) = bytes {
            actions.push(Action::Bytes(Bytes::read(bytes.get())?, newline, split.clone()));
        }
    }
    if let Some(message) = &step.expect {
        actions.push(Action::Expect(Pattern::read(message.get(), false)?, step.optional));
    }
    if let Some(messages) = &step.any_order {
        let patterns = messages.iter().map(|message| Pattern::read(message.get(), false));
        actions.push(Action::AnyOrder(patterns.collect::<Result<_, _>>()?));
    }
    if let Some(branches) = step.either {
        actions.push(Action::Either(read_branches(branches, number)?));
    }
    let words = [
        (step.nothing, Action::Nothing),
        (step.survive, Action::Survive),
        (step.served, Action::Served),
        (step.closed, Action::Closed),
        (step.half_close, Action::HalfClose),
        (step.reset, Action::Reset),
    ];
    actions.extend(words.into_iter().filter(|(there, _)| *there).map(|(_, action)| action));
    match (actions.pop(), actions.is_empty()) {
        (Some(action), true) => Ok(action),
        (None, _) => {
            Err("a step needs an action: call, send, line, bytes, expect, any-order, either, nothing, \
                          survive, served, closed, half-close or reset"
                .to_owned())
        }
        (Some(_), false) => Err("a step has one action, this has several".to_owned()),
    }
}

/// What `call` says besides the function, as the fields of a message.
fn call_fields(step: &WrittenStep) -> String {
    let fields = [("arguments", &step.arguments), ("callbacks", &step.callbacks), ("links", &step.links)];
    let written =
        fields.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", value.as_ref()?.get())));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

fn read_branches(branches: Vec<Vec<WrittenStep>>, number: &str) -> Result<Vec<Vec<Step>>, String> {
    let letters = 'a'..='z';
    if branches.is_empty() || branches.len() > letters.clone().count() {
        return Err("either has from 1 to 26 continuations".to_owned());
    }
    let branches = branches.into_iter().zip(letters).map(|(steps, letter)| {
        let steps: Vec<Step> = steps
            .into_iter()
            .enumerate()
            .map(|(n, step)| make_step(step, String::new(), &format!("{number}{letter}{}", n + 1)))
            .collect::<Result<_, String>>()?;
        match steps.first().map(|step| &step.action) {
            Some(Action::Expect(_, false) | Action::Closed) => Ok(steps),
            _ => Err("each continuation starts with an expect or with closed".to_owned()),
        }
    });
    branches.collect()
}

/// Names get numbers from here on: beyond those that a peer gives the methods of a small object, so that a number seldom belongs
/// to both ends, where nobody can tell which a cull means.
const FIRST_NUMBER: i64 = 64;

/// Our object where the header has none: one function, as most real ends offer.
const DEFAULT_OBJECT: &str = "{\"hello\":\"$hello\"}";

/// Numbers from here on are written to be large; names get smaller ones.
const LARGE: i64 = 1 << 24;

/// Which end declares each name, so far.
#[derive(Debug, Default, Clone)]
struct Owners {
    dialect: Dialect,
    ends: HashMap<Name, bool>,
}

impl Owners {
    fn declare(&mut self, names: &[Name], ours: bool) -> Result<(), String> {
        for name in names {
            if self.ends.insert(name.clone(), ours).is_some_and(|before| before != ours) {
                return Err(format!(
                    "{name} is declared by both ends: a function that is handed back needs a new name"
                ));
            }
        }
        Ok(())
    }

    /// A word must be bound by the end that owns it; a number that nothing binds stands for itself.
    fn uses(&self, name: &Name, ours: bool) -> Result<(), String> {
        match (name, self.ends.get(name)) {
            (Name::Word(_), None) => Err(format!("{name} is not bound by anything above")),
            (Name::Word(_), Some(owner)) if *owner != ours => {
                let whose = if ours { "the peer's" } else { "ours" };
                Err(format!("{name} cannot be called by this end: it is {whose}"))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Call(called, pattern, _) => self.message(called, pattern, true),
            Action::Send(pattern, _) => self.message(&pattern.called, pattern, true),
            Action::Bytes(bytes, ..) => {
                bytes.names().into_iter().try_for_each(|name| match self.ends.get(name) {
                    Some(_) => Ok(()),
                    // A name that first stands in raw bytes is ours: the bytes declare it.
                    None => self.ends.insert(name.clone(), true).map_or(Ok(()), |_| Ok(())),
                })
            }
            Action::Expect(pattern, _) => self.message(&pattern.called, pattern, false),
            Action::AnyOrder(patterns) => {
                patterns.iter().try_for_each(|pattern| self.message(&pattern.called, pattern, false))
            }
            Action::Either(branches) => {
                let before = self.clone();
                for steps in branches {
                    let mut branch = before.clone();
                    steps.iter().try_for_each(|step| branch.step(step))?;
                    self.ends.extend(branch.ends);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, called: &Called, pattern: &Pattern, ours: bool) -> Result<(), String> {
        if let Called::Function(name) = called {
            self.uses(name, !ours)?;
        }
        let culled = if self.dialect == Dialect::V0_1 { ours } else { !ours };
        pattern.culls().iter().try_for_each(|name| self.uses(name, culled))?;
        self.declare(pattern.declared(), ours)
    }
}
