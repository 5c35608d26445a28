//! One session before the cases: what this peer offers, how it can be called, and how fast it answers.

use crate::peer::{HELLO, Service, bind_object, serves};
use crate::ping::{Addressing, Answer, Ping};
use crate::transport::{Address, Limits};
use crate::wire::{Incoming, Terms, Wire};
use dnode_reports::event;
use dnode_spec::dialect::Dialect;
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{Id, Method, Problem};
use dnode_spec::monitor::Received;
use dnode_spec::path::PathForm;
use dnode_spec::probe;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::Names;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// More lines than this in the preflight, where some ten are due, come from a peer that sends without end.
const FLOOD: u64 = 1000;

/// How much longer than a case the preflight waits: what it learns decides over all of them.
const PATIENCE: u32 = 2;

/// How long a peer has to close a connection after we closed our half: one that never does is found out once. Too short, a slow one would
/// see resets in the place of orderly ends.
const DRAIN: Duration = Duration::from_secs(2);

/// Between our object and the first call, so that they do not share a segment.
const BEFORE_FIRST_CALL: Duration = Duration::from_millis(25);

/// What the preflight learned.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What its connections have in common.
    pub terms: Terms,
    /// What the peer calls itself; `None` where it does not claim the probe.
    pub name: Option<String>,
    /// The members of its object, and whether each is a function; `None` where it sent none.
    pub members: Option<BTreeMap<String, bool>>,
    /// The methods of the probe that it declares absent.
    pub absent: BTreeSet<String>,
    /// The methods of the probe that everything else rests on and that were called once without an answer.
    pub unanswered: BTreeSet<&'static str>,
    /// How its methods are called.
    pub by: Addressing,
    /// The known-good call, where one was answered.
    pub ping: Option<Ping>,
    /// It answers in the order of the calls.
    pub ordered: bool,
    /// The time of one call and its answer.
    pub round_trip: Duration,
    /// It closes when we close our sending half.
    pub closes: bool,
    /// What its transport cannot carry.
    pub limits: Limits,
    /// The clauses that the preflight saw broken, so that cases which rest on them say nothing.
    pub missing: BTreeSet<&'static str>,
    /// Its process ended with its first connection.
    pub ended: bool,
    /// It sends more than any case could tell apart: what it does, in words.
    pub floods: Option<&'static str>,
    /// What a reader of the verdicts should know.
    pub notes: Vec<String>,
    /// The log of the session, and the first problem of each clause that the peer broke.
    pub wire: Vec<event::Wire>,
    /// See `wire`.
    pub broken: BTreeMap<&'static str, Problem>,
    /// How many lines the peer sent.
    pub lines: u64,
}

impl Facts {
    fn speaking(dialect: Dialect) -> Facts {
        let note = (dialect != Dialect::default())
            .then(|| format!("the dialect is that of dnode-protocol {dialect}"));
        Facts {
            terms: Terms { dialect, ..Terms::default() },
            name: None,
            members: None,
            absent: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            by: Addressing::ById,
            ping: None,
            ordered: false,
            round_trip: Duration::from_millis(5),
            closes: false,
            limits: Limits::TCP,
            missing: BTreeSet::new(),
            ended: false,
            floods: None,
            notes: note.into_iter().collect(),
            wire: Vec::new(),
            broken: BTreeMap::new(),
            lines: 0,
        }
    }

    /// Of a peer whose process ended with its first connection: nothing can be asked of it.
    #[must_use]
    pub fn of_one_that_ended() -> Facts {
        let note = "the peer's process ended with its first connection";
        Facts { ended: true, notes: vec![note.to_owned()], ..Facts::speaking(Dialect::default()) }
    }

    /// Of a client that comes to us: nothing can be asked of it before its session, nor known to be answered.
    #[must_use]
    pub fn of_a_client() -> Facts {
        let note = "the cases speak for the server: the client calls by itself, and quiet time shows absence";
        Facts { notes: vec![note.to_owned()], ..Facts::speaking(Dialect::default()) }
    }

    /// How long to wait for the peer to close after we did.
    #[must_use]
    pub fn drain(&self) -> Duration {
        if self.closes { DRAIN } else { Duration::from_millis(20) }
    }

    /// How long silence must last where no barrier can show it.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        (self.round_trip * 20).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }

    /// How the peer wants indexes in paths.
    #[must_use]
    pub fn path_form(&self) -> PathForm {
        self.ping.as_ref().map(Ping::path_form).unwrap_or_default()
    }

    /// Whether this method of the probe can be relied on.
    #[must_use]
    pub fn answers(&self, method: &str) -> bool {
        self.name.is_some() && !self.unanswered.contains(method)
    }

    /// Why the peer cannot be asked something that needs `method` of the probe.
    #[must_use]
    pub fn lacks(&self, method: &str) -> Option<String> {
        // Without the claim a method of the same name may do anything.
        let claimed = self.members.as_ref().is_some_and(|members| members.contains_key("conformProbe"));
        if self.name.is_none() && !claimed {
            return Some("the peer does not expose the probe (see fixtures/PROBE.md)".to_owned());
        }
        if self.absent.contains(method) {
            return Some(format!("the peer's program declares {method} of the probe absent"));
        }
        let members = self.members.as_ref();
        let there = members
            .and_then(|members| members.get(method))
            .is_some_and(|function| *function || self.by == Addressing::ByName || method == probe::PLAIN);
        (!there).then(|| format!("the peer's program lacks {method} of the probe"))
    }
}

/// Runs the preflight. `ping` is the call that the caller named.
///
/// # Errors
/// Why the peer cannot be reached.
pub async fn preflight(
    address: &Address,
    dialect: Dialect,
    ping: Option<&Ping>,
    patience: Duration,
) -> std::io::Result<Facts> {
    let patience = patience * PATIENCE;
    let deadline = Instant::now() + patience;
    let mut facts = Facts { limits: address.limits(), ..Facts::speaking(dialect) };
    let mut wire = Wire::open(address, &facts.terms, deadline).await?;
    let mut names = Names::new(65);
    // First without a word of ours: each end sends its object unasked.
    if !greet(&mut wire, &mut names, &mut facts, deadline).await {
        facts.missing.insert("methods/sent");
    }
    let deadline = Instant::now() + patience;
    wire.send(&[HELLO], deadline).await;
    if facts.members.is_none() && greet(&mut wire, &mut names, &mut facts, deadline).await {
        facts.notes.push("the peer sends its object only after ours".to_owned());
    }
    // A peer that reads one message a segment must not lose the first call to its place behind ours: what is learned here
    // decides over every case.
    tokio::time::sleep(BEFORE_FIRST_CALL).await;
    if let Some(ping) = choose_ping(ping, &facts) {
        learn_addressing(&mut wire, &mut names, &mut facts, &ping, patience).await;
    }
    if let Some(ping) = facts.ping.clone() {
        learn_order(&mut wire, &mut names, &mut facts, &ping, patience).await;
        learn_answers(&mut wire, &mut names, &mut facts, patience).await;
    }
    match address.host() {
        Some(host) => {
            facts.notes.push("the peer is a client: it comes to us, one connection after another".to_owned());
            facts.notes.extend(host.note().await);
        }
        None => {
            // What the first has brought is done with: it must not keep the second from bringing as much.
            wire.allow_more(0);
            let second = serves(address, &facts, Instant::now() + patience).await;
            learn_connections(&mut facts, second, wire.is_closed());
        }
    }
    let ended = wire.is_closed();
    wire.close(Instant::now() + DRAIN).await;
    facts.closes = wire.is_closed();
    facts.lines = wire.lines();
    facts.floods = match (facts.lines > FLOOD, wire.is_flooded()) {
        (true, _) => Some("the peer sends messages without end"),
        (false, true) => Some("the peer sends more than the suite keeps of one connection"),
        (false, false) => None,
    };
    explain(&mut facts, ended);
    let (log, broken) = wire.finish();
    facts.wire = log.into_entries();
    facts.broken = broken;
    Ok(facts)
}

/// Waits for the peer's object; says whether it came.
async fn greet(wire: &mut Wire, names: &mut Names, facts: &mut Facts, deadline: Instant) -> bool {
    loop {
        match wire.receive(deadline).await {
            Incoming::Message(received) if received.method.is("methods") => {
                let members = bind_object(&received, names);
                let text = |key: &TextBuf| key.as_text().to_string_lossy().into_owned();
                facts.members = Some(members.iter().map(|(key, function)| (text(key), *function)).collect());
                return true;
            }
            Incoming::Message(_) | Incoming::Broken(_) => {}
            Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => return false,
        }
    }
}

/// The call that this peer should answer: the claim of the probe, else what the caller named.
fn choose_ping(ping: Option<&Ping>, facts: &Facts) -> Option<Ping> {
    // A member that is not declared may still answer to its name.
    let claimed = facts.members.as_ref().is_some_and(|members| members.contains_key("conformProbe"));
    if claimed { Ping::claim() } else { ping.cloned() }
}

/// How the peer can be called: by id, by name; and where it answers neither, whether other paths make it answer.
async fn learn_addressing(
    wire: &mut Wire,
    names: &mut Names,
    facts: &mut Facts,
    ping: &Ping,
    patience: Duration,
) {
    learn_forms(wire, names, facts, ping, patience).await;
    if facts.ping.is_none() && !wire.is_closed() {
        let missing = facts.missing.clone();
        facts.missing.remove("methods/by-id");
        facts.missing.remove("methods/by-name");
        let ping = ping.clone().with_paths(PathForm::Integers);
        learn_forms(wire, names, facts, &ping, patience).await;
        if facts.ping.is_some() {
            facts.missing.insert("callback/path-forms");
        } else {
            facts.missing = missing;
        }
    }
}

async fn learn_forms(wire: &mut Wire, names: &mut Names, facts: &mut Facts, ping: &Ping, patience: Duration) {
    let member = names.member(&TextBuf::from(ping.method())).is_some();
    for (by, clause) in [(Addressing::ById, "methods/by-id"), (Addressing::ByName, "methods/by-name")] {
        if by == Addressing::ById && !member {
            continue;
        }
        let started = Instant::now();
        // The second question is only asked to learn more: it needs no patience once the first was answered.
        let patience = if facts.ping.is_some() { facts.quiet().max(patience / 4) } else { patience };
        match ping.ask(wire, names, by, started + patience, &mut |_| {}).await {
            Answer::Answered(received) => {
                if facts.ping.is_none() {
                    facts.round_trip = started.elapsed();
                    facts.by = by;
                    facts.ping = Some(ping.clone());
                    if ping.method() == "conformProbe" {
                        claim(&received, facts);
                    }
                }
            }
            Answer::Closed | Answer::Late => {
                facts.missing.insert(clause);
            }
        }
    }
}

/// What the peer's program says of itself.
fn claim(received: &Received, facts: &mut Facts) {
    let graph = &received.graph;
    let items = graph.items(received.root);
    let name = items.first().and_then(|&id| text(graph, id)).unwrap_or_else(|| "unnamed".to_owned());
    facts.name = Some(name.chars().take(80).collect());
    // A list, or their names in one text: not every port can send a list.
    let absent = items.get(1).map(|&id| graph.items(id)).unwrap_or_default();
    let listed = absent.iter().filter_map(|&id| text(graph, id));
    let written = items.get(1).and_then(|&id| text(graph, id)).unwrap_or_default();
    facts.absent = listed
        .chain(written.split_whitespace().map(str::to_owned))
        .filter(|method| {
            let optional = probe::OPTIONAL.iter().chain(probe::optional_in(facts.terms.dialect));
            optional.into_iter().any(|known| known == method)
        })
        .collect();
}

fn text(graph: &Graph<Id>, id: NodeId) -> Option<String> {
    match graph.node(id) {
        Node::String(text) => Some(text.as_text().to_string_lossy().into_owned()),
        _ => None,
    }
}

/// Two calls in one segment: do the answers come in their order?
async fn learn_order(wire: &mut Wire, names: &mut Names, facts: &mut Facts, ping: &Ping, patience: Duration) {
    let deadline = Instant::now() + patience;
    let (mut lines, first) = ping.line(names, facts.by);
    let (line, second) = ping.line(names, facts.by);
    lines.extend_from_slice(&line);
    wire.send(&[&lines], deadline).await;
    let mut answers: Vec<Id> = Vec::new();
    while answers.len() < 2 {
        match wire.receive(deadline).await {
            Incoming::Message(received) => match received.method {
                Method::Id(id) if id == first || id == second => answers.push(id),
                _ => {}
            },
            Incoming::Broken(_) => {}
            Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => break,
        }
    }
    facts.ordered = answers == [first, second];
}

/// Two connections at once: the first is still open.
fn learn_connections(facts: &mut Facts, second: Service, first_is_closed: bool) {
    if facts.members.is_some() && second != Service::Served && !first_is_closed {
        facts.missing.insert("methods/connections");
        facts.notes.push("a second connection is not served while the first is open".to_owned());
    }
}

/// Calls once each method of the probe that many cases rest on: a case that needs one which does not answer says nothing.
async fn learn_answers(wire: &mut Wire, names: &mut Names, facts: &mut Facts, patience: Duration) {
    if facts.name.is_none() {
        return;
    }
    let path_form = facts.path_form();
    for ping in Ping::of_the_probe().map(|ping| ping.with_paths(path_form)) {
        let deadline = Instant::now() + facts.quiet().max(patience / 4);
        let method = ping.method().to_owned();
        if facts.lacks(&method).is_some() {
            continue;
        }
        match ping.ask(wire, names, facts.by, deadline, &mut |_| {}).await {
            Answer::Answered(_) => {}
            Answer::Late | Answer::Closed => {
                let method = probe::REQUIRED.iter().chain(probe::OPTIONAL).find(|known| **known == method);
                facts.unanswered.extend(method);
            }
        }
    }
}

/// What the reader of the verdicts should know. `ended`: the peer ended the connection.
fn explain(facts: &mut Facts, ended: bool) {
    let mut note = |text: &str| facts.notes.push(text.to_owned());
    if let Some(floods) = facts.floods {
        return note(floods);
    }
    let end = if ended { ": it ends the connection" } else { "" };
    if facts.members.is_none() {
        note(&format!("the peer sends no message \"methods\"{end}"));
    } else if facts.ping.is_none() && facts.missing.is_empty() {
        note(
            "nothing is known that this peer answers: expose the probe or name a method with --ping, for example \
              --ping 'add[1,2,\"$cb\"]'; until then quiet time shows absence",
        );
    } else if facts.ping.is_none() {
        note(&format!("the peer does not answer the known-good call{end}"));
    } else {
        if facts.missing.contains("callback/path-forms") {
            note(
                "the peer takes no strings for the indexes in paths: integers are written wherever a case is not about that",
            );
        }
        if facts.missing.contains("methods/by-id") {
            note("the peer answers calls by name only");
        }
        if facts.missing.contains("methods/by-name") {
            note("the peer answers calls by id only");
        }
        if !facts.unanswered.is_empty() {
            let methods: Vec<&str> = facts.unanswered.iter().copied().collect();
            note(&format!("the peer does not answer {} of the probe", methods.join(", ")));
        }
        if !facts.ordered {
            note("the peer does not answer in the order of the calls: quiet time shows absence");
        }
    }
}
