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
    /// The standard input and output of a process:
    /// [`Address::of_processes`](super::Address::of_processes).
    Stdio,
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
    /// One process serves several connections.
    pub several: bool,
}

impl Limits {
    /// TCP has every feature.
    pub const TCP: Limits =
        Limits { transport: "TCP", half_close: true, reset: true, text: false, several: true };
    /// A Unix socket has no reset.
    pub const UNIX: Limits = Limits { transport: "a Unix socket", reset: false, ..Limits::TCP };
    /// TLS has every feature.
    pub const TLS: Limits = Limits { transport: "TLS", ..Limits::TCP };
    /// A WebSocket has no half-close, and carries text.
    pub const WS: Limits = Limits { transport: "a WebSocket", half_close: false, text: true, ..Limits::TCP };
    /// A stream in memory has no reset.
    pub const MEMORY: Limits = Limits { transport: "a stream in memory", reset: false, ..Limits::TCP };
    /// Standard input and output have no reset, and each connection has a process of its own.
    pub const STDIO: Limits =
        Limits { transport: "standard input and output", reset: false, several: false, ..Limits::TCP };

    /// The limits of a transport.
    pub(super) fn of(scheme: Scheme) -> Limits {
        match scheme {
            Scheme::Tcp => Limits::TCP,
            Scheme::Unix => Limits::UNIX,
            Scheme::Tls => Limits::TLS,
            Scheme::Ws => Limits::WS,
            Scheme::Memory => Limits::MEMORY,
            Scheme::Stdio => Limits::STDIO,
        }
    }
}
