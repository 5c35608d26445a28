//! Reading packet captures.

use dnode_capture::{Capture, Event, Gap, What};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Reads an input as a packet capture.
///
/// 1. Reading does not panic, and ends.
/// 2. A connection opens once, closes once, and has all other events in between. Nothing follows the
///    end of one of its directions but its gaps.
/// 3. There are no more bytes than in the file, and each names a packet of the file.
/// 4. The offset of a gap is the number of bytes before it.
/// 5. A pipe that gives one byte at a time makes no difference.
///
/// # Panics
/// If one of these does not hold.
pub fn capture(data: &[u8]) {
    let Ok(mut capture) = Capture::read(data, None) else { return };
    let events: Vec<Event> = capture.by_ref().flatten().collect();
    let packets = capture.summary().packets;
    let mut open = BTreeMap::new();
    let mut total = 0;
    for Event { connection, what } in &events {
        match what {
            What::Opened { .. } => {
                assert!(open.insert(connection, ([0u64; 2], [false; 2])).is_none(), "opened twice");
                continue;
            }
            What::Closed(_) => {
                assert!(open.remove(connection).is_some(), "closed twice");
                continue;
            }
            _ => {}
        }
        let Some((reached, ended)) = open.get_mut(connection) else { panic!("not open: {what:?}") };
        match what {
            What::Bytes { from, bytes, packet } => {
                assert!(!bytes.is_empty() && !ended[*from as usize] && (1..=packets).contains(packet));
                reached[*from as usize] += bytes.len() as u64;
                total += bytes.len();
            }
            What::Gap(Gap { from, at, bytes, .. }) => {
                assert_eq!(*at, reached[*from as usize]);
                reached[*from as usize] += bytes.unwrap_or_default();
            }
            What::Ended { from } => assert!(!std::mem::replace(&mut ended[*from as usize], true)),
            What::Opened { .. } | What::Closed(_) => {}
        }
    }
    assert!(open.is_empty() && total <= data.len());
    let slowly = Capture::read(Slow(data), None).map(|capture| capture.flatten().collect::<Vec<_>>());
    assert_eq!(slowly.ok(), Some(events));
}

/// Gives one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}
