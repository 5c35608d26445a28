//! Shows that nothing more comes, and that a connection still works.
//!
//! Two known-good calls show absence; the second is sent after the first was answered. If the peer
//! has no known-good call, does not answer in order, or can no longer be called, quiet time takes
//! their place.

use super::judged::Cause;
use super::{Replay, Stop};
use crate::conversation::ping::{Ping, Silence};
use crate::conversation::service::serves;
use crate::wire::Incoming;
use dnode_reports::event::{Act, Kind, TimeBase};
use dnode_spec::monitor::Received;
use dnode_spec::text::TextBuf;
use std::pin::pin;
use std::time::Duration;

/// The behaviour of a peer that survived.
const SURVIVED: &str = "an answer to the known-good call, or the end of the connection";

impl Replay<'_, '_, '_> {
    /// Checks that the peer sends nothing unexpected. `explicit`: a step says so.
    pub(super) async fn nothing(&mut self, explicit: bool) -> Result<(), Stop> {
        match self.barrier().await {
            Ok(()) => {}
            // A client may end its session at any time. Then nothing more comes.
            Err(Silence::Closed) if self.session.half_closed || self.session.is_server() => {}
            Err(Silence::Closed) => {
                let expected = "nothing, on a connection that stays open";
                return Err(self.diverged(Kind::Closed, expected, "the end of the connection", Cause::Life));
            }
            Err(_) => return Err(self.deaf()),
        }
        self.settle().await?;
        let header = &self.transcript.header;
        let strict = explicit || !header.hostile && !header.crossing;
        match self.unexpected(explicit).filter(|_| strict) {
            Some(stop) => Err(stop),
            None => Ok(()),
        }
    }

    /// Checks that the connection answers, or that it is closed and a new one is served. A peer
    /// that answers only after another call is slow, not deaf.
    pub(super) async fn survive(&mut self) -> Result<(), Stop> {
        let deadline = self.session.deadline;
        self.session.deadline = deadline.min(self.session.now() + self.session.facts.quiet());
        let mut answered = self.sign_of_life().await;
        self.session.deadline = deadline;
        let is_late = |answered| matches!(answered, Err(Silence::Late | Silence::Flood));
        if is_late(answered) {
            answered = self.sign_of_life_or_hang().await;
        }
        while is_late(answered) && self.session.may_wait_longer() {
            answered = self.sign_of_life().await;
        }
        // After a flood, the suite closed the connection.
        if self.session.wire.is_flooded() {
            return self.keep(Incoming::Flood, SURVIVED);
        }
        match answered {
            Ok(()) => Ok(()),
            Err(Silence::Closed) => self.closed_in_order().await,
            Err(_) => Err(self.deaf()),
        }
    }

    /// Waits until the peer closes the connection.
    pub(super) async fn closed(&mut self) -> Result<(), Stop> {
        loop {
            match self.session.wire.receive(self.session.deadline).await {
                Incoming::Closed { .. } => {
                    // The messages before the end still count.
                    let strict = !self.transcript.header.hostile;
                    if let Some(stop) = self.unexpected(false).filter(|_| strict) {
                        return Err(stop);
                    }
                    return self.closed_in_order().await;
                }
                incoming => self.keep(incoming, "the end of the connection")?,
            }
        }
    }

    /// Checks that the peer serves a new connection.
    pub(super) async fn served(&mut self) -> Result<(), Stop> {
        let Some(route) = self.session.route else { return Err(Self::no_second_connection()) };
        if route.host().is_some() {
            // A client reconnects only after this connection has ended.
            if self.session.half_closed {
                let most = self.session.deadline.since(self.session.now());
                self.session.facts.close(&mut self.session.wire, most).await;
                self.session.over = true;
            }
            if !self.session.over {
                return Err(Self::no_second_connection());
            }
        }
        self.session.wire.note(Act::Reconnects);
        if serves(route, self.session.facts, self.session.deadline).await.is_ok() {
            self.session.wire.note(Act::IsServedAgain);
            return Ok(());
        }
        let (expected, actual) = ("the peer serves a new connection", "the new connection was not served");
        Err(self.diverged(Kind::NotServed, expected, actual, Cause::Life))
    }

    async fn closed_in_order(&mut self) -> Result<(), Stop> {
        self.session.over = true;
        self.pending.clear();
        self.served().await
    }

    fn deaf(&self) -> Stop {
        let actual = "no answer to the known-good call, and the connection stayed open";
        self.diverged(Kind::Deaf, SURVIVED, actual, Cause::Time)
    }

    /// Shows that nothing more comes: the answer to the second call comes after everything that
    /// happened before the first.
    async fn barrier(&mut self) -> Result<(), Silence> {
        let facts = self.session.facts;
        let ping = facts.calls.ping.as_ref().filter(|_| facts.calls.ordered && !self.session.half_closed);
        let Some(ping) = ping else { return self.quiet().await };
        self.ask(ping).await?;
        let later = Ping::later().map(|later| later.with_paths(ping.path_form()));
        let later = later.filter(|later| self.can_ask(later));
        self.ask(later.as_ref().unwrap_or(ping)).await
    }

    /// Checks that the connection still answers.
    async fn sign_of_life(&mut self) -> Result<(), Silence> {
        match self.session.facts.calls.ping.as_ref().filter(|_| !self.session.half_closed) {
            Some(ping) => self.ask(ping).await,
            None => self.quiet().await,
        }
    }

    /// Checks that the connection still answers. In the last part of the deadline, also checks whether
    /// the peer serves a new connection: if it does not, no check has to follow. If the peer answers,
    /// the new connection ends in order.
    async fn sign_of_life_or_hang(&mut self) -> Result<(), Silence> {
        let (facts, deadline, clock) =
            (self.session.facts, self.session.deadline, self.session.wire.clock().clone());
        let has_others = !facts.missing.contains("methods/connections") && facts.calls.ping.is_some();
        let route = self.session.route.filter(|route| {
            has_others && route.host().is_none() && route.clock().base() == TimeBase::OwnTime
        });
        let short = facts.short(self.session.patience);
        let before = deadline.since(clock.now() + short);
        let Some(route) = route.filter(|_| !before.is_zero()) else { return self.sign_of_life().await };
        let (answered, served) = {
            let mut life = pin!(self.sign_of_life());
            tokio::select! {
                answered = life.as_mut() => return answered,
                () = clock.sleep(before) => {}
            }
            let begun = clock.now();
            let (answered, served) = tokio::join!(life, serves(route, facts, begun + short));
            (answered, served.map_err(|silence| (silence, clock.now().since(begun))))
        };
        if let (Err(Silence::Late), Err((Silence::Late, waited))) = (answered, served)
            && waited >= short
        {
            self.session.unserved = Some(waited);
        }
        answered
    }

    /// Whether the probe has this method and answers it, and the transcript has not culled the only
    /// way to call it.
    fn can_ask(&self, ping: &Ping) -> bool {
        let (facts, method) = (self.session.facts, ping.method());
        let by_id = self.session.names.member(&TextBuf::from(method)).is_some();
        let callable = by_id || !facts.missing.contains("methods/by-name");
        callable && facts.lacks(method).is_none() && facts.answers(method)
    }

    async fn ask(&mut self, ping: &Ping) -> Result<(), Silence> {
        let mut kept: Vec<Box<Received>> = Vec::new();
        let mut keep = |received| kept.push(received);
        let (by, deadline) = (self.session.facts.calls.by, self.session.deadline);
        let session = &mut *self.session;
        let answer = ping.ask(&mut session.wire, &mut session.names, by, deadline, &mut keep).await;
        kept.into_iter().for_each(|received| self.session.receive(*received, self.transcript));
        answer.map(|answer| self.session.names.heard(&answer.method))
    }

    async fn quiet(&mut self) -> Result<(), Silence> {
        let asked = self.session.wire.asked();
        // Silence that was shown after the same bytes needs no second time.
        let shown = self.session.quiet_after == Some(asked);
        let time = if shown { Duration::ZERO } else { self.session.facts.quiet() };
        let until = self.session.deadline.min(self.session.now() + time);
        loop {
            match self.session.wire.receive(until).await {
                Incoming::Message(received) => self.session.receive(*received, self.transcript),
                Incoming::Broken(problem) => {
                    self.session.broken.get_or_insert(problem);
                }
                Incoming::Late => {
                    self.session.quiet_after = Some(asked);
                    return Ok(());
                }
                end @ (Incoming::Closed { .. } | Incoming::Flood) => return Err(Silence::from(&end)),
            }
        }
    }
}
