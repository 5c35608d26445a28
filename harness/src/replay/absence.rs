//! How absence is shown, and how the life of a connection is judged.
//!
//! Absence: two known-good calls, the second sent after the first was answered. Where the peer has none, does not answer in order, or
//! cannot be asked any more, quiet time takes their place.

use super::{Cause, Replay, Stop};
use crate::peer::{Service, serves};
use crate::ping::{Answer, Ping};
use crate::wire::Incoming;
use dnode_reports::event::{Act, Kind};
use dnode_spec::monitor::Received;
use dnode_spec::text::TextBuf;
use tokio::time::Instant;

/// What is awaited of a peer that lives.
const SURVIVED: &str = "an answer to the known-good call, or the end of the connection";

/// How a barrier ended.
enum Barrier {
    Passed,
    Closed,
    Deaf,
}

impl Replay<'_, '_> {
    /// The peer sends nothing that nothing expects. `strict`: a stray message is a divergence.
    pub(super) async fn nothing(&mut self, strict: bool) -> Result<(), Stop> {
        match self.barrier(true).await {
            Barrier::Passed => {}
            // A client ends its session when it likes, and then nothing more comes.
            Barrier::Closed if self.half_closed || self.is_server() => {}
            Barrier::Closed => {
                let awaited = "nothing, on a connection that stays open";
                return Err(self.diverged(Kind::Closed, awaited, "the end of the connection", Cause::Life));
            }
            Barrier::Deaf => return Err(self.deaf()),
        }
        self.settle().await?;
        match self.unexpected().filter(|_| strict) {
            Some(stop) => Err(stop),
            None => Ok(()),
        }
    }

    /// The connection answers, or it is closed and a fresh one is served. A peer that answers only when one more call has come is slow to
    /// notice, not deaf: cases of their own ask for more.
    pub(super) async fn survive(&mut self) -> Result<(), Stop> {
        let deadline = self.deadline;
        self.deadline = deadline.min(Instant::now() + self.facts.quiet());
        let first = self.barrier(false).await;
        self.deadline = deadline;
        let mut answered = match first {
            Barrier::Deaf => self.barrier(false).await,
            answered => answered,
        };
        while matches!(answered, Barrier::Deaf) && self.more_time() {
            answered = self.barrier(false).await;
        }
        match answered {
            // That we ended the connection is no end by the peer.
            _ if self.wire.is_flooded() => self.keep(Incoming::Flood, SURVIVED),
            Barrier::Passed => Ok(()),
            Barrier::Closed => self.closed_in_order().await,
            Barrier::Deaf => Err(self.deaf()),
        }
    }

    /// The peer ends the connection.
    pub(super) async fn closed(&mut self) -> Result<(), Stop> {
        loop {
            match self.wire.receive(self.deadline).await {
                Incoming::Closed { .. } => {
                    // What came until now still counts.
                    let strict = !self.transcript.header.hostile;
                    if let Some(stop) = self.unexpected().filter(|_| strict) {
                        return Err(stop);
                    }
                    return self.closed_in_order().await;
                }
                incoming => self.keep(incoming, "the end of the connection")?,
            }
        }
    }

    /// A fresh connection is served while this one is open, or after it.
    pub(super) async fn served(&mut self) -> Result<(), Stop> {
        let Some(address) = self.address else { return Err(Self::no_second_connection()) };
        if address.host().is_some() {
            // A client comes again when it sees that this connection is over.
            if self.half_closed {
                self.wire.close(self.deadline.min(Instant::now() + self.facts.drain())).await;
                self.over = true;
            }
            if !self.over {
                return Err(Self::no_second_connection());
            }
        }
        self.wire.note(Act::Reconnects);
        let served = serves(address, self.facts, self.deadline).await;
        if served == Service::Served {
            self.wire.note(Act::IsServedAgain);
            return Ok(());
        }
        Err(self.diverged(Kind::NotServed, "a fresh connection is served", "it is not", Cause::Life))
    }

    async fn closed_in_order(&mut self) -> Result<(), Stop> {
        self.over = true;
        self.pending.clear();
        self.served().await
    }

    fn deaf(&self) -> Stop {
        self.diverged(Kind::Deaf, SURVIVED, "neither", Cause::Time)
    }

    async fn barrier(&mut self, absence: bool) -> Barrier {
        let pings: Vec<Ping> = self.facts.ping.iter().cloned().collect();
        let usable = self.facts.ordered || !absence;
        let Some(ping) = pings.first().filter(|_| usable && !self.half_closed) else {
            return self.quiet().await;
        };
        let first = self.ask(ping).await;
        if !absence || !matches!(first, Barrier::Passed) {
            return first;
        }
        let later = Ping::later().map(|later| later.with_paths(ping.path_form()));
        let later = later.filter(|later| self.can_ask(later));
        self.ask(later.as_ref().unwrap_or(ping)).await
    }

    /// Whether the probe has this method, answers it, and the transcript has not culled the only way to it.
    fn can_ask(&self, ping: &Ping) -> bool {
        let method = ping.method();
        let by_id = self.names.member(&TextBuf::from(method)).is_some();
        let callable = by_id || !self.facts.missing.contains("methods/by-name");
        callable && self.facts.lacks(method).is_none() && self.facts.answers(method)
    }

    async fn ask(&mut self, ping: &Ping) -> Barrier {
        let mut kept = Vec::new();
        let mut keep = |received| kept.push(received);
        let (names, wire) = (&mut self.names, &mut self.wire);
        let answer = ping.ask(wire, names, self.facts.by, self.deadline, &mut keep).await;
        kept.into_iter().for_each(|received: Box<Received>| self.receive(*received));
        match answer {
            Answer::Answered(_) => Barrier::Passed,
            Answer::Closed => Barrier::Closed,
            Answer::Late => Barrier::Deaf,
        }
    }

    async fn quiet(&mut self) -> Barrier {
        let until = self.deadline.min(Instant::now() + self.facts.quiet());
        loop {
            match self.wire.receive(until).await {
                Incoming::Message(received) => self.receive(*received),
                Incoming::Broken(problem) => {
                    self.broken.get_or_insert(problem);
                }
                Incoming::Closed { .. } => return Barrier::Closed,
                Incoming::Late => return Barrier::Passed,
                Incoming::Flood => return Barrier::Deaf,
            }
        }
    }
}
