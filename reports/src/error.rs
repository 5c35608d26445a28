//! Errors of this library. The file that the caller passed is always at fault, never the peer or
//! the suite.

use serde_json::error::Category;
use thiserror::Error;

/// A file that is not the report of a run. The caller passed the wrong file, or one that was
/// edited.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A line of an events file is not an event.
    #[error("line {line} is not an event: {}", in_words(source))]
    Event {
        /// The line, counted from 1.
        line: usize,
        /// The error of the JSON reader.
        source: serde_json::Error,
    },
    /// The text has only white space.
    #[error("the file is empty")]
    Empty,
    /// The text is not a JSON object, and no lines of events either.
    #[error("it is not a JSON object")]
    NoObject,
    /// The text is not a canonical report.
    #[error("not a canonical report: {}", in_words(.0))]
    Report(#[from] serde_json::Error),
    /// The canonical report has a format that this version cannot read.
    #[error("format {found} is unknown; this version reads format {readable}")]
    Format {
        /// The format of the file.
        found: u32,
        /// The format that can be read.
        readable: u32,
    },
    /// The numbers under `verdicts` are not those of the cases.
    #[error("the counts in \"verdicts\" do not match the cases")]
    Counts,
    /// A comparison needs exactly one run on each side.
    #[error("the file has {0} runs, but a comparison needs exactly one")]
    Runs(usize),
    /// An event came before the start of its run.
    #[error("the first event is not the start of a run")]
    NotStarted,
    /// The file does not have a run from its start to its end.
    #[error("the file has no complete run")]
    Incomplete,
}

/// The reader's own words for JSON that is not valid are about its grammar. They help no one.
fn in_words(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Syntax => format!("no valid JSON at line {}, column {}", error.line(), error.column()),
        Category::Eof => "the JSON is cut off".to_owned(),
        Category::Data | Category::Io => error.to_string(),
    }
}

impl ReadError {
    /// How the caller can fix it, one sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            ReadError::Event { .. } | ReadError::NotStarted | ReadError::Incomplete => {
                "write the file again with --report events=PATH; it cannot be edited or cut"
            }
            ReadError::Empty | ReadError::NoObject | ReadError::Report(_) => {
                "pass a file that --report json=PATH, --report events=PATH or --snapshot PATH wrote"
            }
            ReadError::Format { .. } => {
                "use the version of dnode-conform that wrote the file, or run the suite again"
            }
            ReadError::Counts => "run the suite again to write the report; it cannot be edited by hand",
            ReadError::Runs(_) => "pass a file that holds one run",
        }
    }
}
