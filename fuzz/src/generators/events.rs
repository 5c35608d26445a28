//! Events of a run with arbitrary texts.
//!
//! Events have no wire format, so `arbitrary` builds them from the bytes of the input. Each text is
//! a slice of the input with invalid UTF-8 replaced. It may be long, empty, or equal to another
//! text.

use arbitrary::{Arbitrary, Result, Unstructured};
use dnode_reports::event::{
    Act, Activity, Cycles, Death, Divergence, Ended, Event, Evidence, Kind, Origin, Outcome, Reference, Role,
    Run, Stale, Status, TimeBase, Verdict, Wire, Written,
};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;

/// The maximum number of cases in a run.
const CASES: usize = 4;

/// Builds the events of one complete run from these bytes.
///
/// # Errors
/// If there are too few bytes.
pub fn events(data: &[u8]) -> Result<Vec<Event>> {
    let mut u = Unstructured::new(data);
    let run = Run {
        suite: text(&mut u)?,
        peer: optional(&mut u, text)?,
        role: *u.choose(&Role::ALL)?,
        dialect: *u.choose(&Dialect::ALL)?,
        interop: u.arbitrary()?,
        target: text(&mut u)?,
        planned: u.int_in_range(0..=CASES)?,
        notes: some(&mut u, text)?,
        gate: *u.choose(&Level::ALL)?,
        time: optional(&mut u, |u| Ok(*u.choose(&TimeBase::ALL)?))?,
    };
    let ended = Ended {
        interrupted: u.arbitrary()?,
        answered: u.arbitrary()?,
        stale: some(&mut u, stale)?,
        life: some(&mut u, |u| u.arbitrary())?,
        unwritten: u.arbitrary()?,
    };
    let judged = some(&mut u, outcome)?.into_iter().map(|outcome| Event::Judged(Box::new(outcome)));
    Ok(std::iter::once(Event::Started(run)).chain(judged).chain([Event::Ended(ended)]).collect())
}

fn outcome(u: &mut Unstructured<'_>) -> Result<Outcome> {
    Ok(Outcome {
        id: text(u)?,
        about: text(u)?,
        level: *u.choose(&Level::ALL)?,
        clauses: some(u, text)?,
        verdict: *u.choose(&Verdict::ALL)?,
        reason: optional(u, text)?,
        rests_on: optional(u, text)?,
        divergence: optional(u, divergence)?,
        excuse: optional(u, text)?,
        evidence: Evidence {
            wire: some(u, wire)?,
            transcript: text(u)?,
            names: text(u)?,
            repeat: text(u)?,
            death: optional(u, |u| Ok(Death { status: status(u)?, stderr: text(u)? }))?,
            activity: optional(u, |u| Ok(Activity { time: u.arbitrary()?, cpu: u.arbitrary()? }))?,
            called: optional(u, |u| u.arbitrary())?,
            cycles: optional(u, |u| Ok(Cycles { expected: optional(u, text)?, actual: optional(u, text)? }))?,
            stderr: optional(u, |u| Ok(Written { text: text(u)?, beside: u.arbitrary()? }))?,
            took: optional(u, |u| u.arbitrary())?,
        },
    })
}

fn status(u: &mut Unstructured<'_>) -> Result<Status> {
    Ok(match u.int_in_range(0..=2)? {
        0 => Status::Exit(u.arbitrary()?),
        1 => Status::Signal { number: u.arbitrary()?, name: optional(u, text)? },
        _ => Status::Unknown,
    })
}

fn stale(u: &mut Unstructured<'_>) -> Result<Stale> {
    let reference = if u.arbitrary()? { Reference::Baseline } else { Reference::Snapshot };
    Ok(Stale { reference, id: text(u)?, problem: text(u)?, remedy: text(u)? })
}

fn divergence(u: &mut Unstructured<'_>) -> Result<Divergence> {
    Ok(Divergence {
        step: text(u)?,
        clause: text(u)?,
        kind: *u.choose(&Kind::ALL)?,
        path: text(u)?,
        expected: text(u)?,
        actual: text(u)?,
        fingerprint: text(u)?,
    })
}

fn wire(u: &mut Unstructured<'_>) -> Result<Wire> {
    let from = if u.arbitrary()? { Origin::Suite } else { Origin::Peer };
    Ok(match u.int_in_range(0..=2)? {
        0 => Wire::Bytes { from, bytes: bytes(u)?, cut: u.arbitrary()?, step: text(u)? },
        1 => Wire::Event { from, what: *u.choose(&Act::ALL)? },
        _ => Wire::Omitted(u.arbitrary()?),
    })
}

fn bytes(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let bytes = <&[u8]>::arbitrary(u)?;
    // Formats truncate, fold and count long texts. The repetition lets short inputs reach that
    // code.
    let times = if u.ratio(1, 8)? { 30 } else { 1 };
    Ok(bytes.repeat(times))
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(u)?).into_owned())
}

fn optional<T>(
    u: &mut Unstructured<'_>,
    make: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { make(u).map(Some) } else { Ok(None) }
}

fn some<T>(
    u: &mut Unstructured<'_>,
    mut make: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=CASES)?).map(|_| make(u)).collect()
}
