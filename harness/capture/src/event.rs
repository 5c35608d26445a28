//! The events of the connections of a capture.

use dnode_spec::state::End;
use std::net::SocketAddr;

/// An event of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The number of the connection, from 1, in the order of their first bytes.
    pub connection: usize,
    /// The event.
    pub what: What,
}

/// What happened on a connection. [`End::A`] is the client, the end that connected.
///
/// The first event of a connection is `Opened`, the last one is `Closed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The first bytes of the connection follow.
    Opened {
        /// The address of the client.
        client: SocketAddr,
        /// The address of the server.
        server: SocketAddr,
        /// Nothing shows which end connected: the one with the higher port counts as the client.
        is_guess: bool,
    },
    /// An end sent these bytes. They follow the bytes, or the gap, before them.
    Bytes {
        /// The sender.
        from: End,
        /// At least one byte.
        bytes: Vec<u8>,
        /// The number of the packet that held them, from 1.
        packet: u64,
    },
    /// The capture lacks bytes.
    Gap(Gap),
    /// An end closed its sending half in order, after the bytes so far.
    Ended {
        /// The sender.
        from: End,
    },
    /// The connection is over, for this capture.
    Closed(Close),
}

/// Bytes that an end sent and that the capture lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The sender.
    pub from: End,
    /// How many bytes the sender sent before them. If the beginning of the stream is not known, it
    /// counts from the first byte that the capture holds.
    pub at: u64,
    /// How many they are; `None` at the beginning of a stream, if the capture began later. It is 0 if
    /// no bytes are lost, but their order: nothing shows whether the next ones of this end or of the
    /// other end were sent first.
    pub bytes: Option<u64>,
    /// The packet after the gap, from 1; `None` if no later bytes of this end were captured.
    pub before: Option<u64>,
    /// The packets of two copies of these bytes that differ, if that is why they are not known.
    pub copies: Option<[u64; 2]>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Both ends closed it in order.
    Ended,
    /// An end reset it.
    Reset,
    /// A new connection has the same addresses, so the end of this one was not captured.
    Replaced,
    /// The capture ended first.
    CaptureEnded,
}
