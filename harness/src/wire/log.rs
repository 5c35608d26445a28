//! The wire log: the first and the last entries of a connection, at most one or two pages.

use dnode_reports::event::{Act, Origin, Wire};
use std::collections::VecDeque;

/// How many entries are kept from the beginning, and from the end.
const KEPT: (usize, usize) = (60, 40);
/// How many bytes of an entry are kept.
const KEPT_BYTES: usize = 2000;

/// The log of one connection.
#[derive(Debug, Clone, Default)]
pub struct Log {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    omitted: usize,
    /// The step that sends now.
    step: String,
    /// How many lines the peer has sent.
    lines: u64,
}

/// An entry. `line` is its number among the lines of the peer, from 1; 0 for other entries.
#[derive(Debug, Clone)]
struct Entry {
    wire: Wire,
    line: u64,
}

impl Log {
    /// Names the step that sends from now on.
    pub fn begin_step(&mut self, label: &str) {
        self.step.clear();
        self.step.push_str(label);
    }

    /// Names the step that took a line of the peer. `line` is its number, from 1.
    pub fn took(&mut self, line: u64, label: &str) {
        let mut entries = self.last.iter_mut().rev().chain(self.first.iter_mut().rev());
        if let Some(Entry { wire: Wire::Bytes { step, .. }, .. }) = entries.find(|entry| entry.line == line) {
            label.clone_into(step);
        }
    }

    /// Adds a line or a piece of one.
    pub fn bytes(&mut self, from: Origin, bytes: &[u8]) {
        let kept = bytes.len().min(KEPT_BYTES);
        let mut room = self.room();
        room.extend_from_slice(&bytes[..kept]);
        let step = if from == Origin::Suite { self.step.clone() } else { String::new() };
        self.add(Wire::Bytes { from, bytes: room, cut: bytes.len() - kept, step }, 0);
    }

    /// Adds a line of the peer without its newline.
    pub fn line(&mut self, line: &[u8]) {
        let kept = line.len().min(KEPT_BYTES);
        let mut room = self.room();
        room.extend_from_slice(&line[..kept]);
        if kept == line.len() {
            room.push(b'\n');
        }
        self.lines += 1;
        let (from, cut) = (Origin::Peer, line.len() - kept);
        self.add(Wire::Bytes { from, bytes: room, cut, step: String::new() }, self.lines);
    }

    /// Adds an act of one end.
    pub fn event(&mut self, from: Origin, what: Act) {
        self.add(Wire::Event { from, what }, 0);
    }

    /// Adds the entries of another log.
    pub fn append(&mut self, other: Log) {
        other.into_entries().into_iter().for_each(|entry| self.add(entry, 0));
    }

    /// A buffer for the bytes of the next entry. A long session reuses the buffer of an entry that
    /// it drops.
    fn room(&mut self) -> Vec<u8> {
        if self.last.len() < KEPT.1 {
            return Vec::new();
        }
        self.omitted += 1;
        match self.last.pop_front() {
            Some(Entry { wire: Wire::Bytes { mut bytes, .. }, .. }) => {
                bytes.clear();
                bytes
            }
            _ => Vec::new(),
        }
    }

    fn add(&mut self, wire: Wire, line: u64) {
        let entry = Entry { wire, line };
        if self.first.len() < KEPT.0 {
            self.first.push(entry);
            return;
        }
        self.last.push_back(entry);
        if self.last.len() > KEPT.1 {
            self.last.pop_front();
            self.omitted += 1;
        }
    }

    /// The entries in order.
    #[must_use]
    pub fn into_entries(self) -> Vec<Wire> {
        let omitted = (self.omitted > 0).then_some(Wire::Omitted(self.omitted));
        let [first, last] = [self.first, self.last.into()].map(|part: Vec<Entry>| part.into_iter());
        first.map(|entry| entry.wire).chain(omitted).chain(last.map(|entry| entry.wire)).collect()
    }
}
