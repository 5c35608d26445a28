//! The recording of one connection: judges its lines, and writes them to a transcript.

use super::backlog::{self, Backlog, Forwarded};
use super::file::TranscriptFile;
use super::notice::Notice;
use super::options::RecordOptions;
use crate::wire::LINE_LIMIT;
use dnode_spec::line::Splitter;
use dnode_spec::message::Problem;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::transcript::write::Step;
use dnode_spec::transcript::{About, Recorder};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use tokio::sync::mpsc::UnboundedSender;

/// Judges one connection and writes it down.
pub(super) struct Recording {
    connection: usize,
    notices: UnboundedSender<Notice>,
    monitor: Monitor,
    recorder: Recorder,
    splitters: [Splitter; 2],
    lines: [u64; 2],
    /// Whether each end sent its object, or a line that cannot be read and may have been that.
    sent_object: [bool; 2],
    broken: BTreeMap<(usize, &'static str), u64>,
    file: Option<TranscriptFile>,
    /// It has stopped judging and writing.
    stopped: bool,
}

impl Recording {
    pub(super) fn new(
        connection: usize,
        options: &RecordOptions,
        notices: UnboundedSender<Notice>,
    ) -> Recording {
        let recorder = Recorder::new(options.seen_from).in_order();
        let mut recording = Recording {
            connection,
            notices,
            monitor: Monitor::new(),
            recorder: if options.redact { recorder.redacting() } else { recorder },
            splitters: [Splitter::new(LINE_LIMIT), Splitter::new(LINE_LIMIT)],
            lines: [0; 2],
            sent_object: [false; 2],
            broken: BTreeMap::new(),
            file: None,
            stopped: false,
        };
        if let Some(folder) = &options.out {
            match TranscriptFile::create(folder) {
                Ok(file) => recording.file = Some(file),
                Err(error) => {
                    let problem = format!("no transcript is written: {}: {error}", folder.display());
                    recording.warn(&problem);
                }
            }
        }
        recording
    }

    /// Judges and writes until the connection ends.
    pub(super) fn run(mut self, forwarded: &Receiver<Forwarded>, backlog: &Backlog) {
        for item in forwarded {
            match item {
                Forwarded::Bytes(end, bytes) => {
                    backlog.remove(bytes.len());
                    self.bytes(end, &bytes);
                }
                Forwarded::Ended(end) => self.ended(end),
            }
            if backlog.has_overflowed() {
                self.stop(&format!("judging fell behind by more than {} MiB", backlog::LIMIT >> 20));
            }
        }
        let file = self.finish();
        let (connection, lines, broken) = (self.connection, self.lines, self.broken);
        let _ = self.notices.send(Notice::Closed { connection, lines, broken, file });
    }

    fn warn(&self, problem: &str) {
        let _ = self.notices.send(Notice::Warning(format!("connection {}: {problem}", self.connection)));
    }

    /// Stops judging and writing.
    fn stop(&mut self, why: &str) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.warn(&format!("{why}; from here on, it is forwarded, but neither judged nor written"));
        }
    }

    fn bytes(&mut self, end: End, bytes: &[u8]) {
        if self.stopped {
            return;
        }
        let at = end as usize;
        self.splitters[at].push(bytes);
        loop {
            let line = match self.splitters[at].next_line() {
                None => return,
                Some(Ok(line)) => line.to_vec(),
                Some(Err(_)) => {
                    self.report(end, vec![Monitor::too_long(LINE_LIMIT)]);
                    return self.stop(&format!("a line has more than {} MiB", LINE_LIMIT >> 20));
                }
            };
            self.lines[at] += 1;
            let judgement = self.monitor.line(end, &line);
            self.sent_object[at] |= judgement.received.is_none_or(|received| received.method.is("methods"));
            self.report(end, judgement.problems);
            if self.file.is_some() {
                self.recorder.line(end, &line);
                let steps = self.recorder.take_steps();
                self.write(&steps);
            }
        }
    }

    fn ended(&mut self, end: End) {
        if !self.stopped {
            let rest = self.splitters[end as usize].rest().to_vec();
            let mut problems = self.monitor.end(end, &rest);
            problems.extend(self.missing_object(end));
            self.report(end, problems);
        }
    }

    /// The problem of an end that has said something, but not sent its object.
    fn missing_object(&self, end: End) -> Option<Problem> {
        let at = end as usize;
        (self.lines[at] > 0 && !self.sent_object[at]).then(|| Problem {
            clause: "methods/sent",
            at: String::new(),
            expected: "the message \"methods\"".to_owned(),
            actual: "the end of the connection without it".to_owned(),
            refused: false,
        })
    }

    fn report(&mut self, end: End, problems: Vec<Problem>) {
        for problem in problems {
            let count = self.broken.entry((end as usize, problem.clause)).or_default();
            *count += 1;
            if *count == 1 {
                let connection = self.connection;
                let _ = self.notices.send(Notice::Finding { connection, end, problem });
            }
        }
    }

    fn write(&mut self, steps: &[Step]) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.write(steps) {
            let problem = format!("the transcript is incomplete: {}: {error}", file.path().display());
            self.file = None;
            self.warn(&problem);
        }
    }

    fn finish(&mut self) -> Option<PathBuf> {
        let last = self.recorder.end();
        self.write(&last);
        let file = self.file.take()?;
        let mut meta = Map::new();
        meta.insert("lines".to_owned(), json!(self.lines));
        if self.recorder.left_out() > 0 {
            meta.insert("left-out".to_owned(), json!(self.recorder.left_out()));
        }
        if self.stopped {
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
