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
    first: Vec<Wire>,
    last: VecDeque<Wire>,
    omitted: usize,
}

impl Log {
    /// Adds a line or a piece of one.
    pub fn bytes(&mut self, from: Origin, bytes: &[u8]) {
        let kept = bytes.len().min(KEPT_BYTES);
        let mut room = self.room();
        room.extend_from_slice(&bytes[..kept]);
        self.add(Wire::Bytes { from, bytes: room, cut: bytes.len() - kept });
    }

    /// Adds a line without its newline.
    pub fn line(&mut self, from: Origin, line: &[u8]) {
        let kept = line.len().min(KEPT_BYTES);
        let mut room = self.room();
        room.extend_from_slice(&line[..kept]);
        if kept == line.len() {
            room.push(b'\n');
        }
        self.add(Wire::Bytes { from, bytes: room, cut: line.len() - kept });
    }

    /// Adds an act of one end.
    pub fn event(&mut self, from: Origin, what: Act) {
        self.add(Wire::Event { from, what });
    }

    /// Adds the entries of another log.
    pub fn append(&mut self, other: Log) {
        other.into_entries().into_iter().for_each(|entry| self.add(entry));
    }

    /// A buffer for the bytes of the next entry. A long session reuses the buffer of an entry that
    /// it drops.
    fn room(&mut self) -> Vec<u8> {
        if self.last.len() < KEPT.1 {
            return Vec::new();
        }
        self.omitted += 1;
        match self.last.pop_front() {
            Some(Wire::Bytes { mut bytes, .. }) => {
                bytes.clear();
                bytes
            }
            _ => Vec::new(),
        }
    }

    fn add(&mut self, entry: Wire) {
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
        let mut entries = self.first;
        if self.omitted > 0 {
            entries.push(Wire::Omitted(self.omitted));
        }
        entries.extend(self.last);
        entries
    }
}
