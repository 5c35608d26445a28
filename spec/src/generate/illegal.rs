//! The illegal steps. Each breaks one clause, and the monitor names it.

/// A line that breaks a clause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Illegal {
    /// The clause.
    pub(super) clause: &'static str,
    /// The line, without its newline.
    pub(super) line: &'static [u8],
}

const fn illegal(clause: &'static str, line: &'static [u8]) -> Illegal {
    Illegal { clause, line }
}

/// All illegal steps. No end declares ids from 900,000 on, and the object has no method `nosuch`.
/// So even a peer that guesses the meaning of a line has nothing to run.
#[rustfmt::skip]
pub(super) const ILLEGAL: &[Illegal] = &[
    illegal("framing/json", b"nonsense"),
    illegal("framing/json", b"{\"method\":\"nosuch\",\"arguments\":[1,2"),
    illegal("framing/utf8", b"{\"method\":\"nosuch\",\"arguments\":[\"\xff\"]}"),
    illegal("message/object", b"[]"),
    illegal("message/object", b"null"),
    illegal("message/method", b"{\"arguments\":[]}"),
    illegal("message/method", b"{\"method\":{},\"arguments\":[]}"),
    illegal("message/arguments", b"{\"method\":\"nosuch\",\"arguments\":\"x\"}"),
    illegal("message/callbacks", b"{\"method\":\"nosuch\",\"arguments\":[1,2,\"[Function]\"],\"callbacks\":\"x\"}"),
    illegal("message/links", b"{\"method\":\"nosuch\",\"arguments\":[1,2],\"links\":\"x\"}"),
    illegal("callback/id-integral", b"{\"method\":\"nosuch\",\"arguments\":[1,2,\"[Function]\"],\"callbacks\":{\"x\":[\"2\"]}}"),
    illegal("callback/path", b"{\"method\":\"nosuch\",\"arguments\":[1,2,\"[Function]\"],\"callbacks\":{\"900000\":\"2\"}}"),
    illegal("callback/path-place", b"{\"method\":\"nosuch\",\"arguments\":[1,2,null],\"callbacks\":{\"900000\":[\"0\",\"x\"]}}"),
    illegal("callback/declared", b"{\"method\":900001,\"arguments\":[]}"),
    illegal("link/shape", b"{\"method\":\"nosuch\",\"arguments\":[1,2],\"links\":[7]}"),
    illegal("link/from-place", b"{\"method\":\"nosuch\",\"arguments\":[1,2],\"links\":[{\"from\":[\"9\"],\"to\":[\"0\"]}]}"),
    illegal("cull/declared", b"{\"method\":\"cull\",\"arguments\":[900002]}"),
];

impl Illegal {
    pub(super) fn pick(pick: u16) -> Illegal {
        ILLEGAL[usize::from(pick) % ILLEGAL.len()]
    }
}
