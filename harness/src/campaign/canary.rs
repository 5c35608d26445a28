//! A canary: a second connection to the peer, which must keep working.

use crate::conversation::facts::Facts;
use crate::conversation::greet::{HELLO, receive_object};
use crate::program::Route;
use crate::wire::Wire;
use dnode_spec::transcript::Names;
use std::time::Duration;

/// A connection on which the suite sends only valid messages. It must keep working, whatever other
/// connections send.
#[derive(Debug)]
pub(super) struct Canary {
    wire: Wire,
    names: Names,
}

impl Canary {
    /// Opens a canary, if the peer serves several connections and answers a known call.
    pub(super) async fn open(route: &Route, facts: &Facts, patience: Duration) -> Option<Canary> {
        if facts.calls.ping.is_none() || facts.missing.contains("methods/connections") {
            return None;
        }
        let deadline = route.clock().now() + patience;
        let mut wire = Wire::open(route, &facts.terms, deadline).await.ok()?;
        let mut names = Names::new(200_000);
        wire.send(&[HELLO], deadline).await;
        if facts.object.members.is_some() {
            let received = receive_object(&mut wire, deadline, &mut |_| {}).await.ok()?;
            names.bind_object(&received);
        }
        let mut canary = Canary { wire, names };
        canary.is_alive(facts, patience).await.then_some(canary)
    }

    /// Whether the peer still answers.
    pub(super) async fn is_alive(&mut self, facts: &Facts, patience: Duration) -> bool {
        let Some(ping) = &facts.calls.ping else { return true };
        let deadline = self.wire.clock().now() + patience;
        ping.ask(&mut self.wire, &mut self.names, facts.calls.by, deadline, &mut |_| {}).await.is_ok()
    }
}
