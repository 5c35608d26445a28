//! The recording of one connection: judges its lines, and writes them to a transcript.
//!
//! Give it the bytes of both ends in the order in which one observer saw them, and take its notices
//! after each step. [`crate::commands::record`] sees live connections, and
//! [`crate::commands::import`] those of a capture, which may lack bytes.

mod file;
mod notice;
mod options;

pub use notice::{Lost, Notice};
pub use options::RecordingOptions;

use crate::conversation::stranger::Protocol;
use crate::wire::LINE_LIMIT;
use dnode_capture::Gap;
use dnode_spec::line::Splitter;
use dnode_spec::message::Problem;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::transcript::write::Step;
use dnode_spec::transcript::{About, Recorder};
use dnode_spec::value::Value;
use file::TranscriptFile;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// If none of so many lines is a message of dnode, the connection does not carry dnode.
const DOUBTED: u64 = 16;

/// The most bytes of such a line. They are kept, because the transcript may need them.
const DOUBTED_LINE: usize = 64 << 10;

/// Judges one connection and writes it down.
pub(super) struct Recording {
    connection: usize,
    options: RecordingOptions,
    notices: Vec<Notice>,
    monitor: Monitor,
    recorder: Recorder,
    splitters: [Splitter; 2],
    /// The bytes of an end are skipped up to the next newline, because a part of their line is lost.
    skips: [bool; 2],
    lines: [u64; 2],
    /// Whether each end sent its object, or a line that cannot be read and may have been that.
    sent_object: [bool; 2],
    broken: BTreeMap<(usize, &'static str), u64>,
    lost: Lost,
    file: Option<TranscriptFile>,
    /// It may be another protocol than dnode. Until that is known, notices wait.
    in_doubt: bool,
    /// The first end that sent a line that begins as JSON objects do.
    sent_json: Option<End>,
    /// It has stopped judging and writing.
    stopped: bool,
}

impl Recording {
    pub(super) fn new(connection: usize, options: &RecordingOptions) -> Recording {
        let recorder = Recorder::new(options.seen_from).in_order();
        Recording {
            connection,
            options: options.clone(),
            notices: Vec::new(),
            monitor: Monitor::new(),
            recorder: if options.redact { recorder.redacting() } else { recorder },
            splitters: [Splitter::new(LINE_LIMIT), Splitter::new(LINE_LIMIT)],
            skips: [false; 2],
            lines: [0; 2],
            sent_object: [false; 2],
            broken: BTreeMap::new(),
            lost: Lost::default(),
            file: None,
            in_doubt: false,
            sent_json: None,
            stopped: false,
        }
    }

    /// The same, of a connection that may carry another protocol.
    pub(super) fn doubted(self) -> Recording {
        Recording { in_doubt: true, ..self }
    }

    /// Creates the file of the transcript, if one is wanted.
    pub(super) fn create_file(&mut self) {
        let Some(folder) = &self.options.out else { return };
        match TranscriptFile::create(folder, &self.options.name, self.connection) {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                let problem = format!("no transcript is written: {}: {error}", folder.display());
                self.options.out = None;
                self.warn(&problem);
            }
        }
    }

    /// The notices since the last time. None are given while it may be another protocol.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        if self.in_doubt { Vec::new() } else { std::mem::take(&mut self.notices) }
    }

    /// Whether it may still be another protocol.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// The protocol that it carries if no line is a message of dnode.
    pub(super) fn other_protocol(&self) -> Option<(End, Protocol)> {
        self.sent_json.map(|end| (end, Protocol::Json))
    }

    /// The memory of lines that have not ended, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.splitters.iter().map(Splitter::memory).sum()
    }

    /// Adds a notice after those so far.
    pub(super) fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    fn warn(&mut self, problem: &str) {
        self.notice(Notice::Warning(format!("connection {}: {problem}", self.connection)));
    }

    /// Stops judging and writing.
    pub(super) fn stop(&mut self, why: &str) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.splitters = [Splitter::new(LINE_LIMIT), Splitter::new(LINE_LIMIT)];
            self.warn(&format!("{why}; from here on, it is neither judged nor written"));
        }
    }

    /// Takes the next bytes of an end. In a capture, they are in this packet.
    pub(super) fn bytes(&mut self, end: End, bytes: &[u8], packet: Option<u64>) {
        if self.stopped {
            return;
        }
        let (at, mut bytes) = (end as usize, bytes);
        if self.skips[at] {
            let Some(newline) = memchr::memchr(b'\n', bytes) else { return };
            self.skips[at] = false;
            bytes = &bytes[newline + 1..];
        }
        self.splitters[at].push(bytes);
        loop {
            let line = match self.splitters[at].next_line() {
                None => return,
                Some(Ok(line)) => line.to_vec(),
                Some(Err(_)) => {
                    // A limit of this program is no fault of the sender.
                    let limit = LINE_LIMIT >> 20;
                    return self.stop(&format!("a line has more than {limit} MiB, a limit of this program"));
                }
            };
            self.line(end, &line, packet);
            if self.stopped {
                return;
            }
        }
    }

    fn line(&mut self, end: End, line: &[u8], packet: Option<u64>) {
        let at = end as usize;
        self.lines[at] += 1;
        if self.in_doubt {
            self.in_doubt = !is_dnode(line);
            if line.trim_ascii_start().starts_with(b"{") {
                self.sent_json.get_or_insert(end);
            }
            let is_enough = self.lines.iter().sum::<u64>() >= DOUBTED || line.len() > DOUBTED_LINE;
            if self.in_doubt && is_enough {
                self.stopped = true;
                return;
            }
        }
        let judgement = self.monitor.line(end, line);
        self.sent_object[at] |= judgement.received.is_none_or(|received| received.method.is("methods"));
        self.report(end, judgement.problems, packet);
        if self.options.out.is_some() && !self.lost.is_any() {
            self.recorder.line(end, line);
            if self.file.is_none() && !self.in_doubt {
                self.create_file();
            }
            if self.file.is_some() {
                let steps = self.recorder.take_steps();
                self.write(&steps);
            }
        }
    }

    /// Takes the end of the stream of an end, which it closed in order.
    pub(super) fn ended(&mut self, end: End) {
        if self.stopped {
            return;
        }
        let rest = self.splitters[end as usize].rest().to_vec();
        let mut problems = self.monitor.end(end, &rest);
        problems.extend(self.missing_object(end));
        self.report(end, problems, None);
    }

    /// Goes on after bytes that are not known. They may have held any message, so the transcript
    /// ends here, and only the form of later lines is judged.
    pub(super) fn gap(&mut self, gap: Gap) {
        let at = gap.from as usize;
        if gap.bytes != Some(0) {
            self.skips[at] = true;
            self.splitters[at] = Splitter::new(LINE_LIMIT);
        }
        self.monitor.lose();
        if self.lost.add(&gap) {
            self.notice(Notice::Gap { connection: self.connection, gap });
        }
    }

    /// The problem of an end that has said something, but not sent its object.
    fn missing_object(&self, end: End) -> Option<Problem> {
        let at = end as usize;
        (self.lines[at] > 0 && !self.sent_object[at] && !self.lost.is_any()).then(|| Problem {
            clause: "methods/sent",
            at: String::new(),
            expected: "the message \"methods\"".to_owned(),
            actual: "the end of the connection without it".to_owned(),
            refused: false,
        })
    }

    fn report(&mut self, end: End, problems: Vec<Problem>, packet: Option<u64>) {
        for problem in problems {
            let count = self.broken.entry((end as usize, problem.clause)).or_default();
            *count += 1;
            if *count == 1 {
                self.notice(Notice::Finding { connection: self.connection, end, problem, packet });
            }
        }
    }

    fn write(&mut self, steps: &[Step]) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.write(steps) {
            let problem = format!("the transcript is incomplete: {}: {error}", file.path().display());
            self.file = None;
            self.options.out = None;
            self.warn(&problem);
        }
    }

    /// Ends the connection, and the transcript.
    pub(super) fn finish(&mut self) {
        let last = self.recorder.end();
        self.write(&last);
        let file = self.finish_file();
        let (connection, lines, broken) = (self.connection, self.lines, std::mem::take(&mut self.broken));
        self.notice(Notice::Closed { connection, lines, broken, lost: self.lost, file });
    }

    fn finish_file(&mut self) -> Option<PathBuf> {
        let file = self.file.take()?;
        let mut meta = Map::new();
        meta.insert("lines".to_owned(), json!(self.lines));
        if self.recorder.left_out() > 0 {
            meta.insert("left-out".to_owned(), json!(self.recorder.left_out()));
        }
        if self.stopped || self.lost.is_any() {
            meta.insert("incomplete".to_owned(), json!(true));
        }
        let about = About {
            id: format!("recorded/{}", file.name()),
            since: env!("CARGO_PKG_VERSION").to_owned(),
            about: "A session recorded between two live implementations.".to_owned(),
            recorded: true,
            breaks: Vec::new(),
            meta,
        };
        let name = file.path().display().to_string();
        let finished = file.finish(self.recorder.header(&about));
        finished.map_err(|error| self.warn(&format!("no transcript is written: {name}: {error}"))).ok()
    }
}

/// Whether a line has the keys of a message of dnode. Other protocols of JSON lines, such as
/// JSON-RPC, may have a method, but none of the other keys.
fn is_dnode(line: &[u8]) -> bool {
    let Ok(value) = Value::parse(line) else { return false };
    let has = |key: &str| value.root().get(key).is_some();
    has("method") && ["arguments", "callbacks", "links"].into_iter().any(has)
}
