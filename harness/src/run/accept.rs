//! The run in the server's seat: for each transcript one client comes to us, started by us or by somebody else.
//!
//! Clients come one after another, so each case has its client to itself. There is no preflight, and no look at the peer's life
//! afterwards: a client ends when its session is over.

use super::alone::PATIENCE;
use super::invariant::Invariants;
use super::verdict::{self, Life};
use super::{Command, RunError, cause, is_suspect};
use crate::cases::{Case, invariants};
use crate::gate::{Gate, Held};
use crate::peer::StartError;
use crate::preflight::Facts;
use crate::process::{self, Process};
use crate::replay::{CONNECTION, Cause, Judged, Replayed, replay_accepted};
use crate::transport::Connection;
use crate::wire::Wire;
use dnode_reports::event::{Death, Ended, Event, Outcome, Run, Verdict};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a connection of a program that has ended may take to be seen here, and how long one that ended its connection may take to
/// end itself.
const ENDING: Duration = Duration::from_millis(500);

/// How to wait for clients.
#[derive(Debug, Clone)]
pub struct Options {
    /// Starts a client, once for each transcript: `{host}` and `{port}`, and `HOST` and `PORT` in its environment, say where we listen.
    /// Without it, somebody else starts them.
    pub exec: Option<String>,
    /// What makes the run red.
    pub gate: Gate,
    /// How long a client may take to connect, and then its session.
    pub patience: Duration,
    /// The command that runs one case again.
    pub command: Command,
    /// Whether the run ends at the first case whose verdict gates.
    pub fail_fast: bool,
    /// Set when the caller wants the run to end.
    pub interrupted: Arc<AtomicBool>,
}

/// Runs the cases, one connection each, and tells `tell` what happens.
///
/// # Errors
/// [`RunError`] where a client cannot be started, or the listener fails.
pub async fn accept(
    listener: &TcpListener,
    options: &Options,
    cases: Vec<Case>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let facts = Facts::of_a_client();
    // The transcripts of clients are no catalogue.
    let gate = Held::new(&options.gate, &cases, false);
    let mut told = gate.begin();
    let tell: &mut (dyn FnMut(Event) + Send) = &mut |event| tell(told.event(event));
    let cases: Vec<Arc<Case>> = cases.into_iter().map(Arc::new).collect();
    let address = listener.local_addr().map_err(harness)?;
    tell(Event::Started(Run {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        peer: None,
        target: options.exec.clone().unwrap_or_else(|| format!("the clients that connect to {address}")),
        planned: cases.len() + invariants().count(),
        notes: facts.notes.clone(),
        gate: options.gate.level,
    }));
    let host = Host { listener, address, options, facts: &facts };
    let mut seen = Invariants::new(&facts);
    let (mut answered, mut failed) = (false, false);
    for (at, case) in cases.iter().enumerate() {
        let outcome = match host.ends(failed) {
            Some(reason) => verdict::without_run(case, Verdict::Inconclusive, Some(reason.to_owned())),
            None => {
                let session = host.session(case).await?;
                seen.saw(case, at, &session.replayed);
                match session.nobody() {
                    // Nobody came, and nobody is to blame.
                    Some(reason) if options.exec.is_none() => {
                        verdict::without_run(case, Verdict::Inconclusive, Some(reason))
                    }
                    _ => session.outcome(case, &options.command),
                }
            }
        };
        failed |= gate.gates(&outcome);
        answered |= outcome.verdict == Verdict::Pass;
        tell(Event::Judged(Box::new(outcome)));
    }
    for outcome in seen.outcomes(&options.command) {
        tell(Event::Judged(Box::new(outcome)));
    }
    let interrupted = options.interrupted.load(Ordering::Relaxed);
    tell(Event::Ended(Ended { interrupted, answered, stale: Vec::new() }));
    Ok(())
}

fn harness(error: std::io::Error) -> RunError {
    RunError::Start(StartError::Harness(error))
}

/// Where clients come to.
struct Host<'a> {
    listener: &'a TcpListener,
    address: SocketAddr,
    options: &'a Options,
    facts: &'a Facts,
}

/// What became of one client.
struct Session {
    replayed: Replayed,
    /// How its process ended, if it is ours and its end is what failed.
    death: Option<(ExitStatus, Death)>,
}

impl Host<'_> {
    /// Why no more clients are waited for.
    fn ends(&self, failed: bool) -> Option<&'static str> {
        if self.options.interrupted.load(Ordering::Relaxed) {
            return Some("the run was interrupted");
        }
        (self.options.fail_fast && failed).then_some("the run ended at the first failure")
    }

    /// The session of one client. Where it fails on time or on its end, and we can start another, that one has more patience.
    async fn session(&self, case: &Case) -> Result<Session, RunError> {
        let session = self.one_client(case, self.options.patience).await?;
        let interrupted = self.options.interrupted.load(Ordering::Relaxed);
        if self.options.exec.is_none() || interrupted || !is_suspect(&session.replayed) {
            return Ok(session);
        }
        self.one_client(case, self.options.patience * PATIENCE).await
    }

    async fn one_client(&self, case: &Case, patience: Duration) -> Result<Session, RunError> {
        let mut client = self.start().await?;
        let replayed = match self.connection(client.as_mut(), Instant::now() + patience).await? {
            Ok(stream) => {
                let wire = Wire::over(Connection::accepted(stream).map_err(harness)?);
                replay_accepted(case, wire, self.facts, patience).await
            }
            Err(actual) => Replayed::without_connection(&case.transcript.header.clauses[0], "absent", actual),
        };
        let Some(mut client) = client else { return Ok(Session { replayed, death: None }) };
        let mut death = None;
        // One that fails on something else may have ended because we closed its connection.
        if cause(&replayed) == Some(Cause::Life)
            && let Some(status) = client.wait(ENDING).await
        {
            let words = process::describe(status);
            death = Some((status, Death { status: words, stderr: client.stderr().await }));
        }
        client.stop().await;
        Ok(Session { replayed, death })
    }

    /// Starts a client, where it is ours to start. What an earlier one has left waiting here is not this one's.
    async fn start(&self) -> Result<Option<Process>, RunError> {
        let Some(command) = &self.options.exec else { return Ok(None) };
        while let Ok(Ok(_)) = timeout(Duration::ZERO, self.listener.accept()).await {}
        let (host, port) = (reachable(self.address.ip()).to_string(), self.address.port().to_string());
        Process::start(command, &[("host", &host), ("port", &port)])
            .map(Some)
            .map_err(|error| RunError::Start(StartError::Command(command.clone(), error)))
    }

    /// The connection of the client; or what came instead of it.
    async fn connection(
        &self,
        client: Option<&mut Process>,
        deadline: Instant,
    ) -> Result<Result<TcpStream, String>, RunError> {
        let ended = async {
            match client {
                Some(client) => client.wait(Duration::MAX).await,
                None => std::future::pending().await,
            }
        };
        let status = tokio::select! {
            biased;
            accepted = timeout_at(deadline, self.listener.accept()) => match accepted {
                Ok(accepted) => return accepted.map(|(stream, _)| Ok(stream)).map_err(harness),
                Err(_) => None,
            },
            status = ended => status,
        };
        let Some(status) = status else {
            return Ok(Err(format!("no client connected to {} before the deadline", self.address)));
        };
        // It may have connected, spoken and ended all at once.
        if let Ok(Ok((stream, _))) = timeout(ENDING, self.listener.accept()).await {
            return Ok(Ok(stream));
        }
        Ok(Err(format!("the client ended with {} before it connected", process::describe(status))))
    }
}

impl Session {
    /// What came instead of a connection.
    fn nobody(&self) -> Option<String> {
        match &self.replayed.judged {
            Judged::Diverged(diverged) if diverged.step == CONNECTION => Some(diverged.actual.clone()),
            _ => None,
        }
    }

    fn outcome(self, case: &Case, command: &Command) -> Outcome {
        let mut outcome = verdict::outcome(case, self.replayed, Life::Serves, command);
        let Some((status, death)) = self.death else { return outcome };
        if !status.success() {
            outcome.verdict = Verdict::Crash;
        }
        outcome.evidence.death = Some(death);
        outcome
    }
}

/// The address at which a client on this machine reaches us.
fn reachable(listening: IpAddr) -> IpAddr {
    match listening {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
