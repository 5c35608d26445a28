//! Whether a peer serves a new connection.

use super::facts::Facts;
use super::greet::{HELLO, receive_object};
use super::ping::Silence;
use crate::clock::Moment;
use crate::program::Route;
use crate::wire::Wire;
use dnode_spec::transcript::Names;
use std::io;
use std::time::Duration;

/// Opens a connection and checks that the peer serves it before the deadline: the peer must do the
/// handshake and, if there is one, answer the known-good call. Returns the time from
/// the call to its answer.
///
/// # Errors
/// Why the connection was not served.
pub async fn serves(route: &Route, facts: &Facts, deadline: Moment) -> Result<Duration, Silence> {
    let clock = route.clock();
    // It may send its object late on each connection.
    let deadline = deadline + facts.object.took;
    let begun = clock.now();
    let mut wire = Wire::open(route, &facts.terms, deadline).await.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Silence::Late,
        _ => Silence::Refused,
    })?;
    // A client may take extra time to connect.
    let deadline = if route.host().is_some() { deadline + clock.now().since(begun) } else { deadline };
    let mut names = Names::new(65);
    wire.send(&[HELLO], deadline).await;
    if facts.object.members.is_some() {
        let received = receive_object(&mut wire, deadline, &mut |_| {}).await;
        let received = received.map_err(|end| Silence::from(&end))?;
        names.bind_object(&received);
    }
    if let Some(ping) = &facts.calls.ping {
        ping.ask(&mut wire, &mut names, facts.calls.by, deadline, &mut |_| {}).await?;
    }
    let round_trip = wire.since_asked();
    facts.close(&mut wire, deadline.since(clock.now())).await;
    Ok(round_trip)
}
