//! The handshake: our message `methods`, and the peer's.

use crate::clock::Moment;
use crate::wire::{Incoming, Wire};
use dnode_spec::graph::Node;
use dnode_spec::message::Id;
use dnode_spec::monitor::Received;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::Names;

/// The message `methods` with an object of one function, as most implementations send it.
pub const HELLO: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"hello\":\"[Function]\"}],\"callbacks\":{\"64\":[\"0\",\"hello\"]},\"links\":[]}\n";

/// The id of the function in [`HELLO`].
pub const HELLO_ID: Id = Id(64);

/// The members of a peer's object in their order: the key, and whether it is a function.
pub type Members = Vec<(TextBuf, bool)>;

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

/// Binds the functions of the peer's object in its message `methods`, and returns its members.
pub fn bind_object(received: &Received, names: &mut Names) -> Members {
    names.forget_members();
    let object = received.graph.items(received.root).first().map(|&id| received.graph.node(id));
    let Some(Node::Object(members)) = object else { return Vec::new() };
    let members = members.iter().map(|(key, &id)| {
        let function = received.graph.leaf(id);
        if let Some(&id) = function {
            names.bind_member(key.clone(), id);
        }
        (key.clone(), function.is_some())
    });
    members.collect()
}
