//! One connection: two directions, in an order that both ends could have seen.
//!
//! A segment says up to which byte its sender had received. So its bytes come after these bytes of
//! the other end, also if the packets were captured in another order.

use crate::event::{Close, Gap, What};
use crate::frame::Segment;
use crate::lane::{Lane, Piece};
use crate::limits;
use dnode_spec::state::End;
use std::net::SocketAddr;

/// A connection.
#[derive(Debug)]
pub(crate) struct Flow {
    /// The two ends, in the order of [`key`].
    addresses: [SocketAddr; 2],
    lanes: [Lane; 2],
    /// Which of them connected, if that is known.
    client: Option<usize>,
    /// The port that the caller chose.
    port: Option<u16>,
    /// The memory of the waiting pieces.
    held: usize,
    /// Segments with bytes, until both directions are settled.
    unsettled: usize,
    /// Its first bytes were emitted.
    is_open: bool,
    /// Its number in the capture, from 1; 0 before its first bytes.
    number: usize,
    /// The missing beginning of each direction was reported.
    is_reported: [bool; 2],
    is_closed: bool,
    /// It goes to another port than the caller chose.
    is_left_out: bool,
}

/// The addresses of the ends, in an order that does not depend on the direction.
pub(crate) type Key = [SocketAddr; 2];

pub(crate) fn key(segment: &Segment<'_>) -> Key {
    let mut key = [segment.from, segment.to];
    key.sort_unstable();
    key
}

/// The events of a flow so far.
pub(crate) type Events = Vec<What>;

impl Flow {
    pub(crate) fn new(key: Key, port: Option<u16>) -> Flow {
        Flow {
            addresses: key,
            lanes: Default::default(),
            client: None,
            port,
            held: 0,
            unsettled: 0,
            is_open: false,
            number: 0,
            is_reported: [false; 2],
            is_closed: false,
            is_left_out: false,
        }
    }

    /// Whether a segment has new bytes, although the connection is over.
    pub(crate) fn is_over_before(&mut self, segment: &Segment<'_>) -> bool {
        let is_over = self.is_closed && !self.is_left_out && !segment.syn && !segment.bytes.is_empty();
        let from = usize::from(segment.from != self.addresses[0]);
        is_over && !self.lanes[from].has_reached(segment.sequence.wrapping_add(segment.bytes.len() as u32))
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn set_number(&mut self, number: usize) {
        self.number = number;
    }

    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether another connection may take its place: it is over, or carried no bytes.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_closed || (!self.is_open && self.held == 0)
    }

    /// Takes a segment. Returns false if it opens a new connection with the same addresses.
    pub(crate) fn take(&mut self, segment: &Segment<'_>, events: &mut Events) -> bool {
        let from = usize::from(segment.from != self.addresses[0]);
        if segment.syn && !self.open(from, segment) {
            return false;
        }
        if self.is_closed {
            return true;
        }
        let first = segment.sequence.wrapping_add(u32::from(segment.syn));
        if let Some(acknowledged) = segment.acknowledged.filter(|_| !segment.reset) {
            self.lanes[1 - from].acknowledge(acknowledged);
        }
        if !segment.bytes.is_empty() && !segment.reset {
            self.held += self.lanes[from].insert(first, segment.bytes, |bytes| Piece {
                bytes: bytes.to_vec(),
                packet: segment.packet,
                acknowledged: segment.acknowledged,
                differs: None,
            });
            self.unsettled += 1;
        }
        if segment.fin {
            let length = (segment.bytes.len() as u32).wrapping_add(segment.missing);
            self.lanes[from].ends_at(first.wrapping_add(length), segment.acknowledged);
        }
        if self.unsettled > limits::UNSETTLED {
            self.lanes.iter_mut().for_each(Lane::settle);
        }
        self.drain(false, events);
        while self.held > limits::HELD_BY_ONE && self.force(events) {}
        if segment.reset && self.lanes[from].accepts_reset(first) {
            self.close(Close::Reset, events);
        } else if self.lanes.iter().all(Lane::has_ended) {
            self.close(Close::Ended, events);
        }
        true
    }

    /// Takes a segment that opens a connection. Returns false if it is another one than this.
    fn open(&mut self, from: usize, segment: &Segment<'_>) -> bool {
        let begins_here = self.lanes[from].begins_at(segment.sequence.wrapping_add(1));
        let is_same = begins_here && (!self.is_closed || self.lanes[from].is_whole());
        if is_same {
            let answers = segment.acknowledged.filter(|_| !segment.reset);
            self.client.get_or_insert(if answers.is_some() { 1 - from } else { from });
            if let Some(acknowledged) = answers {
                // A stale answer is no reason to start again.
                let _ = self.lanes[1 - from].begins_at(acknowledged);
            }
        }
        is_same
    }

    /// Emits everything that is in order. Bytes wait until the other end acknowledges them, because
    /// another copy may differ until then; `is_late` emits them without that.
    fn drain(&mut self, is_late: bool, events: &mut Events) {
        loop {
            let lane = match [0, 1].map(|lane| self.is_ready(lane)) {
                [Some(one), Some(other)] => usize::from(other < one),
                [Some(_), None] => 0,
                [None, Some(_)] => 1,
                [None, None] => {
                    let Some(lane) = [0, 1].into_iter().find(|lane| self.ends_next(*lane)) else { return };
                    self.take_end(lane, events);
                    continue;
                }
            };
            if !is_late && !self.lanes[lane].is_acknowledged() {
                return;
            }
            self.emit(lane, events);
        }
    }

    /// Whether a direction ends here, and nothing before its end is missing.
    fn ends_next(&mut self, lane: usize) -> bool {
        let Some(acknowledged) = self.lanes[lane].next_end() else { return false };
        acknowledged.is_none_or(|sequence| self.lanes[1 - lane].has_reached(sequence))
    }

    fn take_end(&mut self, lane: usize, events: &mut Events) {
        self.lanes[lane].take_end();
        if self.is_open {
            events.push(What::Ended { from: self.end(lane) });
        }
    }

    /// The packet of the next bytes of a direction, if nothing before them is missing. Nothing is
    /// emitted until the beginning of both directions is settled.
    fn is_ready(&mut self, lane: usize) -> Option<u64> {
        let piece = self.lanes[lane].ready()?;
        let (packet, acknowledged) = (piece.packet, piece.acknowledged);
        let other = &mut self.lanes[1 - lane];
        acknowledged.is_none_or(|sequence| other.has_reached(sequence)).then_some(packet)
    }

    /// Emits the first piece of a direction.
    fn emit(&mut self, lane: usize, events: &mut Events) {
        self.begin(events);
        let (from, at) = (self.end(lane), self.lanes[lane].taken());
        let Some(Piece { bytes, packet, differs, .. }) = self.lanes[lane].take() else { return };
        self.held -= bytes.len() + limits::PIECE;
        events.push(match differs {
            None => What::Bytes { from, bytes, packet },
            Some(other) => {
                let copies = Some([packet.min(other), packet.max(other)]);
                let (bytes, before) = (Some(bytes.len() as u64), self.lanes[lane].first_packet());
                What::Gap(Gap { from, at, bytes, before, copies })
            }
        });
    }

    /// Reports bytes that are missing.
    fn skip(&mut self, lane: usize, bytes: u64, events: &mut Events) {
        self.begin(events);
        let (at, before) = (self.lanes[lane].taken(), self.lanes[lane].first_packet());
        self.lanes[lane].skip(bytes);
        events.push(What::Gap(Gap { from: self.end(lane), at, bytes: Some(bytes), before, copies: None }));
    }

    /// Opens the connection before its first bytes, and reports each direction whose beginning is
    /// missing.
    fn begin(&mut self, events: &mut Events) {
        if !std::mem::replace(&mut self.is_open, true) {
            let is_one = |address: SocketAddr| Some(address.port()) == self.port;
            let has_port = is_one(self.addresses[0]) != is_one(self.addresses[1]);
            let is_guess = self.client.is_none() && !has_port;
            let client = *self.client.get_or_insert_with(|| guess(self.addresses, self.port));
            let [client, server] = [client, 1 - client].map(|lane| self.addresses[lane]);
            events.push(What::Opened { client, server, is_guess });
        }
        for lane in [0, 1] {
            let is_partial = self.lanes[lane].is_settled() && !self.lanes[lane].is_whole();
            if is_partial && !std::mem::replace(&mut self.is_reported[lane], true) {
                let before = self.lanes[lane].first_packet();
                events.push(What::Gap(Gap {
                    from: self.end(lane),
                    at: 0,
                    bytes: None,
                    before,
                    copies: None,
                }));
            }
        }
    }

    fn end(&self, lane: usize) -> End {
        if self.client == Some(lane) { End::A } else { End::B }
    }

    /// Stops waiting for acknowledgements, or else for the bytes that are missing first. Returns
    /// false if nothing waits.
    pub(crate) fn force(&mut self, events: &mut Events) -> bool {
        self.lanes.iter_mut().for_each(Lane::settle);
        let held = self.held;
        self.drain(true, events);
        if self.held < held {
            return true;
        }
        let waiting = [0, 1].map(|lane| self.lanes[lane].ready().map(|it| (it.packet, it.acknowledged)));
        match waiting {
            // Each waits for the other: an acknowledgement is that of a later copy. So the order is
            // lost, although no bytes are.
            [Some((one, _)), Some((other, _))] => {
                self.skip(usize::from(other < one), 0, events);
                self.emit(usize::from(other < one), events);
            }
            [Some((_, acknowledged)), None] => self.give_up(0, acknowledged, events),
            [None, Some((_, acknowledged))] => self.give_up(1, acknowledged, events),
            [None, None] => {
                let first = [0, 1].into_iter().filter(|lane| self.lanes[*lane].has_pieces());
                let Some(lane) = first.min_by_key(|lane| self.lanes[*lane].first_packet()) else {
                    return false;
                };
                let bytes = self.lanes[lane].hole(None);
                self.skip(lane, bytes, events);
            }
        }
        self.drain(true, events);
        true
    }

    /// Gives up the bytes of the other end that the next bytes of this one wait for.
    fn give_up(&mut self, lane: usize, acknowledged: Option<u32>, events: &mut Events) {
        match self.lanes[1 - lane].hole(acknowledged) {
            0 => self.emit(lane, events),
            bytes => self.skip(1 - lane, bytes, events),
        }
    }

    /// Ends the connection: nothing more will come.
    pub(crate) fn close(&mut self, cause: Close, events: &mut Events) {
        if self.is_closed {
            return;
        }
        while self.force(events) {}
        for lane in [0, 1] {
            // A last number that was acknowledged may be that of the end, which takes one too.
            let least = if self.lanes[lane].ends() { 1 } else { 2 };
            let bytes = self.lanes[lane].hole(None);
            if self.lanes[lane].is_whole() && bytes >= least {
                self.skip(lane, bytes, events);
            }
        }
        self.drain(true, events);
        for lane in [0, 1] {
            // The end of the other direction, which this one has acknowledged, was not captured.
            if self.lanes[lane].next_end().is_some() {
                self.take_end(lane, events);
            }
        }
        self.is_closed = true;
        if self.is_open {
            let has_ended = self.lanes.iter().all(Lane::has_ended);
            events.push(What::Closed(if has_ended { Close::Ended } else { cause }));
        }
    }

    /// Ends the connection without an event.
    pub(crate) fn abandon(&mut self) {
        *self = Flow {
            is_closed: true,
            is_left_out: true,
            client: self.client,
            ..Flow::new(self.addresses, self.port)
        };
    }
}

/// Which of two ends connected, if the packets that open the connection were not captured: the one
/// that does not have the port of the service. Services have lower ports than their clients.
fn guess(addresses: Key, port: Option<u16>) -> usize {
    let [one, other] = addresses.map(|address| address.port());
    match port {
        Some(port) if one != other && port == one => 1,
        Some(port) if one != other && port == other => 0,
        _ => usize::from(one < other),
    }
}
