//! How connections are recorded.

use dnode_spec::monitor::End;
use std::path::PathBuf;

/// How connections are recorded.
#[derive(Debug, Clone)]
pub struct RecordingOptions {
    /// The folder for the transcripts; `None` judges the traffic without writing it.
    pub out: Option<PathBuf>,
    /// The transcript of connection N is `NAME-N.jsonl`, or has the next free number.
    pub name: String,
    /// The end that the suite plays when the transcripts are replayed.
    pub seen_from: End,
    /// Whether values are replaced by placeholders.
    pub redact: bool,
}
