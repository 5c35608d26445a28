//! Runs every implementation as a client against every implementation as a server, through the
//! recording proxy.
//!
//! An implementation is a folder with a `peer.json`. Its `caller` does a session with the probe of
//! a server, and exits with status 0 if all answers were correct. Each server has its own run with
//! one case for each caller, so that the reports need no special support.

use crate::cases::level;
use crate::clock::Clock;
use crate::commands::record::{RecordOptions, record};
use crate::commands::recording::{Notice, RecordingOptions};
use crate::error::{Fault, Faulted};
use crate::files;
use crate::peer::Peer;
use crate::program::{ENDING, Process, Taps, Target};
use crate::shell::quote;
use dnode::transport::Address;
use dnode_reports::event::{Death, Divergence, Ended, Event, Evidence, Kind, Outcome, Role, Run, Verdict};
use dnode_reports::fingerprint::fingerprint;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
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
use tokio_util::sync::CancellationToken;

/// The clause that a session of two implementations is about.
const WORKS: &str = "interop/works";

/// The file that makes a folder an implementation.
const FILE: &str = "peer.json";

/// An implementation cannot be used. The caller is at fault.
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

/// An implementation, from its `peer.json`. Its commands run in its folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Implementation {
    /// The name, with the version.
    pub name: String,
    /// A command to run once before the first start.
    pub install: Option<String>,
    /// The command that serves the probe at `{port}`.
    pub server: Option<String>,
    /// The command that connects to `{host}` and `{port}` and offers the probe.
    pub client: Option<String>,
    /// The command that connects to `{host}` and `{port}` and calls the probe there. It exits with
    /// status 0 if all answers were correct.
    pub caller: Option<String>,
    #[serde(skip)]
    folder: PathBuf,
}

impl Implementation {
    /// Reads the implementations in this folder, sorted by the names of their folders.
    ///
    /// # Errors
    /// A file cannot be read or is invalid. The caller is at fault.
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
            let text = files::read(&file).map_err(|error| fault(&file, &error))?;
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

    /// The id of the case in which it is the client.
    #[must_use]
    pub fn case(&self) -> String {
        format!("interop/{}", self.id())
    }

    fn command(&self, command: &str) -> String {
        format!("cd {} && {command}", quote(&self.folder.to_string_lossy()))
    }

    /// A hint for an implementation that cannot be started.
    fn remedy(&self) -> String {
        let installed = |install: &String| format!("; was `{install}` run in {}?", self.folder.display());
        self.install.as_ref().map(installed).unwrap_or_default()
    }
}

/// The options of an interop run.
#[derive(Debug, Clone)]
pub struct InteropOptions {
    /// How long a session may take.
    pub patience: Duration,
    /// The weakest level that fails the run.
    pub gate: Level,
    /// The start of the command that repeats one session; `--client` and `--server` are appended.
    pub command: String,
    /// Cancelled to end the run.
    pub interrupted: CancellationToken,
}

/// Runs every client against every server. Calls `emit` with the events of one run for each server.
///
/// # Errors
/// The system gave no port, or a process could not be started. The harness is at fault.
pub async fn interop(
    servers: &[Implementation],
    clients: &[Implementation],
    options: &InteropOptions,
    emit: &mut (dyn FnMut(Event) + Send),
) -> io::Result<()> {
    for server in servers {
        emit(Event::Started(Run {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            peer: Some(server.name.clone()),
            role: Role::Server,
            dialect: Dialect::default(),
            interop: true,
            target: format!("{} as the server", server.name),
            planned: clients.len(),
            notes: Vec::new(),
            gate: options.gate,
            time: Some(Clock::of_program().base()),
        }));
        let mut answered = false;
        let mut peer = None;
        for client in clients {
            let pair = Pair { client, server, options };
            let outcome = pair.run(&mut peer).await?;
            answered |= outcome.verdict == Verdict::Pass;
            emit(Event::Judged(Box::new(outcome)));
        }
        if let Some(peer) = peer.take() {
            Peer::stop(peer).await;
        }
        let interrupted = options.interrupted.is_cancelled();
        emit(Event::Ended(Ended { interrupted, answered, ..Ended::default() }));
    }
    Ok(())
}

/// A client and a server.
struct Pair<'a> {
    client: &'a Implementation,
    server: &'a Implementation,
    options: &'a InteropOptions,
}

/// A finished session.
struct Session {
    /// The exit status and the last output of the client; `None` if it did not exit in time.
    client: Option<(ExitStatus, Death)>,
    /// The client opened a connection.
    connected: bool,
    /// How the server's process ended, if it did.
    server: Option<Death>,
    /// The clauses that the two ends broke.
    problems: Vec<(End, Problem)>,
    /// The recording of the session.
    transcript: String,
}

impl Pair<'_> {
    /// Runs one session. Starts the server if it does not run.
    async fn run(&self, peer: &mut Option<Peer>) -> io::Result<Outcome> {
        if self.options.interrupted.is_cancelled() {
            return Ok(self.inconclusive("the run was interrupted".to_owned()));
        }
        let (Some(server), Some(caller)) = (&self.server.server, &self.client.caller) else {
            return Ok(self.inconclusive("the client has no caller, or the server no server".to_owned()));
        };
        let mut serving = match peer.take() {
            Some(peer) => peer,
            None => match Peer::start(&Target::exec(&self.server.command(server))).await {
                Ok(peer) => peer,
                Err(error) => {
                    let help = error.help().map(|help| format!(". {help}")).unwrap_or_default();
                    let remedy = self.server.remedy();
                    return Ok(self.inconclusive(format!("{}: {error}{help}{remedy}", error.fault())));
                }
            },
        };
        let Some(to) = serving.route().address().and_then(Address::tcp).map(str::to_owned) else {
            return Ok(self.inconclusive("harness: the server is not reached by TCP".to_owned()));
        };
        let folder = tempfile::tempdir()?;
        let mut session = self.call(caller, to, serving.route().clock(), folder.path()).await?;
        let exit = if session.client.is_some() { Duration::ZERO } else { ENDING };
        session.server = serving.death(exit).await;
        let transcript = fs::read_dir(folder.path())?.flatten().next();
        session.transcript =
            transcript.and_then(|file| fs::read_to_string(file.path()).ok()).unwrap_or_default();
        let keep = session.server.is_none() && session.client.is_some();
        let outcome = self.outcome(session);
        if keep {
            *peer = Some(serving);
        } else {
            serving.stop().await;
        }
        Ok(outcome)
    }

    /// Runs the client through the recording proxy, which writes the transcript to the folder
    /// `out`. `clock` watches both programs. The session lacks what the caller must find out: the
    /// end of the server, and the transcript.
    async fn call(&self, caller: &str, to: String, clock: &Clock, out: &Path) -> io::Result<Session> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port().to_string();
        let stop = CancellationToken::new();
        let recording = RecordingOptions {
            out: Some(out.to_owned()),
            name: "session".to_owned(),
            seen_from: End::A,
            redact: false,
        };
        let options = RecordOptions { to, recording };
        // Every notice is about a connection.
        let notices = Arc::new(Mutex::new(Vec::new()));
        let collect = {
            let notices = Arc::clone(&notices);
            move |notice: Notice| notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice)
        };
        let stopped = stop.clone();
        let recording = tokio::spawn(async move { record(listener, options, stopped, &collect).await });
        let mut process = Process::start(
            &self.client.command(caller),
            &[("host", "127.0.0.1"), ("port", &port)],
            clock,
            &Taps::default(),
        )?;
        let client = match process.wait(self.options.patience).await {
            Some(status) => Some((status, process.death(status).await)),
            None => None,
        };
        process.stop().await;
        stop.cancel();
        recording.await.map_err(io::Error::other)??;
        let notices = std::mem::take(&mut *notices.lock().unwrap_or_else(PoisonError::into_inner));
        let connected = !notices.is_empty();
        let problems = notices.into_iter().filter_map(|notice| match notice {
            Notice::Finding { end, problem, .. } => Some((end, problem)),
            _ => None,
        });
        Ok(Session {
            client,
            connected,
            server: None,
            problems: problems.collect(),
            transcript: String::new(),
        })
    }

    /// Judges a session. A crash of the server comes first, then the result of the client, then
    /// broken clauses.
    fn outcome(&self, session: Session) -> Outcome {
        let Session { client, connected, server, mut problems, transcript } = session;
        if server.is_none() && !connected {
            return self.unstarted(client.map(|(_, death)| death));
        }
        problems.sort_by_key(|(_, problem)| level(problem.clause));
        let words: Vec<String> = problems
            .iter()
            .map(|(end, problem)| format!("{} breaks {}", step_of(*end), problem.clause))
            .collect();
        let mut outcome = Outcome {
            reason: (!words.is_empty()).then(|| words.join(", ")),
            evidence: Evidence { transcript, ..self.evidence() },
            ..self.passed()
        };
        let (verdict, divergence) = match (&client, &server) {
            (_, Some(death)) => {
                let actual = format!("it ended with {}", death.status);
                let class = death.status.to_string();
                (Verdict::Crash, self.failure("the server", Kind::Died, actual, &class))
            }
            (None, None) => {
                let actual = format!("the client still runs after {} s", self.options.patience.as_secs());
                (Verdict::Hang, self.failure("the client", Kind::Absent, actual, "absent"))
            }
            (Some((status, end)), None) if !status.success() => {
                let first = end.stderr.lines().next().unwrap_or("nothing on standard error");
                let actual = format!("{}: {first}", end.status);
                let class = end.status.to_string();
                (Verdict::Fail, self.failure("the client", Kind::Differs, actual, &class))
            }
            _ => {
                let Some((end, problem)) = problems.first() else { return outcome };
                outcome.level = level(problem.clause);
                (Verdict::Fail, self.broken_clause(*end, problem))
            }
        };
        outcome.verdict = verdict;
        outcome.evidence.death = match verdict {
            Verdict::Crash => server,
            _ => client.filter(|(status, _)| !status.success()).map(|(_, death)| death),
        };
        outcome.divergence = Some(divergence);
        outcome
    }

    /// The outcome if the client opened no connection: it shows nothing about the server.
    fn unstarted(&self, client: Option<Death>) -> Outcome {
        let seconds = self.options.patience.as_secs();
        let end = match client {
            None => format!("did not connect within {seconds} s"),
            Some(Death { status, stderr }) => {
                let first = stderr.lines().next().unwrap_or("nothing on standard error");
                format!("ended with {status} before it connected: {first}")
            }
        };
        self.inconclusive(format!("the client {end}{}", self.client.remedy()))
    }

    /// The divergence of a session that did not end with correct answers.
    fn failure(&self, step: &str, kind: Kind, actual: String, class: &str) -> Divergence {
        Divergence {
            step: step.to_owned(),
            clause: WORKS.to_owned(),
            kind,
            path: String::new(),
            expected: "the session is done, and every answer is right".to_owned(),
            actual,
            fingerprint: fingerprint(&self.id(), WORKS, step, kind, "", class),
        }
    }

    /// The divergence of an end that broke a clause, although all answers were correct.
    fn broken_clause(&self, end: End, problem: &Problem) -> Divergence {
        let (step, kind) = (step_of(end), Kind::Broken);
        let place = problem.at.split(['.', '[']).next().unwrap_or_default();
        Divergence {
            step: step.to_owned(),
            clause: problem.clause.to_owned(),
            kind,
            path: problem.at.clone(),
            expected: problem.expected.clone(),
            actual: problem.actual.clone(),
            fingerprint: fingerprint(&self.id(), problem.clause, step, kind, place, "broken"),
        }
    }

    fn id(&self) -> String {
        self.client.case()
    }

    fn evidence(&self) -> Evidence {
        let (command, client, server) = (&self.options.command, self.client.id(), self.server.id());
        let repeat = format!("{command} --client {} --server {}", quote(&client), quote(&server));
        Evidence { repeat, ..Evidence::default() }
    }

    /// The outcome of a session that could not run, for this reason.
    fn inconclusive(&self, reason: String) -> Outcome {
        Outcome {
            verdict: Verdict::Inconclusive,
            reason: Some(reason),
            evidence: self.evidence(),
            ..self.passed()
        }
    }

    fn passed(&self) -> Outcome {
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

/// The end as the step of a divergence.
fn step_of(end: End) -> &'static str {
    match end {
        End::A => "the client",
        End::B => "the server",
    }
}
