//! The folder of all findings. Each finding has its own folder: the transcript, the wire log, a
//! text for people, and a script that reproduces it.
//!
//! A folder is written under a temporary name and then renamed. So it is never incomplete, even if
//! the campaign is killed.

use super::finding::{Finding, Scene, fails};
use super::input::{Input, Methods};
use super::oracle::{Identity, Oracle};
use super::script;
use super::source::Job;
use super::suspicion::{Played, Suspicion};
use crate::cases::Case;
use crate::files;
use dnode::transport::Limits;
use dnode_reports::escape::terminal_cut;
use dnode_reports::event::{Origin, Wire};
use dnode_spec::clause;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// How many characters of a line are shown in the text for people.
const SHOWN_CHARS: usize = 600;

/// The subfolder of what was seen once and not reproduced.
const ELUSIVE: &str = "not-reproduced";
/// The subfolder of suspicions for the next campaign.
const UNFINISHED: &str = "unfinished";
/// How often something may be seen without being reproduced before it is no longer examined.
const SEEN: u32 = 3;

/// All findings, and their folder.
#[derive(Debug)]
pub(super) struct Findings {
    folder: PathBuf,
    known: BTreeMap<Identity, Known>,
    /// How often this campaign saw something that it could not reproduce.
    seen: BTreeMap<Identity, u32>,
}

/// A finding in its folder.
#[derive(Debug)]
struct Known {
    fails: bool,
    /// The transcript of a finding that an earlier campaign did not shrink.
    unfinished: Option<Case>,
}

impl Findings {
    /// Opens a folder, and reads the findings in it.
    ///
    /// # Errors
    /// The folder cannot be created or read.
    pub(super) fn open(folder: &Path) -> io::Result<Findings> {
        std::fs::create_dir_all(folder)?;
        let mut known = BTreeMap::new();
        for entry in std::fs::read_dir(folder)?.flatten() {
            let Ok(text) = files::read(&entry.path().join("transcript.jsonl")) else { continue };
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if let Some((identity, finding)) = read_finding(&text).filter(|_| !hidden) {
                known.insert(identity, finding);
            }
        }
        Ok(Findings { folder: folder.to_owned(), known, seen: BTreeMap::new() })
    }

    /// The identities of all findings.
    pub(super) fn known(&self) -> impl Iterator<Item = &Identity> {
        self.known.keys()
    }

    /// How many findings fail the campaign, and how many only warn.
    pub(super) fn counts(&self) -> (usize, usize) {
        let failing = self.known.values().filter(|known| known.fails).count();
        (failing, self.known.len() - failing)
    }

    /// How often this was seen without being reproduced.
    pub(super) fn was_seen(&self, identity: &Identity) -> u32 {
        self.seen.get(identity).copied().unwrap_or_default()
    }

    /// Whether this was seen so often without being reproduced that it is not examined again.
    pub(super) fn is_elusive(&self, identity: &Identity) -> bool {
        self.was_seen(identity) >= SEEN
    }

    /// What an earlier campaign left unfinished, as suspicions.
    pub(super) fn unfinished(&self, methods: &Methods) -> Vec<Suspicion> {
        let shrinks = self
            .known
            .iter()
            .filter_map(|(identity, known)| Some((Some(identity.clone()), known.unfinished.clone()?)));
        let files = std::fs::read_dir(self.folder.join(UNFINISHED)).into_iter().flatten().flatten();
        let texts = files.filter_map(|entry| files::read(&entry.path()).ok());
        let waiting = texts.filter_map(|text| Some((None, Case::read(&text).ok()?)));
        let suspicion = |(at, (resumes, case)): (usize, (Option<Identity>, Case))| {
            let input = Input::of(&case.transcript, methods).filter(|_| case.id().starts_with("campaign/"));
            let job = input.map_or_else(|| Job::Case(Box::new(case)), Job::Input);
            let played = Played { job, source: "an earlier campaign", ended_well: false };
            let is_slow = resumes.as_ref().is_some_and(|identity| identity.oracle.is_slow());
            let key = format!("unfinished {at}");
            Suspicion { key, suspects: vec![played], death: None, resumes, is_slow }
        };
        shrinks.chain(waiting).enumerate().map(suspicion).collect()
    }

    /// Writes the suspicions for the next campaign, and removes older ones.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn set_unfinished(&self, cases: &[Case]) -> io::Result<()> {
        if cases.is_empty() {
            return match std::fs::remove_dir_all(self.folder.join(UNFINISHED)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let files = cases.iter().enumerate().map(|(at, case)| (format!("{at}.jsonl"), case.text.clone()));
        write_folder(&self.folder, UNFINISHED, files).map(|_| ())
    }

    /// Writes a finding, replaces an older version of it, and returns its folder.
    ///
    /// # Errors
    /// A file cannot be written. The finding counts all the same.
    pub(super) fn write(&mut self, finding: &Finding, scene: &Scene<'_>) -> io::Result<PathBuf> {
        let elusive = self.folder.join(ELUSIVE);
        let name = finding.identity.folder();
        let files = |parent: &Path| {
            let [transcript, wire] = [with_identity(finding), wire_log(&finding.wire)];
            let [text, script] = [text(finding, scene, &parent.join(&name)), script::script(finding, scene)];
            [
                ("transcript.jsonl", transcript),
                ("wire.log", wire),
                ("finding.md", text),
                ("repeat.py", script),
            ]
        };
        if finding.is_reproduced() {
            self.seen.remove(&finding.identity);
            let known = Known { fails: finding.fails(), unfinished: None };
            self.known.insert(finding.identity.clone(), known);
            let folder = write_folder(&self.folder, &name, files(&self.folder))?;
            let _ = std::fs::remove_dir_all(elusive.join(&name));
            let _ = std::fs::remove_dir(&elusive);
            return Ok(folder);
        }
        *self.seen.entry(finding.identity.clone()).or_default() += 1;
        std::fs::create_dir_all(&elusive)?;
        write_folder(&elusive, &name, files(&elusive))
    }
}

/// Writes a folder in `parent` with these files, in one step, and returns it. An older one stays until
/// all files are written.
fn write_folder(
    parent: &Path,
    name: &str,
    files: impl IntoIterator<Item = (impl AsRef<Path>, String)>,
) -> io::Result<PathBuf> {
    let folder = parent.join(name);
    let draft = tempfile::Builder::new().prefix(".writing-").tempdir_in(parent)?;
    for (file, text) in files {
        std::fs::write(draft.path().join(file), text)?;
    }
    if folder.exists() {
        // A rename cannot replace a folder, so move the older version away first.
        let aside = tempfile::Builder::new().prefix(".earlier-").tempdir_in(parent)?;
        std::fs::rename(&folder, aside.path().join("x"))?;
    }
    std::fs::rename(draft.path(), &folder)?;
    Ok(folder)
}

/// The transcript, with the identity of the finding in its header.
fn with_identity(finding: &Finding) -> String {
    let (header, steps) = finding.transcript.split_once('\n').unwrap_or((&finding.transcript, ""));
    let Ok(mut header) = serde_json::from_str::<Json>(header) else { return finding.transcript.clone() };
    let Identity { oracle, clause, what, class } = &finding.identity;
    header["meta"]["finding"] = json!({ "oracle": oracle.word(), "clause": clause, "what": what, "class": class,
        "confirmed": format!("{}/{}", finding.confirmed.0, finding.confirmed.1), "shrunk": finding.shrunk,
        "source": finding.source });
    format!("{header}\n{}\n", steps.trim_end())
}

/// Reads the identity from the header of a transcript, and the state of its finding.
fn read_finding(transcript: &str) -> Option<(Identity, Known)> {
    let header: Json = serde_json::from_str(transcript.lines().next()?).ok()?;
    let found = &header["meta"]["finding"];
    let text = |key: &str| Some(found[key].as_str()?.to_owned());
    let word = text("oracle")?;
    let oracle = Oracle::ALL.into_iter().find(|oracle| oracle.word() == word)?;
    let identity = Identity { oracle, clause: text("clause")?, what: text("what")?, class: text("class")? };
    let confirmed = text("confirmed")?;
    let (reproduced, tried) = confirmed.split_once('/')?;
    let fails = fails(&identity, (reproduced.parse().ok()?, tried.parse().ok()?));
    let shrunk = found["shrunk"].as_bool().unwrap_or(true);
    let unfinished = Case::read(transcript).ok().filter(|_| !shrunk);
    Some((identity, Known { fails, unfinished }))
}

fn wire_log(wire: &[Wire]) -> String {
    let mut out = String::new();
    for entry in wire {
        let _ = match entry {
            Wire::Bytes { from, bytes, cut, .. } => {
                let arrow = if *from == Origin::Suite { "->" } else { "<-" };
                let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                writeln!(out, "{arrow} {}", terminal_cut(line, usize::MAX, *cut))
            }
            Wire::Event { from, what } => {
                let arrow = if *from == Origin::Suite { "--" } else { "  --" };
                writeln!(out, "{arrow} {what}")
            }
            Wire::Omitted(count) => writeln!(out, "… {count} entries are left out"),
        };
    }
    out
}

/// The text for people.
fn text(finding: &Finding, scene: &Scene<'_>, folder: &Path) -> String {
    let Identity { oracle, clause, what, class } = &finding.identity;
    let cut = |text: &str| terminal_cut(text, SHOWN_CHARS, 0);
    let mut out = format!(
        "# {}{}\n\n{}\n\n",
        cut(&format!("{}: {what}", oracle.word())),
        finding.label(),
        oracle.sentence()
    );
    let name = scene.facts.object.name.as_deref().unwrap_or("unnamed");
    let found = clause::find(clause);
    let sentence = found.map_or("", |clause| clause.text);
    let level = found.map_or("", |clause| clause.level.word());
    for (word, value) in [
        ("peer", format!("{}, at {}", cut(name), cut(&scene.target.to_string()))),
        ("oracle", format!("{} ({})", oracle.word(), if oracle.fails() { "fails" } else { "warns" })),
        ("clause", format!("{clause} ({level}): {sentence}")),
        ("operation", cut(what)),
        ("class", cut(class)),
        ("expected", cut(&finding.expected)),
        ("got", cut(&finding.actual)),
        ("confirmed", format!("{} of {}", finding.confirmed.0, finding.confirmed.1)),
        ("found", format!("in session {}, from {}", finding.sessions, finding.source)),
    ] {
        let _ = writeln!(out, "- **{word}**: {}", value.replace('\n', " "));
    }
    let _ = writeln!(out, "\n## Transcript\n\n```text");
    finding.transcript.lines().skip(1).for_each(|line| {
        let _ = writeln!(out, "{}", cut(line));
    });
    let _ = writeln!(out, "```\n\nThe bytes on the wire are in `wire.log`.\n");
    if let Some(death) = &finding.death {
        let _ = writeln!(out, "## How the process ended\n\n{}\n\n```text", cut(&death.status.to_string()));
        death.stderr.lines().for_each(|line| {
            let _ = writeln!(out, "{}", cut(line));
        });
        let _ = writeln!(out, "```\n");
    }
    let _ = writeln!(
        out,
        "## How to reproduce it\n\n```sh\n{}\n{}\n```",
        cut(&scene.command.replay(&folder.join("transcript.jsonl").to_string_lossy())),
        match scene.facts.limits {
            Limits::TCP => format!(
                "python3 {} HOST PORT   # without this program; exit status 1 = reproduced",
                cut(&crate::shell::quote(&folder.join("repeat.py").to_string_lossy()))
            ),
            limits => format!(
                "# repeat.py speaks TCP only, but this peer was reached over {}: run it against the same peer on a TCP port",
                limits.transport
            ),
        }
    );
    out
}
