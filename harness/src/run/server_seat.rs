//! The run in the server's seat: one client connects to us for each transcript. We or the user
//! start the clients.
//!
//! Clients connect one after another, so each case has its own client. There is no preflight, and
//! no check of the peer's health afterwards: a client ends when its session is over.

use super::running::Running;
use super::unrun::{Unrun, cut_off};
use crate::cases::{Case, invariants};
use crate::conversation::facts::Facts;
use crate::conversation::replay::judged::{CONNECTION, Cause, Judged, Replayed};
use crate::conversation::replay::replay_accepted;
use crate::gate::{Gate, RunGate};
use crate::peer::Health;
use crate::program::{ENDING, Host};
use crate::verdict::Command;
use crate::verdict::invariant::Invariants;
use crate::verdict::outcome::{self, without_run};
use crate::wire::Wire;
use dnode_reports::event::{Death, Ended, Event, Kind, Outcome, Role, Run, Verdict};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How to wait for clients.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides what makes the run fail.
    pub gate: Gate,
    /// How long a client may take to connect, and how long its session may take.
    pub patience: Duration,
    /// The command that runs one case again.
    pub command: Command,
    /// More notes for the reader of the verdicts.
    pub notes: Vec<String>,
    /// Whether a client may exit on input that it does not understand. Then only a signal is a
    /// crash.
    pub may_exit: bool,
    /// Whether the run ends at the first case whose verdict gates.
    pub fail_fast: bool,
    /// How long the run may take. No case begins after it. `None`: any time.
    pub max_time: Option<Duration>,
    /// Cancelled to end the run.
    pub interrupted: CancellationToken,
    /// The case that runs now, to be watched.
    pub running: Running,
}

/// Runs the cases, one connection for each, and emits the events of the run.
pub async fn accept(host: &Host, options: &Options, cases: Vec<Case>, emit: &mut (dyn FnMut(Event) + Send)) {
    let facts = Facts::of_client();
    // These transcripts are not the whole catalogue.
    let gate = RunGate::new(&options.gate, &cases, false);
    let mut emitted = gate.emitted();
    let emit: &mut (dyn FnMut(Event) + Send) = &mut |event| emit(emitted.event(event));
    let cases: Vec<Arc<Case>> = cases.into_iter().map(Arc::new).collect();
    emit(Event::Started(plan(host, options, &facts, cases.len())));
    let until = options.max_time.and_then(|time| Instant::now().checked_add(time));
    let seat = Seat { host, options, facts: &facts, until };
    let mut seen = Invariants::new(&facts);
    let (mut answered, mut failed, mut timed_out) = (false, false, false);
    let mut cut_off = pin!(cut_off(options.interrupted.clone(), until));
    for (at, case) in cases.iter().enumerate() {
        let session = match seat.ends(failed) {
            Some(_) => None,
            None => tokio::select! {
                session = seat.session(case) => Some(session),
                () = &mut cut_off => None,
            },
        };
        let outcome = match session {
            None => {
                host.stop().await;
                let why = seat.ends(failed).unwrap_or(Unrun::SuiteFailed);
                timed_out |= why == Unrun::OutOfTime;
                without_run(case, why.verdict(), Some(why.reason().to_owned()))
            }
            Some(session) => {
                seen.saw(case, at, &session.replayed);
                match session.no_client() {
                    // The user starts the clients, so a missing client is no finding.
                    Some(reason) if !host.starts_clients() => {
                        without_run(case, Verdict::Inconclusive, Some(reason))
                    }
                    _ => session.outcome(case, options),
                }
            }
        };
        failed |= gate.gates(&outcome);
        answered |= outcome.verdict == Verdict::Pass;
        emit(Event::Judged(Box::new(outcome)));
    }
    for outcome in seen.outcomes(&options.command) {
        emit(Event::Judged(Box::new(outcome)));
    }
    let interrupted = options.interrupted.is_cancelled() || timed_out;
    let life = facts.terms.life.counts();
    emit(Event::Ended(Ended { interrupted, answered, life, ..Ended::default() }));
}

/// The plan of a run of so many cases.
fn plan(host: &Host, options: &Options, facts: &Facts, cases: usize) -> Run {
    Run {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        peer: None,
        role: Role::Client,
        dialect: facts.terms.dialect,
        interop: false,
        target: match &host.listen().exec {
            Some(command) => command.clone(),
            None => format!("the clients that connect to {}", host.address()),
        },
        planned: cases + invariants(facts.terms.dialect).count(),
        notes: options.notes.iter().chain(&facts.notes).cloned().collect(),
        gate: options.gate.level,
        time: Some(host.clock().base()),
    }
}

/// The server that we are for each client.
struct Seat<'a> {
    host: &'a Host,
    options: &'a Options,
    facts: &'a Facts,
    /// When the run ends, finished or not.
    until: Option<Instant>,
}

/// The session of one client.
struct Session {
    replayed: Replayed,
    /// How its process ended, if we started it and the session failed because it ended.
    death: Option<Death>,
}

impl Seat<'_> {
    /// Why we wait for no more clients.
    fn ends(&self, failed: bool) -> Option<Unrun> {
        if self.options.interrupted.is_cancelled() {
            return Some(Unrun::Interrupted);
        }
        if self.options.fail_fast && failed {
            return Some(Unrun::FirstFailure);
        }
        self.until.is_some_and(|until| Instant::now() >= until).then_some(Unrun::OutOfTime)
    }

    /// The session of one client.
    async fn session(&self, case: &Case) -> Session {
        let begun = self.options.running.begin(case.id());
        let tap = self.host.taps().open();
        let patience = self.options.patience;
        let clock = self.host.clock();
        let next = self.host.next(clock.now() + patience);
        let mut replayed = match clock.timeout(patience, next).await {
            Ok(Ok(connection)) => {
                let wire = Wire::over(connection, &self.facts.terms, clock);
                replay_accepted(case, wire, self.facts, patience).await
            }
            Ok(Err(error)) => absent(case, error.to_string()),
            Err(_) => {
                absent(case, format!("no client connected to {} before the deadline", self.host.address()))
            }
        };
        replayed.took = Some(begun.elapsed());
        // A client that failed for another reason may have exited because we closed its connection.
        let death = match replayed.cause() {
            Some(Cause::Life) => self.host.death(ENDING).await,
            _ => None,
        };
        self.host.stop().await;
        replayed.stderr = tap.text();
        Session { replayed, death }
    }
}

fn absent(case: &Case, actual: String) -> Replayed {
    Replayed::without_connection(&case.transcript.header.clauses[0], Kind::Absent, actual)
}

impl Session {
    /// Why there was no connection, if there was none.
    fn no_client(&self) -> Option<String> {
        match &self.replayed.judged {
            Judged::Diverged(diverged) if diverged.step == CONNECTION => Some(diverged.actual.clone()),
            _ => None,
        }
    }

    fn outcome(self, case: &Case, options: &Options) -> Outcome {
        let mut outcome = outcome::outcome(case, self.replayed, Health::Serves, &options.command);
        let Some(death) = self.death else { return outcome };
        if !(options.may_exit && death.status.is_exit()) {
            outcome.verdict = Verdict::Crash;
        }
        if let Some(found) = outcome.divergence.as_mut().filter(|found| found.step != CONNECTION) {
            // Whether the connection was closed or reset is chance: it depends on whether we read
            // the last bytes.
            found.actual = format!("the client ended with {}", death.status);
        }
        // Its standard error is all that it wrote.
        outcome.evidence.stderr = None;
        outcome.evidence.death = Some(death);
        outcome
    }
}
