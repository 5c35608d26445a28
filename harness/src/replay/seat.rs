//! The server's seat: the peer opened the connection, calls by itself, and ends the session when it likes.
//!
//! Nothing known-good can be called there, so quiet time shows absence, and no second connection can be opened.

use super::{Replay, Stop};
use dnode_spec::transcript::{Action, Called, Name, Pattern, Step};

impl Replay<'_> {
    /// Whether we sit in the server's seat.
    pub(super) fn is_server(&self) -> bool {
        self.address.is_none()
    }

    /// What a step that asks for a fresh connection comes to in this seat.
    pub(super) fn no_second_connection(&self) -> Stop {
        Stop::NotApplicable(format!(
            "{} needs a second connection, and to a server only the client opens any",
            self.step.0
        ))
    }

    /// Whether a step further down calls a function that this message declares. A recorder cannot know which calls another client would
    /// make by itself, so it calls them all optional; those that we answer are the session, and without them there is no answer.
    pub(super) fn is_answered(&self, pattern: &Pattern) -> bool {
        let rest = self.transcript.steps.get(self.begun..).unwrap_or_default();
        self.is_server() && calls_any(rest, pattern.declared())
    }
}

fn calls_any(steps: &[Step], names: &[Name]) -> bool {
    let is_one = |called: &Called| matches!(called, Called::Function(name) if names.contains(name));
    steps.iter().any(|step| match &step.action {
        Action::Call(called, ..) => is_one(called),
        Action::Send(pattern, _) => is_one(&pattern.called),
        Action::Either(branches) => branches.iter().any(|steps| calls_any(steps, names)),
        _ => false,
    })
}
