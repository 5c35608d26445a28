//! The transports, and the features that each of them lacks.

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `HOST:PORT` or `tcp://HOST:PORT`.
    Tcp,
    /// `unix:PATH`.
    Unix,
    /// `tls://HOST:PORT`, with the feature `tls`.
    Tls,
    /// `ws://HOST:PORT/PATH`, with the feature `websocket`.
    Ws,
    /// A stream in this process: [`Address::in_memory`](super::Address::in_memory).
    Memory,
}

/// Which features of TCP a transport has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The transport's name with its article, for use in a sentence: `a Unix socket`.
    pub transport: &'static str,
    /// One end can close its sending half and go on reading.
    pub half_close: bool,
    /// An end can abort a connection so that the other end sees a reset.
    pub reset: bool,
    /// Each segment is a text message, so it must not end inside a UTF-8 character.
    pub text: bool,
}

impl Limits {
    /// TCP has every feature.
    pub const TCP: Limits = Limits { transport: "TCP", half_close: true, reset: true, text: false };
    /// A Unix socket has no reset.
    pub const UNIX: Limits = Limits { transport: "a Unix socket", reset: false, ..Limits::TCP };
    /// TLS has every feature.
    pub const TLS: Limits = Limits { transport: "TLS", ..Limits::TCP };
    /// A WebSocket has no half-close, and carries text.
    pub const WS: Limits = Limits { transport: "a WebSocket", half_close: false, reset: true, text: true };
    /// A stream in memory has no reset.
    pub const MEMORY: Limits = Limits { transport: "a stream in memory", reset: false, ..Limits::TCP };

    /// The limits of a transport.
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
