//! Writing reports with arbitrary texts.
//!
//! Each line of [`FORMATS`] is a format: how to write it, and what its output must look like.

use crate::generators::events::events;
use dnode_reports::escape;
use dnode_reports::event::Event;
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Checks a report of these events.
type Check = fn(&[Event], &str);

const FORMATS: &[(Format, Options, Check)] = &[
    (Format::Text, PLAIN, check_plain),
    (Format::Text, Options { details: true, verbose: true, ..PLAIN }, check_plain),
    (Format::Text, Options { styles: true, details: true, verbose: true, width: 80 }, check_styled),
    (Format::Json, PLAIN, check_json),
    (Format::Events, PLAIN, check_plain),
    (Format::Junit, PLAIN, check_plain),
    (Format::Tap, PLAIN, check_plain),
    (Format::Markdown, PLAIN, check_plain),
    (Format::Github, PLAIN, check_plain),
    (Format::Html, PLAIN, check_plain),
];

const PLAIN: Options = Options { styles: false, details: false, verbose: false, width: 100 };

/// Writes the events of an input in every format. A text in an event must not control the output:
/// no control characters, and no change to the structure of the document.
///
/// # Panics
/// If this does not hold.
pub fn report(data: &[u8]) {
    let Ok(events) = events(data) else { return };
    for (format, options, check) in FORMATS {
        check(&events, &rendered(*format, *options, &events));
    }
}

/// The report of these events in this format.
pub(super) fn written(format: Format, events: &[Event]) -> String {
    rendered(format, PLAIN, events)
}

fn rendered(format: Format, options: Options, events: &[Event]) -> String {
    let out = Buffer::default();
    let mut report = format.report(out.clone(), options);
    for event in events {
        report.event(event).unwrap_or_else(|error| panic!("{}: cannot write: {error}", format.word()));
    }
    drop(report);
    let bytes = std::mem::take(&mut *out.0.lock().unwrap_or_else(PoisonError::into_inner));
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("{}: {error}", format.word()))
}

/// A writer whose bytes can be read when the report is gone.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// No character moves the cursor, hides text or reorders it.
fn check_plain(_: &[Event], text: &str) {
    assert!(!text.contains(|c| c != '\n' && escape::is_hidden(c)), "{text:?}");
}

/// The only control characters are the colours of the report.
fn check_styled(events: &[Event], text: &str) {
    let mut parts = text.split("\u{1b}[");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((code, rest)) = part.split_once('m') else { panic!("not a colour: {part:?}") };
        assert!(code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "not a colour: {code:?}");
        bare.push_str(rest);
    }
    check_plain(events, &bare);
}

/// One JSON document with one entry for each case and no hidden characters.
fn check_json(events: &[Event], text: &str) {
    check_plain(events, text);
    let document: serde_json::Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    let mut written: Vec<&str> =
        document["cases"].as_array().into_iter().flatten().filter_map(|it| it["id"].as_str()).collect();
    let judged = events.iter().filter_map(|event| match event {
        Event::Judged(outcome) => Some(outcome.id.as_str()),
        _ => None,
    });
    let mut judged: Vec<&str> = judged.collect();
    written.sort_unstable();
    judged.sort_unstable();
    assert_eq!(written, judged);
}
