//! Groups the steps of a transcript: a step of ours, and the expectations that it causes.

use dnode_spec::transcript::{Action, Called, Name, Pattern, Step, Transcript};
use std::collections::{HashMap, HashSet};

/// The group of each step. A step of ours starts a group. An expectation joins the group of the
/// step that causes it, among the steps just sent:
///
/// - for a function of ours, the step that declared it;
/// - for a method of our object, a step that asked the peer to call it;
/// - otherwise a call of a function of the peer, or else the last step.
pub(super) fn groups(transcript: &Transcript) -> Vec<usize> {
    let mut reader = Reader::new(transcript);
    let steps = transcript.steps.iter().enumerate();
    steps.map(|(number, step)| reader.group(number, step)).collect()
}

/// The facts from the steps so far.
struct Reader<'t> {
    transcript: &'t Transcript,
    /// Our functions, with the last step that declared each.
    declared: HashMap<&'t Name, usize>,
    /// The functions that several steps declared. Another step than the last one may cause their
    /// calls.
    redeclared: HashSet<&'t Name>,
    /// Our functions that are methods of an object of ours, with their names.
    methods: HashMap<Name, String>,
    /// The steps of ours since the last expectation, and the functions that they call.
    sent: Vec<(usize, Option<&'t Called>)>,
    /// How many calls each step causes, other than calls of functions that it declared.
    caused: HashMap<usize, usize>,
    expecting: bool,
}

impl<'t> Reader<'t> {
    fn new(transcript: &'t Transcript) -> Reader<'t> {
        Reader {
            transcript,
            declared: HashMap::new(),
            redeclared: HashSet::new(),
            methods: object(&transcript.header.object).collect(),
            sent: Vec::new(),
            caused: HashMap::new(),
            expecting: false,
        }
    }

    fn group(&mut self, number: usize, step: &'t Step) -> usize {
        if step.action.is_ours() {
            self.own_step(number, &step.action);
            return number;
        }
        self.expecting = true;
        let called = match &step.action {
            Action::Expect(pattern, _) => Some(&pattern.called),
            _ => None,
        };
        self.cause(called).unwrap_or(number)
    }

    fn own_step(&mut self, number: usize, action: &'t Action) {
        if std::mem::take(&mut self.expecting) {
            self.sent.clear();
        }
        let pattern = sent_pattern(action);
        self.sent.push((number, pattern.map(|pattern| &pattern.called)));
        for name in pattern.into_iter().flat_map(Pattern::declared) {
            if self.declared.insert(name, number).is_some() {
                self.redeclared.insert(name);
            }
        }
        if let Action::Bytes(bytes, ..) = action {
            // The first bytes that name a function declare it.
            for name in bytes.names() {
                self.declared.entry(name).or_insert(number);
            }
        }
        // Our object may be sent again, or in a handshake that the transcript writes itself.
        let is_object = |pattern: &&Pattern| matches!(&pattern.called, Called::Member(name) if name.as_text() == "methods");
        self.methods.extend(pattern.filter(is_object).into_iter().flat_map(object));
    }

    /// The step that causes the call of this function or method of ours.
    fn cause(&mut self, called: Option<&'t Called>) -> Option<usize> {
        let indirect = self.least_used(calls_function_of_peer);
        let method = match called {
            Some(Called::Function(name)) => self.methods.get(name).cloned(),
            Some(Called::Member(name)) => Some(name.to_string()),
            _ => None,
        };
        let causing = match (method, called) {
            (Some(method), _) => {
                let asking = self.least_used(|step, called| self.asks_for(step, called, &method));
                asking.or(indirect)
            }
            (None, Some(Called::Function(name))) => {
                // If several steps declared the function, an indirect call that caused nothing yet
                // comes first.
                let unused = indirect.filter(|step| !self.caused.contains_key(step));
                if (unused.is_none() || !self.redeclared.contains(name))
                    && let Some(declaring) = self.declaring(name)
                {
                    return Some(declaring);
                }
                indirect
            }
            _ => indirect,
        };
        if let Some(causing) = causing {
            *self.caused.entry(causing).or_default() += 1;
        }
        causing.or_else(|| self.sent.last().map(|(step, _)| *step))
    }

    /// The step that declared a function, if it was just sent.
    fn declaring(&self, name: &Name) -> Option<usize> {
        let declaring = *self.declared.get(name)?;
        self.sent.iter().any(|(step, _)| *step == declaring).then_some(declaring)
    }

    /// The first of the fitting steps that has caused the fewest calls, because each causes one.
    fn least_used(&self, fits: impl Fn(usize, &Called) -> bool) -> Option<usize> {
        let fitting = self.sent.iter().filter(|(step, called)| called.is_some_and(|it| fits(*step, it)));
        fitting.map(|(step, _)| *step).min_by_key(|step| self.caused.get(step).copied().unwrap_or_default())
    }

    /// Whether the step asks the peer to call this method of our object.
    fn asks_for(&self, step: usize, called: &Called, method: &str) -> bool {
        let pattern = sent_pattern(&self.transcript.steps[step].action);
        let first = pattern.and_then(|pattern| pattern.arguments().next()?.as_text());
        matches!(called, Called::Member(name) if name.as_text() == "callMe")
            && first.is_some_and(|it| it == method)
    }
}

/// Whether a step calls a function of the peer, which may call ours.
fn calls_function_of_peer(_: usize, called: &Called) -> bool {
    matches!(called, Called::Function(_))
}

/// The methods of an object, as functions with their names.
fn object(pattern: &Pattern) -> impl Iterator<Item = (Name, String)> {
    pattern.members().into_iter().map(|(key, name)| (name, key))
}

fn sent_pattern(action: &Action) -> Option<&Pattern> {
    match action {
        Action::Call(_, pattern, _) | Action::Send(pattern, _) => Some(pattern),
        _ => None,
    }
}
