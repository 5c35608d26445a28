//! What waits to be written on a connection, counted.

use std::collections::VecDeque;

/// How many bytes are written at once, where there are so many.
const BATCH: usize = 64 * 1024;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Outbox {
    lines: VecDeque<(Vec<u8>, bool)>,
    /// All bytes, and those of answers, with what is being written.
    waits: [usize; 2],
    /// The same for what is being written.
    writing: [usize; 2],
}

impl Outbox {
    /// How many bytes wait, with those that are being written.
    pub(crate) fn waits(&self) -> usize {
        self.waits[0]
    }

    /// How many of these are of answers.
    pub(crate) fn answers(&self) -> usize {
        self.waits[1]
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, line: Vec<u8>, answers: bool) {
        let count = [line.len(), if answers { line.len() } else { 0 }];
        self.waits = [0, 1].map(|n| self.waits[n] + count[n]);
        self.lines.push_back((line, answers));
    }

    /// The next lines in one piece.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let mut batch = Vec::new();
        while self
            .lines
            .front()
            .is_some_and(|(line, _)| batch.is_empty() || batch.len() + line.len() <= BATCH)
        {
            let Some((line, answers)) = self.lines.pop_front() else { break };
            let count = [line.len(), if answers { line.len() } else { 0 }];
            self.writing = [0, 1].map(|n| self.writing[n] + count[n]);
            if batch.is_empty() {
                batch = line;
            } else {
                batch.extend_from_slice(&line);
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// What was taken is written.
    pub(crate) fn written(&mut self) {
        let written = std::mem::take(&mut self.writing);
        self.waits = [0, 1].map(|n| self.waits[n].saturating_sub(written[n]));
    }
}
