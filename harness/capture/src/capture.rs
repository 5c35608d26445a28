//! A whole capture: from a file to the events of its connections.

use crate::event::Event;
use crate::file::{CaptureError, Packets};
use crate::frame::Frame;
use crate::limits;
use crate::table::{AfterClose, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

/// Reads a capture: an iterator over the events of its connections, in the order of the file.
///
/// An error is the last item. The events before it are complete: all connections are closed.
pub struct Capture<R> {
    packets: Packets<R>,
    table: Table,
    seen: Seen,
    /// The file has ended.
    is_over: bool,
    error: Option<CaptureError>,
}

/// What was counted.
#[derive(Debug, Default)]
struct Seen {
    segments: u64,
    fragments: u64,
    first_fragment: Option<u64>,
    cut: u64,
    unknown_links: BTreeMap<u16, u64>,
}

/// What a capture holds, and what was left out of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The packets of the file.
    pub packets: u64,
    /// The TCP segments of connections to the chosen port.
    pub segments: u64,
    /// The ports of the servers of connections with bytes, each with the number of connections. At
    /// most 64 are listed.
    pub ports: BTreeMap<u16, usize>,
    /// Ports of connections with bytes that were not chosen. At most 64 are listed.
    pub other_ports: BTreeSet<u16>,
    /// How many packets are parts of fragmented IP packets. They are not put together.
    pub fragments: u64,
    /// The first of them.
    pub first_fragment: Option<u64>,
    /// How many TCP segments were captured only in part: the snapshot length was too small.
    pub cut: u64,
    /// Link types that cannot be read, each with its number of packets.
    pub unknown_links: BTreeMap<u16, u64>,
    /// How many segments belong to connections that were left out, because there were too many at one
    /// time.
    pub refused: u64,
    /// The segments with bytes after the end of their connection. They are left out.
    pub after_close: AfterClose,
    /// The file ends within a packet.
    pub ends_early: bool,
}

impl<R: Read> Capture<R> {
    /// Reads the beginning of a capture. With a port, only connections to it count.
    ///
    /// # Errors
    /// The file is no capture, is compressed, or cannot be read.
    pub fn read(reader: R, port: Option<u16>) -> Result<Capture<R>, CaptureError> {
        let packets = Packets::open(reader)?;
        Ok(Capture { packets, table: Table::new(port), seen: Seen::default(), is_over: false, error: None })
    }

    /// What it holds, so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            packets: self.packets.count(),
            segments: self.seen.segments,
            ports: self.table.ports().clone(),
            other_ports: self.table.other_ports().clone(),
            fragments: self.seen.fragments,
            first_fragment: self.seen.first_fragment,
            cut: self.seen.cut,
            unknown_links: self.seen.unknown_links.clone(),
            refused: self.table.refused(),
            after_close: self.table.after_close(),
            ends_early: self.packets.ends_early(),
        }
    }

    fn read_packet(&mut self) {
        let Capture { packets, table, seen, .. } = self;
        let read = packets.next(&mut |packet| match Frame::of(packet) {
            Frame::Segment(segment) => {
                if table.take(&segment) {
                    seen.segments += 1;
                    seen.cut += u64::from(segment.missing > 0);
                }
            }
            Frame::Fragment => {
                seen.fragments += 1;
                seen.first_fragment.get_or_insert(packet.number);
            }
            Frame::Headless => seen.cut += 1,
            Frame::UnknownLink => {
                let is_listed = seen.unknown_links.len() < limits::LISTED;
                if is_listed || seen.unknown_links.contains_key(&packet.link) {
                    *seen.unknown_links.entry(packet.link).or_default() += 1;
                }
            }
            Frame::Other => {}
        });
        self.is_over = !matches!(read, Ok(true));
        self.error = read.err();
        if self.is_over {
            self.table.finish();
        }
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<Event, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.table.next_event() {
                return Some(Ok(event));
            }
            if self.is_over {
                return self.error.take().map(Err);
            }
            self.read_packet();
        }
    }
}

impl<R> fmt::Debug for Capture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("packets", &self.packets.count()).finish_non_exhaustive()
    }
}
