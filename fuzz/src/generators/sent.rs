//! The bytes that the steps of a transcript send.

use dnode_spec::message::Id;
use dnode_spec::transcript::{Action, Blank, Called, Names, PingPart};

/// The message that a step sends, with its newline; `None` if the step sends no message. Every
/// function of the peer has the id 0.
pub fn message(action: &Action, names: &mut Names) -> Option<Vec<u8>> {
    match action {
        Action::Call(called, pattern, _) => Some(pattern.encode(&method(called), names)),
        Action::Send(pattern, _) => Some(pattern.encode(&method(&pattern.called), names)),
        _ => None,
    }
}

/// What is filled into the bytes of a step. The known-good call is `conformProbe`.
#[must_use]
pub fn blank(blank: &Blank) -> Vec<u8> {
    match blank {
        Blank::Id(called) => method(called),
        Blank::Ping(PingPart::Arguments) => b"[\"[Function]\"]".to_vec(),
        Blank::Ping(PingPart::Path) => b"[0]".to_vec(),
        Blank::Ping(PingPart::Id) => Id(0).to_string().into_bytes(),
        Blank::Ping(PingPart::Method | PingPart::Name) => b"\"conformProbe\"".to_vec(),
    }
}

/// The JSON text of the field `method` in a call.
#[must_use]
pub fn method(called: &Called) -> Vec<u8> {
    match called {
        Called::Function(_) => Id(0).to_string().into_bytes(),
        Called::Member(name) => {
            let mut quoted = Vec::new();
            name.as_text().write_json(&mut quoted);
            quoted
        }
        Called::Verbatim(text) => text.clone(),
    }
}
