//! Reading transcripts.

use super::emitted;
use crate::generators::sent;
use dnode_spec::monitor::{End, Monitor, Received};
use dnode_spec::transcript::{Action, Called, Mismatch, Names, Pattern, Step, Transcript};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads an input as a transcript.
///
/// 1. Reading does not panic. An error names a line of the input, and says what to do.
/// 2. The header and the texts of the steps, joined, are read as the same transcript, except for the
///    labels of repeated steps.
/// 3. Every message that the transcript sends is one line of JSON.
/// 4. A message that it sends by name is the message that it expects, if the same step expects it: and
///    no other message that it sends is, if its method or the number of its arguments differs.
/// 5. Asking what the transcript needs, and describing its names, does not panic.
///
/// # Panics
/// If one of these does not hold.
pub fn transcript(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let last = text.lines().count().max(1);
    match Transcript::read(text) {
        Ok(transcript) => {
            check_round_trip(text, &transcript);
            let mut names = Names::new(transcript.first_free_number);
            check_steps(&transcript.steps, &mut names);
            // A name may have any character. Reports escape it.
            let _ = names.describe();
            check_expectations(text, &transcript);
            check_needs(&transcript);
        }
        Err(error) => assert!((1..=last).contains(&error.line) && !error.fault.help().is_empty(), "{error}"),
    }
}

fn check_round_trip(text: &str, transcript: &Transcript) {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let steps = transcript.steps.iter().map(|step| step.text.as_str());
    let written = std::iter::once(header).chain(steps).collect::<Vec<_>>().join("\n");
    match Transcript::read(&written) {
        // The steps of a repeated block are numbered by their rounds.
        Ok(again) if transcript.steps.iter().any(|step| step.begins_round) => {
            let texts = |transcript: &Transcript| -> Vec<String> {
                transcript.steps.iter().map(|step| step.text.clone()).collect()
            };
            assert_eq!(texts(&again), texts(transcript));
        }
        Ok(again) => assert_eq!(format!("{again:?}"), format!("{transcript:?}")),
        Err(error) => panic!("the steps are rejected: {error}"),
    }
}

fn check_steps(steps: &[Step], names: &mut Names) {
    for step in steps {
        match &step.action {
            Action::Either(branches) => branches.iter().for_each(|steps| check_steps(steps, names)),
            Action::Bytes(bytes, _, split) => {
                if let Ok(bytes) = bytes.expand(&mut |_| Some(b"7".to_vec())) {
                    assert_eq!(split.segments(&bytes).concat(), bytes);
                }
            }
            action => {
                if let Some(message) = sent::message(action, names) {
                    emitted::parse(&message);
                }
            }
        }
    }
}

/// Turns each message that is sent by name into an expectation.
fn check_expectations(text: &str, transcript: &Transcript) {
    let Some(header) = text.lines().find(|line| !line.trim().is_empty()) else { return };
    let mut sent: Vec<Received> = Vec::new();
    let mut expected: Vec<Pattern> = Vec::new();
    for step in &transcript.steps {
        let (Some(message), Some(pattern)) = (received(step, transcript), expectation(header, &step.text))
        else {
            continue;
        };
        sent.push(message);
        expected.push(pattern);
    }
    for (n, pattern) in expected.iter().enumerate() {
        for (other, message) in sent.iter().enumerate() {
            let names = || Names::new(transcript.first_free_number);
            let checked = pattern.check(message, &mut names());
            assert_eq!(checked, pattern.check(message, &mut names()), "{}", pattern.describe());
            let arguments = |received: &Received| received.graph.items(received.root).len();
            if n == other {
                assert_eq!(checked, Ok(()), "{}", pattern.describe());
            } else if message.method != sent[n].method {
                assert_eq!(checked, Err(Mismatch::Method), "{}", pattern.describe());
            } else if !message.method.is("methods") && arguments(message) != arguments(&sent[n]) {
                assert!(matches!(checked, Err(Mismatch::Arguments(_))), "{}", pattern.describe());
            }
        }
    }
}

/// The message that a step sends by name, as its receiver reads it. `None` if the receiver need not
/// read it as it is written.
fn received(step: &Step, transcript: &Transcript) -> Option<Received> {
    let Action::Send(pattern, _) = &step.action else { return None };
    let is_by_name = matches!(&pattern.called, Called::Member(name) if *name != "cull");
    let mut names = Names::new(transcript.first_free_number);
    let mut line = sent::message(&step.action, &mut names).filter(|_| is_by_name)?;
    line.pop();
    let judgement = Monitor::new().line(End::B, &line);
    judgement.received.filter(|_| judgement.problems.is_empty())
}

/// The expectation of the message that this step sends.
fn expectation(header: &str, step: &str) -> Option<Pattern> {
    let step: BTreeMap<String, Box<RawValue>> = serde_json::from_str(step).ok()?;
    let expect = format!("{header}\n{{\"expect\":{}}}", step.get("send")?);
    let step = Transcript::read(&expect).ok()?.steps.pop()?;
    match step.action {
        Action::Expect(pattern, _) => Some(pattern),
        _ => None,
    }
}

fn check_needs(transcript: &Transcript) {
    let calls = transcript.expects(0, &|pattern| !pattern.describe().is_empty());
    assert!(calls || !transcript.expects(0, &|_| true));
    let _ = (transcript.quiet_time(), transcript.awaits_methods(), transcript.calls_methods_by_id());
    let _ = (transcript.pings(), transcript.culls_methods());
    let sends = |step: &Step| step.action.is_ours() && matches!(step.action, Action::Expect(..));
    assert!(!transcript.steps.iter().any(sends), "a step is both ours and an expectation");
}
