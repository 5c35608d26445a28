//! What a transport cannot carry.

use dnode_spec::transcript::{Action, Step, Transcript};

/// What a transport cannot carry. A case that needs it is not applicable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What the transport is called in a reason.
    pub transport: &'static str,
    /// One end can say that it is done, and still hear the other.
    pub half_close: bool,
    /// A connection can be aborted so that the other end sees it.
    pub reset: bool,
    /// Each segment is a text, so it must be whole characters of UTF-8.
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

    /// Why a transcript cannot be played over this transport, as far as its steps tell.
    #[must_use]
    pub fn refuses(&self, transcript: &Transcript) -> Option<String> {
        self.refuses_one_of(&transcript.steps)
    }

    fn refuses_one_of(&self, steps: &[Step]) -> Option<String> {
        steps.iter().find_map(|step| match &step.action {
            Action::Either(branches) => branches.iter().find_map(|branch| self.refuses_one_of(branch)),
            action => self.refuses_step(action),
        })
    }

    /// Why this cannot be done over this transport.
    #[must_use]
    pub fn refuses_step(&self, action: &Action) -> Option<String> {
        match action {
            Action::HalfClose if !self.half_close => Some(format!("{} has no half-close", self.transport)),
            Action::Reset if !self.reset => Some(format!("{} has no reset", self.transport)),
            _ => None,
        }
    }

    /// Why these segments cannot be sent over this transport.
    #[must_use]
    pub fn refuses_segments(&self, segments: &[&[u8]]) -> Option<String> {
        let broken = |segment: &&[u8]| std::str::from_utf8(segment).is_err();
        (self.text && segments.iter().any(broken)).then(|| {
            format!("{} carries text, and a segment is not whole characters of UTF-8", self.transport)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(steps: &str) -> Transcript {
        let header = "{\"dnode-transcript\":1,\"id\":\"test/limits\",\"since\":\"0.1.0\",\"clauses\":[\"value/numbers\"],\
                      \"about\":\"A test.\"}";
        Transcript::read(&format!("{header}\n{steps}")).unwrap()
    }

    #[test]
    fn what_a_transport_lacks_is_found_in_the_steps_and_in_their_branches() {
        let halved = transcript("{\"half-close\":true}\n");
        assert_eq!(Limits::WS.refuses(&halved).as_deref(), Some("a WebSocket has no half-close"));
        assert_eq!(Limits::UNIX.refuses(&halved), None);
        let reset = transcript(
            "{\"either\":[[{\"closed\":true}],[{\"expect\":{\"method\":1,\"arguments\":[]}},{\"reset\":true}]]}\n",
        );
        assert_eq!(Limits::UNIX.refuses(&reset).as_deref(), Some("a Unix socket has no reset"));
        assert_eq!(Limits::TLS.refuses(&reset), None);
    }

    #[test]
    fn a_text_is_whole_characters() {
        let smile = "😀".as_bytes();
        assert_eq!(Limits::WS.refuses_segments(&[smile, b"a"]), None);
        assert!(Limits::WS.refuses_segments(&[&smile[..2], &smile[2..]]).is_some());
        assert_eq!(Limits::TCP.refuses_segments(&[b"\xff"]), None);
    }
}
