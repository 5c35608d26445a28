//! What to record.

use crate::commands::recording::RecordingOptions;

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// The address of the server.
    pub to: String,
    /// How its connections are recorded.
    pub recording: RecordingOptions,
}
