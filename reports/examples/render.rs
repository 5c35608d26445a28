//! Renders the events or the canonical report of a run as Markdown:
//!
//! ```sh
//! cargo run -p dnode-reports --example render -- run.jsonl
//! ```

use std::error::Error;
use std::io;

use dnode_reports::format::Format;
use dnode_reports::text::Options;
use dnode_reports::{ReadError, events, json};
use dnode_spec::clause::Level;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: render FILE")?;
    let text = std::fs::read_to_string(&path)?;
    // The canonical report is one indented object; the events are one object per line.
    let read = match text.starts_with("{\n") {
        true => json::read(&text, &path, Level::Robust),
        false => events::read(&text),
    };
    let events = read.map_err(|error: ReadError| format!("{path}: {error}; {}", error.help()))?;
    let mut report = Format::Markdown.report(io::stdout(), Options::default());
    for event in &events {
        report.event(event)?;
    }
    Ok(report.finish()?)
}
