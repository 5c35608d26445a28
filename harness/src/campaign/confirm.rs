//! Turns suspicions into findings: repeats a session in isolation, judges it by all rules, shrinks
//! it, and confirms it.
//!
//! A symptom that cannot be reproduced is dropped, so that a slow moment of the machine is no
//! finding.

use super::canary::Canary;
use super::input::{Input, Methods};
use super::operation;
use super::oracle::{Identity, Oracle, crash, last_words};
use super::reduce::{Candidate, smaller};
use super::symptom::Symptom;
use crate::campaign::fair::is_fair;
use crate::cases::{Case, LIFE_CLAUSE, level};
use crate::conversation::facts::Facts;
use crate::conversation::pace::replay_at_its_pace;
use crate::conversation::replay::judged::Replayed;
use crate::peer::{Health, Peer, Slot};
use crate::run::applicable::ruled_out;
use crate::verdict::Command;
use crate::verdict::outcome::likened;
use dnode_reports::event::{Kind, Outcome};
use dnode_spec::clause::Level;
use dnode_spec::message::Problem;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// How often a finding is confirmed.
pub const CONFIRMATIONS: usize = 3;
/// The most candidates that one shrinking tries, and the most of them that may harm the peer.
const TRIES: usize = 300;
const HARMS: usize = 16;
/// The same if the peer serves no connection after each of them, because each costs a long wait.
const LONG_HARMS: usize = 5;
/// The most candidates that end the process in another way.
const OTHERS: usize = 24;
/// The shorter deadline of shrinking: a candidate gets no verdict.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// Plays sessions in isolation. It uses the peer of its lane, and restarts it after each symptom.
#[derive(Debug)]
pub(super) struct Confirmer<'a> {
    /// The peer.
    pub slot: Slot,
    /// The facts about it.
    pub facts: &'a Facts,
    /// The methods that inputs call.
    pub methods: &'a Methods,
    /// How long an answer may take.
    pub patience: Duration,
    /// The weakest level whose violations are findings.
    pub gate: Level,
}

impl Confirmer<'_> {
    /// Starts the peer if it does not run. Returns whether it runs.
    pub(super) async fn ready(&mut self) -> bool {
        self.slot.ready().await.is_ok()
    }

    /// Ends a peer that we started, so that the next session gets a fresh one.
    pub(super) async fn discard_peer(&mut self) {
        self.slot.discard().await;
    }

    /// Plays one case and returns all symptoms. `operation` names them. `others`: also looks for
    /// harm to another connection, which takes longer.
    pub(super) async fn symptoms(
        &mut self,
        case: &Case,
        operation: &str,
        patience: Duration,
        others: bool,
    ) -> Vec<Symptom> {
        if ruled_out(case, self.facts).is_some() || !self.ready().await {
            return Vec::new();
        }
        // A peer that served the session before has survived what it wrote then.
        self.slot.peer().into_iter().for_each(Peer::forget_stderr);
        let Some(route) = self.slot.route() else { return Vec::new() };
        let canary = if others { Canary::open(&route, self.facts, patience).await } else { None };
        let replayed = replay_at_its_pace(case, &route, self.facts, patience).await;
        let broken = replayed.broken.clone();
        let (health, hung) = self.health_after(&replayed, patience).await;
        let serves = health.is_good();
        let (outcome, _) = likened(case, replayed, health, &Command::default());
        let mut symptoms = self.broken_clauses(&broken);
        symptoms.extend(self.divergence(&outcome, serves, operation));
        if hung {
            symptoms.push(no_answer(Oracle::Hang, operation));
        }
        if let Some(mut canary) = canary.filter(|_| serves)
            && !canary.is_alive(self.facts, patience).await
        {
            symptoms.push(no_answer(Oracle::Disturbed, operation));
        }
        if !symptoms.is_empty() {
            self.discard_peer().await;
        }
        symptoms.iter_mut().for_each(|symptom| symptom.wire.clone_from(&outcome.evidence.wire));
        symptoms
    }

    /// The problems that the monitor found in the peer's lines.
    fn broken_clauses(&self, broken: &BTreeMap<&'static str, Problem>) -> Vec<Symptom> {
        let counts = broken.iter().filter(|(clause, _)| level(clause) <= self.gate);
        let symptom = |(clause, problem): (&&'static str, &Problem)| {
            let place = problem.at.split(['.', '[']).next().unwrap_or_default();
            let identity = Identity::new(Oracle::Clause, clause, "a line of the peer", place);
            Symptom::new(identity, None, &problem.expected, &problem.actual)
        };
        counts.map(symptom).collect()
    }

    /// The divergence of the session. `serves`: the peer still serves new connections.
    fn divergence(&self, outcome: &Outcome, serves: bool, operation: &str) -> Option<Symptom> {
        let found = outcome.divergence.as_ref().filter(|_| outcome.gates(self.gate))?;
        let death = outcome.evidence.death.clone();
        let identity = match (found.kind, serves) {
            (Kind::Died, _) => {
                let words = death.as_ref().and_then(last_words);
                let class = death.as_ref().map(|death| death.status.to_string());
                let class = class.as_deref().unwrap_or("refuses");
                Identity::new(Oracle::Died, LIFE_CLAUSE, words.as_deref().unwrap_or(operation), class)
            }
            (Kind::Deaf, false) => Identity::new(Oracle::NotServed, LIFE_CLAUSE, operation, "not served"),
            (Kind::Deaf, true) => Identity::new(Oracle::Deaf, &found.clause, operation, "deaf"),
            _ => Identity::new(Oracle::Clause, &found.clause, "an answer", "another answer"),
        };
        let crash = death.as_ref().and_then(crash);
        Some(Symptom {
            death,
            crash,
            ..Symptom::new(identity, Some(found.kind), &found.expected, &found.actual)
        })
    }

    /// The health of the peer after a case, and whether it was hung for a while.
    async fn health_after(&mut self, replayed: &Replayed, patience: Duration) -> (Health, bool) {
        let Some(peer) = self.slot.peer() else { return (Health::Refuses, false) };
        match peer.health_after(replayed, self.facts, patience).await {
            Health::Deaf(_) => {
                let again = peer.health(self.facts, patience).await;
                let hung = again.is_good();
                (again, hung)
            }
            health => (health, false),
        }
    }

    /// Repeats a case three times. Returns how often it showed the wanted symptom, and the last such
    /// symptom.
    pub(super) async fn confirm(
        &mut self,
        case: &Case,
        wanted: &Symptom,
        operation: &str,
    ) -> (usize, Option<Symptom>) {
        let (mut count, mut last) = (0, None);
        for _ in 0..CONFIRMATIONS {
            if let Some(symptom) = self.reproduce(case, wanted, operation, self.patience).await {
                count += 1;
                last = Some(symptom);
            }
        }
        (count, last)
    }

    async fn reproduce(
        &mut self,
        case: &Case,
        wanted: &Symptom,
        operation: &str,
        patience: Duration,
    ) -> Option<Symptom> {
        let symptoms =
            self.symptoms(case, operation, patience, wanted.identity.oracle == Oracle::Disturbed).await;
        symptoms.into_iter().find(|symptom| symptom.is_like(wanted))
    }

    /// Shrinks an input that shows this symptom.
    ///
    /// A candidate that the peer survives costs a few milliseconds, and any other one costs the start
    /// of a peer. So a change after which the process ended in another way is not tried again.
    pub(super) async fn shrink(&mut self, input: Input, wanted: &Symptom) -> Shortest {
        let mut found = Shortest { input, others: Vec::new() };
        let (mut tried, mut harmful) = (HashSet::new(), HashSet::new());
        let mut harms = 0;
        let patience = self.patience.min(IMPATIENCE.max(self.facts.calls.round_trip * 50));
        let most = if matches!(wanted.identity.oracle, Oracle::NotServed | Oracle::Hang) {
            LONG_HARMS
        } else {
            HARMS
        };
        'smaller: loop {
            for Candidate { input, change } in smaller(&found.input) {
                if tried.len() >= TRIES || harms >= most || found.others.len() >= OTHERS {
                    return found;
                }
                let is_harmful = change.as_ref().is_some_and(|change| harmful.contains(change));
                if is_harmful || !is_fair(&input, self.methods) || !tried.insert(input.clone()) {
                    continue;
                }
                let symptoms = self.symptoms_of(&input, wanted.identity.oracle, patience).await;
                if symptoms.iter().any(|symptom| symptom.is_like(wanted)) {
                    harms += 1;
                    found.input = input;
                    continue 'smaller;
                }
                if let Some(other) = symptoms.into_iter().find(|it| it.identity.oracle == Oracle::Died) {
                    harmful.extend(change);
                    found.others.push((input, other));
                }
            }
            return found;
        }
    }

    /// The symptoms of an input.
    pub(super) async fn symptoms_of(
        &mut self,
        input: &Input,
        oracle: Oracle,
        patience: Duration,
    ) -> Vec<Symptom> {
        let Some(case) = input.case("campaign/candidate", self.methods, self.facts) else {
            return Vec::new();
        };
        let operation = operation::of_input(input, self.methods);
        self.symptoms(&case, &operation, patience, oracle == Oracle::Disturbed).await
    }
}

/// The result of shrinking.
#[derive(Debug)]
pub(super) struct Shortest {
    /// The shortest input.
    pub input: Input,
    /// Candidates that ended the process in another way.
    pub others: Vec<(Input, Symptom)>,
}

/// The symptom of a peer that gave no answer on a connection that did nothing wrong.
fn no_answer(oracle: Oracle, operation: &str) -> Symptom {
    let (clause, expected) = match oracle {
        Oracle::Hang => ("robust/bounded", "an answer on a new connection"),
        _ => ("robust/survives", "an answer on a connection that was open before"),
    };
    let identity = Identity::new(oracle, clause, operation, oracle.word());
    Symptom::new(identity, None, expected, "no answer for a while")
}
