//! From a suspicion to a finding: the session is played again as a transcript, under the rules of judgement, by itself on a peer of its own.
//!
//! What does not show again is dropped: a campaign blames nobody for a slow moment. What shows is shrunk, confirmed three times, and named by what is left.

use super::input::{End, Input, Methods};
use super::operation::operation;
use super::oracle::{Identity, Oracle, last_words};
use super::reduce::smaller;
use super::source::end_word;
use crate::cases::{Case, level};
use crate::peer::{HELLO, Health, Peer, bind_object};
use crate::ping::Answer;
use crate::preflight::Facts;
use crate::replay::replay;
use crate::run::Command;
use crate::run::verdict::{Life, likened};
use crate::target::Target;
use crate::wire::{Incoming, Wire};
use dnode_reports::event::{self, Death};
use dnode_spec::clause::Level;
use dnode_spec::transcript::Names;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often a finding is confirmed.
pub const CONFIRMATIONS: usize = 3;
/// How many smaller inputs are tried, and how many of those may harm the peer.
const TRIES: usize = 300;
const HARMS: usize = 16;
/// A peer that no longer serves anyone is waited for each time.
const LONG_HARMS: usize = 5;
/// While smaller inputs are tried, a missing answer is one sooner than in a verdict.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// What the monitor names what it saw.
const MONITORED: &str = "a line of the peer";

/// Something wrong that a session showed.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The kind of difference, in the replayer's word; empty where the monitor saw it.
    pub(super) kind: String,
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

/// Plays sessions by themselves. The peer is the lane's, and is started again after each that showed something.
#[derive(Debug)]
pub(super) struct Confirmer<'a> {
    /// The peer, where it runs.
    pub peer: Option<Peer>,
    /// What it is.
    pub target: &'a Target,
    /// What is known of it.
    pub facts: &'a Facts,
    /// What inputs call.
    pub methods: &'a Methods,
    /// How long an answer may take.
    pub patience: Duration,
    /// The weakest level whose clauses count.
    pub gate: Level,
    /// Set when the campaign is to end.
    pub stop: &'a AtomicBool,
}

impl Confirmer<'_> {
    /// The peer, started where it does not run.
    pub(super) async fn ready(&mut self) -> bool {
        if self.peer.is_none() {
            self.peer = Peer::start(self.target).await.ok();
        }
        self.peer.is_some()
    }

    /// Ends the peer, where it is ours, so that the next session has a fresh one.
    pub(super) async fn refresh(&mut self) {
        if let Some(peer) = self.peer.take_if(|peer| peer.is_ours()) {
            peer.stop().await;
        }
    }

    /// Plays one case; says all that is wrong. `operation` is what its findings are named after.
    pub(super) async fn show(&mut self, case: &Case, operation: &str, patience: Duration) -> Vec<Shown> {
        if case.ruled_out(self.facts).is_some() || !self.ready().await {
            return Vec::new();
        }
        let Some(address) = self.peer.as_ref().map(|peer| peer.address().to_owned()) else {
            return Vec::new();
        };
        let canary = Canary::open(&address, self.facts, patience).await;
        let replayed = replay(case, &address, self.facts, patience).await;
        let wire = replayed.log.clone().into_entries();
        let broken = replayed.broken.clone();
        let (life, hung) = self.life(patience).await;
        let lives = matches!(life, Life::Serves);
        let (outcome, _) = likened(case, replayed, life, &Command::default());
        let mut shown = Vec::new();
        let kind = outcome.divergence.as_ref().map(|found| found.kind.clone()).unwrap_or_default();
        let mut add =
            |oracle: Oracle, clause: &str, what: &str, class: &str, expected: &str, came: &str, death| {
                let kind = if what == MONITORED { String::new() } else { kind.clone() };
                let identity = Identity {
                    oracle,
                    clause: clause.to_owned(),
                    what: what.to_owned(),
                    class: class.to_owned(),
                };
                shown.push(Shown {
                    kind,
                    identity,
                    expected: expected.to_owned(),
                    came: came.to_owned(),
                    wire: wire.clone(),
                    death,
                });
            };
        for (clause, problem) in broken.iter().filter(|(clause, _)| level(clause) <= self.gate) {
            let place = problem.at.split(['.', '[']).next().unwrap_or_default();
            add(Oracle::Clause, clause, MONITORED, place, &problem.expected, &problem.actual, None);
        }
        if let Some(found) = outcome.divergence.as_ref().filter(|_| outcome.gates(self.gate)) {
            let (expected, came) = (&*found.expected, &*found.actual);
            let death = outcome.evidence.death.clone();
            let words = death.as_ref().and_then(|death| last_words(&death.stderr));
            match (found.kind.as_str(), lives) {
                ("died", _) => {
                    let class = death.as_ref().map_or("refuses", |death| death.status.as_str()).to_owned();
                    let what = words.unwrap_or_else(|| operation.to_owned());
                    add(Oracle::Died, "robust/survives", &what, &class, expected, came, death);
                }
                ("deaf", false) => {
                    add(Oracle::NotServed, "robust/survives", operation, "not served", expected, came, None)
                }
                ("deaf", true) => add(Oracle::Deaf, &found.clause, operation, "deaf", expected, came, None),
                _ => add(Oracle::Clause, &found.clause, "an answer", "another answer", expected, came, None),
            }
        }
        if hung {
            add(
                Oracle::Hang,
                "robust/bounded",
                operation,
                "hang",
                "an answer on a fresh connection",
                "none for a while",
                None,
            );
        }
        if let Some(mut canary) = canary.filter(|_| lives)
            && !canary.sings(self.facts, patience).await
        {
            add(
                Oracle::Disturbed,
                "robust/survives",
                operation,
                "disturbed",
                "an answer on a connection that was open before",
                "none",
                None,
            );
        }
        if !shown.is_empty() {
            self.refresh().await;
        }
        shown
    }

    /// What became of the peer; and whether it was away for a while.
    async fn life(&mut self, patience: Duration) -> (Life, bool) {
        let Some(peer) = self.peer.as_mut() else { return (Life::Died(None), false) };
        match peer.health(self.facts, patience).await {
            Health::Deaf => {
                let again = Life::from(peer.health(self.facts, patience * 3).await);
                let hung = matches!(again, Life::Serves);
                (again, hung)
            }
            health => (Life::from(health), false),
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
            if tried > 0 && self.stop.load(Ordering::Relaxed) {
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
        let patience = self.patience.min(IMPATIENCE.max(self.facts.round_trip * 50));
        let most = if matches!(wanted.oracle, Oracle::NotServed | Oracle::Hang) { LONG_HARMS } else { HARMS };
        'smaller: loop {
            for candidate in smaller(&least) {
                if tries >= TRIES || harms >= most || self.stop.load(Ordering::Relaxed) {
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
    pub(super) async fn open(address: &str, facts: &Facts, patience: Duration) -> Option<Canary> {
        if facts.ping.is_none() || facts.missing.contains("methods/connections") {
            return None;
        }
        let deadline = Instant::now() + patience;
        let mut wire = Wire::open(address, deadline).await.ok()?;
        let mut names = Names::new(200_000);
        wire.send(&[HELLO], deadline).await;
        while facts.members.is_some() {
            match wire.receive(deadline).await {
                Incoming::Message(received) if received.method.is("methods") => {
                    bind_object(&received, &mut names);
                    break;
                }
                Incoming::Message(_) | Incoming::Broken(_) => {}
                Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => return None,
            }
        }
        let mut canary = Canary { wire, names };
        canary.sings(facts, patience).await.then_some(canary)
    }

    /// Whether it is answered.
    pub(super) async fn sings(&mut self, facts: &Facts, patience: Duration) -> bool {
        let Some(ping) = &facts.ping else { return true };
        let deadline = Instant::now() + patience;
        let answer = ping.ask(&mut self.wire, &mut self.names, facts.by, deadline, &mut |_| {}).await;
        matches!(answer, Answer::Answered(_))
    }
}
