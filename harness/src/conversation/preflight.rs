//! The preflight: one session before the cases. It learns the peer's object, how to call it, and
//! how fast it answers.

mod forms;

use super::closing::{Closing, DRAIN};
use super::facts::{Avoids, Facts, SEGMENTS, Unusable};
use super::greet::{HELLO, receive_object};
use super::ping::Ping;
use super::service::serves;
use super::stranger::Stranger;
use crate::clock::Moment;
use crate::program::Route;
use crate::wire::{Incoming, Terms, Wire};
use dnode_spec::dialect::Dialect;
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::monitor::Received;
use dnode_spec::probe;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::{Addressing, Names};
use forms::STAGGER;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// A peer that sends more lines than this in the preflight, which needs about ten, sends messages
/// without end.
const FLOOD: u64 = 1000;

/// Between our object and the first call, so that they do not share a segment.
const BEFORE_FIRST_CALL: Duration = Duration::from_millis(25);

/// Why the preflight learned nothing.
#[derive(Debug, Error)]
pub enum PreflightError {
    /// The peer cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] io::Error),
    /// The peer speaks another protocol.
    #[error(transparent)]
    Stranger(#[from] Stranger),
}

/// Runs the preflight. `ping` is the call that the caller named.
///
/// # Errors
/// [`PreflightError`].
pub async fn preflight(
    route: &Route,
    dialect: Dialect,
    ping: Option<&Ping>,
    patience: Duration,
) -> Result<Facts, PreflightError> {
    let terms = Terms { dialect, ..Terms::default() };
    let facts = session(route, terms, ping, patience, Avoids::default()).await?;
    Ok(preflight_again(route, facts, ping, patience).await)
}

/// Runs the preflight again on a peer that did not answer all calls, without what may be the reason. If
/// that helps, the whole run does the same, so that one bad habit is one finding. Ends early if the
/// peer no longer answers.
pub async fn preflight_again(route: &Route, first: Facts, ping: Option<&Ping>, patience: Duration) -> Facts {
    let mut facts = first;
    while let Some(avoids) = facts.calls.to_avoid() {
        let terms = Terms { messages_alone: avoids.shared_segments, ..facts.terms.clone() };
        match session(route, terms, ping, patience, avoids).await {
            Ok(next) if next.calls.ping.is_some() => facts = next.after(facts.session),
            _ => break,
        }
    }
    if facts.calls.avoided.shared_segments {
        let helps = !facts.calls.loses_one_of_two;
        facts.terms.messages_alone = helps;
        facts.missing.extend(helps.then_some(SEGMENTS));
    }
    facts
}

/// One session of the preflight.
async fn session(
    route: &Route,
    terms: Terms,
    ping: Option<&Ping>,
    patience: Duration,
    avoids: Avoids,
) -> Result<Facts, PreflightError> {
    let deadline = route.clock().now() + patience;
    let mut facts = Facts::new(terms, route.limits());
    facts.calls.avoided = avoids;
    let wire = Wire::open(route, &facts.terms, deadline).await?;
    let mut names = Names::new(65);
    names.dialect = facts.terms.dialect;
    let mut preflight = Preflight { wire, names, facts, patience, name_is_unanswered: false };
    preflight.facts.object.promised = ping.is_some_and(|ping| ping.method() == "conformProbe");
    preflight.exchange_objects(deadline).await;
    if preflight.facts.object.members.is_none()
        && let Some(stranger) = Stranger::of(preflight.wire.head())
    {
        preflight.wire.close(route.clock().now() + DRAIN).await;
        return Err(stranger.into());
    }
    if preflight.facts.calls.ping.is_none()
        && let Some(ping) = preflight.known_good_call(ping)
    {
        preflight.learn_addressing(&ping).await;
    }
    if let Some(ping) = preflight.facts.calls.ping.clone() {
        preflight.learn_order(&ping).await;
        if preflight.is_of_no_use() {
            return Ok(preflight.finish().await);
        }
        preflight.learn_answers().await;
    }
    preflight.learn_connections(route).await;
    Ok(preflight.finish().await)
}

/// The session of the preflight.
struct Preflight {
    wire: Wire,
    names: Names,
    facts: Facts,
    patience: Duration,
    /// The peer answers calls by id, but did not answer one by name.
    name_is_unanswered: bool,
}

impl Preflight {
    /// Waits for the peer's object. Our object is sent later, because each end must send its own
    /// unasked.
    async fn exchange_objects(&mut self, deadline: Moment) {
        let opened = self.wire.clock().now();
        if self.receive_object(deadline).await {
            self.facts.object.took = self.wire.clock().now().since(opened);
        } else {
            self.facts.missing.insert("methods/sent");
        }
        // A peer that has been silent for a whole deadline gets less time now. More silence breaks
        // no clause.
        let deadline = self.wire.clock().now() + self.patience / 4 * 3;
        self.wire.send(&[HELLO], deadline).await;
        // The first call must not share a segment with our object. A peer that reads one message a
        // segment would lose the call, and every case depends on its answer.
        self.wire.clock().sleep(BEFORE_FIRST_CALL).await;
        if self.facts.object.members.is_none() {
            self.ask_for_object(deadline).await;
        }
    }

    /// Waits for the object of a peer that may send it only after ours. A peer that sends none may
    /// still answer calls by name. Most such peers do not, so silence breaks no clause.
    async fn ask_for_object(&mut self, deadline: Moment) {
        let first = self.wire.clock().now() + self.patience / STAGGER;
        let mut received = self.receive_object(first.min(deadline)).await;
        if !received && !self.wire.is_closed() && Stranger::of(self.wire.head()).is_none() {
            received = self.claims_by_name(deadline).await;
        }
        if received {
            let head = self.wire.head();
            let is_copy = !head.is_empty() && HELLO.starts_with(head);
            self.facts.notes.push(match is_copy {
                true => "the peer's object is a copy of ours: is this an echo server?".to_owned(),
                false => "the peer sends its object only after ours".to_owned(),
            });
        }
    }

    /// Asks for the claim of the probe by name. Waits for the answer or for the peer's object, and
    /// returns whether the object came.
    async fn claims_by_name(&mut self, deadline: Moment) -> bool {
        let Some(claim) = Ping::claim() else { return false };
        let at = self.wire.clock().now();
        let id = claim.send(&mut self.wire, &mut self.names, Addressing::ByName, deadline).await;
        loop {
            match self.wire.receive(deadline).await {
                Incoming::Message(received) if received.method == Method::Id(id) => {
                    let round_trip = self.wire.clock().now().since(at);
                    self.learn_call(&claim, Addressing::ByName, &received, round_trip);
                    return false;
                }
                Incoming::Message(received) if received.method.is("methods") => {
                    self.bind_object(&received);
                    return true;
                }
                Incoming::Message(received) => self.facts.heard_unasked(&received.method),
                Incoming::Broken(_) => {}
                Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => return false,
            }
        }
    }

    async fn receive_object(&mut self, deadline: Moment) -> bool {
        let facts = &mut self.facts;
        let mut others = |other| {
            if let Incoming::Message(other) = other {
                facts.heard_unasked(&other.method);
            }
        };
        let Ok(received) = receive_object(&mut self.wire, deadline, &mut others).await else { return false };
        self.bind_object(&received);
        true
    }

    fn bind_object(&mut self, received: &Received) {
        let members = self.names.bind_object(received);
        let text = |key: &TextBuf| key.as_text().to_string_lossy().into_owned();
        self.facts.object.members = Some(members.iter().map(|(key, is)| (text(key), *is)).collect());
    }

    /// The call that this peer should answer: the claim of the probe, or the call that the caller
    /// named.
    fn known_good_call(&self, named: Option<&Ping>) -> Option<Ping> {
        // A member that is not declared may still answer to its name.
        if self.facts.claims_probe() { Ping::claim() } else { named.cloned() }
    }

    /// Reads the answer to `conformProbe`: the name of the program, and the methods that it
    /// declares absent.
    fn read_claim(&mut self, received: &Received) {
        let graph = &received.graph;
        let items = graph.items(received.root);
        let name = items.first().and_then(|&id| text(graph, id)).unwrap_or_else(|| "unnamed".to_owned());
        self.facts.object.name = Some(name.chars().take(80).collect());
        // A list of names, or one text with all names, because not every port can send a list.
        let absent = items.get(1).map(|&id| graph.items(id)).unwrap_or_default();
        let listed = absent.iter().filter_map(|&id| text(graph, id));
        let written = items.get(1).and_then(|&id| text(graph, id)).unwrap_or_default();
        let dialect = self.facts.terms.dialect;
        let is_optional = |method: &String| {
            probe::OPTIONAL.iter().chain(probe::optional_in(dialect)).any(|known| known == method)
        };
        let words = written.split_whitespace().map(str::to_owned);
        self.facts.object.absent = listed.chain(words).filter(is_optional).collect();
    }

    /// Sends two calls in one segment and learns whether their answers arrive in the same order.
    async fn learn_order(&mut self, ping: &Ping) {
        let deadline = self.wire.clock().now() + self.patience;
        let (mut lines, first) = ping.line(&mut self.names, self.facts.calls.by);
        let (line, second) = ping.line(&mut self.names, self.facts.calls.by);
        lines.extend_from_slice(&line);
        self.wire.send(&[&lines], deadline).await;
        let mut answers: Vec<Id> = Vec::new();
        while answers.len() < 2 {
            match self.wire.receive(deadline).await {
                Incoming::Message(received) => match received.method {
                    Method::Id(id) if id == first || id == second => answers.push(id),
                    other => self.facts.heard_unasked(&other),
                },
                Incoming::Broken(_) => {}
                Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => break,
            }
        }
        self.facts.calls.ordered = answers == [first, second];
        self.facts.calls.loses_one_of_two = answers.len() < 2;
        self.judge_order(answers.len());
    }

    /// Learns from the number of answers to these two calls.
    fn judge_order(&mut self, answers: usize) {
        let calls = &mut self.facts.calls;
        calls.unanswered_since_name = self.name_is_unanswered && answers == 0;
        // A call by name after which nothing is answered may not be the reason. It is, if all is
        // answered without it.
        let without_name = calls.avoided.names && answers == 2;
        if without_name || self.name_is_unanswered && !calls.unanswered_since_name {
            self.facts.missing.insert("methods/by-name");
        }
        // It may answer each call if the connection is new.
        if answers < 2 && self.facts.terms.messages_alone && self.wire.is_closed() {
            self.facts.calls.ended = true;
            self.facts.missing.insert(match self.facts.calls.by {
                Addressing::ById => "methods/by-id",
                Addressing::ByName => "methods/by-name",
            });
        }
    }

    /// Whether there will be another session, in which each message travels alone.
    fn is_of_no_use(&self) -> bool {
        self.facts.calls.loses_one_of_two && !self.facts.terms.messages_alone
    }

    /// Calls each method of the probe that many cases rest on. If one does not answer, the cases
    /// that need it would prove nothing.
    async fn learn_answers(&mut self) {
        if self.facts.object.name.is_none() {
            return;
        }
        let (path_form, by) = (self.facts.path_form(), self.facts.calls.by);
        for ping in Ping::of_the_probe().map(|ping| ping.with_paths(path_form)) {
            let deadline = self.wire.clock().now() + self.facts.quiet().max(self.patience / 4);
            let method = ping.method();
            if self.facts.lacks(method).is_some() {
                continue;
            }
            if self.wire.is_closed() {
                break;
            }
            if self.ask(&ping, by, deadline).await.is_err() {
                let known = probe::REQUIRED.iter().chain(probe::OPTIONAL).find(|known| **known == method);
                self.facts.object.unanswered.extend(known);
            }
        }
    }

    /// Learns whether the peer serves a second connection while the first is open. A client opens
    /// only one at a time.
    async fn learn_connections(&mut self, route: &Route) {
        if let Some(host) = route.host() {
            let note = "the peer is a client: it connects to us, one connection after another";
            self.facts.notes.push(note.to_owned());
            self.facts.notes.extend(host.note().await);
            return;
        }
        // Free the memory of the first connection for the second.
        self.wire.allow_more(0);
        let second = serves(route, &self.facts, route.clock().now() + self.patience).await;
        let known = self.facts.object.members.is_some() || self.facts.calls.ping.is_some();
        if known && second.is_err() && !self.wire.is_closed() {
            self.facts.missing.insert("methods/connections");
            self.facts
                .notes
                .push("no answer came on a second connection while the first was open".to_owned());
        }
    }

    async fn finish(mut self) -> Facts {
        let ended = self.wire.is_closed();
        let end = match () {
            () if self.wire.lines() == 0 && self.wire.unfinished() > 0 => ": what it sends has no newline",
            () if ended => ": it ends the connection",
            () => "",
        };
        self.wire.close(self.wire.clock().now() + DRAIN).await;
        self.facts.calls.closing = Closing::seen(self.wire.is_closed());
        self.facts.session.ended = ended;
        self.facts.session.silent = !ended && self.wire.head().is_empty();
        self.facts.session.lines = self.wire.lines();
        self.facts.unusable = match self.wire.is_flooded() {
            _ if self.wire.lines() > FLOOD => Some(Unusable::EndlessMessages),
            true if self.wire.too_long => Some(Unusable::LongLine),
            true => Some(Unusable::TooMuchData),
            false => None,
        };
        let notes = notes(&self.facts, end);
        self.facts.notes.extend(notes);
        let (log, broken) = self.wire.finish();
        self.facts.session.wire = log.into_entries();
        self.facts.session.broken = broken;
        self.facts
    }
}

fn text(graph: &Graph<Id>, id: NodeId) -> Option<String> {
    match graph.node(id) {
        Node::String(text) => Some(text.as_text().to_string_lossy().into_owned()),
        _ => None,
    }
}

/// Notes for the reader of the verdicts. `end`: why an answer is missing, if anything shows that.
fn notes(facts: &Facts, end: &str) -> Vec<String> {
    if let Some(unusable) = facts.unusable {
        return vec![unusable.to_string()];
    }
    let mut notes: Vec<String> = calls_unasked(facts).into_iter().collect();
    if facts.object.members.is_none() {
        let by_name = facts.calls.ping.as_ref().map(|_| ", but answers calls by name").unwrap_or_default();
        notes.push(format!("the peer sends no message \"methods\"{by_name}{end}"));
        if facts.calls.ping.is_none() {
            return notes;
        }
    }
    // Without the probe, the run says what to do.
    if facts.calls.ping.is_none() && facts.missing.is_empty() {
        return notes;
    }
    if facts.calls.ping.is_none() {
        notes.push(format!("the peer does not answer the known-good call{end}"));
        return notes;
    }
    if facts.terms.messages_alone && !facts.calls.loses_one_of_two {
        notes.push(
            "the peer loses messages that share a segment: except in the cases about segments, each message \
             travels in a segment of its own"
                .to_owned(),
        );
    }
    if facts.missing.contains("callback/path-forms") {
        notes.push(
            "the peer rejects strings as indexes in paths: cases about other clauses use integers".to_owned(),
        );
    }
    if facts.calls.ended {
        notes.push(
            "the peer ends the connection after its first answers: keep it open for more calls".to_owned(),
        );
        return notes;
    }
    match facts.calls.by {
        Addressing::ByName if facts.missing.contains("methods/by-id") => {
            notes.push("the peer answers calls by name only".to_owned());
        }
        Addressing::ById if facts.missing.contains("methods/by-name") => {
            notes.push("the peer answers calls by id only".to_owned());
        }
        _ => {}
    }
    if !facts.object.unanswered.is_empty() {
        let methods: Vec<&str> = facts.object.unanswered.iter().copied().collect();
        notes.push(format!("the peer does not answer {} of the probe", methods.join(", ")));
    }
    notes.extend(internals(facts));
    if !facts.calls.ordered {
        notes.push("the peer does not answer in the order of the calls: quiet time shows absence".to_owned());
    }
    notes
}

/// The members of the peer's object that only the peer itself should call.
fn internals(facts: &Facts) -> Option<String> {
    const OTHERS: [&str; 5] = ["constructor", "initialize", "method_missing", "AUTOLOAD", "DESTROY"];
    let members = facts.object.members.iter().flatten();
    let internal = |(name, function): &(&String, &bool)| {
        **function && (name.starts_with("__") || OTHERS.contains(&name.as_str()))
    };
    let names: Vec<String> = members
        .filter(internal)
        .take(5)
        .map(|(name, _)| format!("{:?}", name.chars().take(80).collect::<String>()))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "the peer offers {}, names that its language calls by itself: anyone who connects can call them",
            names.join(", ")
        )
    })
}

/// The calls that the peer makes unasked, which no case judges.
fn calls_unasked(facts: &Facts) -> Option<String> {
    let ours = facts.calls.calls_ours.then(|| "methods of our object".to_owned());
    let names = facts
        .calls
        .unasked
        .iter()
        .filter(|name| *name != "hello")
        .take(5)
        .map(|name| format!("{:?}", name.chars().take(80).collect::<String>()));
    let all: Vec<String> = ours.into_iter().chain(names).collect();
    (!all.is_empty()).then(|| format!("the peer calls {} unasked, which it may", all.join(", ")))
}

#[cfg(test)]
mod tests;
