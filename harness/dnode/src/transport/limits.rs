//! What a transport cannot carry.

use super::Scheme;

/// What a transport cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The transport's name in a sentence, with its article.
    pub transport: &'static str,
    /// One end can close its half and still read from the other.
    pub half_close: bool,
    /// A connection can be aborted so that the other end sees a reset.
    pub reset: bool,
    /// Each segment is a text message, so it must be whole characters of UTF-8.
    pub text: bool,
}

impl Limits {
    /// Those of TCP: none.
    pub const TCP: Limits = Limits { transport: "TCP", half_close: true, reset: true, text: false };
    /// Those of a Unix socket.
    pub const UNIX: Limits = Limits { transport: "a Unix socket", reset: false, ..Limits::TCP };
    /// Those of TLS: none.
    pub const TLS: Limits = Limits { transport: "TLS", ..Limits::TCP };
    /// Those of a WebSocket.
    pub const WS: Limits = Limits { transport: "a WebSocket", half_close: false, reset: true, text: true };
    /// Those of a stream in memory.
    pub const MEMORY: Limits = Limits { transport: "a stream in memory", reset: false, ..Limits::TCP };

    /// Those of a transport.
    pub(super) fn of(scheme: Scheme) -> Limits {
        match scheme {
            Scheme::Tcp => Limits::TCP,
            Scheme::Unix => Limits::UNIX,
            Scheme::Tls => Limits::TLS,
            Scheme::Ws => Limits::WS,
            Scheme::Memory => Limits::MEMORY,
        }
    }
}
