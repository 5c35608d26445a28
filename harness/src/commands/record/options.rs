//! What to record.

use dnode_spec::monitor::End;
use std::path::PathBuf;

/// What to record, and where to write it.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// The address of the server.
    pub to: String,
    /// The folder for the transcripts; `None` judges the traffic without writing it.
    pub out: Option<PathBuf>,
    /// The end that the suite plays when the transcripts are replayed.
    pub seen_from: End,
    /// Whether values are replaced by placeholders.
    pub redact: bool,
}
