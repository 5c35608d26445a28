//! Transcripts that are too long for memory: they are checked once as a whole, and each replay
//! reads them again in parts.
//!
//! A part ends before a step of ours, so it contains all expectations before that step. Memory
//! holds one part and the names.

use super::Case;
use crate::error::{Fault, Faulted};
use dnode_spec::transcript::{Header, Reader, Step, Transcript};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a long transcript cannot be read. The caller is at fault.
#[derive(Debug, Error)]
pub enum LongError {
    /// The file cannot be read.
    #[error("{file}: {problem}", file = .0.display(), problem = .1)]
    Unreadable(PathBuf, io::Error),
    /// The file has no lines.
    #[error("{}: the transcript is empty", .0.display())]
    Empty(PathBuf),
    /// A line is not valid.
    #[error("{}, line {line}: {problem}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem, as a sentence.
        problem: String,
    },
}

impl Faulted for LongError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// The minimum number of steps in a part.
const PART: usize = 512;

/// The longest line, in bytes: long input is written as an expression.
const LINE_LIMIT: u64 = 64 << 20;

/// The steps after the first part.
#[derive(Debug, Clone)]
pub struct Rest {
    file: PathBuf,
    /// The place of the first of them.
    place: Place,
    reader: Reader,
    first_free_number: i64,
    /// How many steps there are in all.
    pub steps: usize,
}

/// The place in the file at which a line begins.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: u64,
    /// How many lines are before it.
    lines: usize,
}

/// The parts of the rest, one after another.
#[derive(Debug)]
pub struct Parts {
    lines: Lines,
    reader: Reader,
    header: Header,
    first_free_number: i64,
    /// The steps that begin the next part.
    next: Vec<Step>,
}

/// Reads a case of any length.
///
/// # Errors
/// [`LongError`] if the file cannot be read or a line is not valid.
pub fn read_long(file: &Path) -> Result<Case, LongError> {
    let mut lines = Lines::open(file, Place::default())?;
    let header = lines.next()?.ok_or_else(|| LongError::Empty(file.to_owned()))?;
    let (mut reader, parsed) = Reader::begin(&header).map_err(|fault| lines.fault(fault))?;
    let (mut text, mut steps) = (header.trim().to_owned(), Vec::new());
    let mut rest: Option<(Place, Reader)> = None;
    loop {
        let (place, before) = (lines.place, rest.is_none().then(|| reader.clone()));
        let Some(line) = lines.next()? else { break };
        let more = reader.line(&line).map_err(|fault| lines.fault(fault))?;
        let begins = more.first().is_some_and(|step| step.action.is_ours());
        if let Some(before) = before.filter(|_| steps.len() >= PART && begins) {
            rest = Some((place, before));
        }
        if rest.is_none() {
            text.push('\n');
            text.push_str(line.trim());
            steps.extend(more);
        }
    }
    let first_free_number = reader.first_free_number();
    let transcript = Transcript { header: parsed, steps, first_free_number };
    let rest = rest.map(|(place, before)| {
        let file = file.to_owned();
        Rest { file, place, reader: before, first_free_number, steps: reader.steps() }
    });
    Ok(Case { transcript, text, file: Some(file.display().to_string()), rest })
}

impl Rest {
    /// Reads it again, for one replay of a transcript with this header.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn parts(&self, header: &Header) -> Result<Parts, LongError> {
        Ok(Parts {
            lines: Lines::open(&self.file, self.place)?,
            reader: self.reader.clone(),
            header: header.clone(),
            first_free_number: self.first_free_number,
            next: Vec::new(),
        })
    }
}

impl Parts {
    /// The next part; `None` after the last.
    ///
    /// # Errors
    /// If the file has changed since it was checked, or cannot be read.
    pub fn next_part(&mut self) -> Result<Option<Transcript>, LongError> {
        let mut steps = std::mem::take(&mut self.next);
        while let Some(line) = self.lines.next()? {
            let more = self.reader.line(&line).map_err(|fault| self.lines.fault(fault))?;
            if steps.len() >= PART && more.first().is_some_and(|step| step.action.is_ours()) {
                self.next = more;
                break;
            }
            steps.extend(more);
        }
        let (header, first_free_number) = (self.header.clone(), self.first_free_number);
        Ok((!steps.is_empty()).then_some(Transcript { header, steps, first_free_number }))
    }
}

/// The lines of a file that are not empty.
#[derive(Debug)]
struct Lines {
    reader: BufReader<File>,
    file: PathBuf,
    place: Place,
}

impl Lines {
    fn open(file: &Path, place: Place) -> Result<Lines, LongError> {
        let fault = |error| LongError::Unreadable(file.to_owned(), error);
        let mut opened = File::open(file).map_err(fault)?;
        opened.seek(SeekFrom::Start(place.offset)).map_err(fault)?;
        Ok(Lines { reader: BufReader::new(opened), file: file.to_owned(), place })
    }

    fn next(&mut self) -> Result<Option<String>, LongError> {
        loop {
            let mut line = Vec::new();
            let read = self.reader.by_ref().take(LINE_LIMIT + 1).read_until(b'\n', &mut line);
            let count = read.map_err(|error| LongError::Unreadable(self.file.clone(), error))?;
            if count == 0 {
                return Ok(None);
            }
            self.place.offset += count as u64;
            self.place.lines += 1;
            if count as u64 > LINE_LIMIT {
                return Err(self.fault(format!("it has more than {LINE_LIMIT} bytes")));
            }
            let line = String::from_utf8(line).map_err(|_| self.fault("it is not UTF-8"))?;
            if !line.trim().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// An error in the line just read.
    fn fault(&self, problem: impl std::fmt::Display) -> LongError {
        LongError::Line { file: self.file.clone(), line: self.place.lines, problem: problem.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const HEADER: &str = r#"{"dnode-transcript":1,"id":"t/long","since":"0.1.0","clauses":["value/numbers"],"needs":["add"],"about":"Long."}"#;

    fn long(calls: usize, last: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{HEADER}\n").unwrap();
        for n in 0..calls {
            writeln!(file, "{{\"call\":\"add\",\"arguments\":[{n},1,\"$cb\"]}}").unwrap();
            writeln!(file, "{{\"expect\":{{\"method\":\"$cb\",\"arguments\":[{}]}}}}", n + 1).unwrap();
        }
        writeln!(file, "{last}").unwrap();
        file
    }

    #[test]
    fn the_parts_have_all_steps_in_order_and_begin_with_a_step_of_ours() {
        let file = long(2000, "{\"call\":\"add\",\"arguments\":[1,2],\"callbacks\":{\"4000\":[2]}}");
        let case = read_long(file.path()).unwrap();
        let rest = case.rest.unwrap();
        assert_eq!((rest.steps, case.transcript.first_free_number), (4001, 4001));
        let mut steps = case.transcript.steps;
        let mut parts = rest.parts(&case.transcript.header).unwrap();
        while let Some(part) = parts.next_part().unwrap() {
            assert!(part.steps[0].action.is_ours() && part.steps.len() < 2 * PART);
            steps.extend(part.steps);
        }
        let whole = Transcript::read(&std::fs::read_to_string(file.path()).unwrap()).unwrap();
        let lines = |steps: &[Step]| -> Vec<(String, String)> {
            steps.iter().map(|step| (step.label.clone(), step.text.clone())).collect()
        };
        assert_eq!(lines(&steps), lines(&whole.steps));
    }

    #[test]
    fn an_invalid_line_near_the_end_is_found_before_the_replay() {
        let file = long(2000, "{\"call\":\"$nobody\"}");
        let error = read_long(file.path()).unwrap_err();
        assert!(
            error.to_string().ends_with(", line 4003: $nobody is not bound by anything above"),
            "{error}"
        );
    }

    #[test]
    fn a_short_transcript_has_no_rest() {
        let case = read_long(long(3, "").path()).unwrap();
        assert!(case.rest.is_none());
        assert_eq!(case.transcript.steps.len(), 6);
    }
}
