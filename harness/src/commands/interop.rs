//! Every implementation as a client with every implementation as a server, through the recording proxy.
//!
//! An implementation is a folder with a `peer.json`. Its `caller` does a session with the probe of a server and ends with exit status 0
//! where every answer was right. For each server there is a run, with a case for each caller, so the reports need to know nothing of this.

use crate::cases::level;
use crate::commands::record::{self, Said};
use crate::error::{Fault, Faulted};
use crate::peer::Peer;
use crate::program::Process;
use crate::program::Target;
use crate::shell::quote;
use dnode::transport::Address;
use dnode_reports::event::{Death, Divergence, Ended, Event, Evidence, Kind, Outcome, Run, Verdict};
use dnode_reports::fingerprint::fingerprint;
use dnode_spec::clause::Level;
use dnode_spec::message::Problem;
use dnode_spec::monitor::End;
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The clause that a session of two implementations is about.
const WORKS: &str = "interop/works";

/// The name of the file that makes a folder an implementation.
const FILE: &str = "peer.json";

/// Why an implementation cannot be used. The caller is at fault.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct InteropError {
    path: PathBuf,
    problem: String,
}

impl Faulted for InteropError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// How an implementation is started, as its `peer.json` says. Commands run in its folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Implementation {
    /// What it is called, with its version.
    pub name: String,
    /// What is to be done once before it can be started.
    pub install: Option<String>,
    /// Serves the probe at `{port}`.
    pub server: Option<String>,
    /// Connects to `{host}` and `{port}` and offers the probe.
    pub client: Option<String>,
    /// Connects to `{host}` and `{port}`, does a session with the probe there, and says by its exit status whether all answers were right.
    pub caller: Option<String>,
    /// The folder.
    #[serde(skip)]
    folder: PathBuf,
}

impl Implementation {
    /// The implementations in this folder, by the names of their folders.
    ///
    /// # Errors
    /// What is wrong with a file, and where. The caller is at fault.
    pub fn all(peers: &Path) -> Result<Vec<Implementation>, InteropError> {
        let fault = |path: &Path, problem: &dyn std::fmt::Display| InteropError {
            path: path.to_owned(),
            problem: problem.to_string(),
        };
        let entries = fs::read_dir(peers).and_then(|entries| entries.collect::<Result<Vec<_>, io::Error>>());
        let mut folders: Vec<PathBuf> =
            entries.map_err(|error| fault(peers, &error))?.iter().map(fs::DirEntry::path).collect();
        folders.retain(|folder| folder.join(FILE).exists());
        folders.sort();
        if folders.is_empty() {
            return Err(fault(peers, &format!("no folder in it has a {FILE} (fixtures/peers/README.md)")));
        }
        let read = |folder: PathBuf| {
            let file = folder.join(FILE);
            let text = fs::read_to_string(&file).map_err(|error| fault(&file, &error))?;
            let read: Implementation = serde_json::from_str(&text).map_err(|error| fault(&file, &error))?;
            let folder = fs::canonicalize(&folder).map_err(|error| fault(&folder, &error))?;
            Ok(Implementation { folder, ..read })
        };
        folders.into_iter().map(read).collect()
    }

    /// The name of its folder.
    #[must_use]
    pub fn id(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn command(&self, command: &str) -> String {
        format!("cd {} && {command}", quote(&self.folder.to_string_lossy()))
    }

    /// What to do where it cannot be started.
    fn remedy(&self) -> String {
        let installed = |install: &String| format!("; was `{install}` run in {}?", self.folder.display());
        self.install.as_ref().map(installed).unwrap_or_default()
    }
}

/// How to run them.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a session may take.
    pub patience: Duration,
    /// What makes the run red.
    pub gate: Level,
    /// The words that come before `--client` and `--server` in the command that repeats one session.
    pub command: String,
    /// Cancelled to end the run.
    pub interrupted: CancellationToken,
}

/// Runs every client against every server, and tells `tell` of a run for each server.
///
/// # Errors
/// Where no port can be had. The harness is at fault.
pub async fn interop(
    servers: &[Implementation],
    clients: &[Implementation],
    options: &Options,
    tell: &mut (dyn FnMut(Event) + Send),
) -> io::Result<()> {
    for server in servers {
        tell(Event::Started(Run {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            peer: Some(server.name.clone()),
            target: format!("{} as the server", server.name),
            planned: clients.len(),
            notes: Vec::new(),
            gate: options.gate,
        }));
        let mut answered = false;
        let mut peer = None;
        for client in clients {
            let pair = Pair { client, server, options };
            let outcome = pair.meet(&mut peer).await?;
            answered |= outcome.verdict == Verdict::Pass;
            tell(Event::Judged(Box::new(outcome)));
        }
        if let Some(peer) = peer.take() {
            Peer::stop(peer).await;
        }
        let interrupted = options.interrupted.is_cancelled();
        tell(Event::Ended(Ended { interrupted, answered, stale: Vec::new() }));
    }
    Ok(())
}

/// A client and a server.
struct Pair<'a> {
    client: &'a Implementation,
    server: &'a Implementation,
    options: &'a Options,
}

/// How the client's process ended, and what it said; nothing where it did not end in time.
type Called = Option<(ExitStatus, Death)>;

impl Pair<'_> {
    /// Does one session, with a server that is started where none runs.
    async fn meet(&self, peer: &mut Option<Peer>) -> io::Result<Outcome> {
        if self.options.interrupted.is_cancelled() {
            return Ok(self.void("the run was interrupted".to_owned()));
        }
        let (Some(server), Some(caller)) = (&self.server.server, &self.client.caller) else {
            return Ok(self.void("one of them has no program for this".to_owned()));
        };
        let mut serving = match peer.take() {
            Some(peer) => peer,
            None => match Peer::start(&Target::exec(&self.server.command(server))).await {
                Ok(peer) => peer,
                Err(error) => {
                    let help = error.help().map(|help| format!(". {help}")).unwrap_or_default();
                    return Ok(self.void(format!(
                        "{}: {error}{help}{}",
                        error.fault(),
                        self.server.remedy()
                    )));
                }
            },
        };
        let Some(to) = serving.route().address().and_then(Address::tcp).map(str::to_owned) else {
            return Ok(self.void("harness: the server is not reached by TCP".to_owned()));
        };
        let folder = tempfile::tempdir()?;
        let (called, said) = self.call(caller, to, folder.path()).await?;
        let death =
            serving.death(if called.is_some() { Duration::ZERO } else { Duration::from_secs(1) }).await;
        let transcript = fs::read_dir(folder.path())?.flatten().next();
        let transcript = transcript.and_then(|file| fs::read_to_string(file.path()).ok()).unwrap_or_default();
        let outcome = self.outcome(called, &said, death.clone(), transcript);
        if death.is_none() && outcome.verdict != Verdict::Hang {
            *peer = Some(serving);
        } else {
            serving.stop().await;
        }
        Ok(outcome)
    }

    /// The session, through the proxy, which writes it down in this folder.
    async fn call(&self, caller: &str, to: String, out: &Path) -> io::Result<(Called, Vec<(End, Problem)>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port().to_string();
        let (stop, stopped) = watch::channel(false);
        let options = record::Options { to, out: Some(out.to_owned()), seen_from: End::A, redact: false };
        let said = Arc::new(Mutex::new(Vec::new()));
        let hear = {
            let said = Arc::clone(&said);
            move |word: Said| {
                if let Said::Finding { end, problem, .. } = word {
                    said.lock().unwrap_or_else(PoisonError::into_inner).push((end, problem));
                }
            }
        };
        let recording = tokio::spawn(async move { record::record(listener, options, stopped, &hear).await });
        let mut process =
            Process::start(&self.client.command(caller), &[("host", "127.0.0.1"), ("port", &port)])?;
        let status = process.wait(self.options.patience).await;
        let called = match status {
            Some(status) => {
                let death = process.death(status).await;
                Some((status, death))
            }
            None => None,
        };
        process.stop().await;
        let _ = stop.send(true);
        recording.await.map_err(io::Error::other)??;
        let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((called, said))
    }

    /// What became of it: the worst comes first.
    fn outcome(
        &self,
        called: Called,
        said: &[(End, Problem)],
        death: Option<Death>,
        transcript: String,
    ) -> Outcome {
        let who = |end: &End| if *end == End::A { "the client" } else { "the server" };
        let mut outcome = Outcome { evidence: Evidence { transcript, ..self.evidence() }, ..self.nothing() };
        let mut found = |verdict, step: &str, kind: Kind, actual: String, class: &str| {
            let expected = "the session is done, and every answer is right";
            outcome.verdict = verdict;
            outcome.divergence = Some(self.divergence(WORKS, step, kind, "", expected, &actual, class));
        };
        match (called, death) {
            (_, Some(death)) => {
                found(
                    Verdict::Crash,
                    "the server",
                    Kind::Died,
                    format!("it ended with {}", death.status),
                    &death.status.to_string(),
                );
                outcome.evidence.death = Some(death);
            }
            (None, None) => {
                let actual = format!("the client goes on after {} s", self.options.patience.as_secs());
                found(Verdict::Hang, "the client", Kind::Absent, actual, "absent");
            }
            (Some((status, end)), None) if !status.success() => {
                let first = end.stderr.lines().next().unwrap_or("nothing on standard error").to_owned();
                found(
                    Verdict::Fail,
                    "the client",
                    Kind::Differs,
                    format!("{}: {first}", end.status),
                    &end.status.to_string(),
                );
                outcome.evidence.death = Some(end);
            }
            _ => {}
        }
        let mut broken: Vec<&(End, Problem)> = said.iter().collect();
        broken.sort_by_key(|(_, problem)| level(problem.clause));
        let words = broken.iter().map(|(end, problem)| format!("{} breaks {}", who(end), problem.clause));
        let words: Vec<String> = words.collect();
        outcome.reason = (!words.is_empty()).then(|| words.join(", "));
        if let (Verdict::Pass, Some((end, problem))) = (outcome.verdict, broken.first()) {
            outcome.verdict = Verdict::Fail;
            outcome.level = level(problem.clause);
            let (expected, actual) = (&problem.expected, &problem.actual);
            outcome.divergence = Some(self.divergence(
                problem.clause,
                who(end),
                Kind::Broken,
                &problem.at,
                expected,
                actual,
                "broken",
            ));
        }
        outcome
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a divergence, each once")]
    fn divergence(
        &self,
        clause: &str,
        step: &str,
        kind: Kind,
        path: &str,
        expected: &str,
        actual: &str,
        class: &str,
    ) -> Divergence {
        let place = path.split(['.', '[']).next().unwrap_or_default();
        Divergence {
            step: step.to_owned(),
            clause: clause.to_owned(),
            kind,
            path: path.to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            fingerprint: fingerprint(&self.id(), clause, step, kind, place, class),
        }
    }

    fn id(&self) -> String {
        format!("interop/{}", self.client.id())
    }

    fn evidence(&self) -> Evidence {
        let (command, client, server) = (&self.options.command, self.client.id(), self.server.id());
        let repeat = format!("{command} --client {} --server {}", quote(&client), quote(&server));
        Evidence { repeat, ..Evidence::default() }
    }

    /// A session that says nothing, for this reason.
    fn void(&self, reason: String) -> Outcome {
        Outcome {
            verdict: Verdict::Inconclusive,
            reason: Some(reason),
            evidence: self.evidence(),
            ..self.nothing()
        }
    }

    fn nothing(&self) -> Outcome {
        Outcome {
            id: self.id(),
            about: format!("{} calls the probe of the server.", self.client.name),
            level: level(WORKS),
            clauses: vec![WORKS.to_owned()],
            verdict: Verdict::Pass,
            reason: None,
            rests_on: None,
            divergence: None,
            excuse: None,
            evidence: Evidence::default(),
        }
    }
}
