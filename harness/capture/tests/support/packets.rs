//! Writes packets and captures, for tests: without any code of the crate that reads them.
//!
//! Tests of other crates include this file with `#[path = "…/packets.rs"] mod packets;`.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::{IpAddr, SocketAddr};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: u8,
    pub bytes: Vec<u8>,
    /// How many of its bytes are captured.
    pub captured: usize,
}

/// A connection as one observer sees it: each segment acknowledges everything before it.
#[derive(Debug, Clone)]
pub struct Talk {
    ends: [SocketAddr; 2],
    next: [u32; 2],
    pub segments: Vec<Segment>,
}

impl Talk {
    /// A connection whose opening is not among its segments.
    pub fn in_the_middle(client: &str, server: &str, first: [u32; 2]) -> Talk {
        Talk { ends: [client, server].map(|it| it.parse().unwrap()), next: first, segments: Vec::new() }
    }

    /// A connection from its beginning.
    pub fn open(client: &str, server: &str, first: [u32; 2]) -> Talk {
        let mut talk = Talk::in_the_middle(client, server, first);
        talk.send(0, SYN, b"");
        talk.segments[0].acknowledged = 0;
        talk.send(1, SYN | ACK, b"");
        talk.send(0, ACK, b"");
        talk
    }

    /// A connection between usual addresses.
    pub fn usual() -> Talk {
        Talk::open("10.0.0.1:40000", "10.0.0.2:5050", [1000, 9000])
    }

    /// An end (0 is the client) sends bytes in one segment.
    pub fn say(&mut self, from: usize, bytes: impl AsRef<[u8]>) -> &mut Talk {
        self.send(from, ACK, bytes.as_ref());
        self
    }

    /// An end closes its sending half, and the other one acknowledges that.
    pub fn end(&mut self, from: usize) -> &mut Talk {
        self.send(from, FIN | ACK, b"");
        self.send(1 - from, ACK, b"");
        self
    }

    pub fn reset(&mut self, from: usize) -> &mut Talk {
        self.send(from, RST | ACK, b"");
        self
    }

    pub fn send(&mut self, from: usize, flags: u8, bytes: &[u8]) {
        self.segments.push(Segment {
            from: self.ends[from],
            to: self.ends[1 - from],
            sequence: self.next[from],
            acknowledged: self.next[1 - from],
            flags,
            bytes: bytes.to_vec(),
            captured: bytes.len(),
        });
        let length = bytes.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[from] = self.next[from].wrapping_add(length);
    }
}

impl Segment {
    /// Its two halves, cut at an offset.
    pub fn cut(&self, at: usize) -> [Segment; 2] {
        let mut halves = [self.clone(), self.clone()];
        halves[0].bytes.truncate(at);
        halves[0].flags &= !FIN;
        halves[1].bytes.drain(..at);
        halves[1].sequence = self.sequence.wrapping_add(at as u32);
        for half in &mut halves {
            half.captured = half.bytes.len();
        }
        halves
    }

    fn tcp(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.from.port().to_be_bytes());
        out.extend(self.to.port().to_be_bytes());
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.acknowledged.to_be_bytes());
        out.extend([5 << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        out.extend(&self.bytes);
        out
    }

    /// The IP packet.
    pub fn ip(&self) -> Vec<u8> {
        let tcp = self.tcp();
        let mut out = Vec::new();
        match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                out.extend([0x45, 0]);
                out.extend((tcp.len() as u16 + 20).to_be_bytes());
                out.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
                out.extend(from.octets());
                out.extend(to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                out.extend([0x60, 0, 0, 0]);
                out.extend((tcp.len() as u16).to_be_bytes());
                out.extend([6, 64]);
                out.extend(from.octets());
                out.extend(to.octets());
            }
            _ => panic!("addresses of two families"),
        }
        out.extend(tcp);
        out
    }
}

/// What stands before the IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Null,
    Ethernet,
    Vlan,
    DoubleVlan,
    Raw,
    Loop,
    Cooked,
    Cooked2,
}

pub const LINKS: [Link; 8] = [
    Link::Null,
    Link::Ethernet,
    Link::Vlan,
    Link::DoubleVlan,
    Link::Raw,
    Link::Loop,
    Link::Cooked,
    Link::Cooked2,
];

impl Link {
    pub fn number(self) -> u16 {
        match self {
            Link::Null => 0,
            Link::Ethernet | Link::Vlan | Link::DoubleVlan => 1,
            Link::Raw => 101,
            Link::Loop => 108,
            Link::Cooked => 113,
            Link::Cooked2 => 276,
        }
    }

    fn header(self, kind: [u8; 2]) -> Vec<u8> {
        let is_ipv4 = kind == [8, 0];
        let tag = |outer: [u8; 2]| [&outer[..], &[0, 7]].concat();
        match self {
            Link::Null => [if is_ipv4 { 2 } else { 30 }, 0, 0, 0].to_vec(),
            Link::Loop => [0, 0, 0, if is_ipv4 { 2 } else { 24 }].to_vec(),
            Link::Raw => Vec::new(),
            Link::Ethernet => [&[2; 12][..], &kind].concat(),
            Link::Vlan => [&[2; 12][..], &tag([0x81, 0]), &kind].concat(),
            Link::DoubleVlan => [&[2; 12][..], &tag([0x88, 0xa8]), &tag([0x81, 0]), &kind].concat(),
            Link::Cooked => [&[0, 0, 3, 4, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0][..], &kind].concat(),
            Link::Cooked2 => [&kind[..], &[0; 18]].concat(),
        }
    }
}

/// A captured packet: its bytes, and its length on the wire.
pub type Captured = (Vec<u8>, usize);

/// The frame of a segment. Short frames of Ethernet are padded, as on the wire.
pub fn frame(link: Link, segment: &Segment) -> Captured {
    let kind = if segment.from.is_ipv4() { [8, 0] } else { [0x86, 0xdd] };
    let mut out = [link.header(kind), segment.ip()].concat();
    let (length, missing) = (out.len(), segment.bytes.len() - segment.captured);
    out.truncate(length - missing);
    if link == Link::Ethernet && missing == 0 {
        out.resize(length.max(60), 0);
    }
    let length = out.len() + missing;
    (out, length)
}

pub fn frames(link: Link, segments: &[Segment]) -> Vec<Captured> {
    segments.iter().map(|segment| frame(link, segment)).collect()
}

/// A file of libpcap.
pub fn pcap(link: u16, packets: &[Captured]) -> Vec<u8> {
    pcap_as(link, packets, 0xa1b2_c3d4, u32::to_le_bytes)
}

/// A file of libpcap with this magic number, in this byte order.
pub fn pcap_as(link: u16, packets: &[Captured], magic: u32, number: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let versions = if number(1) == [1, 0, 0, 0] { [2, 0, 4, 0] } else { [0, 2, 0, 4] };
    let mut out = number(magic).to_vec();
    out.extend(versions);
    for field in [0, 0, 262_144, u32::from(link)] {
        out.extend(number(field));
    }
    for (n, (bytes, length)) in packets.iter().enumerate() {
        for field in [n as u32, 0, bytes.len() as u32, *length as u32] {
            out.extend(number(field));
        }
        out.extend(bytes);
    }
    out
}

/// A file of Wireshark in this byte order, with blocks that hold no packet.
pub fn pcapng_as(link: u16, packets: &[Captured], number: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let is_little = number(1) == [1, 0, 0, 0];
    let short = |field: u16| if is_little { field.to_le_bytes() } else { field.to_be_bytes() };
    let block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let mut out = [number(kind), number(padded as u32 + 12)].concat();
        out.extend(body);
        out.resize(8 + padded, 0);
        out.extend(number(padded as u32 + 12));
        out
    };
    let version = [short(1), short(0)].concat();
    let mut out = block(0x0a0d_0d0a, &[&number(0x1a2b_3c4d)[..], &version, &[0xff; 8]].concat());
    out.extend(block(1, &[&short(147)[..], &[0; 2], &number(0)].concat()));
    out.extend(block(1, &[&short(link)[..], &[0; 2], &number(262_144)].concat()));
    for (n, (bytes, length)) in packets.iter().enumerate() {
        let fields = [1, 0, n as u32, bytes.len() as u32, *length as u32].map(number).concat();
        out.extend(block(6, &[&fields[..], bytes].concat()));
        out.extend(block(5, &[0; 12]));
    }
    out
}

/// A file of Wireshark.
pub fn pcapng(link: u16, packets: &[Captured]) -> Vec<u8> {
    pcapng_as(link, packets, u32::to_le_bytes)
}

/// A capture of these segments on Ethernet.
pub fn capture(segments: &[Segment]) -> Vec<u8> {
    pcap(Link::Ethernet.number(), &frames(Link::Ethernet, segments))
}
