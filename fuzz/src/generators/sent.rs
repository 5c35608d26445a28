//! The bytes that the steps of a transcript send.

use dnode_spec::message::Id;
use dnode_spec::transcript::{Action, Called, Names};

/// The message that a step sends, with its newline; `None` if the step sends no message. Every
/// function of the peer has the id 0.
pub fn message(action: &Action, names: &mut Names) -> Option<Vec<u8>> {
    match action {
        Action::Call(called, pattern, _) => Some(pattern.encode(&method(called), names)),
        Action::Send(pattern, _) => Some(pattern.encode(&method(&pattern.called), names)),
        _ => None,
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
