//! Properties of all formats: they agree, they escape hostile text, and the usual programs read
//! them.

mod agreement;
mod browser;
mod hostile;
mod machine;
mod readers;
mod site;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use dnode_spec::clause::Level;

use crate::event::{Activity, Ended, Event, Outcome, Reference, Run, Stale, TimeBase, Verdict};
use crate::format::Format;
use crate::sample::{self, FINE};
use crate::text::Options;

/// A writer whose bytes outlive the report.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The report of these events. The text report lists every case.
fn render(format: Format, events: &[Event]) -> String {
    let kept = Kept::default();
    let mut report =
        format.report(kept.clone(), Options { styles: false, details: true, verbose: true, width: 100 });
    events.iter().for_each(|event| report.event(event).unwrap());
    report.finish().unwrap();
    drop(report);
    String::from_utf8(Arc::into_inner(kept.0).unwrap().into_inner().unwrap()).unwrap()
}

/// A run with every verdict, at each level that makes a difference, with full evidence.
fn sample_run() -> Vec<Event> {
    let mut binary = sample::failing("value/bytes");
    binary.evidence.wire.push(sample::came(b"\"\xff\xfe\"\n"));
    let mut hung = Outcome { verdict: Verdict::Hang, level: Level::Robust, ..sample::failing("robust/long") };
    hung.evidence.activity = Some(Activity { time: 2000, cpu: 20 });
    let cases = [
        binary,
        sample::outcome("message/plain", Verdict::Pass),
        sample::failing("message/argument-order"),
        Outcome { level: Level::Observed, ..sample::failing("methods/again") },
        sample::crashing("robust/deep"),
        hung,
        sample::because("value/cycle", Verdict::NotApplicable, "the probe declares cycle absent"),
        sample::because("value/shared", Verdict::Inconclusive, "methods/by-id failed"),
        sample::because("value/nest", Verdict::HarnessError, "no port was free"),
        Outcome { excuse: Some("known: it dies".to_owned()), ..sample::crashing("robust/known") },
        Outcome {
            excuse: Some("rests on value/known, whose failure is known".to_owned()),
            ..sample::because("value/rests", Verdict::Inconclusive, "needs value/known, which failed")
        },
    ];
    let stale = |reference, id: &str| Stale {
        reference,
        id: id.to_owned(),
        problem: "the case passes, but the entry says that it fails".to_owned(),
        remedy: "remove the entry".to_owned(),
    };
    let stale =
        vec![stale(Reference::Baseline, "message/plain"), stale(Reference::Snapshot, "message/plain")];
    let notes = vec!["The peer answers in order.".to_owned()];
    let run = Run { notes, time: Some(TimeBase::OwnTime), ..sample::run(cases.len()) };
    sample::events(run, &cases, Ended { stale, ..FINE })
}

/// The committed reports of known implementations, sorted by file name.
fn known() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("known");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: &PathBuf| (file.display().to_string(), std::fs::read_to_string(file).unwrap());
    files.iter().map(read).collect()
}

/// The events of all known implementations, run by run.
fn known_events() -> Vec<Event> {
    known().iter().flat_map(|(name, text)| crate::json::read(text, name, Level::Robust).unwrap()).collect()
}

/// Runs one of the programs in `tests/readers` and returns its output. Installs their packages if
/// they are missing. Fails if the program fails.
#[track_caller]
fn node(program: &str, arguments: &[&Path]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
    // Tests run in parallel, and `npm ci` removes the packages that another `npm ci` has just
    // installed.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let installing = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !folder.join("node_modules/.package-lock.json").exists() {
        succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder));
    }
    drop(installing);
    succeed(Command::new("node").arg(folder.join(program)).args(arguments))
}

/// Runs a program and returns its output. Fails with that output if the program fails.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("these tests need {command:?}: {error}"));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

/// The files of a test, in a folder that is removed at its end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let folder = std::env::temp_dir().join(format!("dnode-reports-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Files(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
