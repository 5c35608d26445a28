//! The events of a recording.

use crate::conversation::stranger::Protocol;
use dnode_capture::Gap;
use dnode_spec::message::Problem;
use dnode_spec::monitor::End;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An event of a recording.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A connection of a capture begins.
    Opened {
        /// The number of the connection, from 1.
        connection: usize,
        /// The addresses of the client and of the server.
        ends: [SocketAddr; 2],
        /// The capture does not show which end connected.
        is_guess: bool,
    },
    /// A connection of a capture carries another protocol than dnode, so it is not judged.
    Other {
        /// The number of the connection.
        connection: usize,
        /// The addresses of the client and of the server.
        ends: [SocketAddr; 2],
        /// The protocol, and the end that speaks it; `None` if the protocol is not known.
        protocol: Option<(End, Protocol)>,
    },
    /// An end broke a clause for the first time on this connection.
    Finding {
        /// The number of the connection, from 1.
        connection: usize,
        /// [`End::A`] is the client.
        end: End,
        /// The broken clause, and how it was broken.
        problem: Problem,
        /// The packet of a capture that held the end of the line.
        packet: Option<u64>,
    },
    /// A capture lacks bytes of an end, for the first time on this connection. From here on, only
    /// the form of each line is judged.
    Gap {
        /// The number of the connection.
        connection: usize,
        /// The missing bytes.
        gap: Gap,
    },
    /// A connection ended.
    Closed {
        /// The number of the connection.
        connection: usize,
        /// The numbers of lines that the client and the server sent.
        lines: [u64; 2],
        /// How many times each end broke each clause.
        broken: BTreeMap<(usize, &'static str), u64>,
        /// The bytes that the capture lacks.
        lost: Lost,
        /// The transcript.
        file: Option<PathBuf>,
    },
    /// Something that the user should know.
    Warning(String),
}

/// The bytes of one connection that a capture lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// The number of gaps.
    pub gaps: u64,
    /// The number of missing bytes in gaps of known length.
    pub bytes: u64,
    /// Whether each end has a gap.
    ends: [bool; 2],
}

impl Lost {
    /// Whether anything is missing.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.gaps > 0
    }

    /// Counts a gap. Returns whether it is the first one of its end.
    pub(super) fn add(&mut self, gap: &Gap) -> bool {
        self.gaps += 1;
        self.bytes = self.bytes.saturating_add(gap.bytes.unwrap_or_default());
        !std::mem::replace(&mut self.ends[gap.from as usize], true)
    }
}
