//! From a suspicion to a finding: the session is played again as a transcript, under the rules of judgement, by itself on a peer of its own.
//!
//! What does not show again is dropped: a campaign blames nobody for a slow moment. What shows is shrunk, confirmed three times, and named by what is left.

use super::input::{End, Input, Methods};
use super::operation::operation;
use super::oracle::{Identity, Oracle, last_words};
use super::reduce::smaller;
use super::source::end_word;
use crate::cases::{Case, LIFE_CLAUSE, level};
use crate::conversation::facts::Facts;
use crate::conversation::greet::{HELLO, bind_object, receive_object};
use crate::conversation::replay::replay;
use crate::peer::{Health, Slot};
use crate::program::Route;
use crate::run::applicable::ruled_out;
use crate::verdict::Command;
use crate::verdict::outcome::likened;
use crate::wire::Wire;
use dnode_reports::event::{self, Death, Kind, Outcome};
use dnode_spec::clause::Level;
use dnode_spec::message::Problem;
use dnode_spec::transcript::Names;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a finding is confirmed.
pub const CONFIRMATIONS: usize = 3;
/// How many smaller inputs are tried, and how many of those may harm the peer.
const TRIES: usize = 300;
const HARMS: usize = 16;
/// A peer that no longer serves anyone is waited for each time.
const LONG_HARMS: usize = 5;
/// While smaller inputs are tried, a missing answer is one sooner than in a verdict.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// Something wrong that a session showed.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The kind of difference; none if the monitor saw it.
    pub(super) kind: Option<Kind>,
    /// What it is; its operation is that of the session that showed it.
    pub identity: Identity,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub came: String,
    /// What went over the wire.
    pub wire: Vec<event::Wire>,
    /// How the process ended.
    pub death: Option<Death>,
}

impl Shown {
    pub(super) fn new(identity: Identity, kind: Option<Kind>, expected: &str, came: &str) -> Shown {
        let (expected, came) = (expected.to_owned(), came.to_owned());
        Shown { kind, identity, expected, came, wire: Vec::new(), death: None }
    }
}

/// Plays sessions by themselves. The peer is the lane's, and is started again after each that showed something.
#[derive(Debug)]
pub(super) struct Confirmer<'a> {
    /// The peer.
    pub slot: Slot,
    /// What is known of it.
    pub facts: &'a Facts,
    /// What inputs call.
    pub methods: &'a Methods,
    /// How long an answer may take.
    pub patience: Duration,
    /// The weakest level whose clauses count.
    pub gate: Level,
    /// Set when the campaign is to end.
    pub stop: &'a CancellationToken,
}

impl Confirmer<'_> {
    /// Makes sure that the peer runs.
    pub(super) async fn ready(&mut self) -> bool {
        self.slot.ready().await.is_ok()
    }

    /// Ends the peer if it is ours, so that the next session has a fresh one.
    pub(super) async fn refresh(&mut self) {
        self.slot.discard().await;
    }

    /// Plays one case; says all that is wrong. `operation` is what its findings are named after.
    pub(super) async fn show(&mut self, case: &Case, operation: &str, patience: Duration) -> Vec<Shown> {
        if ruled_out(case, self.facts).is_some() || !self.ready().await {
            return Vec::new();
        }
        let Some(route) = self.slot.route() else { return Vec::new() };
        let canary = Canary::open(&route, self.facts, patience).await;
        let replayed = replay(case, &route, self.facts, patience).await;
        let broken = replayed.broken.clone();
        let (health, hung) = self.health(patience).await;
        let lives = health.is_good();
        let (outcome, _) = likened(case, replayed, health, &Command::default());
        let mut found = self.of_monitor(&broken);
        found.extend(self.of_outcome(&outcome, lives, operation));
        let of_others = |oracle, expected: &str| {
            let clause = if oracle == Oracle::Hang { "robust/bounded" } else { "robust/survives" };
            let identity = Identity::new(oracle, clause, operation, oracle.word());
            Shown::new(identity, None, expected, "none for a while")
        };
        if hung {
            found.push(of_others(Oracle::Hang, "an answer on a fresh connection"));
        }
        if let Some(mut canary) = canary.filter(|_| lives)
            && !canary.is_alive(self.facts, patience).await
        {
            found.push(of_others(Oracle::Disturbed, "an answer on a connection that was open before"));
        }
        if !found.is_empty() {
            self.refresh().await;
        }
        found.iter_mut().for_each(|shown| shown.wire.clone_from(&outcome.evidence.wire));
        found
    }

    /// What the monitor says of the peer's lines.
    fn of_monitor(&self, broken: &BTreeMap<&'static str, Problem>) -> Vec<Shown> {
        let counts = broken.iter().filter(|(clause, _)| level(clause) <= self.gate);
        let shown = counts.map(|(clause, problem)| {
            let place = problem.at.split(['.', '[']).next().unwrap_or_default();
            let identity = Identity::new(Oracle::Clause, clause, "a line of the peer", place);
            Shown::new(identity, None, &problem.expected, &problem.actual)
        });
        shown.collect()
    }

    /// What the rules of judgement say of the session. `lives`: the peer serves others.
    fn of_outcome(&self, outcome: &Outcome, lives: bool, operation: &str) -> Option<Shown> {
        let found = outcome.divergence.as_ref().filter(|_| outcome.gates(self.gate))?;
        let death = outcome.evidence.death.clone();
        let identity = match (found.kind, lives) {
            (Kind::Died, _) => {
                let words = death.as_ref().and_then(|death| last_words(&death.stderr));
                let class = death.as_ref().map(|death| death.status.to_string());
                let class = class.as_deref().unwrap_or("refuses");
                Identity::new(Oracle::Died, LIFE_CLAUSE, words.as_deref().unwrap_or(operation), class)
            }
            (Kind::Deaf, false) => Identity::new(Oracle::NotServed, LIFE_CLAUSE, operation, "not served"),
            (Kind::Deaf, true) => Identity::new(Oracle::Deaf, &found.clause, operation, "deaf"),
            _ => Identity::new(Oracle::Clause, &found.clause, "an answer", "another answer"),
        };
        Some(Shown { death, ..Shown::new(identity, Some(found.kind), &found.expected, &found.actual) })
    }

    /// The health of the peer, and whether it was away for a while.
    async fn health(&mut self, patience: Duration) -> (Health, bool) {
        let Some(peer) = self.slot.peer() else { return (Health::Refuses, false) };
        match peer.health(self.facts, patience).await {
            Health::Deaf => {
                let again = peer.health(self.facts, patience * 3).await;
                let hung = again.is_good();
                (again, hung)
            }
            health => (health, false),
        }
    }

    /// How often the case shows this, of how many times, with what it showed last. Of three, or fewer where the campaign is to end.
    pub(super) async fn count(
        &mut self,
        case: &Case,
        wanted: &Identity,
        operation: &str,
    ) -> (usize, usize, Option<Shown>) {
        let (mut count, mut last) = (0, None);
        for tried in 0..CONFIRMATIONS {
            if tried > 0 && self.stop.is_cancelled() {
                return (count, tried, last);
            }
            // The last time with more patience: what was late before is not missing.
            let patience = self.patience * if tried + 1 == CONFIRMATIONS { 3 } else { 1 };
            if let Some(shown) = self.shows(case, wanted, operation, patience).await {
                count += 1;
                last = Some(shown);
            }
        }
        (count, CONFIRMATIONS, last)
    }

    async fn shows(
        &mut self,
        case: &Case,
        wanted: &Identity,
        operation: &str,
        patience: Duration,
    ) -> Option<Shown> {
        let shown = self.show(case, operation, patience).await;
        shown.into_iter().find(|shown| is_like(&shown.identity, wanted))
    }

    /// The least input that shows this.
    pub(super) async fn shrink(&mut self, input: Input, wanted: &Identity) -> Input {
        let mut least = input;
        let (mut tries, mut harms) = (0, 0);
        let patience = self.patience.min(IMPATIENCE.max(self.facts.calls.round_trip * 50));
        let most = if matches!(wanted.oracle, Oracle::NotServed | Oracle::Hang) { LONG_HARMS } else { HARMS };
        'smaller: loop {
            for candidate in smaller(&least) {
                if tries >= TRIES || harms >= most || self.stop.is_cancelled() {
                    return least;
                }
                if !candidate.keeps_methods() {
                    continue;
                }
                tries += 1;
                let Some(case) = candidate.case("campaign/candidate", self.methods, self.facts) else {
                    continue;
                };
                if self.shows(&case, wanted, &name(&candidate, self.methods), patience).await.is_some() {
                    harms += 1;
                    least = candidate;
                    continue 'smaller;
                }
            }
            return least;
        }
    }
}

/// Whether both are of one kind: where nothing but the operation names the input, a shorter one may have another.
pub(super) fn is_like(one: &Identity, other: &Identity) -> bool {
    let words = one.oracle != Oracle::Died || one.what == other.what || !one.what.contains(" at ");
    (one.oracle, &one.clause, &one.class) == (other.oracle, &other.clause, &other.class) && words
}

/// The operation that an input is named after: the last one, for what comes before it mostly prepares it.
#[must_use]
pub(super) fn name(input: &Input, methods: &Methods) -> String {
    match (input.end, input.lines.last()) {
        (End::Asked, Some(line)) => operation(&line.bytes, methods),
        (end, _) => end_word(end).to_owned(),
    }
}

/// A connection on which nothing wrong is sent, and which must go on whatever comes on others.
#[derive(Debug)]
pub(super) struct Canary {
    wire: Wire,
    names: Names,
}

impl Canary {
    /// Opens one, where the peer serves several connections and has a call to answer.
    pub(super) async fn open(route: &Route, facts: &Facts, patience: Duration) -> Option<Canary> {
        if facts.calls.ping.is_none() || facts.missing.contains("methods/connections") {
            return None;
        }
        let deadline = Instant::now() + patience;
        let mut wire = Wire::open(route, &facts.terms, deadline).await.ok()?;
        let mut names = Names::new(200_000);
        wire.send(&[HELLO], deadline).await;
        if facts.object.members.is_some() {
            let received = receive_object(&mut wire, deadline, &mut |_| {}).await.ok()?;
            bind_object(&received, &mut names);
        }
        let mut canary = Canary { wire, names };
        canary.is_alive(facts, patience).await.then_some(canary)
    }

    /// Whether it is answered.
    pub(super) async fn is_alive(&mut self, facts: &Facts, patience: Duration) -> bool {
        let Some(ping) = &facts.calls.ping else { return true };
        let deadline = Instant::now() + patience;
        ping.ask(&mut self.wire, &mut self.names, facts.calls.by, deadline, &mut |_| {}).await.is_ok()
    }
}
