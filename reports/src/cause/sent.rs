//! The line of the suite that a finding is about.

use crate::event::{Kind, Origin, Outcome, Wire};

/// The pieces of the line of the suite that a finding is about, in order, without the newline;
/// empty if the wire log has none. The number is how many bytes are missing at the end.
///
/// If a value was wrong, that is the line before the peer's last one. If a message came that nothing
/// expects, that is the first of the lines before the peer's last ones: the known-good call comes
/// after it. If the peer ended or was silent, that is the first line without an answer: later ones
/// were sent before the suite knew.
#[must_use]
pub fn sent(outcome: &Outcome) -> (Vec<&[u8]>, usize) {
    let wire = &outcome.evidence.wire;
    let last = wire.iter().rposition(|entry| from(entry, Origin::Peer).is_some());
    let is_suite = |at: &usize| from(&wire[*at], Origin::Suite).is_some();
    let before = |end: usize| (0..end).rev().find(is_suite);
    let is_peer = |at: &usize| from(&wire[*at], Origin::Peer).is_some();
    let kind = outcome.divergence.as_ref().map(|divergence| (divergence.kind, divergence.path.is_empty()));
    let at = match last {
        Some(last) if matches!(kind, Some((Kind::Unexpected, true))) => {
            let end = before(last).map_or(0, |at| at + 1);
            let begin = (0..end).rev().find(is_peer).map_or(0, |at| at + 1);
            (begin..end).find(is_suite)
        }
        Some(last)
            if matches!(kind, Some((Kind::Differs | Kind::Unexpected | Kind::Broken | Kind::Order, _))) =>
        {
            before(last)
        }
        last => (last.map_or(0, |last| last + 1)..wire.len()).find(is_suite).or_else(|| before(wire.len())),
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

/// The bytes of an entry that this end sent, and how many more there were.
fn from(entry: &Wire, end: Origin) -> Option<(&[u8], usize)> {
    match entry {
        Wire::Bytes { from, bytes, cut } if *from == end => Some((bytes, *cut)),
        _ => None,
    }
}

/// How many bytes a wire log has.
pub(super) fn bytes(wire: &[Wire]) -> usize {
    let length = |entry: &Wire| match entry {
        Wire::Bytes { bytes, cut, .. } => bytes.len() + cut,
        Wire::Event { .. } | Wire::Omitted(_) => 0,
    };
    wire.iter().map(length).sum()
}
