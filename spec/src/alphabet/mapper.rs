//! One connection between the inputs of an alphabet and a peer.

use super::numbers::Numbers;
use super::{Alphabet, Begins, Symbol};
use crate::graph::describe;
use crate::machine::{Act, Input, Output, Then};
use crate::message::{Id, Method};
use crate::monitor::Received;
use crate::path::{Path, PathForm};
use crate::text::TextBuf;
use crate::transcript::{
    Action, Addressing, Blank, Bytes, Called, Fault, Name, Names, Pattern, Reader, Step,
};
use std::collections::BTreeSet;

/// The callback of an input; the transcript adds the number of the input to the word.
const CALLBACK: &str = "cb";

/// What to send for an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing more: we close our sending half.
    HalfClose,
    /// Nothing: the input names a function that does not exist.
    Impossible,
}

/// One connection. For each input, send what [`Mapper::say`] gives, pass each message of the peer to
/// [`Mapper::hear`], and take the [output](Mapper::output) when the peer is silent.
#[derive(Debug, Clone)]
pub struct Mapper<'a> {
    alphabet: &'a Alphabet,
    by: Addressing,
    names: Names,
    reader: Reader,
    numbers: Numbers,
    /// We have sent an object.
    sent_object: bool,
    /// The current input.
    current: Option<Input>,
    /// The answers to it that are known, and how they look in an output.
    answers: Vec<(Pattern, Act)>,
    acts: Vec<Act>,
    unasked: Unasked<'a>,
}

/// The calls that the peer is known to make without being asked. They belong to no input.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unasked<'a> {
    /// It calls these names.
    pub names: Option<&'a BTreeSet<String>>,
    /// It calls methods of our object.
    pub methods: bool,
}

impl<'a> Mapper<'a> {
    /// A new connection, with a peer that is called in this way.
    ///
    /// # Errors
    /// The alphabet is at fault; [`Alphabet::read`] has checked that it is not.
    pub fn new(alphabet: &'a Alphabet, by: Addressing, paths: PathForm) -> Result<Mapper<'a>, Fault> {
        let (reader, _) = Reader::begin(&alphabet.header("machine/word", &[], Begins::WithNothing))?;
        let mut names = Names::new(1000);
        names.path_form = paths;
        Ok(Mapper {
            alphabet,
            by,
            names,
            reader,
            numbers: Numbers::default(),
            sent_object: false,
            current: None,
            answers: Vec::new(),
            acts: Vec::new(),
            unasked: Unasked::default(),
        })
    }

    /// The same, for a peer that makes these calls unasked.
    #[must_use]
    pub fn ignoring(self, unasked: Unasked<'a>) -> Mapper<'a> {
        Mapper { unasked, ..self }
    }

    /// The numbers of the functions. The teacher makes its known-good calls with them.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The bytes before the first input, after the peer has sent its object. [`Mapper::begin`]
    /// follows when their answers have come.
    ///
    /// # Errors
    /// As [`Mapper::new`].
    pub fn set_up(&mut self) -> Result<Vec<u8>, Fault> {
        let alphabet = self.alphabet;
        let mut bytes = Vec::new();
        for text in alphabet.setups.iter().flat_map(|setup| &setup.steps) {
            for step in self.reader.line(&self.numbers.fill(text))? {
                match &step.action {
                    Action::Expect(pattern, _) => self.answers.push((pattern.clone(), Act::Object)),
                    _ => bytes.extend(self.bytes(&step).unwrap_or_default()),
                }
            }
        }
        Ok(bytes)
    }

    /// Everything that came before the first input belongs to no input.
    pub fn begin(&mut self) {
        self.acts.clear();
    }

    /// Begins the next input, and gives what to send.
    ///
    /// # Errors
    /// As [`Mapper::new`].
    pub fn say(&mut self, input: Input) -> Result<Saying, Fault> {
        let symbol = &self.alphabet.symbols[input];
        self.numbers.begin(symbol);
        self.current = Some(input);
        self.answers.clear();
        if !self.is_possible(symbol) {
            return Ok(Saying::Impossible);
        }
        let mut bytes = Vec::new();
        for text in &symbol.steps {
            for step in self.reader.line(&self.numbers.fill(text))? {
                match self.bytes(&step) {
                    _ if matches!(step.action, Action::HalfClose) => return Ok(Saying::HalfClose),
                    Some(more) => bytes.extend(more),
                    None => return Ok(Saying::Impossible),
                }
            }
        }
        for answer in &symbol.answers {
            // An answer may name a function that we have not sent yet.
            let steps = self.reader.line(&self.numbers.fill(&answer.text)).unwrap_or_default();
            self.answers.extend(steps.into_iter().filter_map(|step| match step.action {
                Action::Expect(pattern, _) => Some((pattern, answer.act.clone())),
                _ => None,
            }));
        }
        Ok(Saying::Bytes(bytes))
    }

    fn is_possible(&self, symbol: &Symbol) -> bool {
        let is_live = |word: &String| {
            let word = self.numbers.fill(word.trim_start_matches('$'));
            self.names.callable(&Name::Word(word)).is_some()
        };
        // A peer may give the culled id to another function.
        let is_culled = || {
            let culled = Called::Function(Name::Word(self.numbers.fill("p{c}")));
            let id = self.names.number(&culled);
            self.numbers.has_culled() && id.is_some_and(|id| !self.names.is_given_again(id))
        };
        (self.sent_object || !symbol.after_object)
            && symbol.live.as_ref().is_none_or(is_live)
            && (!symbol.after_cull || is_culled())
    }

    /// The bytes of a step; `None` if it names a function that the peer did not declare.
    fn bytes(&mut self, step: &Step) -> Option<Vec<u8>> {
        match &step.action {
            Action::Call(called, pattern, _) => {
                let method = self.names.method_of_call(called, self.by)?;
                Some(pattern.encode(&method, &mut self.names))
            }
            Action::Send(pattern, _) => {
                let method = self.names.method_of_send(&pattern.called, self.by)?;
                if method == b"\"methods\"" {
                    pattern.members().into_iter().for_each(|(key, name)| self.names.own_member(&key, name));
                    pattern.declared().iter().for_each(|name| self.names.offer(name));
                    self.sent_object = true;
                }
                Some(pattern.encode(&method, &mut self.names))
            }
            Action::Bytes(bytes, newline, _) => {
                let mut bytes = self.expand(bytes)?;
                bytes.extend(newline.then_some(b'\n'));
                Some(bytes)
            }
            _ => None,
        }
    }

    fn expand(&mut self, bytes: &Bytes) -> Option<Vec<u8>> {
        let names = &mut self.names;
        let expanded = bytes.expand(&mut |blank| match blank {
            // A name that the peer did not declare is ours, and these bytes declare it.
            Blank::Id(called @ Called::Function(name)) => {
                let id = names.number(called).unwrap_or_else(|| names.declare(name));
                Some(id.to_string().into_bytes())
            }
            Blank::Id(_) | Blank::Ping(_) => None,
        });
        expanded.ok()
    }

    /// Notes a message of the peer.
    pub fn hear(&mut self, received: &Received) {
        self.names.heard(&received.method);
        if received.method.is("methods") {
            self.names.bind_object(received);
            self.acts.push(Act::Object);
        } else if received.method.is("cull") {
            for &id in &received.culls {
                // The callbacks of the known-good calls have no names.
                let function = self.names.our_name(id).map(|name| label(name, self.numbers.input));
                self.acts.extend(function.map(Act::Culls));
                self.names.culled_by_peer(id);
            }
        } else {
            let act = self.call(received);
            self.acts.extend(act);
        }
    }

    /// The act of a call; `None` if it was not asked for.
    fn call(&mut self, received: &Received) -> Option<Act> {
        let name = match &received.method {
            Method::Id(id) => self.names.our_name(*id),
            Method::Name(key) => self.names.of_own_member(key),
        };
        let Some(name) = name else {
            let word = method_word(&received.method);
            let is_unasked = self.unasked.names.is_some_and(|names| names.contains(&word));
            return (!is_unasked).then_some(Act::CallsUnknown(word));
        };
        let function = label(name, self.numbers.input);
        let is_method = self.names.is_offered(name);
        let known = self.answers.iter().find(|(answer, _)| answer.check(received, &mut self.names).is_ok());
        if let Some((_, act)) = known {
            return Some(act.clone());
        }
        if self.unasked.methods && is_method {
            return None;
        }
        let graph = received.graph.clone().map(|_: Id| "function");
        let cyclic = Path::default().describe_cycle(&graph, received.root);
        Some(Act::Calls { function, arguments: cyclic.unwrap_or_else(|| describe(&graph, received.root)) })
    }

    /// Notes a line that is not a message.
    pub fn hear_broken(&mut self, clause: &str) {
        self.acts.push(Act::Breaks(clause.to_owned()));
    }

    /// The output of the current input.
    pub fn output(&mut self, then: Then) -> Output {
        if let Some(symbol) = self.current.map(|input| &self.alphabet.symbols[input])
            && then != Then::Impossible
        {
            let given = symbol.answers.iter().any(|answer| self.acts.contains(&answer.act));
            self.numbers.end(symbol, given);
        }
        Output::new(std::mem::take(&mut self.acts), then)
    }
}

/// The name of a function of ours in outputs.
fn label(name: &Name, input: usize) -> String {
    match name {
        Name::Word(word) => match word.strip_prefix(CALLBACK).and_then(|n| n.parse::<usize>().ok()) {
            Some(n) if n == input => CALLBACK.to_owned(),
            Some(_) => format!("earlier {CALLBACK}"),
            None => word.clone(),
        },
        other => other.to_string(),
    }
}

/// How a known answer looks in an output: without the numbers of the names.
pub(super) fn expected(pattern: &Pattern) -> Act {
    let function = match &pattern.called {
        Called::Function(name) => label(name, Numbers::default().input),
        other => other.to_string(),
    };
    let arguments = pattern.describe_arguments().replace("$p0", "p").replace("$q0", "q");
    Act::Calls { function, arguments }
}

/// A method that stands for no function of ours. A number says nothing: every peer chooses others.
fn method_word(method: &Method) -> String {
    match method {
        Method::Id(_) => "an id".to_owned(),
        Method::Name(name) => TextBuf::as_text(name).to_string_lossy().into_owned(),
    }
}
