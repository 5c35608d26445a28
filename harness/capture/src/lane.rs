//! One direction of a connection: puts its bytes in order.
//!
//! Positions are offsets in the stream, counted without end, although sequence numbers wrap. The
//! first sequence number that is seen is at [`ORIGIN`], so that earlier ones have a place too.

use crate::limits;
use std::collections::BTreeMap;

/// The position of the first sequence number that is seen: a multiple of 2^32, so the lower half of
/// a position is the distance of its sequence number from the first one.
const ORIGIN: u64 = 1 << 32;

/// How far the beginning of a stream may be from the first byte that was captured, if the packet
/// that opens it was captured after that byte. A reset may be as far from the last byte.
const LATE: u64 = 1 << 20;

/// Bytes that wait for earlier ones, or for bytes of the other end.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Vec<u8>,
    pub(crate) packet: u64,
    /// The sequence number up to which the sender had received when it sent this.
    pub(crate) acknowledged: Option<u32>,
    /// The packet of another copy that differs. Nothing shows which copy is right.
    pub(crate) differs: Option<u64>,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// The sequence number at [`ORIGIN`], once one was seen.
    origin: Option<u32>,
    /// The position of the next byte, once it is settled.
    at: u64,
    /// The position of the first byte, once it is settled.
    start: Option<u64>,
    /// The beginning of the stream was captured.
    is_whole: bool,
    /// Bytes from `at` on, without overlaps.
    pieces: BTreeMap<u64, Piece>,
    /// The lowest position that was seen.
    lowest: Option<u64>,
    /// The highest position up to which the receiver has acknowledged.
    acknowledged: u64,
    /// The end of the stream, and the sequence number up to which its sender had received then.
    end: Option<(u64, Option<u32>)>,
    has_ended: bool,
}

impl Lane {
    pub(crate) fn is_settled(&self) -> bool {
        self.start.is_some()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether the end of the stream is known.
    pub(crate) fn ends(&self) -> bool {
        self.end.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    pub(crate) fn has_pieces(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// How many bytes were taken, or are known to be missing.
    pub(crate) fn taken(&self) -> u64 {
        self.start.map_or(0, |start| self.at - start)
    }

    /// The position of a sequence number: the one that is nearest to the next byte.
    fn position(&mut self, sequence: u32) -> u64 {
        let origin = *self.origin.get_or_insert(sequence);
        let near = if self.is_settled() { self.at } else { ORIGIN };
        let distance = sequence.wrapping_sub(origin.wrapping_add(near as u32));
        near.saturating_add_signed(i64::from(distance.cast_signed()))
    }

    /// Takes the sequence number of the first byte, from a packet that opens the connection. Returns
    /// false if the stream has begun elsewhere, so that the packet opens another connection.
    pub(crate) fn begins_at(&mut self, sequence: u32) -> bool {
        let position = self.position(sequence);
        match self.start {
            None => {
                self.settle_at(position);
                self.is_whole = true;
                true
            }
            Some(start) if self.is_whole => position == start,
            // The packet was captured late.
            Some(start) => position <= start && start - position <= LATE,
        }
    }

    /// Settles the beginning of the stream, if its beginning was not captured.
    pub(crate) fn settle(&mut self) {
        if !self.is_settled() {
            self.settle_at(self.lowest.unwrap_or(ORIGIN));
        }
    }

    fn settle_at(&mut self, position: u64) {
        self.start = Some(position);
        self.at = position;
        // A piece from before the beginning belongs to no stream.
        let later = self.pieces.split_off(&position);
        self.pieces = later;
    }

    /// Takes the bytes of a segment, and returns how much more memory they need. Bytes that are
    /// here already stay. If they differ from this copy, both copies are in doubt.
    pub(crate) fn insert(&mut self, sequence: u32, bytes: &[u8], piece: impl Fn(&[u8]) -> Piece) -> usize {
        let position = self.position(sequence);
        let differs = self.compare(position, bytes, piece(&[]).packet);
        let piece = |bytes: &[u8]| Piece { differs, ..piece(bytes) };
        self.see(position);
        let end = position + bytes.len() as u64;
        let end = self.end.map_or(end, |(limit, _)| end.min(limit));
        let mut from = if self.is_settled() { position.max(self.at) } else { position };
        let mut cost = 0;
        while from < end {
            let covered = self.pieces.range(..=from).next_back().map(|(at, it)| at + it.bytes.len() as u64);
            if let Some(covered) = covered.filter(|covered| *covered > from) {
                from = covered;
                continue;
            }
            let until = self.pieces.range(from..).next().map_or(end, |(at, _)| end.min(*at));
            let part = &bytes[(from - position) as usize..(until - position) as usize];
            cost += part.len() + limits::PIECE;
            self.pieces.insert(from, piece(part));
            from = until;
        }
        cost
    }

    /// Compares a copy, in this packet, with the bytes that are here. Returns the packet of bytes
    /// that differ.
    fn compare(&mut self, position: u64, bytes: &[u8], packet: u64) -> Option<u64> {
        // A probe of a living connection has one byte of any value.
        if bytes.len() == 1 {
            return None;
        }
        let mut other = None;
        let end = position + bytes.len() as u64;
        let first = self.pieces.range(..=position).next_back().map_or(position, |(at, _)| *at);
        for (at, piece) in self.pieces.range_mut(first..end) {
            let (from, until) = (position.max(*at), end.min(at + piece.bytes.len() as u64));
            if from < until {
                let old = &piece.bytes[(from - at) as usize..(until - at) as usize];
                if old != &bytes[(from - position) as usize..(until - position) as usize] {
                    piece.differs.get_or_insert(packet);
                    other.get_or_insert(piece.packet);
                }
            }
        }
        other
    }

    /// The stream ends at this sequence number. An end before bytes that are here is ignored.
    pub(crate) fn ends_at(&mut self, sequence: u32, acknowledged: Option<u32>) {
        let position = self.position(sequence);
        self.see(position);
        let last = self.pieces.last_key_value().map_or(self.at, |(at, piece)| at + piece.bytes.len() as u64);
        if position >= last {
            self.end.get_or_insert((position, acknowledged));
        }
    }

    /// Whether the other end accepts a reset with this sequence number. The size of its window is not
    /// known; it does not accept a number before the bytes that it has acknowledged.
    pub(crate) fn accepts_reset(&mut self, sequence: u32) -> bool {
        if self.origin.is_none() {
            return true;
        }
        let position = self.position(sequence);
        let last = self.pieces.last_key_value().map_or(self.at, |(at, piece)| at + piece.bytes.len() as u64);
        let least = self.acknowledged.max(self.start.unwrap_or_default());
        (least..=last.max(least).max(ORIGIN) + LATE).contains(&position)
    }

    /// The other end has received the bytes before this sequence number.
    pub(crate) fn acknowledge(&mut self, sequence: u32) {
        let position = self.position(sequence);
        self.see(position);
        self.acknowledged = self.acknowledged.max(position);
    }

    fn see(&mut self, position: u64) {
        self.lowest = Some(self.lowest.map_or(position, |lowest| lowest.min(position)));
    }

    /// The first piece, if it follows the bytes so far.
    pub(crate) fn ready(&self) -> Option<&Piece> {
        let (at, piece) = self.pieces.first_key_value()?;
        (self.is_settled() && *at == self.at).then_some(piece)
    }

    /// Whether the other end has acknowledged the first piece. Then a later copy of its bytes does
    /// not count: the other end has them.
    pub(crate) fn is_acknowledged(&self) -> bool {
        let end = self.pieces.first_key_value().map(|(at, piece)| at + piece.bytes.len() as u64);
        end.is_some_and(|end| end <= self.acknowledged)
    }

    /// Whether the bytes before this sequence number have been taken.
    pub(crate) fn has_reached(&mut self, sequence: u32) -> bool {
        // The end of the stream has a sequence number of its own.
        self.is_settled() && self.position(sequence) <= self.at + u64::from(self.has_ended)
    }

    /// Takes the first piece.
    pub(crate) fn take(&mut self) -> Option<Piece> {
        let (at, piece) = self.pieces.pop_first()?;
        self.at = at + piece.bytes.len() as u64;
        Some(piece)
    }

    /// Whether the end of the stream follows the bytes so far, and the sequence number that its
    /// sender acknowledged.
    pub(crate) fn next_end(&self) -> Option<Option<u32>> {
        let (end, acknowledged) = self.end?;
        (self.is_settled() && end == self.at && !self.has_ended).then_some(acknowledged)
    }

    /// Takes the end of the stream.
    pub(crate) fn take_end(&mut self) {
        self.has_ended = true;
    }

    /// The packet of the first piece.
    pub(crate) fn first_packet(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(_, piece)| piece.packet)
    }

    /// The number of bytes before the next piece, or else before `limit`, that are missing.
    pub(crate) fn hole(&mut self, limit: Option<u32>) -> u64 {
        let limit = limit.map_or(self.acknowledged, |sequence| self.position(sequence));
        let next = self.pieces.first_key_value().map(|(at, _)| *at).or(self.end.map(|(end, _)| end));
        next.unwrap_or(limit).saturating_sub(self.at)
    }

    /// Gives up the next bytes, which are missing.
    pub(crate) fn skip(&mut self, bytes: u64) {
        self.at += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(lane: &mut Lane, sequence: u32, bytes: &str) {
        lane.insert(sequence, bytes.as_bytes(), |part| Piece {
            bytes: part.to_vec(),
            packet: 1,
            acknowledged: None,
            differs: None,
        });
    }

    fn taken(lane: &mut Lane) -> String {
        let mut text = String::new();
        while lane.ready().is_some() {
            text.push_str(std::str::from_utf8(&lane.take().unwrap().bytes).unwrap());
        }
        text
    }

    #[test]
    fn bytes_are_put_in_order_across_the_wrap_of_sequence_numbers() {
        let mut lane = Lane::default();
        assert!(lane.begins_at(u32::MAX - 2));
        insert(&mut lane, 2, "fgh");
        insert(&mut lane, u32::MAX - 2, "abc");
        assert_eq!(taken(&mut lane), "abc");
        assert_eq!(lane.hole(None), 2);
        insert(&mut lane, u32::MAX, "cdefg");
        assert_eq!(taken(&mut lane), "defgh");
        assert_eq!(lane.taken(), 8);
    }

    #[test]
    fn copy_adds_the_bytes_around_those_that_are_here() {
        let mut lane = Lane::default();
        insert(&mut lane, 12, "cd");
        insert(&mut lane, 16, "gh");
        insert(&mut lane, 10, "abcdefghij");
        assert!(lane.begins_at(10));
        assert!(lane.pieces.values().all(|piece| piece.differs.is_none()));
        assert_eq!(taken(&mut lane), "abcdefghij");
        insert(&mut lane, 10, "retransmission");
        assert_eq!(taken(&mut lane), "sion");
    }

    #[test]
    fn copies_that_differ_are_in_doubt() {
        let mut lane = Lane::default();
        assert!(lane.begins_at(10));
        insert(&mut lane, 10, "ab");
        insert(&mut lane, 12, "cd");
        insert(&mut lane, 11, "bXef");
        let doubt = lane.pieces.values().map(|piece| piece.differs.is_some()).collect::<Vec<_>>();
        assert_eq!(doubt, [false, true, true]);
        insert(&mut lane, 10, "\0");
        assert_eq!(lane.pieces[&(lane.at)].differs, None, "it was a probe");
    }

    #[test]
    fn stream_may_begin_before_the_first_segment_that_was_captured() {
        let mut lane = Lane::default();
        insert(&mut lane, 5, "fg");
        insert(&mut lane, u32::MAX, "stale");
        insert(&mut lane, 0, "abcde");
        lane.ends_at(7, None);
        lane.settle();
        assert!(!lane.is_whole());
        assert_eq!(taken(&mut lane), "staleefg");
        assert_eq!(lane.next_end(), Some(None));
        lane.take_end();
        assert_eq!(lane.next_end(), None);
    }

    #[test]
    fn another_beginning_is_another_connection() {
        let mut lane = Lane::default();
        assert!(lane.begins_at(1000));
        assert!(lane.begins_at(1000), "it was sent twice");
        assert!(!lane.begins_at(5000));
        let mut late = Lane::default();
        insert(&mut late, 2000, "x");
        late.settle();
        assert!(late.begins_at(1990), "it was captured late");
        assert!(!late.begins_at(2100));
    }
}
