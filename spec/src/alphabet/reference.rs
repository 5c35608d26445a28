//! The machine of the reference peer, computed.
//!
//! The peer is a [`Session`] with the [`Probe`], in memory. Two states are equal if the outputs of
//! all words of a given length are.

use super::{Alphabet, Mapper, Saying};
use crate::line::Splitter;
use crate::machine::{Edge, Input, Machine, Output, Then};
use crate::monitor::{End, Monitor};
use crate::path::PathForm;
use crate::probe::Probe;
use crate::session::Session;
use crate::transcript::{Addressing, Fault};
use foldhash::{HashMap, HashMapExt};

/// The longest line that the peer takes, in bytes. No input is longer.
const LINE_LIMIT: usize = 1 << 20;

/// One connection to the reference peer.
#[derive(Debug, Clone)]
pub struct Reference<'a> {
    mapper: Mapper<'a>,
    session: Session,
    probe: Probe,
    monitor: Monitor,
    sent: Splitter,
}

impl<'a> Reference<'a> {
    /// A new connection, before the first input.
    ///
    /// # Errors
    /// As [`Mapper::new`].
    pub fn connect(alphabet: &'a Alphabet) -> Result<Reference<'a>, Fault> {
        let mapper = Mapper::new(alphabet, Addressing::ById, PathForm::default())?;
        let (mut session, probe) = (Session::new(LINE_LIMIT), Probe::new("reference"));
        let (graph, object) = probe.object();
        session.start(graph, object);
        let (monitor, sent) = (Monitor::new(), Splitter::new(LINE_LIMIT));
        let mut reference = Reference { mapper, session, probe, monitor, sent };
        reference.listen();
        let bytes = reference.mapper.set_up()?;
        reference.tell(&bytes);
        reference.mapper.begin();
        Ok(reference)
    }

    /// Makes an input.
    ///
    /// # Errors
    /// As [`Mapper::new`].
    pub fn step(&mut self, input: Input) -> Result<Output, Fault> {
        match self.mapper.say(input)? {
            Saying::Impossible => return Ok(self.mapper.output(Then::Impossible)),
            Saying::HalfClose => self.session.end(),
            Saying::Bytes(bytes) => self.tell(&bytes),
        }
        self.listen();
        let then = if self.session.is_ended() { Then::Closed } else { Then::Open };
        Ok(self.mapper.output(then))
    }

    fn tell(&mut self, bytes: &[u8]) {
        self.sent.push(bytes);
        while let Some(Ok(line)) = self.sent.next_line() {
            self.monitor.line(End::A, line);
        }
        self.session.feed(bytes);
        self.listen();
    }

    /// Lets the probe act, and the mapper hear.
    fn listen(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.probe.handle(event, &mut self.session);
        }
        self.probe.turn(&mut self.session);
        while let Some(output) = self.session.poll_output() {
            let line = output.strip_suffix(b"\n").unwrap_or(&output);
            if let Some(received) = self.monitor.line(End::B, line).received {
                self.mapper.hear(&received);
            }
        }
    }
}

/// The outputs of all words up to some length, in their order.
type Signature = Vec<Output>;

/// Computes the machine. Two states are the same one if all words of `length` inputs have the same
/// outputs there.
///
/// # Errors
/// As [`Mapper::new`].
pub fn machine(alphabet: &Alphabet, length: usize) -> Result<Machine, Fault> {
    let first = Reference::connect(alphabet)?;
    let mut known: HashMap<Signature, usize> = HashMap::new();
    known.insert(signature(alphabet, &first, length)?, 0);
    let mut states = vec![first];
    let mut edges = Vec::new();
    while edges.len() < states.len() {
        let state = states[edges.len()].clone();
        let mut row = Vec::new();
        for input in 0..alphabet.symbols().len() {
            let mut next = state.clone();
            let output = next.step(input)?;
            let to = if output.then.is_end() {
                None
            } else {
                let new = states.len();
                let to = *known.entry(signature(alphabet, &next, length)?).or_insert(new);
                if to == new {
                    states.push(next);
                }
                Some(to)
            };
            row.push(Edge { output, to });
        }
        edges.push(row);
    }
    // The edges have the inputs of the alphabet and lead to known states.
    Ok(Machine::of(alphabet.names(), edges).minimal())
}

fn signature(alphabet: &Alphabet, state: &Reference<'_>, length: usize) -> Result<Signature, Fault> {
    let mut outputs = Vec::new();
    let mut layer = vec![state.clone()];
    for _ in 0..length {
        let mut next = Vec::new();
        for state in &layer {
            for input in 0..alphabet.symbols().len() {
                let mut state = state.clone();
                let output = state.step(input)?;
                if !output.then.is_end() {
                    next.push(state);
                }
                outputs.push(output);
            }
        }
        layer = next;
    }
    Ok(outputs)
}
