//! From a packet to its TCP segment.

use crate::file::Packet;
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, LenSource, TransportSlice, ip_number};
use std::net::{IpAddr, SocketAddr};

/// Link types, by the numbers of <https://www.tcpdump.org/linktypes.html>.
mod link {
    pub(super) const NULL: u16 = 0;
    pub(super) const ETHERNET: u16 = 1;
    pub(super) const RAW_BSD: u16 = 12;
    pub(super) const RAW_OPENBSD: u16 = 14;
    pub(super) const RAW: u16 = 101;
    pub(super) const LOOP: u16 = 108;
    pub(super) const LINUX_SLL: u16 = 113;
    pub(super) const IPV4: u16 = 228;
    pub(super) const IPV6: u16 = 229;
    pub(super) const LINUX_SLL2: u16 = 276;
}

/// A TCP segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// The number of its packet.
    pub(crate) packet: u64,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sequence: u32,
    /// The number of the next byte that its sender expects.
    pub(crate) acknowledged: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) reset: bool,
    pub(crate) bytes: &'a [u8],
    /// How many more bytes it had.
    pub(crate) missing: u32,
}

/// The content of a packet.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    Segment(Segment<'a>),
    /// A part of a packet that was fragmented by IP.
    Fragment,
    /// A TCP segment of which not even the header was captured.
    Headless,
    /// The link type is not known.
    UnknownLink,
    /// Anything else: UDP, ARP, …
    Other,
}

impl<'a> Frame<'a> {
    /// Reads a packet.
    pub(crate) fn of(packet: &Packet<'a>) -> Frame<'a> {
        let data = packet.data;
        let sliced = match packet.link {
            link::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
            link::LINUX_SLL => typed(data, 14, 16),
            link::LINUX_SLL2 => typed(data, 0, 20),
            // The number of the address family depends on the system; the packet itself says more.
            link::NULL | link::LOOP => data.get(4..).and_then(from_ip),
            link::RAW | link::RAW_BSD | link::RAW_OPENBSD | link::IPV4 | link::IPV6 => from_ip(data),
            _ => return Frame::UnknownLink,
        };
        sliced.map_or(Frame::Other, |sliced| segment(packet, &sliced))
    }
}

fn from_ip(data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(data).ok()
}

/// The packet in a frame whose header has this length, and the type of the packet at this offset.
fn typed(data: &[u8], at: usize, header: usize) -> Option<LaxSlicedPacket<'_>> {
    let kind = data.get(at..at + 2)?.try_into().ok()?;
    Some(LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes(kind)), data.get(header..)?))
}

fn segment<'a>(packet: &Packet<'a>, sliced: &LaxSlicedPacket<'a>) -> Frame<'a> {
    let (from, to, ip, header, total) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(it)) => {
            let header = it.header();
            let total = usize::from(header.total_len());
            let start = header.slice().as_ptr() as usize;
            (
                IpAddr::V4(header.source_addr()),
                IpAddr::V4(header.destination_addr()),
                it.payload(),
                start,
                total,
            )
        }
        Some(LaxNetSlice::Ipv6(it)) => {
            let header = it.header();
            let total = usize::from(header.payload_length()) + header.slice().len();
            let start = header.slice().as_ptr() as usize;
            (
                IpAddr::V6(header.source_addr()),
                IpAddr::V6(header.destination_addr()),
                it.payload(),
                start,
                total,
            )
        }
        _ => return Frame::Other,
    };
    if ip.ip_number != ip_number::TCP {
        return Frame::Other;
    }
    if ip.fragmented {
        return Frame::Fragment;
    }
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return Frame::Headless };
    let missing = if ip.len_source == LenSource::Slice && !ip.incomplete {
        // The length in the header is 0 if the network card cuts the packet after the capture.
        packet.missing as usize
    } else {
        let headers = ip.payload.as_ptr() as usize - header;
        total.saturating_sub(headers + ip.payload.len())
    };
    Frame::Segment(Segment {
        packet: packet.number,
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledged: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        reset: tcp.rst(),
        bytes: tcp.payload(),
        missing: u32::try_from(missing).unwrap_or(u32::MAX),
    })
}
