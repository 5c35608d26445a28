//! Any order, duplication and segmentation of the packets gives the same bytes in the same order,
//! any loss gives gaps, and no file causes a panic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use dnode_capture::{Capture, Event, Gap, What};
use dnode_spec::state::End;
use proptest::prelude::*;
use proptest::sample::Index;
use support::packets::{LINKS, Segment, Talk, capture, frames, pcap, pcapng};
use support::{describe, read};

/// Which end sends how many bytes.
type Says = Vec<(bool, u8)>;

fn says() -> impl Strategy<Value = Says> {
    prop::collection::vec((any::<bool>(), 1..15u8), 1..10)
}

/// A connection in which each byte of an end says its own place in the stream.
fn talk(says: &Says, first: [u32; 2]) -> Talk {
    let mut talk = Talk::open("10.0.0.1:40000", "10.0.0.2:5050", first);
    let mut next = [0u8; 2];
    for (from, length) in says {
        let from = usize::from(*from);
        talk.say(from, (next[from]..next[from] + length).collect::<Vec<u8>>());
        next[from] += length;
    }
    talk.end(0).end(1);
    talk
}

/// Changes to the packets that no receiver notices.
#[derive(Debug, Clone)]
struct Disturbance {
    /// Cuts a segment in two.
    cuts: Vec<(Index, Index)>,
    /// Sends a segment again.
    copies: Vec<Index>,
    /// Sends a segment again, with the next one of the same end.
    merges: Vec<Index>,
    /// The order, as keys to sort by.
    order: Vec<u16>,
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    let index = any::<Index>;
    (
        prop::collection::vec((index(), index()), 0..6),
        prop::collection::vec(index(), 0..4),
        prop::collection::vec(index(), 0..4),
        prop::collection::vec(any::<u16>(), 80),
    )
        .prop_map(|(cuts, copies, merges, order)| Disturbance { cuts, copies, merges, order })
}

fn disturb(segments: &[Segment], disturbance: &Disturbance) -> Vec<Segment> {
    let mut out = segments.to_vec();
    for (which, at) in &disturbance.cuts {
        let n = which.index(out.len());
        if out[n].bytes.len() > 1 {
            let halves = out[n].cut(1 + at.index(out[n].bytes.len() - 1));
            out.splice(n..=n, halves);
        }
    }
    let copies = disturbance.copies.iter().map(|which| out[which.index(out.len())].clone());
    let merged = disturbance.merges.iter().filter_map(|which| {
        let n = which.index(out.len());
        let (one, next) = (&out[n], out.get(n + 1)?);
        let follows = one.from == next.from && !one.bytes.is_empty() && !next.bytes.is_empty();
        follows.then(|| {
            let bytes = [&one.bytes[..], &next.bytes].concat();
            Segment { captured: bytes.len(), bytes, ..one.clone() }
        })
    });
    let more: Vec<Segment> = copies.chain(merged).collect();
    out.extend(more);
    let mut keyed: Vec<(u16, Segment)> = disturbance.order.iter().copied().cycle().zip(out).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, segment)| segment).collect()
}

/// Checks the events of a connection that may have lost packets.
fn check_loss(events: &[Event], says: &Says) -> Result<(), TestCaseError> {
    // How far each end has come, and whether that is exact.
    let mut reached = [Some(0u64); 2];
    for Event { what, .. } in events {
        match what {
            What::Gap(Gap { from, bytes: None, .. }) => reached[*from as usize] = None,
            What::Gap(Gap { from, bytes: Some(bytes), .. }) => {
                if let Some(reached) = &mut reached[*from as usize] {
                    *reached += bytes;
                }
            }
            What::Bytes { from, bytes, .. } => {
                let at = *from as usize;
                for byte in bytes {
                    let place = u64::from(*byte);
                    prop_assert!(reached[at].is_none_or(|reached| reached == place), "{}", describe(events));
                    reached[at] = Some(place + 1);
                    let (needs, other) = (needed(says, *from, place), reached[1 - at]);
                    prop_assert!(other.is_none_or(|other| other >= needs), "{}", describe(events));
                }
            }
            What::Ended { from } => {
                let end = says.iter().filter(|it| usize::from(it.0) == *from as usize);
                let length: u64 = end.map(|it| u64::from(it.1)).sum();
                prop_assert!(reached[*from as usize].is_none_or(|reached| reached == length));
            }
            What::Opened { .. } | What::Closed(_) => {}
        }
    }
    Ok(())
}

/// How many bytes of the other end had been sent before this byte.
fn needed(says: &Says, from: End, place: u64) -> u64 {
    let (mut own, mut other) = (0, 0);
    for (end, length) in says {
        if usize::from(*end) == from as usize {
            own += u64::from(*length);
            if own > place {
                break;
            }
        } else {
            other += u64::from(*length);
        }
    }
    other
}

proptest! {
    #[test]
    fn order_copies_and_cuts_change_nothing(
        says in says(), first in any::<[u32; 2]>(), disturbance in disturbance(), link in 0..LINKS.len(),
    ) {
        let talk = talk(&says, first);
        let expected = describe(&read(&capture(&talk.segments)).0);
        prop_assert!(!expected.contains("gap") && expected.ends_with("1 Ended"), "{}", expected);
        let packets = frames(LINKS[link], &disturb(&talk.segments, &disturbance));
        prop_assert_eq!(describe(&read(&pcap(LINKS[link].number(), &packets)).0), &expected[..]);
        prop_assert_eq!(describe(&read(&pcapng(LINKS[link].number(), &packets)).0), &expected[..]);
    }

    #[test]
    fn loss_gives_gaps_and_no_other_bytes(
        says in says(), first in any::<[u32; 2]>(), disturbance in disturbance(),
        lost in prop::collection::vec(any::<Index>(), 1..8), cut in prop::option::of((any::<Index>(), 0..5usize)),
    ) {
        let talk = talk(&says, first);
        let mut segments = disturb(&talk.segments, &disturbance);
        for which in &lost {
            if !segments.is_empty() {
                segments.remove(which.index(segments.len()));
            }
        }
        if let Some((which, captured)) = cut.filter(|_| !segments.is_empty()) {
            let segment = which.index(segments.len());
            segments[segment].captured = captured.min(segments[segment].bytes.len());
        }
        check_loss(&read(&capture(&segments)).0, &says)?;
    }

    #[test]
    fn random_bytes_cause_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400), is_new in any::<bool>(),
    ) {
        let [old, new] = [pcap, pcapng].map(|write| write(1, &[]));
        let file = [if is_new { new } else { old }, bytes].concat();
        if let Ok(capture) = Capture::read(&file[..], None) {
            capture.count();
        }
    }

    #[test]
    fn changed_captures_cause_no_panic_and_end_each_connection_once(
        says in says(), is_new in any::<bool>(), link in 0..LINKS.len(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let packets = frames(LINKS[link], &talk(&says, [7, 7]).segments);
        let mut file = if is_new { pcapng } else { pcap }(LINKS[link].number(), &packets);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let Ok(capture) = Capture::read(&file[..], None) else { return Ok(()) };
        let mut open = std::collections::BTreeSet::new();
        for Event { connection, what } in capture.flatten() {
            match what {
                What::Opened { .. } => prop_assert!(open.insert(connection)),
                What::Closed(_) => prop_assert!(open.remove(&connection)),
                _ => prop_assert!(open.contains(&connection)),
            }
        }
        prop_assert!(open.is_empty());
    }
}
