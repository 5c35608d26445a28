//! A live peer that inputs are sent to, one connection each.
//!
//! An input is a stream, as for the oracles: what one end sends after its object. Each line goes out together with a known-good call, so what
//! comes before that call's answer belongs to the line: that gives the [`Transition`], and tells at which line a peer went deaf.
//!
//! A finding is what no peer may do, whatever it is sent:
//! 1. a line of it breaks a clause that gates, and the preflight saw nothing of the kind;
//! 2. its connection stays open, and neither of two known-good calls in a row is answered;
//! 3. it sends without end;
//! 4. a fresh connection is not served afterwards; where we started it, the end of its process is told.
//!
//! Deliberately absent: what the answers are (the cases of the suite say that), lines that arrive in pieces or many at once (campaigns of
//! `dnode-conform fuzz`), and how fast a peer is.

pub mod transition;

use dnode::transport::Address;
use dnode_conform::conversation::facts::Facts;
use dnode_conform::conversation::greet::{HELLO, bind_object};
use dnode_conform::conversation::ping::{Addressing, Ping};
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::service::{Service, serves};
use dnode_conform::peer::{DYING, Peer};
use dnode_conform::program::Target;
use dnode_conform::wire::{Incoming, Wire};
use dnode_spec::clause::{self, Level};
use dnode_spec::dialect::Dialect;
use dnode_spec::message::{Id, Method};
use dnode_spec::state::State;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::Names;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use transition::{Answer, Operation, Transition};

/// How long the peer has for one input, whatever it is: the engine's own limit is longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many lines of an input are sent.
const LINES: usize = 64;

/// The first number of our known-good calls: inputs have small ones.
const FIRST: i64 = 1_000_000;

/// A peer that answers a known-good call, and what it is known to do.
#[derive(Debug)]
pub struct Live {
    runtime: Runtime,
    peer: Option<Peer>,
    address: Address,
    facts: Facts,
    ping: Ping,
}

/// How a known-good call ended.
enum Barrier {
    Answered,
    Closed,
    Late,
    Flood,
}

impl Live {
    /// Starts the peer, or finds it. `ping` is a call that it answers, where it has no probe.
    ///
    /// # Errors
    /// Why it cannot be fuzzed, and whose fault that is.
    pub fn start(target: &Target, ping: Option<&Ping>) -> Result<Live, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| format!("harness: the runtime cannot start: {error}"))?;
        let (peer, facts) = runtime.block_on(async {
            let peer = Peer::start(target).await.map_err(|error| error.to_string())?;
            let facts = preflight(peer.address(), Dialect::default(), ping, PATIENCE).await;
            let unreachable = |error| format!("peer: {} cannot be reached: {error}", peer.address());
            let facts = facts.map_err(unreachable)?;
            Ok::<_, String>((peer, facts))
        })?;
        let none = "peer: no call is known that it answers; expose the probe (fixtures/PROBE.md) or name one";
        let ping = facts.ping.clone().ok_or(none)?;
        Ok(Live { runtime, address: peer.address().clone(), peer: Some(peer), facts, ping })
    }

    /// Sends an input, tells `seen` each transition, and judges the peer.
    ///
    /// # Errors
    /// What is found, with the line of the input that showed it. A peer that we started has ended then.
    pub fn hear(&mut self, input: &[u8], seen: &mut (dyn FnMut(Transition) + Send)) -> Result<(), String> {
        let Live { runtime, peer, address, facts, ping } = self;
        let session = Session { address, facts, ping, names: Names::new(FIRST), deadline: Instant::now() };
        runtime.block_on(async {
            let outcome = session.run(input, seen).await;
            let Err(finding) = outcome else { return Ok(()) };
            let Some(mut ended) = peer.take() else { return Err(finding) };
            let death = ended.death(DYING).await;
            ended.stop().await;
            let how = death.map(|death| format!("; its process ended: {}\n{}", death.status, death.stderr));
            Err(finding + &how.unwrap_or_default())
        })
    }
}

/// One input on its connection.
struct Session<'a> {
    address: &'a Address,
    facts: &'a Facts,
    ping: &'a Ping,
    names: Names,
    deadline: Instant,
}

impl Session<'_> {
    async fn run(mut self, input: &[u8], seen: &mut (dyn FnMut(Transition) + Send)) -> Result<(), String> {
        self.deadline = Instant::now() + PATIENCE;
        let opened = Wire::open(self.address, &self.facts.terms, self.deadline).await;
        let mut wire =
            opened.map_err(|error| format!("robust/survives: no connection is accepted: {error}"))?;
        wire.send(&[HELLO], self.deadline).await;
        self.greet(&mut wire).await;
        let mut outcome = Ok(());
        let input = input.strip_suffix(b"\n").unwrap_or(input);
        for (number, line) in input.split(|&byte| byte == b'\n').take(LINES).enumerate() {
            if wire.is_closed() || outcome.is_err() {
                break;
            }
            let found = self.line(&mut wire, line, seen).await;
            outcome =
                found.map_err(|what| format!("{what}, after line {}: {}", number + 1, line.escape_ascii()));
        }
        outcome?;
        wire.close(self.deadline.min(Instant::now() + self.facts.drain())).await;
        self.judge(wire)?;
        match serves(self.address, self.facts, Instant::now() + PATIENCE).await {
            Service::Served => Ok(()),
            service => Err(format!("robust/survives: a fresh connection is not served ({service:?})")),
        }
    }

    /// Takes the peer's object, where it sends one.
    async fn greet(&mut self, wire: &mut Wire) {
        while self.facts.members.is_some() {
            match wire.receive(self.deadline).await {
                Incoming::Message(received) if received.method.is("methods") => {
                    bind_object(&received, &mut self.names);
                    return;
                }
                Incoming::Message(_) | Incoming::Broken(_) => {}
                Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => return,
            }
        }
    }

    /// Sends one line and a known-good call.
    async fn line(
        &mut self,
        wire: &mut Wire,
        line: &[u8],
        seen: &mut (dyn FnMut(Transition) + Send),
    ) -> Result<(), String> {
        let operation = Operation::of(line, wire, |name| self.names.member(name).is_some());
        let before = operation.addressed(wire);
        let Some(by) = self.addressing(wire) else { return Ok(()) };
        let (call, id) = self.ping.line(&mut self.names, by);
        wire.send(&[&[line, b"\n", &call].concat()], self.deadline).await;
        let mut answer = Answer::Nothing;
        let quiet = self.deadline.min(Instant::now() + self.facts.quiet());
        let mut barrier = self.answered(wire, id, quiet, &mut answer).await;
        if matches!(barrier, Barrier::Late) {
            // A peer that only notices the first call when another has come is slow, not deaf.
            let (call, second) = self.ping.line(&mut self.names, by);
            wire.send(&[&call], self.deadline).await;
            barrier = self.answered(wire, second, self.deadline, &mut answer).await;
        }
        match barrier {
            Barrier::Late => {
                return Err("robust/not-deaf: neither an answer nor the end of the connection".to_owned());
            }
            Barrier::Flood if self.facts.floods.is_none() => {
                return Err("robust/survives: it sends without end".to_owned());
            }
            Barrier::Closed | Barrier::Flood => answer = Answer::Closed,
            Barrier::Answered => {}
        }
        let after = operation.addressed(wire);
        seen(Transition { before, operation, answer, after });
        Ok(())
    }

    /// How the known-good call is made: by name where the peer takes that, for the input may have culled its id. `None`: it has.
    fn addressing(&self, wire: &Wire) -> Option<Addressing> {
        if !self.facts.missing.contains("methods/by-name") {
            return Some(Addressing::ByName);
        }
        let id = self.names.member(&TextBuf::from(self.ping.method()))?;
        (wire.state_of_theirs(id) == State::Live).then_some(Addressing::ById)
    }

    /// Waits for the call of `id`; takes down what comes before it.
    async fn answered(&self, wire: &mut Wire, id: Id, until: Instant, answer: &mut Answer) -> Barrier {
        loop {
            match wire.receive(until).await {
                Incoming::Message(received) if received.method == Method::Id(id) => return Barrier::Answered,
                Incoming::Message(received) => *answer = answer.and(&received),
                Incoming::Broken(_) => *answer = Answer::Broken,
                Incoming::Closed { .. } => return Barrier::Closed,
                Incoming::Late => return Barrier::Late,
                Incoming::Flood => return Barrier::Flood,
            }
        }
    }

    /// What the peer's lines broke, but for what it always breaks.
    fn judge(&self, wire: Wire) -> Result<(), String> {
        let gates = |clause: &str| clause::find(clause).is_some_and(|clause| clause.level <= Level::Robust);
        let (_, broken) = wire.finish();
        let new = |clause: &&str| gates(clause) && !self.facts.broken.contains_key(clause);
        match broken.iter().find(|(clause, _)| new(clause)) {
            Some((clause, problem)) => {
                Err(format!("{clause}: at {:?} {}, not {}", problem.at, problem.actual, problem.expected))
            }
            None => Ok(()),
        }
    }
}
