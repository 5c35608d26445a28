//! Why a transport cannot carry a transcript. The peer is not at fault.

use dnode::transport::Limits;
use dnode_spec::transcript::{Action, Step, Transcript};

/// Why the steps of a transcript cannot be played over this transport, if they cannot.
#[must_use]
pub fn refuses(limits: &Limits, transcript: &Transcript) -> Option<String> {
    refuses_one_of(limits, &transcript.steps)
}

fn refuses_one_of(limits: &Limits, steps: &[Step]) -> Option<String> {
    let beside = || format!("over {}, each connection has a process of its own", limits.transport);
    steps.iter().find_map(|step| match &step.action {
        _ if step.on.is_some() && !limits.several => Some(beside()),
        Action::Served if !limits.several => Some(beside()),
        Action::Either(branches) => branches.iter().find_map(|branch| refuses_one_of(limits, branch)),
        action => refuses_step(limits, action),
    })
}

/// Why this cannot be done over this transport.
#[must_use]
pub fn refuses_step(limits: &Limits, action: &Action) -> Option<String> {
    match action {
        Action::HalfClose if !limits.half_close => Some(format!("{} has no half-close", limits.transport)),
        Action::Reset if !limits.reset => Some(format!("{} has no reset", limits.transport)),
        _ => None,
    }
}

/// Why these segments cannot be sent over this transport.
#[must_use]
pub fn refuses_segments(limits: &Limits, segments: &[&[u8]]) -> Option<String> {
    let broken = |segment: &&[u8]| std::str::from_utf8(segment).is_err();
    (limits.text && segments.iter().any(broken))
        .then(|| format!("{} carries only text, but a segment is not valid UTF-8", limits.transport))
}
