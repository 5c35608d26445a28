//! The folder of all findings. Each finding has its own folder: the transcript, the wire log, a
//! text for people, and a script that reproduces it.
//!
//! A folder is written under a temporary name and then renamed. So it is never incomplete, even if
//! the campaign is killed.

use super::finding::{Finding, Scene};
use super::oracle::{Identity, Oracle};
use super::script;
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

/// All findings, and their folder.
#[derive(Debug)]
pub(super) struct Findings {
    folder: PathBuf,
    known: BTreeMap<Identity, PathBuf>,
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
            let Ok(text) = std::fs::read_to_string(entry.path().join("transcript.jsonl")) else { continue };
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if let Some(identity) = read_identity(&text).filter(|_| !hidden) {
                known.insert(identity, entry.path());
            }
        }
        Ok(Findings { folder: folder.to_owned(), known })
    }

    /// The identities of all findings.
    pub(super) fn known(&self) -> impl Iterator<Item = &Identity> {
        self.known.keys()
    }

    /// Removes a finding and its folder.
    pub(super) fn forget(&mut self, identity: &Identity) {
        if let Some(folder) = self.known.remove(identity) {
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// Writes a finding, replaces an older version of it, and returns its folder.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&mut self, finding: &Finding, scene: &Scene<'_>) -> io::Result<PathBuf> {
        let folder = self.folder.join(finding.identity.folder());
        let draft = tempfile::Builder::new().prefix(".writing-").tempdir_in(&self.folder)?;
        let write = |name: &str, text: &str| std::fs::write(draft.path().join(name), text);
        write("transcript.jsonl", &with_identity(finding))?;
        write("wire.log", &wire_log(&finding.wire))?;
        write("finding.md", &text(finding, scene, &folder))?;
        write("repeat.py", &script::script(finding, scene))?;
        if folder.exists() {
            // A rename cannot replace a folder, so move the older version away first.
            let aside = tempfile::Builder::new().prefix(".earlier-").tempdir_in(&self.folder)?;
            std::fs::rename(&folder, aside.path().join("x"))?;
        }
        let draft = draft.keep();
        std::fs::rename(draft, &folder)?;
        self.known.insert(finding.identity.clone(), folder.clone());
        Ok(folder)
    }
}

/// The transcript, with the identity of the finding in its header.
fn with_identity(finding: &Finding) -> String {
    let (header, steps) = finding.transcript.split_once('\n').unwrap_or((&finding.transcript, ""));
    let Ok(mut header) = serde_json::from_str::<Json>(header) else { return finding.transcript.clone() };
    let Identity { oracle, clause, what, class } = &finding.identity;
    header["meta"]["finding"] = json!({ "oracle": oracle.word(), "clause": clause, "what": what, "class": class,
        "confirmed": format!("{}/{}", finding.confirmed.0, finding.confirmed.1), "source": finding.source });
    format!("{header}\n{}\n", steps.trim_end())
}

/// Reads the identity from the header of a transcript.
fn read_identity(transcript: &str) -> Option<Identity> {
    let header: Json = serde_json::from_str(transcript.lines().next()?).ok()?;
    let found = &header["meta"]["finding"];
    let text = |key: &str| Some(found[key].as_str()?.to_owned());
    let word = text("oracle")?;
    let oracle = Oracle::ALL.into_iter().find(|oracle| oracle.word() == word)?;
    Some(Identity { oracle, clause: text("clause")?, what: text("what")?, class: text("class")? })
}

fn wire_log(wire: &[Wire]) -> String {
    let mut out = String::new();
    for entry in wire {
        let _ = match entry {
            Wire::Bytes { from, bytes, cut } => {
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
