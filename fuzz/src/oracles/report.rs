//! Writing reports with arbitrary texts.
//!
//! Each line of [`FORMATS`] is a format: how to write it, and what its output must look like.

use crate::generators::events::events;
use dnode_reports::event::Event;
use dnode_reports::json::Json;
use dnode_reports::text::{Options, Text};
use dnode_reports::{Report, escape};

/// Creates a report of a format; checks its output for these events.
type Format = (fn(&mut Vec<u8>) -> Box<dyn Report + '_>, fn(&[Event], &str));

const FORMATS: &[Format] = &[
    (|out| Box::new(Text::new(out, Options::default())), check_plain),
    (
        |out| Box::new(Text::new(out, Options { details: true, verbose: true, ..Options::default() })),
        check_plain,
    ),
    (
        |out| Box::new(Text::new(out, Options { styles: true, details: true, verbose: true, width: 80 })),
        check_styled,
    ),
    (|out| Box::new(Json::new(out)), check_json),
];

/// Writes the events of an input in every format. A text in an event must not control the output:
/// no control characters, and no change to the structure of the document.
///
/// # Panics
/// If this does not hold.
pub fn report(data: &[u8]) {
    let Ok(events) = events(data) else { return };
    for (format, check) in FORMATS {
        let mut out = Vec::new();
        let mut report = format(&mut out);
        for event in &events {
            report.event(event).unwrap_or_else(|error| panic!("cannot write to a vector: {error}"));
        }
        drop(report);
        match std::str::from_utf8(&out) {
            Ok(text) => check(&events, text),
            Err(error) => panic!("the report is not UTF-8: {error}"),
        }
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
