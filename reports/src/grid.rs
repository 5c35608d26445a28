//! The grid of an interop run: the result of each client with each server.
//!
//! `dnode-conform interop` collects a grid from its events, prints it, and writes it as a file. The
//! file is canonical: two runs with the same behaviour give the same bytes. It has no time, port or
//! path. Of the standard error it has only the first wrong answer that a client names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::error::ReadError;
use crate::escape::{self, no_command, terminal_cut};
use crate::event::{Event, Kind, Outcome, Verdict};
use crate::summary;
use crate::words::words;

/// The version of the file.
const FORMAT: u32 = 1;

/// How many characters of a name, and of a note, are kept.
const NAME: usize = 60;
const NOTE: usize = 90;

words! {
    /// The result of a session between a client and a server.
    pub enum Met ("a result of a session") {
        /// All answers were right, and no end broke a clause.
        Pass = "pass",
        /// All answers were right, but an end broke a clause.
        Broken = "broken",
        /// An answer was wrong or missing.
        Fail = "fail",
        /// The server's process ended.
        Crash = "crash",
        /// The client did not end.
        Hang = "hang",
        /// The session could not run.
        Inconclusive = "inconclusive",
    }
}

impl Met {
    /// The result of this outcome.
    fn of(outcome: &Outcome) -> Met {
        let is_broken = || outcome.divergence.as_ref().is_some_and(|it| it.kind == Kind::Broken);
        match outcome.verdict {
            Verdict::Pass => Met::Pass,
            Verdict::Fail if is_broken() => Met::Broken,
            Verdict::Fail => Met::Fail,
            Verdict::Crash => Met::Crash,
            Verdict::Hang => Met::Hang,
            Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError => Met::Inconclusive,
        }
    }
}

/// A session of a client with a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The name of the client.
    pub client: String,
    /// The name of the server.
    pub server: String,
    /// Its result.
    pub met: Met,
    /// What went wrong, one sentence, raw. Empty if nothing did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// All sessions of an interop run.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    suite: String,
    /// The names of the clients by the ids of their cases, in the order of the run.
    clients: Vec<(String, String)>,
    servers: Vec<String>,
    sessions: BTreeMap<(usize, usize), Session>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    suite: String,
    clients: Vec<String>,
    servers: Vec<String>,
    sessions: Vec<Session>,
}

impl Grid {
    /// A grid without sessions. `clients` has the id of each client's case and its name.
    #[must_use]
    pub fn new(clients: Vec<(String, String)>) -> Grid {
        Grid { clients, ..Grid::default() }
    }

    /// Takes an event of the run.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.suite.clone_from(&run.suite);
                self.servers.push(short(run.peer.as_deref().unwrap_or_default(), NAME));
            }
            Event::Judged(outcome) => {
                let client = self.clients.iter().position(|(id, _)| *id == outcome.id);
                if let (Some(client), Some(server)) = (client, self.servers.len().checked_sub(1)) {
                    let session = Session {
                        client: self.clients[client].1.clone(),
                        server: self.servers[server].clone(),
                        met: Met::of(outcome),
                        note: short(&note(outcome), NOTE),
                    };
                    self.sessions.insert((client, server), session);
                }
            }
            Event::Ended(_) => {}
        }
    }

    /// The names of the clients.
    pub fn clients(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(|(_, name)| &**name)
    }

    /// The names of the servers.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(String::as_str)
    }

    /// The session of the clients and servers with these numbers, from 0.
    #[must_use]
    pub fn session(&self, client: usize, server: usize) -> Option<&Session> {
        self.sessions.get(&(client, server))
    }

    /// The version of the suite that ran it.
    #[must_use]
    pub fn suite(&self) -> &str {
        &self.suite
    }

    /// A row for each client and a column for each server.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::from("servers\n");
        for (number, server) in self.servers().enumerate() {
            let _ = writeln!(out, "  {:2}  {}", number + 1, line(server));
        }
        let names: Vec<String> = self.clients().map(line).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let _ = write!(out, "\n{:width$}", "clients");
        (1..=self.servers.len()).for_each(|number| {
            let _ = write!(out, "  {number:<12}");
        });
        for (client, name) in names.iter().enumerate() {
            let _ = write!(out, "\n{name:width$}");
            for server in 0..self.servers.len() {
                let word = self.session(client, server).map_or("", |session| session.met.word());
                let _ = write!(out, "  {word:<12}");
            }
        }
        out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// The file, which [`read`] reads.
    ///
    /// # Errors
    /// It cannot be written as JSON. This never happens.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let document = Document {
            format: FORMAT,
            suite: self.suite.clone(),
            clients: self.clients().map(str::to_owned).collect(),
            servers: self.servers.clone(),
            sessions: self.sessions.values().cloned().collect(),
        };
        Ok(escape::json(&serde_json::to_string_pretty(&document)?) + "\n")
    }
}

/// Reads the file of a grid.
///
/// # Errors
/// [`ReadError`]: the text is no grid, its format is unknown, or a session is between names that the
/// grid does not have. The caller is at fault.
pub fn read(text: &str) -> Result<Grid, ReadError> {
    let Document { format, suite, clients, servers, sessions } = serde_json::from_str(text)?;
    if format != FORMAT {
        return Err(ReadError::Format { found: format, readable: FORMAT });
    }
    let place = |names: &[String], name: &str| names.iter().position(|it| it == name);
    let mut placed = BTreeMap::new();
    for session in sessions {
        let at = place(&clients, &session.client).zip(place(&servers, &session.server));
        placed.insert(at.ok_or(ReadError::Counts)?, session);
    }
    let clients = clients.into_iter().map(|name| (name.clone(), name)).collect();
    Ok(Grid { suite, clients, servers, sessions: placed })
}

/// What went wrong.
fn note(outcome: &Outcome) -> String {
    match (outcome.verdict, &outcome.divergence) {
        (Verdict::Pass, _) => String::new(),
        (_, Some(divergence)) if divergence.kind != Kind::Broken => {
            let actual = || format!("{}: {}", divergence.step, without_path(&divergence.actual));
            wrong_answer(outcome).map_or_else(actual, |line| without_path(line).to_owned())
        }
        _ => without_path(summary::reason(outcome).unwrap_or_default()).to_owned(),
    }
}

/// The first wrong answer on the client's standard error: `STEP: expected …` or `STEP: no answer`.
fn wrong_answer(outcome: &Outcome) -> Option<&str> {
    let mut lines = outcome.evidence.death.as_ref()?.stderr.lines();
    lines.find(|line| line.contains(": expected ") || line.ends_with(": no answer"))
}

/// The text before its first path. Paths differ from machine to machine.
fn without_path(text: &str) -> &str {
    let end = text.find(" /").or_else(|| text.find("(/"));
    end.and_then(|end| text.get(..end)).unwrap_or(text).trim_end_matches(':')
}

fn short(text: &str, limit: usize) -> String {
    escape::cut(text, limit).into_owned()
}

/// A name in the text: escaped, cut, and no command for a CI job.
fn line(name: &str) -> String {
    no_command(&terminal_cut(name, NAME, 0)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Run;
    use crate::sample::{self, FINE, HOSTILE};

    fn grid() -> Grid {
        let clients = ["a", "b"].map(|id| (format!("interop/{id}"), format!("client {id} {HOSTILE}")));
        let mut grid = Grid::new(clients.to_vec());
        for name in ["server x", "server y"] {
            let cases = [sample::outcome("interop/a", Verdict::Pass), sample::crashing("interop/b")];
            let run = Run { peer: Some(name.to_owned()), interop: true, ..sample::run(2) };
            sample::events(run, &cases, FINE).iter().for_each(|event| grid.event(event));
        }
        grid
    }

    #[test]
    fn a_grid_reads_back() {
        let grid = grid();
        let json = grid.json().unwrap();
        assert!(!json.contains(|c| c != '\n' && escape::is_hidden(c)), "{json}");
        let read = read(&json).unwrap();
        assert_eq!(read.json().unwrap(), json);
        assert_eq!(read.text(), grid.text());
        assert_eq!(read.session(1, 0).unwrap().met, Met::Crash);
        assert_eq!(read.session(0, 1).unwrap().note, "");
    }

    #[test]
    fn an_edited_grid_is_an_error() {
        let json = grid().json().unwrap();
        assert!(matches!(
            read(&json.replace("\"format\": 1", "\"format\": 2")),
            Err(ReadError::Format { .. })
        ));
        assert!(matches!(read(&json.replacen("server x", "server z", 1)), Err(ReadError::Counts)));
        assert!(matches!(read("{}"), Err(ReadError::Report(_))));
    }
}
