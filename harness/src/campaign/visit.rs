//! One session of a campaign, played fast: all lines are written at once, followed by a known-good
//! call.
//!
//! A visit gives no verdict. If something looks wrong, that is a suspicion. `confirm.rs` repeats
//! the session as a transcript and judges it by all rules. So the deadline of a visit may be short.

use super::input::{End, Input, Methods};
use crate::clock::Moment;
use crate::conversation::facts::Facts;
use crate::conversation::greet::{HELLO, receive_object};
use crate::conversation::limits::refuses_segments;
use crate::conversation::ping::Silence;
use crate::program::Route;
use crate::wire::{Incoming, Wire};
use dnode_reports::event;
use dnode_spec::message::Problem;
use dnode_spec::transcript::Names;
use std::collections::BTreeMap;
use std::time::Duration;

/// The time between two segments. The network may merge them anyway, which is harmless here.
const BETWEEN_SEGMENTS: Duration = Duration::from_millis(1);

/// The result of a visit.
#[derive(Debug)]
pub(super) struct Visit {
    /// Whether the known-good call was answered, or why not. [`Silence::Refused`] means that the
    /// handshake failed, so an earlier session is the cause.
    pub ending: Result<(), Silence>,
    /// The wire log.
    pub wire: Vec<event::Wire>,
    /// The problems that the monitor found in the peer's lines.
    pub broken: BTreeMap<&'static str, Problem>,
    /// The time that the peer had from the first byte of the input to the end.
    pub took: Duration,
    /// The number of bytes sent.
    pub sent: usize,
    /// The number of bytes received.
    pub received: u64,
}

impl Visit {
    fn not_served() -> Visit {
        let (wire, broken) = (Vec::new(), BTreeMap::new());
        Visit { ending: Err(Silence::Refused), wire, broken, took: Duration::ZERO, sent: 0, received: 0 }
    }
}

/// Plays an input. `patience`: how long an answer may take.
pub(super) async fn visit(
    route: &Route,
    input: &Input,
    methods: &Methods,
    facts: &Facts,
    patience: Duration,
) -> Visit {
    // To accept a connection and to send an object may take longer than a call, and the patience of a
    // fast visit is only some round trips of a call.
    let clock = route.clock();
    let greeting = clock.now() + patience * 4;
    let Ok(mut wire) = Wire::open(route, &facts.terms, greeting).await else { return Visit::not_served() };
    let mut names = Names::new(100_000);
    names.path_form = facts.path_form();
    if facts.object.members.is_some() && !handshake(&mut wire, &mut names, facts, greeting).await {
        return Visit::not_served();
    }
    let started = clock.now();
    let lines: Vec<Vec<u8>> =
        input.lines.iter().map(|line| methods.fill(&line.bytes, &names, facts.calls.by)).collect();
    let sent = lines.iter().map(|line| line.len() + 1).sum::<usize>();
    // A long input takes time to read: allow one second for each 2 MB.
    let deadline = started + patience + Duration::from_micros(sent as u64 / 2);
    let sendable = send(&mut wire, input, lines, facts, deadline).await;
    let ending = match input.end {
        // The transport cannot carry this input.
        _ if !sendable => Err(Silence::Closed),
        End::Asked => ask(&mut wire, &mut names, facts, deadline).await,
        End::HalfClosed | End::Reset => Err(Silence::Closed),
    };
    let took = clock.now().since(started);
    let received = wire.bytes();
    if ending.is_ok() || !sendable || input.end == End::HalfClosed {
        wire.close(clock.now() + facts.drain().min(patience)).await;
    }
    let (log, broken) = wire.finish();
    Visit { ending, wire: log.into_entries(), broken, took, sent, received }
}

/// Waits for the peer's object. Returns whether it arrived.
async fn handshake(wire: &mut Wire, names: &mut Names, facts: &Facts, deadline: Moment) -> bool {
    if facts.missing.contains("methods/sent") {
        wire.send(&[HELLO], deadline).await;
    }
    let received = receive_object(wire, deadline, &mut |_| {}).await;
    received.map(|received| names.bind_object(&received)).is_ok()
}

/// Sends our object and the lines, cut into segments only at their cuts. Returns whether the
/// transport can carry the input.
async fn send(wire: &mut Wire, input: &Input, lines: Vec<Vec<u8>>, facts: &Facts, deadline: Moment) -> bool {
    let mut segments: Vec<Vec<u8>> = vec![Vec::new()];
    if !wire.is_closed() {
        segments[0].extend_from_slice(HELLO);
    }
    let last = lines.len();
    for (n, (mut bytes, line)) in lines.into_iter().zip(&input.lines).enumerate() {
        if input.end != End::HalfClosed || n + 1 < last {
            bytes.push(b'\n');
        }
        let mut start = 0;
        for &cut in line.cuts.iter().filter(|&&cut| cut > 0 && cut < bytes.len()) {
            if cut > start {
                append(&mut segments, &bytes[start..cut]);
                segments.push(Vec::new());
                start = cut;
            }
        }
        append(&mut segments, &bytes[start..]);
    }
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).filter(|it| !it.is_empty()).collect();
    let halves = input.end != End::HalfClosed || facts.limits.half_close;
    let resets = input.end != End::Reset || facts.limits.reset;
    if !halves || !resets || refuses_segments(&facts.limits, &segments).is_some() {
        return false;
    }
    match input.end {
        // The known-good call goes out in the same segment.
        End::Asked if segments.len() == 1 => wire.hold_until_next(),
        End::HalfClosed => wire.hold_until_half_close(),
        End::Asked | End::Reset => {}
    }
    for (n, segment) in segments.iter().enumerate() {
        if n > 0 {
            tokio::time::sleep(BETWEEN_SEGMENTS).await;
        }
        wire.send(&[segment], deadline).await;
    }
    match input.end {
        End::Asked => {}
        End::HalfClosed => wire.half_close(),
        End::Reset => wire.reset(),
    }
    true
}

fn append(segments: &mut [Vec<u8>], bytes: &[u8]) {
    if let Some(segment) = segments.last_mut() {
        segment.extend_from_slice(bytes);
    }
}

/// Makes the known-good call and waits for its answer. Without such a call, waits for silence.
async fn ask(wire: &mut Wire, names: &mut Names, facts: &Facts, deadline: Moment) -> Result<(), Silence> {
    if let Some(ping) = &facts.calls.ping {
        return ping.ask(wire, names, facts.calls.by, deadline, &mut |_| {}).await.map(|_| ());
    }
    let quiet = deadline.min(wire.clock().now() + facts.quiet());
    loop {
        match wire.receive(quiet).await {
            Incoming::Message(_) | Incoming::Broken(_) => {}
            Incoming::Late => return Ok(()),
            end @ (Incoming::Closed { .. } | Incoming::Flood) => return Err(Silence::from(&end)),
        }
    }
}
