//! Reading transcripts, and the effect of their steps.

mod bytes;
mod messages;
mod names;
mod reading;

use super::*;

const HEADER: &str = r#"{"dnode-transcript":1,"id":"a/b","since":"0.1.0","clauses":["framing/json"],"about":"x","needs":["echo"]}"#;

/// The steps of a transcript whose header needs `echo`.
fn steps(steps: &[&str]) -> Vec<Step> {
    read(steps).unwrap_or_else(|error| panic!("{error} in {steps:?}")).steps
}

fn read(steps: &[&str]) -> Result<Transcript, TranscriptError> {
    Transcript::read(&format!("{HEADER}\n{}\n", steps.join("\n")))
}

/// The messages of these steps, in order.
fn patterns(lines: &[&str]) -> Vec<Pattern> {
    let patterns = steps(lines).into_iter().filter_map(|step| match step.action {
        Action::Call(_, pattern, _) | Action::Send(pattern, _) | Action::Expect(pattern, _) => Some(pattern),
        _ => None,
    });
    patterns.collect()
}
