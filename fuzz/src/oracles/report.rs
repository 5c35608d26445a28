//! Reports, whatever the texts in them are.
//!
//! A format is a line in [`FORMATS`]: how it is written, and what no text may make of it.

use crate::generators::events::events;
use dnode_reports::event::Event;
use dnode_reports::json::Json;
use dnode_reports::text::{Options, Text};
use dnode_reports::{Report, escape};

/// A format, and what must hold of what it writes.
type Format = (fn(&mut Vec<u8>) -> Box<dyn Report + '_>, fn(&[Event], &str));

const FORMATS: &[Format] = &[
    (|out| Box::new(Text::new(out, Options { styles: false, verbose: false })), visible),
    (|out| Box::new(Text::new(out, Options { styles: false, verbose: true })), visible),
    (|out| Box::new(Text::new(out, Options { styles: true, verbose: true })), styled),
    (|out| Box::new(Json::new(out)), json),
];

/// Writes the events that an input stands for in every format, and checks that the texts in them stay texts.
///
/// # Panics
/// Where one reaches further.
pub fn report(data: &[u8]) {
    let Ok(events) = events(data) else { return };
    for (format, check) in FORMATS {
        let mut out = Vec::new();
        let mut report = format(&mut out);
        for event in &events {
            report.event(event).unwrap_or_else(|error| panic!("a vector refuses bytes: {error}"));
        }
        drop(report);
        match std::str::from_utf8(&out) {
            Ok(text) => check(&events, text),
            Err(error) => panic!("not UTF-8: {error}"),
        }
    }
}

/// Nothing moves the cursor, hides or reorders.
fn visible(_: &[Event], text: &str) {
    assert!(!text.contains(|c| c != '\n' && escape::is_hidden(c)), "{text:?}");
}

/// Nothing but the report's own colours does.
fn styled(events: &[Event], text: &str) {
    let mut parts = text.split("\u{1b}[");
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((code, rest)) = part.split_once('m') else { panic!("no colour: {part:?}") };
        assert!(code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "no colour: {code:?}");
        bare.push_str(rest);
    }
    visible(events, &bare);
}

/// One JSON document with an entry for each case, which an editor shows as it is.
fn json(events: &[Event], text: &str) {
    visible(events, text);
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
