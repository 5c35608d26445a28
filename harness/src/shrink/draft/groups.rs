//! Which steps of a transcript go together: a step of ours and what it causes.

use dnode_spec::transcript::{Action, Called, Name, Pattern, Step, Transcript};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// The group of each step: ours begin one, and an expectation goes with what causes it, among the steps just sent. That is the one that
/// declared the called function; for a method of our object one that asked for it; else a call of a function of the peer; else the last.
pub(super) fn groups(transcript: &Transcript) -> Vec<usize> {
    let mut reading = Reading::new(transcript);
    let steps = transcript.steps.iter().enumerate();
    steps.map(|(number, step)| reading.group(number, step)).collect()
}

/// What the steps so far have said.
struct Reading<'t> {
    transcript: &'t Transcript,
    /// Our functions, with the step that declared each last.
    declared: HashMap<&'t Name, usize>,
    /// Those that more than one step declared: another call may cause theirs than the one that declared them last.
    again: HashSet<&'t Name>,
    /// Our functions that are members of an object of ours, with their keys.
    members: HashMap<Name, String>,
    /// The steps of ours since the last expectation before them, and what they call.
    sent: Vec<(usize, Option<&'t Called>)>,
    /// How many calls each of them has been found to cause without declaring what is called.
    caused: HashMap<usize, usize>,
    expecting: bool,
}

impl<'t> Reading<'t> {
    fn new(transcript: &'t Transcript) -> Reading<'t> {
        Reading {
            transcript,
            declared: HashMap::new(),
            again: HashSet::new(),
            members: object(&transcript.header.object).collect(),
            sent: Vec::new(),
            caused: HashMap::new(),
            expecting: false,
        }
    }

    fn group(&mut self, number: usize, step: &'t Step) -> usize {
        if step.action.is_ours() {
            self.ours(number, &step.action);
            return number;
        }
        self.expecting = true;
        let called = match &step.action {
            Action::Expect(pattern, _) => Some(&pattern.called),
            _ => None,
        };
        self.cause(called).unwrap_or(number)
    }

    fn ours(&mut self, number: usize, action: &'t Action) {
        if std::mem::take(&mut self.expecting) {
            self.sent.clear();
        }
        let pattern = ours(action);
        self.sent.push((number, pattern.map(|pattern| &pattern.called)));
        for name in pattern.into_iter().flat_map(Pattern::declared) {
            if self.declared.insert(name, number).is_some() {
                self.again.insert(name);
            }
        }
        if let Action::Bytes(bytes, ..) = action {
            // What bytes name first they declare.
            for name in bytes.names() {
                self.declared.entry(name).or_insert(number);
            }
        }
        // An object that is sent again, or in a handshake of its own, is ours too.
        let is_object = |pattern: &&Pattern| matches!(&pattern.called, Called::Member(name) if name.as_text() == "methods");
        self.members.extend(pattern.filter(is_object).into_iter().flat_map(object));
    }

    /// The step that causes the call of this function or method.
    fn cause(&mut self, called: Option<&'t Called>) -> Option<usize> {
        let (function, member) = match called {
            Some(Called::Function(name)) => match self.members.get(name) {
                Some(key) => (None, Some(key.clone())),
                None => (Some(name), None),
            },
            Some(Called::Member(key)) => (None, Some(key.to_string())),
            _ => (None, None),
        };
        let again = function.is_some_and(|name| self.again.contains(name));
        let another =
            again.then(|| self.first(is_indirect)).flatten().filter(|step| !self.caused.contains_key(step));
        let declaring = function.and_then(|name| self.declared.get(name).copied());
        let declaring = declaring
            .filter(|declaring| another.is_none() && self.sent.iter().any(|(step, _)| step == declaring));
        if declaring.is_some() {
            return declaring;
        }
        let asking = self.first(|step, called| self.asks(step, called, member.as_deref()));
        let causing = asking.or(another).or_else(|| self.first(is_indirect));
        if let Some(causing) = causing {
            *self.caused.entry(causing).or_default() += 1;
        }
        causing.or_else(|| self.sent.last().map(|(step, _)| *step))
    }

    /// Each causes one call: of those that might, the first that has caused the fewest.
    fn first(&self, fits: impl Fn(usize, &Called) -> bool) -> Option<usize> {
        let fitting = self.sent.iter().filter(|(step, called)| called.is_some_and(|it| fits(*step, it)));
        fitting.map(|(step, _)| *step).min_by_key(|step| self.caused.get(step).copied().unwrap_or_default())
    }

    /// Whether the step asks for a call of this member of our object.
    fn asks(&self, step: usize, called: &Called, member: Option<&str>) -> bool {
        let Some(member) = member else { return false };
        matches!(called, Called::Member(name) if name.as_text() == "callMe")
            && self.transcript.steps[step].text.contains(&format!("\"arguments\":[{}", json!(member)))
    }
}

/// Whether what it calls is a function of the peer's, which may call ours.
fn is_indirect(_: usize, called: &Called) -> bool {
    matches!(called, Called::Function(_))
}

/// The functions of an object, with their keys.
fn object(pattern: &Pattern) -> impl Iterator<Item = (Name, String)> {
    pattern.members().into_iter().map(|(key, name)| (name, key))
}

fn ours(action: &Action) -> Option<&Pattern> {
    match action {
        Action::Call(_, pattern, _) | Action::Send(pattern, _) => Some(pattern),
        _ => None,
    }
}
