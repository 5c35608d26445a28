//! The handshake: our message `methods`, and the wait for the peer's.

use crate::clock::Moment;
use crate::wire::{Incoming, Wire};
use dnode_spec::message::Id;
use dnode_spec::monitor::Received;

/// The message `methods` with an object of one function, as most implementations send it.
pub const HELLO: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"hello\":\"[Function]\"}],\"callbacks\":{\"64\":[\"0\",\"hello\"]},\"links\":[]}\n";

/// The id of the function in [`HELLO`].
pub const HELLO_ID: Id = Id(64);

/// Waits for the peer's message `methods`. All other messages and broken lines go to `others`.
///
/// # Errors
/// What ended the wait: the end of the connection, the deadline, or too much data.
pub async fn receive_object(
    wire: &mut Wire,
    deadline: Moment,
    others: &mut (dyn FnMut(Incoming) + Send),
) -> Result<Box<Received>, Incoming> {
    loop {
        match wire.receive(deadline).await {
            Incoming::Message(received) if received.method.is("methods") => return Ok(received),
            other @ (Incoming::Message(_) | Incoming::Broken(_)) => others(other),
            end @ (Incoming::Closed { .. } | Incoming::Late | Incoming::Flood) => return Err(end),
        }
    }
}
