//! The packets of a capture file.

use crate::limits;
use pcap_parser::nom::{Err as Stop, IResult, Needed};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block, LegacyPcapBlock, PcapError, parse_block_be, parse_block_le, parse_pcap_frame, parse_pcap_frame_be,
    parse_pcap_frame_modified, parse_pcap_header, parse_sectionheaderblock,
};
use std::io::{self, Read};
use thiserror::Error;

/// How many bytes are read at once.
const CHUNK: usize = 64 << 10;

/// The form of a file, as its first four bytes show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The format of libpcap, in either byte order, with micro- or nanoseconds.
    Pcap,
    /// The format of Wireshark.
    Pcapng,
    /// A compressed file, by this program.
    Compressed(&'static str),
}

impl Form {
    /// The form of a file that begins with these bytes; `None` if it is no capture.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Form> {
        match head {
            [0xa1, 0xb2, 0xc3, 0xd4, ..] | [0xd4, 0xc3, 0xb2, 0xa1, ..] => Some(Form::Pcap),
            [0xa1, 0xb2, 0x3c, 0x4d, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Some(Form::Pcap),
            [0x34, 0xcd, 0xb2, 0xa1, ..] => Some(Form::Pcap),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Some(Form::Pcapng),
            [0x1f, 0x8b, ..] => Some(Form::Compressed("gzip")),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Form::Compressed("zstd")),
            [0xfd, b'7', b'z', b'X', ..] => Some(Form::Compressed("xz")),
            [b'B', b'Z', b'h', ..] => Some(Form::Compressed("bzip2")),
            _ => None,
        }
    }
}

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The system's error.
    #[error("it cannot be read after packet {after}: {error}")]
    Read {
        /// The packets before.
        after: u64,
        /// The system's error.
        error: io::Error,
    },
    /// It begins with other bytes than a capture.
    #[error("it is not a packet capture in the format pcap or pcapng")]
    NotACapture,
    /// It is compressed.
    #[error("it is compressed with {0}; decompress it first")]
    Compressed(&'static str),
    /// A part of it is malformed.
    #[error("it is malformed at byte {at}, after packet {after}: {what}")]
    Malformed {
        /// The offset of the part.
        at: u64,
        /// The packets before.
        after: u64,
        /// The fault.
        what: &'static str,
    },
}

/// A packet as it was captured.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    /// Its number in the file, from 1.
    pub(crate) number: u64,
    /// The link type of its interface.
    pub(crate) link: u16,
    /// The captured bytes.
    pub(crate) data: &'a [u8],
    /// How many more bytes the packet had.
    pub(crate) missing: u32,
}

/// Reads the packets of a file, one after another.
pub(crate) struct Packets<R> {
    reader: R,
    /// The bytes from `start` to `end` were read and are not used.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The offset of `start` in the file.
    at: u64,
    number: u64,
    ends_early: bool,
    state: State,
}

/// Reads a packet of a file of libpcap, with its header.
type ReadFrame = fn(&[u8]) -> IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>>;

enum State {
    Pcap { frame: ReadFrame, link: u16 },
    Pcapng { is_big_endian: bool, links: Vec<u16> },
}

/// A part of a file.
enum Part<'a> {
    Packet {
        link: u16,
        data: &'a [u8],
        missing: u32,
    },
    /// A section with this byte order.
    Section(bool),
    Interface(u16),
    Other,
    Malformed(&'static str),
}

impl<R> Packets<R> {
    /// How many packets were read.
    pub(crate) fn count(&self) -> u64 {
        self.number
    }

    /// Whether the file ended within a packet.
    pub(crate) fn ends_early(&self) -> bool {
        self.ends_early
    }
}

impl<R: Read> Packets<R> {
    /// Reads the beginning of a file.
    pub(crate) fn open(reader: R) -> Result<Packets<R>, CaptureError> {
        let state = State::Pcapng { is_big_endian: false, links: Vec::new() };
        let (buffer, start, end) = (Vec::new(), 0, 0);
        let mut packets = Packets { reader, buffer, start, end, at: 0, number: 0, ends_early: false, state };
        while packets.end < 4 && packets.fill()? {}
        match Form::of(packets.rest()) {
            None => return Err(CaptureError::NotACapture),
            Some(Form::Compressed(program)) => return Err(CaptureError::Compressed(program)),
            Some(Form::Pcapng) => {}
            Some(Form::Pcap) => {
                while packets.end < 24 && packets.fill()? {}
                let Ok((rest, header)) = parse_pcap_header(packets.rest()) else {
                    return Err(packets.malformed("the header of the file is not complete"));
                };
                let frame: ReadFrame = match (header.is_modified_format(), header.is_bigendian()) {
                    (true, _) => parse_pcap_frame_modified,
                    (false, true) => parse_pcap_frame_be,
                    (false, false) => parse_pcap_frame,
                };
                // The upper bits may hold the length of a checksum.
                let link = (header.network.0 & 0xffff) as u16;
                let used = packets.end - rest.len();
                packets.state = State::Pcap { frame, link };
                packets.consume(used);
            }
        }
        Ok(packets)
    }

    /// Passes the next packet to `take`. Returns whether there was one.
    pub(crate) fn next(&mut self, take: &mut dyn FnMut(&Packet<'_>)) -> Result<bool, CaptureError> {
        loop {
            let used = match part(&self.state, &self.buffer[self.start..self.end]) {
                Ok((used, Part::Packet { link, data, missing })) => {
                    self.number += 1;
                    take(&Packet { number: self.number, link, data, missing });
                    self.consume(used);
                    return Ok(true);
                }
                Ok((_, Part::Malformed(what))) => return Err(self.malformed(what)),
                Ok((used, Part::Section(is_big_endian))) => {
                    self.state = State::Pcapng { is_big_endian, links: Vec::new() };
                    used
                }
                Ok((used, Part::Interface(link))) => {
                    self.add_interface(link)?;
                    used
                }
                Ok((used, Part::Other)) => used,
                Err(needed) => {
                    let is_too_long = self.end - self.start + needed > limits::BLOCK;
                    if is_too_long {
                        return Err(self.malformed("a packet or block of more than 16 MiB"));
                    }
                    if !self.fill()? {
                        self.ends_early = self.start < self.end;
                        return Ok(false);
                    }
                    0
                }
            };
            self.consume(used);
        }
    }

    /// Notes an interface of a pcapng file.
    fn add_interface(&mut self, link: u16) -> Result<(), CaptureError> {
        let State::Pcapng { links, .. } = &mut self.state else { return Ok(()) };
        if links.len() >= limits::INTERFACES {
            return Err(self.malformed("too many interfaces"));
        }
        links.push(link);
        Ok(())
    }

    fn malformed(&self, what: &'static str) -> CaptureError {
        CaptureError::Malformed { at: self.at, after: self.number, what }
    }

    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.at += bytes as u64;
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads more bytes. Returns false at the end of the file.
    fn fill(&mut self) -> Result<bool, CaptureError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize((self.end + CHUNK).next_multiple_of(CHUNK), 0);
        } else if self.buffer.len() > 1 << 20 && self.end < CHUNK {
            // Free the memory of a long block.
            self.buffer.truncate(2 * CHUNK);
            self.buffer.shrink_to_fit();
        }
        let read = loop {
            match self.reader.read(&mut self.buffer[self.end..self.end + CHUNK]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let count = read.map_err(|error| CaptureError::Read { after: self.number, error })?.min(CHUNK);
        self.end += count;
        Ok(count > 0)
    }
}

/// The first part of these bytes and its length, or how many more bytes it needs at least.
fn part<'a>(state: &State, bytes: &'a [u8]) -> Result<(usize, Part<'a>), usize> {
    let parsed = match state {
        State::Pcap { frame, link } => frame(bytes).map(|(rest, block)| {
            let missing = block.origlen.saturating_sub(block.caplen);
            (rest, Part::Packet { link: *link, data: block.data, missing })
        }),
        // The byte order may change with a section.
        State::Pcapng { .. } if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) => {
            parse_sectionheaderblock(bytes).map(|(rest, block)| (rest, Part::Section(block.big_endian())))
        }
        State::Pcapng { is_big_endian, .. } if is_short(bytes, *is_big_endian) => {
            return Ok((0, Part::Malformed("a block with a length below 12 bytes")));
        }
        State::Pcapng { is_big_endian, links } => {
            let parse = if *is_big_endian { parse_block_be } else { parse_block_le };
            parse(bytes).map(|(rest, block)| (rest, part_of(block, links)))
        }
    };
    match parsed {
        Ok((rest, part)) => Ok((bytes.len() - rest.len(), part)),
        Err(Stop::Incomplete(Needed::Size(size))) => Err(size.get()),
        Err(Stop::Incomplete(Needed::Unknown)) => Err(1),
        Err(Stop::Error(_) | Stop::Failure(_)) => Ok((0, Part::Malformed("a block that is no block"))),
    }
}

/// Whether a block of a pcapng file claims to be shorter than its type and its two lengths.
/// pcap-parser 0.17.0 does not check this for all types, and subtracts.
fn is_short(bytes: &[u8], is_big_endian: bool) -> bool {
    let length = bytes.get(4..8).and_then(|bytes| bytes.try_into().ok());
    let read = if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    length.map(read).is_some_and(|length| length < 12)
}

/// The part that a block of a pcapng file holds.
fn part_of<'a>(block: Block<'a>, links: &[u16]) -> Part<'a> {
    let (interface, data, captured, original) = match block {
        Block::InterfaceDescription(block) => return Part::Interface((block.linktype.0 & 0xffff) as u16),
        Block::EnhancedPacket(block) => (block.if_id as usize, block.data, block.caplen, block.origlen),
        Block::SimplePacket(block) => {
            let captured = block.packet_data().len();
            (0, block.data, u32::try_from(captured).unwrap_or(u32::MAX), block.origlen)
        }
        _ => return Part::Other,
    };
    match (links.get(interface), data.get(..captured as usize)) {
        (Some(link), Some(data)) => {
            Part::Packet { link: *link, data, missing: original.saturating_sub(captured) }
        }
        (None, _) => Part::Malformed("a packet of an interface that is not described"),
        (_, None) => Part::Malformed("a packet that is longer than its block"),
    }
}
