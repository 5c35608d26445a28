//! Converts line logs and packet captures of sessions to transcripts.

mod capture;

pub use capture::{CaptureOptions, Imported, import_capture};

use dnode_spec::monitor::End;
use dnode_spec::transcript::rows::{self, Row};
use dnode_spec::transcript::{About, Recorder, TranscriptError};
use serde_json::{Map, json};

/// Converts the line log `text` to a transcript with the id `recorded/NAME`, seen from one end. If
/// `redact` is set, placeholders replace the values.
///
/// # Errors
/// A line of the log is invalid.
pub fn import(text: &str, name: &str, seen_from: End, redact: bool) -> Result<String, TranscriptError> {
    let (parties, rows) = rows::read(text)?;
    let recorder = Recorder::new(seen_from).in_order();
    let mut recorder = if redact { recorder.redacting() } else { recorder };
    for (end, row, _) in &rows {
        if let Row::Line(line) = row {
            recorder.line(*end, line.as_bytes());
        }
    }
    let mut meta = Map::new();
    meta.insert("client".to_owned(), json!(parties.client));
    meta.insert("server".to_owned(), json!(parties.server));
    if recorder.left_out() > 0 {
        meta.insert("left-out".to_owned(), json!(recorder.left_out()));
    }
    Ok(recorder.finish(&About {
        id: format!("recorded/{name}"),
        since: env!("CARGO_PKG_VERSION").to_owned(),
        about: format!("A session of {} with {}.", parties.client, parties.server),
        recorded: true,
        breaks: if seen_from == End::A { parties.server_breaks } else { Vec::new() },
        meta,
    }))
}
