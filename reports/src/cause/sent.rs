//! The line of the suite that a finding is about, and what came instead of an answer to it.

use crate::event::{Act, Kind, Origin, Outcome, Wire};

/// The pieces of the line of the suite that a finding is about, in order, without the newline;
/// empty if the wire log has none. The number is how many bytes are missing at the end.
///
/// If the peer called a function unexpectedly, that is the line that declares the function. If a
/// value was wrong, that is the line before the peer's last one. If the peer ended or was silent,
/// that is the first line without an answer: later ones were sent before the suite knew.
#[must_use]
pub fn sent(outcome: &Outcome) -> (Vec<&[u8]>, usize) {
    let wire = &outcome.evidence.wire;
    let last = wire.iter().rposition(|entry| from(entry, Origin::Peer).is_some());
    let is_suite = |at: &usize| from(&wire[*at], Origin::Suite).is_some();
    let before = |end: usize| (0..end).rev().find(is_suite);
    let came = outcome.divergence.as_ref().is_some_and(|divergence| {
        matches!(divergence.kind, Kind::Differs | Kind::Unexpected | Kind::Broken | Kind::Order)
    });
    let declares = |id: i64| {
        let key = format!("\"{id}\":");
        (0..wire.len()).find(|at| {
            from(&wire[*at], Origin::Suite).is_some_and(|(bytes, _)| find(bytes, key.as_bytes()).is_some())
        })
    };
    let at = match (outcome.evidence.called.and_then(declares), last) {
        (Some(at), _) => Some(at),
        (None, Some(last)) if came => before(last),
        (None, last) => {
            (last.map_or(0, |last| last + 1)..wire.len()).find(is_suite).or_else(|| before(wire.len()))
        }
    };
    let Some(at) = at else { return (Vec::new(), 0) };
    // The line may have begun before, in a piece without a newline.
    let mut pieces = vec![at];
    while let Some(earlier) = before(pieces[0])
        && from(&wire[earlier], Origin::Suite).is_some_and(|(bytes, _)| !bytes.ends_with(b"\n"))
    {
        pieces.insert(0, earlier);
    }
    // It may end later.
    let ends = |at: usize| from(&wire[at], Origin::Suite).is_some_and(|(bytes, _)| bytes.ends_with(b"\n"));
    while let Some(later) = (pieces[pieces.len() - 1] + 1..wire.len()).find(is_suite)
        && !ends(pieces[pieces.len() - 1])
    {
        pieces.push(later);
    }
    let pieces: Vec<(&[u8], usize)> =
        pieces.into_iter().filter_map(|at| from(&wire[at], Origin::Suite)).collect();
    let missing = pieces.last().map_or(0, |(_, missing)| *missing);
    (pieces.into_iter().map(|(bytes, _)| bytes.strip_suffix(b"\n").unwrap_or(bytes)).collect(), missing)
}

/// The line that the peer sent after the last known-good call, if that is not the answer, without the
/// newline. The number is how many bytes are missing at the end.
#[must_use]
pub fn instead(outcome: &Outcome) -> Option<(&[u8], usize)> {
    let divergence = outcome.divergence.as_ref().filter(|divergence| divergence.kind == Kind::Deaf)?;
    let wire = &outcome.evidence.wire;
    let at = wire.iter().rposition(|entry| from(entry, Origin::Suite).is_some())?;
    let Wire::Bytes { bytes: call, step, .. } = &wire[at] else { return None };
    let here = wire[at..].iter().take_while(|entry| {
        // What follows came on another connection.
        !matches!(entry, Wire::Event { what: Act::UsesAnother, .. })
    });
    let (line, missing) = here.filter_map(|entry| from(entry, Origin::Peer)).next()?;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    (*step == divergence.step && !calls_back(line, call)).then_some((line, missing))
}

/// Whether this line calls a function that the message `call` declares.
fn calls_back(line: &[u8], call: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Call {
        method: i64,
    }
    serde_json::from_slice::<Call>(line)
        .is_ok_and(|Call { method }| find(call, format!("\"{method}\":").as_bytes()).is_some())
}

/// The bytes of an entry that this end sent, and how many more there were.
fn from(entry: &Wire, end: Origin) -> Option<(&[u8], usize)> {
    match entry {
        Wire::Bytes { from, bytes, cut, .. } if *from == end => Some((bytes, *cut)),
        _ => None,
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
