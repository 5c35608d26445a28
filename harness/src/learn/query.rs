//! One word, asked on one connection.

use crate::clock::Moment;
use crate::conversation::facts::Facts;
use crate::conversation::ping::Ping;
use crate::program::Route;
use crate::wire::{Incoming, Wire};
use dnode_spec::alphabet::{Alphabet, Begins, Mapper, Saying, Unasked};
use dnode_spec::machine::{Input, Output, Then};
use dnode_spec::message::{Id, Method, Problem};
use dnode_spec::transcript::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The input that sends our object.
pub(super) const OBJECT: &str = "object";

/// Why a word was not asked to its end.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The peer did not serve the connection up to the first input.
    NotServed,
    /// The machine was too busy.
    Overloaded,
    /// The alphabet is wrong.
    Steps(Fault),
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Unanswered {
        Unanswered::Steps(fault)
    }
}

/// The answers to a word.
#[derive(Debug)]
pub(super) struct Asked {
    /// The outputs up to the end of the connection.
    pub outputs: Vec<Output>,
    /// The first problem of each clause that the peer's lines broke.
    pub broken: BTreeMap<&'static str, Problem>,
}

/// Asks a word on a new connection.
pub(super) async fn query(
    route: &Route,
    alphabet: &Alphabet,
    facts: &Facts,
    begins: Begins,
    word: &[Input],
    patience: Duration,
) -> Result<Asked, Unanswered> {
    let clock = route.clock();
    let wire = Wire::open(route, &facts.terms, clock.now() + patience).await;
    let wire = wire.map_err(|_| Unanswered::NotServed)?;
    let unasked = Unasked { names: Some(&facts.calls.unasked), methods: facts.calls.calls_ours };
    let mapper = Mapper::new(alphabet, facts.calls.by, facts.path_form())?.ignoring(unasked);
    let mut query = Query { wire, mapper, facts, patience, received_object: false, late: BTreeSet::new() };
    query.open(alphabet, begins).await?;
    let mut outputs = Vec::new();
    for &input in word {
        let then = match query.mapper.say(input)? {
            Saying::Impossible => Then::Impossible,
            Saying::Bytes(bytes) => query.exchange(&bytes).await,
            Saying::HalfClose => query.half_close().await,
        };
        if query.wire.is_overloaded() {
            return Err(Unanswered::Overloaded);
        }
        outputs.push(query.mapper.output(then));
        if then.is_end() {
            break;
        }
    }
    let deadline = query.deadline().min(clock.now() + facts.drain());
    query.wire.close(deadline).await;
    Ok(Asked { outputs, broken: query.wire.finish().1 })
}

/// One connection.
struct Query<'q> {
    wire: Wire,
    mapper: Mapper<'q>,
    facts: &'q Facts,
    patience: Duration,
    received_object: bool,
    /// The callbacks of known-good calls that were not answered in time. Their answers are no acts.
    late: BTreeSet<Id>,
}

impl Query<'_> {
    fn deadline(&self) -> Moment {
        self.wire.clock().now() + self.patience
    }

    /// Does everything before the first input.
    async fn open(&mut self, alphabet: &Alphabet, begins: Begins) -> Result<(), Unanswered> {
        let object = alphabet.input(OBJECT).filter(|_| begins == Begins::WithObject);
        if let Some(object) = object
            && let Saying::Bytes(bytes) = self.mapper.say(object)?
        {
            let deadline = self.deadline();
            self.wire.send(&[&bytes], deadline).await;
        }
        let deadline = self.deadline();
        while !self.received_object && !self.facts.sends_no_object() {
            let incoming = self.wire.receive(deadline).await;
            self.hear(incoming).map_err(|_| Unanswered::NotServed)?;
        }
        let bytes = self.mapper.set_up()?;
        match self.exchange(&bytes).await {
            Then::Open => self.mapper.begin(),
            _ => return Err(Unanswered::NotServed),
        }
        Ok(())
    }

    /// Sends bytes, and hears everything that they cause: two known-good calls show that nothing
    /// more comes.
    async fn exchange(&mut self, bytes: &[u8]) -> Then {
        let deadline = self.deadline();
        let Some(ping) = self.facts.calls.ping.as_ref().filter(|_| self.facts.calls.ordered) else {
            self.wire.send(&[bytes], deadline).await;
            return self.quiet().await;
        };
        if !bytes.is_empty() {
            self.wire.hold_until_next();
            self.wire.send(&[bytes], deadline).await;
        }
        let later = Ping::later()
            .filter(|later| self.facts.answers(later.method()) && self.facts.lacks(later.method()).is_none());
        let later = later.map(|later| later.with_paths(ping.path_form()));
        for ping in [ping, later.as_ref().unwrap_or(ping)] {
            let mut then = self.ask(ping, deadline).await;
            if then == Then::Hung && !self.wire.is_flooded() {
                // A peer that lost this call may still answer the next one.
                let deadline = self.deadline();
                then = self.ask(ping, deadline).await;
            }
            if then != Then::Open {
                return then;
            }
        }
        Then::Open
    }

    async fn ask(&mut self, ping: &Ping, deadline: Moment) -> Then {
        let by = self.facts.calls.by;
        let id = ping.send(&mut self.wire, self.mapper.names(), by, deadline).await;
        loop {
            match self.wire.receive(deadline).await {
                Incoming::Message(received) if received.method == Method::Id(id) => {
                    self.mapper.names().heard(&received.method);
                    return Then::Open;
                }
                incoming => {
                    if let Err(then) = self.hear(incoming) {
                        self.late.insert(id);
                        return then;
                    }
                }
            }
        }
    }

    /// Waits until nothing has come for a while, for a peer that does not answer in order.
    async fn quiet(&mut self) -> Then {
        let deadline = self.deadline();
        loop {
            let until = deadline.min(self.wire.clock().now() + self.facts.quiet());
            match self.wire.receive(until).await {
                Incoming::Late => return Then::Open,
                incoming => {
                    if let Err(then) = self.hear(incoming) {
                        return then;
                    }
                }
            }
        }
    }

    async fn half_close(&mut self) -> Then {
        self.wire.half_close();
        let deadline = match self.facts.calls.closing.is_known() {
            true => self.deadline(),
            false => self.wire.clock().now() + self.facts.quiet(),
        };
        loop {
            let incoming = self.wire.receive(deadline).await;
            if matches!(incoming, Incoming::Late) {
                return Then::Lingers;
            }
            if let Err(then) = self.hear(incoming) {
                return then;
            }
        }
    }

    /// Notes an act of the peer. If it ended the connection, the error says how.
    fn hear(&mut self, incoming: Incoming) -> Result<(), Then> {
        match incoming {
            Incoming::Message(received) if matches!(received.method, Method::Id(id) if self.late.remove(&id)) =>
            {
                self.mapper.names().heard(&received.method);
                Ok(())
            }
            Incoming::Message(received) => {
                self.received_object |= received.method.is("methods");
                self.mapper.hear(&received);
                Ok(())
            }
            Incoming::Broken(problem) => {
                self.mapper.hear_broken(problem.clause);
                Ok(())
            }
            Incoming::Closed { .. } => Err(Then::Closed),
            Incoming::Late | Incoming::Flood => Err(Then::Hung),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::preflight::preflight;
    use dnode::transport::Address;
    use dnode_spec::dialect::Dialect;
    use serde_json::Value;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

    const METHODS: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"]}}\n";
    const PATIENCE: Duration = Duration::from_secs(1);

    /// A peer that does one thing after another, and works on a cull for longer than the deadline.
    async fn serve(stream: DuplexStream) -> std::io::Result<()> {
        let (from, mut to) = tokio::io::split(stream);
        let mut lines = BufReader::new(from).lines();
        to.write_all(METHODS).await?;
        while let Some(line) = lines.next_line().await? {
            let message: Value = serde_json::from_str(&line)?;
            if message["method"] == "cull" {
                tokio::time::sleep(PATIENCE * 3 / 2).await;
            }
            let callbacks = message["callbacks"].as_object();
            let Some(id) = callbacks.and_then(|all| all.keys().next()).filter(|_| message["method"] == 0)
            else {
                continue;
            };
            to.write_all(format!("{{\"method\":{id},\"arguments\":[\"slow\",[]]}}\n").as_bytes()).await?;
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn the_late_answer_to_a_known_good_call_is_no_act() {
        let route = Route::on_paused_clock(Address::in_memory("slow", || {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            tokio::spawn(serve(theirs));
            ours
        }));
        let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
        let (alphabet, _) =
            Alphabet::read(dnode_fixtures::ALPHABET).unwrap().without(|method| facts.lacks(method));
        let word = ["cull-unknown", "call-unknown-id"].map(|name| alphabet.input(name).unwrap());
        let asked = query(&route, &alphabet, &facts, Begins::WithNothing, &word, PATIENCE).await.unwrap();
        let nothing = Output { acts: Vec::new(), then: Then::Open };
        assert_eq!(asked.outputs, [nothing.clone(), nothing]);
    }
}
