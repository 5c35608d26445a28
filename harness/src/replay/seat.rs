//! The server's seat: the peer opened the connection, calls by itself, and ends the session when it likes.
//!
//! Nothing known-good can be called there, so quiet time shows absence, and no second connection can be opened.

use super::{Replay, Stop};

impl Replay<'_, '_> {
    /// Whether we sit in the server's seat.
    pub(super) fn is_server(&self) -> bool {
        self.address.is_none()
    }

    /// What a step that asks for a fresh connection comes to in this seat.
    pub(super) fn no_second_connection() -> Stop {
        let reason =
            "it needs a second connection, and to a server only the client opens any, one after another";
        Stop::NotApplicable(reason.to_owned())
    }
}
