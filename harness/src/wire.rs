//! One connection to the peer: bytes out, judged messages in, and the log of both.
//!
//! It reads and writes at the same time, so a peer that floods and never reads cannot block us.
//! Everything is bounded: the length of a line, the bytes and messages of a connection, the memory
//! of all connections (`budget`), and the log. A deadline bounds each wait.

mod budget;
mod life;
mod linger;
mod log;
mod pump;
mod segments;
mod terms;
#[cfg(test)]
mod tests;

pub use life::Life;
pub use log::Log;
pub use terms::Terms;

use crate::clock::{Clock, Moment, Reading};
use crate::program::Route;
pub use budget::Memory;
use budget::{Refused, Share, cost};
use dnode::transport::Connection;
use dnode_reports::event::{Act, Activity, Origin};
use dnode_spec::line::Splitter;
use dnode_spec::message::Problem;
use dnode_spec::monitor::{End, Monitor, Received};
use memchr::memchr;
use segments::{BETWEEN_FEW, Segments};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

/// The longest line that we accept from a peer. A case asks for 16 MiB.
pub const LINE_LIMIT: usize = 20 << 20;
/// How many bytes a peer may send on one connection, or in one part of a long transcript.
const BYTES_LIMIT: u64 = 64 << 20;
/// How many messages a peer may send on one connection, or in one part of a long transcript.
const MESSAGES_LIMIT: u64 = 100_000;
/// How many of the first bytes of a connection are kept.
const HEAD: usize = 64;
/// The capacity that an empty buffer may keep, in bytes.
const ROOM: usize = 1 << 20;
/// The end of the monitor that is the suite.
const SUITE: End = End::A;
const PEER: End = End::B;

/// Something that the peer did.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Box<Received>),
    /// A line that is not a message. The clause that it breaks is already noted.
    Broken(Problem),
    /// The end of the connection.
    Closed {
        /// The peer reset the connection.
        reset: bool,
    },
    /// Nothing until the deadline.
    Late,
    /// More data than the suite accepts. The suite gives up the connection.
    Flood,
}

/// A connection with its monitor and log.
#[derive(Debug)]
pub struct Wire {
    /// Counts the time that the peer has.
    clock: Clock,
    /// When the suite last sent something or closed its half.
    asked: Reading,
    connection: Option<Connection>,
    splitter: Splitter,
    sent: Splitter,
    monitor: Monitor,
    /// The first bytes of the peer.
    head: Vec<u8>,
    outgoing: VecDeque<u8>,
    segments: Segments,
    /// The transport may still hold written bytes.
    unflushed: bool,
    /// We have begun to close our half, but the transport has not finished.
    ending: bool,
    log: Log,
    /// The first problem of each clause that the peer broke.
    broken: BTreeMap<&'static str, Problem>,
    lines: u64,
    /// How many messages and bytes the peer sent, of those that the limits count.
    count: u64,
    bytes: u64,
    /// There is no memory for more. Reading stops, and `receive` gives up.
    full: bool,
    /// The connection has ended; `true` if by a reset of the peer.
    closed: Option<bool>,
    /// How much memory the received messages take at most, in bytes.
    kept: usize,
    share: Share,
    life: Life,
    /// The peer sent more data than we accept.
    flooded: bool,
    /// That data was a line that is longer than we accept, and that may be a message.
    pub too_long: bool,
    /// The next bytes wait for those that are sent after them.
    held: bool,
    /// Until when nothing is read.
    unread: Option<Moment>,
    /// A wait took far too long because the machine was busy.
    overloaded: bool,
}

impl Wire {
    /// Connects to the peer.
    ///
    /// # Errors
    /// The error of [`Route::connect`].
    pub async fn open(route: &Route, terms: &Terms, deadline: Moment) -> io::Result<Wire> {
        match route.connect(deadline).await {
            Ok(connection) => Ok(Wire::over(connection, terms, route.clock())),
            // The peer accepted the connection and reset it. Only the timing decides whether we see
            // that here or at the first read.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset && route.host().is_none() => {
                Ok(Wire::after_reset(terms, route.clock()))
            }
            Err(error) => Err(error),
        }
    }

    /// A connection that the peer has already reset.
    fn after_reset(terms: &Terms, clock: &Clock) -> Wire {
        let mut wire = Wire { closed: Some(true), ..Wire::over_any(None, terms, clock) };
        wire.log.event(Origin::Peer, Act::Resets);
        wire
    }

    /// A wire over an open connection. `clock` counts the time that its peer has.
    #[must_use]
    pub fn over(connection: Connection, terms: &Terms, clock: &Clock) -> Wire {
        Wire::over_any(Some(connection), terms, clock)
    }

    fn over_any(connection: Option<Connection>, terms: &Terms, clock: &Clock) -> Wire {
        Wire {
            clock: clock.of_connection(),
            asked: clock.read(),
            connection,
            splitter: Splitter::new(LINE_LIMIT),
            sent: Splitter::new(usize::MAX),
            monitor: Monitor::of(terms.dialect),
            head: Vec::new(),
            outgoing: VecDeque::new(),
            segments: Segments::new(terms.messages_alone),
            unflushed: false,
            ending: false,
            log: Log::default(),
            broken: BTreeMap::new(),
            lines: 0,
            count: 0,
            bytes: 0,
            full: false,
            closed: None,
            kept: 0,
            share: Share::of(&terms.memory),
            life: terms.life.clone(),
            flooded: false,
            too_long: false,
            held: false,
            unread: None,
            overloaded: false,
        }
    }

    /// Sends these segments, one after another, and keeps what arrives meanwhile. If the connection
    /// has ended, only the next [`Wire::receive`] reports that.
    pub async fn send(&mut self, segments: &[&[u8]], deadline: Moment) {
        let whole = match segments {
            [one] => Cow::Borrowed(*one),
            several => Cow::Owned(several.concat()),
        };
        let mut rest = &*whole;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
            self.log.bytes(Origin::Suite, line);
            rest = after;
        }
        // The time that we need for a long message of ours is not the peer's either.
        let begun = Instant::now();
        self.learn(&whole);
        self.clock.lose(begun.elapsed());
        let segments = self.segments.of(segments);
        for (n, segment) in segments.iter().enumerate() {
            match self.segments.pause_before(n, segments.len()) {
                None => {}
                // The peer must have the time to read the segment before.
                Some(BETWEEN_FEW) => self.clock.sleep(BETWEEN_FEW).await,
                Some(pause) => tokio::time::sleep(pause).await,
            }
            self.asked = self.clock.read();
            self.outgoing.extend(segment.iter());
            if std::mem::take(&mut self.held) && self.segments.may_wait(segment) {
                continue;
            }
            self.segments.sent(segment);
            while self.has_to_write() && self.closed.is_none() {
                if !self.pump(deadline).await {
                    return;
                }
            }
        }
    }

    /// Passes our bytes to the monitor. It does not judge them, but learns which functions the peer
    /// may call.
    fn learn(&mut self, mut bytes: &[u8]) {
        // Nearly all bytes are whole lines. They are not copied, because some are long.
        while self.sent.rest().is_empty()
            && let Some(end) = memchr(b'\n', bytes)
        {
            let judgement = self.monitor.line(SUITE, &bytes[..end]);
            self.segments.declared(judgement.received.as_ref());
            bytes = &bytes[end + 1..];
        }
        self.sent.push(bytes);
        while let Some(Ok(line)) = self.sent.next_line() {
            let judgement = self.monitor.line(SUITE, line);
            self.segments.declared(judgement.received.as_ref());
        }
    }

    /// Resets the counts for the limits. `kept`: how many of the peer's messages are still in
    /// memory.
    pub fn allow_more(&mut self, kept: usize) {
        self.count = kept as u64;
        if kept == 0 {
            (self.bytes, self.kept) = (0, 0);
            self.splitter.forget_long_line();
            self.share.give_back();
        }
    }

    /// Waits for the next thing that the peer does.
    pub async fn receive(&mut self, deadline: Moment) -> Incoming {
        loop {
            match self.take_line().await {
                Some(Incoming::Flood) => return self.give_up(),
                Some(incoming) => return incoming,
                None => {}
            }
            if let Some(reset) = self.closed {
                return self.end(reset);
            }
            if self.full || self.bytes > BYTES_LIMIT || self.count > MESSAGES_LIMIT {
                return self.give_up();
            }
            if !self.pump(deadline).await {
                return Incoming::Late;
            }
        }
    }

    /// Ends the connection of a peer that sends more data than we accept, and drops that data.
    fn give_up(&mut self) -> Incoming {
        self.log.event(Origin::Suite, Act::GivesUp);
        self.connection = None;
        self.closed = Some(false);
        self.flooded = true;
        self.splitter = Splitter::new(LINE_LIMIT);
        Incoming::Flood
    }

    /// Judges the next complete line. It is a flood if it needs more memory than there is.
    async fn take_line(&mut self) -> Option<Incoming> {
        loop {
            let buffered = self.splitter.memory();
            let line = match self.splitter.next_line()? {
                Ok(line) => line,
                Err(line) => {
                    let Some(problem) = Monitor::too_long(line) else {
                        self.too_long = true;
                        return Some(Incoming::Flood);
                    };
                    self.broken.entry(problem.clause).or_insert_with(|| problem.clone());
                    return Some(Incoming::Broken(problem));
                }
            };
            self.lines += 1;
            self.count += 1;
            self.log.line(line);
            let cost = cost(line);
            match self.share.fit(self.kept + cost + buffered, &self.clock).await {
                Ok(()) => {}
                Err(Refused::Late) => {
                    self.overloaded = true;
                    return Some(Incoming::Late);
                }
                Err(Refused::TooMuch) => return Some(Incoming::Flood),
            }
            // The peer must not be blamed for the time that it takes us to judge a long line.
            let begun = Instant::now();
            let judgement = self.monitor.line(PEER, line);
            self.clock.lose(begun.elapsed());
            let nodes = judgement.received.as_ref().map_or(0, |received| received.graph.len());
            self.kept += cost.min(budget::cost_of_message(line.len(), nodes));
            self.splitter.forget_long_line();
            for problem in &judgement.problems {
                self.broken.entry(problem.clause).or_insert_with(|| problem.clone());
            }
            match (judgement.received, judgement.problems.into_iter().find(|problem| problem.refused)) {
                (Some(received), _) => {
                    self.segments.heard(&received.method);
                    return Some(Incoming::Message(Box::new(received)));
                }
                (None, Some(problem)) => return Some(Incoming::Broken(problem)),
                (None, None) => {}
            }
        }
    }

    fn end(&mut self, reset: bool) -> Incoming {
        if self.connection.take().is_some() {
            let rest = self.splitter.rest().to_vec();
            if !rest.is_empty() {
                self.log.bytes(Origin::Peer, &rest);
            }
            self.log.event(Origin::Peer, if reset { Act::Resets } else { Act::Closes });
            if !reset {
                for problem in self.monitor.end(PEER, &rest) {
                    self.broken.entry(problem.clause).or_insert(problem);
                }
            }
        }
        Incoming::Closed { reset }
    }

    /// Reads nothing for this time. Bytes are still written.
    pub fn stop_reading_for(&mut self, time: Duration) {
        self.unread = Some(self.clock.now() + time);
    }

    /// Lets the messages of one write share their segments, whatever the terms say.
    pub fn share_segments(&mut self) {
        self.segments.share_by_write();
    }

    /// When the suite last sent something or closed its half.
    #[must_use]
    pub fn asked(&self) -> Moment {
        self.asked.0
    }

    /// The time since the suite last sent something.
    #[must_use]
    pub fn since_asked(&self) -> Duration {
        self.clock.now().since(self.asked.0)
    }

    /// How long the pauses take if these segments are sent.
    #[must_use]
    pub fn pauses(&self, segments: &[&[u8]]) -> Duration {
        self.segments.pauses(segments)
    }

    /// Delays the next bytes, so that they are written together with those that are sent after
    /// them.
    pub fn hold_until_next(&mut self) {
        self.held = true;
    }

    /// Delays the next bytes, so that they arrive together with the end of the stream.
    pub fn hold_until_half_close(&self) {
        if let Some(connection) = &self.connection {
            connection.hold_until_half_close();
        }
    }

    /// Closes our sending half; the peer may still send.
    pub fn half_close(&mut self) {
        self.log.event(Origin::Suite, Act::HalfCloses);
        self.asked = self.clock.read();
        let _ = self.monitor.end(SUITE, self.sent.rest());
        if let Some(connection) = &mut self.connection {
            // This usually finishes at once. If not, the next `receive` continues it.
            let shutdown = Pin::new(&mut *connection).poll_shutdown(&mut Context::from_waker(Waker::noop()));
            self.ending = shutdown.is_pending();
        }
    }

    /// Aborts the connection.
    pub fn reset(&mut self) {
        self.log.event(Origin::Suite, Act::Resets);
        if let Some(connection) = self.connection.take() {
            connection.reset();
        }
        self.closed = Some(false);
    }

    /// Closes in order: closes our sending half, then reads to the end, so that the peer sees no
    /// reset. Lines that arrive before the deadline are still judged.
    pub async fn close(&mut self, deadline: Moment) {
        if self.connection.is_none() {
            return;
        }
        self.half_close();
        loop {
            match self.receive(deadline).await {
                Incoming::Closed { .. } | Incoming::Flood => break,
                Incoming::Late => {
                    self.connection.take().into_iter().for_each(linger::read_on);
                    break;
                }
                Incoming::Message(_) | Incoming::Broken(_) => {}
            }
        }
        self.connection = None;
    }

    /// The clock that counts the time that the peer has.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the peer has done since the suite last sent something, if its threads are measured.
    #[must_use]
    pub fn activity(&self) -> Option<Activity> {
        // In a shorter time, a peer that is computing may seem to sleep.
        self.clock.activity_since(self.asked).filter(|activity| activity.time >= 100)
    }

    /// Whether a wait took far too long because the machine was busy. Then silence means nothing.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.overloaded
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether the peer sent more data than we accept.
    #[must_use]
    pub fn is_flooded(&self) -> bool {
        self.flooded
    }

    /// How many lines the peer has sent.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The first bytes that the peer sent.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// How many bytes of an incomplete line have arrived.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.splitter.rest().len()
    }

    /// How many bytes the peer has sent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The log, and the first problem of each clause that the peer broke.
    #[must_use]
    pub fn finish(self) -> (Log, BTreeMap<&'static str, Problem>) {
        self.life.add(self.monitor.used());
        (self.log, self.broken)
    }

    /// Names the step that sends from now on, for the log.
    pub fn begin_step(&mut self, label: &str) {
        self.log.begin_step(label);
    }

    /// Names the step that took a message, for the log.
    pub fn took(&mut self, received: &Received, label: &str) {
        self.log.took(received.line, label);
    }

    /// Logs an act of the suite.
    pub fn note(&mut self, what: Act) {
        self.log.event(Origin::Suite, what);
    }
}
