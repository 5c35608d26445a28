//! The lines that wait to be written on a connection, with a count of their bytes.

use std::collections::VecDeque;

/// How many bytes of short lines are written at once.
const BATCH: usize = 64 * 1024;

/// The lines that wait to be written.
#[derive(Default)]
pub(crate) struct Outbox {
    lines: VecDeque<Line>,
    /// The bytes in `lines`, and in the batch that is being written.
    unsent: Count,
    /// The bytes in the batch that is being written.
    writing: Count,
}

struct Line {
    bytes: Vec<u8>,
    is_answer: bool,
}

#[derive(Default, Clone, Copy)]
struct Count {
    all: usize,
    answers: usize,
}

impl Count {
    fn add(&mut self, line: &Line) {
        self.all += line.bytes.len();
        if line.is_answer {
            self.answers += line.bytes.len();
        }
    }
}

impl Outbox {
    /// How many bytes are not written yet.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.all
    }

    /// How many bytes of answers are not written yet.
    pub(crate) fn unsent_answers(&self) -> usize {
        self.unsent.answers
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, bytes: Vec<u8>, is_answer: bool) {
        let line = Line { bytes, is_answer };
        self.unsent.add(&line);
        self.lines.push_back(line);
    }

    /// Takes the next lines as one batch. They count as unsent until [`Outbox::written`].
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let mut batch = Vec::new();
        while let Some(line) = self.lines.pop_front() {
            self.writing.add(&line);
            if batch.is_empty() {
                batch = line.bytes;
            } else {
                batch.extend_from_slice(&line.bytes);
            }
            if self.lines.front().is_some_and(|next| batch.len() + next.bytes.len() > BATCH) {
                break;
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// The batch that was taken is written.
    pub(crate) fn written(&mut self) {
        let Count { all, answers } = std::mem::take(&mut self.writing);
        self.unsent.all -= all;
        self.unsent.answers -= answers;
    }
}
