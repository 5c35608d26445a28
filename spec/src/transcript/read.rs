//! Reads a transcript from its text.

use super::bytes::Bytes;
use super::error::{Fault, TranscriptError};
use super::model::{Action, Header, Split, Step, Transcript};
use super::names::{Called, Name};
use super::owners::Owners;
use super::pattern::Pattern;
use super::write::{Cuts, Handshake, HeaderLine, Role, StepLine, VERSION};
use serde::Deserialize;
use std::time::Duration;

/// Reads a transcript line by line, for one that is too long for memory.
///
/// Memory is linear in the names that the transcript has, whatever its length.
#[derive(Debug, Clone)]
pub struct Reader {
    names: Owners,
    /// The number of lines with steps so far.
    lines: usize,
    /// The number of steps so far.
    steps: usize,
    /// The highest small number that a function of ours has.
    highest: i64,
    /// Whether a step sends raw bytes.
    raw: bool,
}

impl Reader {
    /// Begins with the first line.
    ///
    /// # Errors
    /// The fault of the header.
    pub fn begin(line: &str) -> Result<(Reader, Header), Fault> {
        let header = read_header(line)?;
        let mut names = Owners::new(header.dialect.unwrap_or_default());
        names.declare(header.object.declared(), true)?;
        // The members of the peer's object are bound to their own names.
        let members: Vec<Name> = header.needs.iter().map(|method| Name::Word(method.clone())).collect();
        names.declare(&members, false)?;
        Ok((Reader { names, lines: 0, steps: 0, highest: -1, raw: false }, header))
    }

    /// Reads the next line: one step, or all steps of a repeated block.
    ///
    /// # Errors
    /// The fault of this line.
    pub fn line(&mut self, line: &str) -> Result<Vec<Step>, Fault> {
        self.lines += 1;
        let number = self.lines.to_string();
        let read: StepLine = read_object(line)?;
        let steps = match read.repeat {
            Some(times) => read_block(read, times, &number)?,
            None => vec![make_step(read, line.trim().to_owned(), &number)?],
        };
        steps.iter().try_for_each(|step| self.names.step(step))?;
        self.steps += steps.len();
        self.highest = self.highest.max(highest(&steps));
        self.raw |= steps.iter().any(|step| matches!(step.action, Action::Bytes(..)));
        Ok(steps)
    }

    /// The number of steps so far.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The first number that no function of ours has in the lines so far. Large numbers are left
    /// out of this: beyond 2^53 a peer could not distinguish the numbers after them.
    #[must_use]
    pub fn first_free_number(&self) -> i64 {
        // Numbers that are written into raw bytes are small in practice; stay clear of them.
        self.highest.saturating_add(1).max(if self.raw { 1000 } else { FIRST_NUMBER })
    }
}

/// The highest small number that these steps give a function of ours; -1 if there is none.
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
    /// The first line with a fault: malformed JSON, an unknown field or clause, a step without an
    /// action or with two, a name that nothing binds, or a name that both ends declare.
    pub fn read(text: &str) -> Result<Transcript, TranscriptError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let at = |line: usize| move |fault| TranscriptError { line: line + 1, fault };
        let (first, header) = lines.next().ok_or_else(|| at(0)(Fault::Empty))?;
        let (mut reader, header) = Reader::begin(header).map_err(at(first))?;
        let mut steps = Vec::new();
        for (line, text) in lines {
            steps.extend(reader.line(text).map_err(at(line))?);
        }
        Ok(Transcript { header, steps, first_free_number: reader.first_free_number() })
    }
}

fn read_header(text: &str) -> Result<Header, Fault> {
    let header: HeaderLine = read_object(text).map_err(|fault| Fault::Header(Box::new(fault)))?;
    if header.dnode_transcript != VERSION {
        return Err(Fault::Version { found: header.dnode_transcript, known: VERSION });
    }
    if header.clauses.is_empty() {
        return Err(Fault::NoClauses);
    }
    let mut named = header.clauses.iter().chain(&header.requires).chain(&header.breaks);
    named.try_for_each(|clause| check_clause(clause))?;
    let dialect = header.dialect.as_deref().map(str::parse).transpose()?;
    let object = header.object.as_ref().map_or(DEFAULT_OBJECT, |object| object.get());
    let object = Pattern::call(Called::Member("methods".into()), &format!("[{object}]"))?;
    Ok(Header {
        id: header.id,
        since: header.since,
        clauses: header.clauses,
        about: header.about,
        needs: header.needs,
        requires: header.requires,
        hostile: header.hostile,
        recorded: header.recorded,
        breaks: header.breaks,
        crossing: header.crossing,
        object,
        manual_handshake: header.handshake == Some(Handshake::Manual),
        server: header.role == Some(Role::Server),
        dialect,
    })
}

/// Reads one line, which is an object. The caller knows the number of the line in its file.
fn read_object<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Fault> {
    if !text.trim_start().starts_with('{') {
        return Err(Fault::NotAnObject);
    }
    let without_line =
        |error: serde_json::Error| error.to_string().replace(" at line 1 column ", " at column ");
    serde_json::from_str(text).map_err(|error| Fault::Json(without_line(error)))
}

fn check_clause(id: &str) -> Result<(), Fault> {
    crate::clause::find(id).map(|_| ()).ok_or_else(|| Fault::UnknownClause(id.to_owned()))
}

/// The steps of a repeated block. In their text, `{n}` is the number of the round.
fn read_block(block: StepLine, times: usize, number: &str) -> Result<Vec<Step>, Fault> {
    let lines = block.steps.as_deref().unwrap_or_default();
    let rest = StepLine { repeat: None, steps: None, ..block.clone() };
    if !matches!(make_step(rest, String::new(), number), Err(Fault::NoAction)) {
        return Err(Fault::SeveralActions);
    }
    let count = lines.len().saturating_mul(times);
    if count == 0 || count > MAX_REPEATED {
        return Err(Fault::Repeat(MAX_REPEATED));
    }
    let mut steps = Vec::with_capacity(count);
    for round in 1..=times {
        for (n, line) in lines.iter().enumerate() {
            let text = line.get().replace("{n}", &round.to_string());
            let line: StepLine = read_object(&text)?;
            if line.repeat.is_some() {
                return Err(Fault::RepeatInRepeat);
            }
            let step = make_step(line, text, &format!("{number}.{}, round {round}", n + 1))?;
            steps.push(Step { begins_round: n == 0, ..step });
        }
    }
    Ok(steps)
}

fn make_step(line: StepLine, text: String, number: &str) -> Result<Step, Fault> {
    if let Some(clause) = &line.clause {
        check_clause(clause)?;
    }
    let bytes = line.line.is_some() || line.bytes.is_some() || line.ping.is_some();
    let sends = line.call.is_some() || line.send.is_some() || bytes;
    if line.split.is_some() && !sends {
        return Err(Fault::Misplaced("split", "call, send, ping, line or bytes"));
    }
    if line.optional && line.expect.is_none() {
        return Err(Fault::Misplaced("optional", "expect"));
    }
    if line.ids.is_some() && !sends {
        return Err(Fault::Misplaced("ids", "call, send, ping, line or bytes"));
    }
    if line.steps.is_some() {
        return Err(Fault::Misplaced("steps", "repeat"));
    }
    let ids = line.ids.iter().flatten().map(|(ours, theirs)| match Called::read(ours) {
        Called::Function(ours) => Ok((ours, Called::read(theirs))),
        _ => Err(Fault::Misplaced("$", "the names in ids")),
    });
    let (ids, on) = (ids.collect::<Result<_, _>>()?, line.on.clone());
    let label = line.label.clone().unwrap_or_else(|| format!("step {number}"));
    let clause = line.clause.clone();
    let mut actions = read_actions(line, number)?;
    match (actions.pop(), actions.is_empty()) {
        (Some(action), true) => Ok(Step { label, clause, on, ids, begins_round: false, action, text }),
        (None, _) => Err(Fault::NoAction),
        (Some(_), false) => Err(Fault::SeveralActions),
    }
}

/// All actions of a step; a sound step has one.
fn read_actions(step: StepLine, number: &str) -> Result<Vec<Action>, Fault> {
    let split = match &step.split {
        None => Split::Whole,
        Some(Cuts::Word(word)) if word == "each" => Split::Each,
        Some(Cuts::Word(word)) => return Err(Fault::Split(word.clone())),
        Some(Cuts::At(offsets)) => Split::At(offsets.clone()),
    };
    let mut actions: Vec<Action> = Vec::new();
    if let Some(function) = &step.call {
        let called = Called::read(function);
        let pattern = Pattern::read_call(called.clone(), &call_fields(&step))?;
        actions.push(Action::Call(called, pattern, split.clone()));
    } else if step.arguments.is_some() || step.callbacks.is_some() || step.links.is_some() {
        return Err(Fault::MisplacedMessage);
    }
    if let Some(message) = &step.send {
        actions.push(Action::Send(Pattern::read(message.get(), true)?, split.clone()));
    }
    for (bytes, newline) in [(&step.line, true), (&step.bytes, false)] {
        if let Some(bytes) = bytes {
            actions.push(Action::Bytes(Bytes::read(bytes.get())?, newline, split.clone()));
        }
    }
    if let Some(callback) = &step.ping {
        actions.push(Action::Bytes(Bytes::ping(Called::read(callback)), true, split.clone()));
    }
    if let Some(message) = &step.expect {
        actions.push(Action::Expect(Pattern::read(message.get(), false)?, step.optional));
    }
    if let Some(messages) = &step.any_order {
        let patterns = messages.iter().map(|message| Pattern::read(message.get(), false));
        actions.push(Action::AnyOrder(patterns.collect::<Result<_, _>>()?));
    }
    if let Some(branches) = step.either {
        actions.push(Action::Either(read_branches(branches, step.on.as_deref(), number)?));
    }
    let words = [
        (step.nothing, Action::Nothing),
        (step.survive, Action::Survive),
        (step.served, Action::Served),
        (step.closed, Action::Closed),
        (step.half_close, Action::HalfClose),
        (step.reset, Action::Reset),
    ];
    for (time, action) in [(step.wait, Action::Wait as fn(Duration) -> Action), (step.unread, Action::Unread)]
    {
        if let Some(time) = time {
            let time = Some(time).filter(|time| *time <= MAX_WAIT).ok_or(Fault::TooLong(MAX_WAIT))?;
            actions.push(action(Duration::from_millis(time)));
        }
    }
    actions.extend(words.into_iter().filter(|(is_set, _)| *is_set).map(|(_, action)| action));
    Ok(actions)
}

/// The fields of a `call` besides the function, as a message.
fn call_fields(step: &StepLine) -> String {
    let fields = [("arguments", &step.arguments), ("callbacks", &step.callbacks), ("links", &step.links)];
    let written =
        fields.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", value.as_ref()?.get())));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}

/// Reads continuations. Their steps are about the same connection.
fn read_branches(
    branches: Vec<Vec<StepLine>>,
    on: Option<&str>,
    number: &str,
) -> Result<Vec<Vec<Step>>, Fault> {
    let letters = 'a'..='z';
    if branches.is_empty() || branches.len() > letters.clone().count() {
        return Err(Fault::Continuations);
    }
    let branches = branches.into_iter().zip(letters).map(|(steps, letter)| {
        let steps: Vec<Step> = steps
            .into_iter()
            .enumerate()
            .map(|(n, step)| {
                let step = StepLine { on: step.on.or_else(|| on.map(str::to_owned)), ..step };
                make_step(step, String::new(), &format!("{number}{letter}{}", n + 1))
            })
            .collect::<Result<_, Fault>>()?;
        match steps.first().map(|step| &step.action) {
            Some(Action::Expect(_, false) | Action::Closed) => Ok(steps),
            _ => Err(Fault::ContinuationStart),
        }
    });
    branches.collect()
}

/// Named functions get numbers from here on. A peer gives smaller numbers to the methods of a small
/// object. So it is rare that a number belongs to both ends, which would make a cull ambiguous.
const FIRST_NUMBER: i64 = 64;

/// The longest time that a step waits, in milliseconds.
const MAX_WAIT: u64 = 60_000;

/// The most steps that a repeated block stands for.
const MAX_REPEATED: usize = 10_000;

/// Our object if the header has none: one function, as most real ends offer.
const DEFAULT_OBJECT: &str = "{\"hello\":\"$hello\"}";

/// A number from here on was chosen to be large; named functions get smaller ones.
const LARGE: i64 = 1 << 24;
