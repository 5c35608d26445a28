//! Reading stored reports.

use super::report::written;
use dnode_reports::ReadError;
use dnode_reports::event::Event;
use dnode_reports::format::Format;
use dnode_reports::{events, json};
use dnode_spec::clause::Level;

/// Reads an input as a stored report, in the formats `events` and `json`.
///
/// 1. Reading does not panic.
/// 2. A report that was read can be written in every format.
/// 3. In its own format, a report that was read, written and read again does not change any more.
///
/// # Panics
/// If one of these does not hold.
pub fn stored(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check(text, Format::Events, events::read);
    check(text, Format::Json, |text| json::read(text, "a file", Level::Robust));
}

fn check(text: &str, format: Format, read: impl Fn(&str) -> Result<Vec<Event>, ReadError>) {
    let Ok(events) = read(text) else { return };
    if !matches!((events.first(), events.last()), (Some(Event::Started(_)), Some(Event::Ended(_)))) {
        return;
    }
    for other in Format::ALL {
        written(other, &events);
    }
    let first = written(format, &events);
    match read(&first) {
        Ok(again) => assert_eq!(written(format, &again), first),
        Err(error) => panic!("{}: the written report is rejected: {error}", format.word()),
    }
}
