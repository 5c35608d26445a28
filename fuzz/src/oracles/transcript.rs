//! Transcripts: whatever a file holds.

use dnode_spec::message::Id;
use dnode_spec::transcript::{Action, Called, Names, Step, Transcript};
use dnode_spec::value::Value;

/// Reads an input as a transcript.
///
/// 1. Reading never panics, and an error names a line that there is.
/// 2. The steps of a transcript, put together again, are read as the same transcript.
/// 3. A message that it sends is one line of JSON.
///
/// # Panics
/// Where one of these is not so.
pub fn transcript(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let last = text.lines().count().max(1);
    match Transcript::read(text) {
        Ok(transcript) => {
            check_again(text, &transcript);
            check_steps(&transcript.steps, &mut Names::new(transcript.first_free_number));
        }
        Err(error) => assert!((1..=last).contains(&error.line), "{error}"),
    }
}

fn check_again(text: &str, transcript: &Transcript) {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let steps = transcript.steps.iter().map(|step| step.text.as_str());
    let written = std::iter::once(header).chain(steps).collect::<Vec<_>>().join("\n");
    match Transcript::read(&written) {
        Ok(again) => assert_eq!(format!("{again:?}"), format!("{transcript:?}")),
        Err(error) => panic!("its own steps are refused: {error}"),
    }
}

fn check_steps(steps: &[Step], names: &mut Names) {
    for step in steps {
        match &step.action {
            Action::Call(called, pattern, _) => check_line(&pattern.encode(&method(called), names)),
            Action::Send(pattern, _) => check_line(&pattern.encode(&method(&pattern.called), names)),
            Action::Either(branches) => branches.iter().for_each(|steps| check_steps(steps, names)),
            Action::Bytes(bytes, _, split) => {
                if let Ok(bytes) = bytes.expand(&mut |_| Some(b"7".to_vec())) {
                    assert_eq!(split.segments(&bytes).concat(), bytes);
                }
            }
            _ => {}
        }
    }
}

/// What stands in the field `method`, where each function of the peer is its first.
fn method(called: &Called) -> Vec<u8> {
    match called {
        Called::Function(_) => Id(0).to_string().into_bytes(),
        Called::Member(name) => {
            let mut quoted = Vec::new();
            name.as_text().write_json(&mut quoted);
            quoted
        }
        Called::Verbatim(text) => text.clone(),
    }
}

fn check_line(line: &[u8]) {
    let Some((b'\n', line)) = line.split_last() else { panic!("a message is not ended by a newline") };
    assert!(!line.contains(&b'\n'), "a message is not one line: {}", line.escape_ascii());
    assert!(Value::parse(line).is_ok(), "a message is not JSON: {}", line.escape_ascii());
}
