//! Reading transcripts.

use super::emitted;
use crate::generators::sent;
use dnode_spec::transcript::{Action, Names, Step, Transcript};

/// Reads an input as a transcript.
///
/// 1. Reading does not panic, and an error names a line of the input.
/// 2. The header and the texts of the steps, joined, are read as the same transcript, except for the
///    labels of repeated steps.
/// 3. Every message that the transcript sends is one line of JSON.
///
/// # Panics
/// If one of these does not hold.
pub fn transcript(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let last = text.lines().count().max(1);
    match Transcript::read(text) {
        Ok(transcript) => {
            check_round_trip(text, &transcript);
            check_steps(&transcript.steps, &mut Names::new(transcript.first_free_number));
        }
        Err(error) => assert!((1..=last).contains(&error.line), "{error}"),
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
