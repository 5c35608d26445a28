//! Learned state machines: the reference peer's is the computed one, legal variants have only
//! differences that the protocol leaves open, and faults show.
//!
//! `reports/evidence/machines.json` says which faults the machine shows. To measure it takes twenty
//! minutes. The plain test measures some rows, and learns some variants; `WHOLE=1` learns them all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode::transport::Trust;
use dnode_conform::learn::{LearnError, LearnOptions, Notice, learn};
use dnode_conform::program::{START, Target, Template};
use dnode_conform::reference::conduct::{Both, Conduct, Json, Plain};
use dnode_conform::reference::{self, MakeConduct, Manner, fault, variant};
use dnode_conform::verdict::Command;
use dnode_reports::machine::{Learned, Verdict};
use dnode_spec::clause::Level;
use dnode_spec::machine::{File, Machine};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::PROGRAM;
use support::evidence::{self, Row};
use support::library::{on_threads, served};
use tokio_util::sync::CancellationToken;

/// How many faults are learned at once.
const THREADS: usize = 2;

fn options(target: Target, store: &Path) -> LearnOptions {
    LearnOptions {
        target,
        ping: None,
        patience: Duration::from_millis(500),
        jobs: 4,
        depth: 0,
        words: 0,
        states: 60,
        time: Duration::from_secs(120),
        seed: 1,
        gate: Level::Robust,
        store: store.join("answers.jsonl"),
        resume: false,
        against: None,
        command: Command::default(),
        interrupted: CancellationToken::new(),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(future)
}

fn learned(target: Target) -> Result<Learned, LearnError> {
    let folder = tempfile::tempdir().unwrap();
    block_on(learn(&options(target, folder.path()), &mut |_| {}))
}

fn reference_machine() -> Machine {
    File::read(dnode_fixtures::REFERENCE_MACHINE).unwrap().machine
}

#[test]
fn learned_machine_of_the_reference_peer_is_the_computed_one() {
    let over_unix = Target::Exec(
        format!("exec '{PROGRAM}' serve --listen 'unix:{{socket}}'"),
        Template::parse("unix:{socket}", &Trust::System).unwrap(),
        START,
    );
    for target in [Target::Reference(Default::default()), served(""), over_unix] {
        let name = target.to_string();
        let learned = learned(target).unwrap();
        assert_eq!(learned.machine, Some(reference_machine()), "{name}");
        assert_eq!((learned.differences.len(), learned.cut, learned.broken.len()), (0, None, 0), "{name}");
    }
}

#[test]
fn legal_variants_have_only_free_differences() {
    let all = variant::VARIANTS.iter().map(|variant| variant.name);
    let names: Vec<&str> = if support::is_whole() { all.collect() } else { all.skip(2).step_by(8).collect() };
    let failures = on_threads(THREADS, names, |name| {
        let folder = tempfile::tempdir().unwrap();
        let target = served(&format!("--variant {name}"));
        // If a variant answers in no order, only quiet time shows silence. That takes long, and a busy
        // machine makes answers late, so such a variant must only not be accused.
        let ordered = !["late-answers", "concurrent-handlers"].contains(&name);
        let time = Duration::from_secs(if ordered { 120 } else { 20 });
        let options = LearnOptions { jobs: 32, time, ..options(target, folder.path()) };
        let learned =
            block_on(learn(&options, &mut |_| {})).unwrap_or_else(|error| panic!("{name}: {error}"));
        let accused: Vec<_> =
            learned.differences.iter().filter(|it| !matches!(it.verdict, Verdict::Free { .. })).collect();
        let mixed = &learned.mixed;
        let is_whole = mixed.is_empty() && learned.cut.is_none() || !ordered;
        (!accused.is_empty() || !learned.broken.is_empty() || !is_whole)
            .then(|| format!("{name}: {accused:?} {:?} {mixed:?} {:?}", learned.broken, learned.cut))
    });
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The evidence of a fault in its machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Shown {
    /// A difference or a line breaks the clause of the fault.
    Clause { word: Vec<String>, expected: String, found: String },
    /// Other clauses are broken.
    Others(Vec<String>),
    /// There are differences, which the protocol leaves open.
    Free,
    /// The machine is that of the reference peer.
    Nothing,
    /// There is no machine, for this reason.
    NotLearned(String),
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    fault: String,
    breaks: String,
    shown: Shown,
}

impl Row for Seen {
    const TABLE: &'static str = "machines";

    const HEAD: &'static str = "# Machines\n\n\
        What the learned state machine shows of each fault of the reference peer (`dnode-conform serve --list-faults`).\n\
        The alphabet (`fixtures/machine/`) has 22 inputs, so most faults need another input to show: `run` finds all of them.\n\
        Generated from `machines.json`; `UPDATE=1 cargo test -p dnode-conform --test learn faults` learns every fault and writes both\n\
        files.\n\n\
        | fault | breaks | word | expected | found |\n|---|---|---|---|---|\n";

    fn name(&self) -> &str {
        &self.fault
    }

    fn line(&self) -> String {
        let cells = match &self.shown {
            Shown::Clause { word, expected, found } => {
                let word =
                    if word.is_empty() { "any".to_owned() } else { format!("`{}`", word.join(" → ")) };
                format!("{word} | {} | {}", code(expected), code(found))
            }
            Shown::Others(clauses) => format!("the difference breaks {} | | ", clauses.join(", ")),
            Shown::Free => "only differences that the protocol leaves open | | ".to_owned(),
            Shown::Nothing => "the same machine | | ".to_owned(),
            Shown::NotLearned(reason) => format!("no machine: {reason} | | "),
        };
        format!("| `{}` | {} | {cells} |", self.fault, self.breaks)
    }

    fn tail(rows: &[Seen]) -> String {
        let count = |is: fn(&Shown) -> bool| rows.iter().filter(|row| is(&row.shown)).count();
        format!(
            "\nOf {} faults, the machine of {} names the clause. {} break another clause there, {} have the machine of the \
             reference peer or differences that the protocol leaves open, and {} have no machine.\n",
            rows.len(),
            count(|shown| matches!(shown, Shown::Clause { .. })),
            count(|shown| matches!(shown, Shown::Others(_))),
            count(|shown| matches!(shown, Shown::Free | Shown::Nothing)),
            count(|shown| matches!(shown, Shown::NotLearned(_))),
        )
    }

    fn problem(&self) -> Option<String> {
        let clause = fault::find(&self.fault)?.clause;
        (self.breaks != clause).then(|| format!("it breaks {clause}"))
    }
}

/// A text for a table cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|").replace('`', "'"))
}

fn shown(fault: &fault::Fault) -> Shown {
    let learned = match learned(served(&format!("--fault {}", fault.name))) {
        Ok(learned) => learned,
        Err(error) => return Shown::NotLearned(error.to_string()),
    };
    let mut others = Vec::new();
    for it in &learned.differences {
        match &it.verdict {
            Verdict::Breaks { clause, .. } if clause == fault.clause => {
                let (expected, found) = (it.expected.to_string(), it.found.to_string());
                return Shown::Clause { word: it.word.clone(), expected, found };
            }
            Verdict::Breaks { clause, .. } => others.push(clause.clone()),
            _ => {}
        }
    }
    if let Some(it) = learned.broken.iter().find(|it| it.clause == fault.clause) {
        let (expected, found) = (it.expected.clone(), it.actual.clone());
        return Shown::Clause { word: it.word.clone(), expected, found };
    }
    others.extend(learned.broken.iter().map(|it| it.clause.clone()));
    others.sort();
    others.dedup();
    match (others.is_empty(), learned.differences.is_empty()) {
        (false, _) => Shown::Others(others),
        (true, false) => Shown::Free,
        (true, true) => Shown::Nothing,
    }
}

#[test]
fn evidence_is_fresh() {
    evidence::assert_fresh::<Seen>(faults().map(|fault| fault.name));
}

/// The faults in the dialect of the alphabet.
fn faults() -> impl Iterator<Item = &'static fault::Fault> {
    fault::all().filter(|fault| fault.dialect().is_none_or(|dialect| dialect == Default::default()))
}

#[test]
fn faults_show_in_the_machine() {
    let row = |fault: &'static fault::Fault| Seen {
        fault: fault.name.to_owned(),
        breaks: fault.clause.to_owned(),
        shown: shown(fault),
    };
    let rows = evidence::measured(THREADS, faults().collect(), |fault, _| row(fault));
    // One fault for each clause that the table names, and not all of them.
    let mut clauses = std::collections::BTreeSet::new();
    let named = rows.iter().filter(|it| matches!(it.shown, Shown::Clause { .. }));
    let sample: Vec<&Seen> = named.filter(|it| clauses.insert(it.breaks.clone())).step_by(7).collect();
    assert!(sample.len() > 4, "{}", sample.len());
    on_threads(THREADS, sample, |known| {
        let measured = row(fault::find(&known.fault).unwrap());
        assert!(matches!(measured.shown, Shown::Clause { .. }), "{known:?} {measured:?}");
    });
}

/// Serves the reference peer in this process, with this conduct for the connection with this number.
fn serving(conduct: impl Fn(u64) -> Box<dyn Conduct> + Send + Sync + 'static) -> Target {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let make: MakeConduct = Arc::new(conduct);
            reference::serve(listener, Manner::from(make)).await.unwrap();
        });
    });
    Target::parse(&receiver.recv().unwrap().to_string()).unwrap()
}

/// Answers each call of echo by its name twice.
fn twice() -> Box<dyn Conduct> {
    Box::new(Both {
        state: (),
        receive: |(): &mut (), message: &mut Json| reference::conduct::pass(message),
        send: |(): &mut (), message: &mut Json| {
            let is_echo_by_name = message["arguments"] == serde_json::json!([2]);
            vec![message.clone(); if is_echo_by_name { 2 } else { 1 }]
        },
    })
}

#[test]
fn two_answers_to_one_word_are_reported_with_their_counts() {
    // Every fifth connection answers the call by name twice.
    let target = serving(|connection| if connection % 5 == 0 { twice() } else { Box::new(Plain) });
    let learned = learned(target).unwrap();
    assert_eq!(learned.machine, Some(reference_machine()), "the most frequent answer counts");
    assert!(!learned.mixed.is_empty());
    for mixed in &learned.mixed {
        assert_eq!(mixed.word.last().unwrap(), "call-by-name");
        let answers: Vec<String> = mixed.answers.iter().map(|answer| answer.output.to_string()).collect();
        assert_eq!(answers, ["cb(2)", "cb(2), cb(2)"]);
        assert!(mixed.answers.iter().all(|answer| answer.count > 0));
    }
}

#[test]
fn interrupted_run_continues_with_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let first = options(served(""), folder.path());
    let stop = first.interrupted.clone();
    let mut ticks = 0;
    let ended = block_on(learn(&first, &mut |notice| {
        ticks += u32::from(matches!(notice, Notice::Tick(_)));
        if ticks == 3 {
            stop.cancel();
        }
    }));
    assert!(matches!(ended, Err(LearnError::Interrupted { .. })), "{ended:?}");
    let second = LearnOptions { resume: true, ..options(served(""), folder.path()) };
    let mut known = 0;
    let learned = block_on(learn(&second, &mut |notice| {
        if let Notice::Started { resumed, .. } = notice {
            known = resumed;
        }
    }));
    let learned = learned.unwrap();
    assert!(known > 100, "{known}");
    assert_eq!(learned.machine, Some(reference_machine()));
    let whole = self::learned(served("")).unwrap().effort.queries;
    assert!(learned.effort.queries < whole, "{} of {whole}", learned.effort.queries);
    assert!(!second.store.exists(), "the file is removed after the run");
    let third = LearnOptions { resume: true, ..options(served(""), folder.path()) };
    let error = block_on(learn(&third, &mut |_| {})).unwrap_err();
    assert!(matches!(error, LearnError::OtherAnswers(..)), "{error}");
}

/// The command that starts the reference peer with these arguments of `serve`.
fn serve(arguments: &str) -> String {
    format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}")
}

/// Runs the command without random words. `folder` keeps its answers.
fn command(folder: &Path, exec: &str, more: &[&str]) -> support::Ran {
    let answers = folder.join("answers.jsonl");
    let common = ["learn", "--words", "0", "--answers", answers.to_str().unwrap(), "--exec", exec];
    support::run(&[&common, more].concat())
}

#[test]
fn command_writes_reports_and_compares_with_a_machine() {
    let folder = tempfile::tempdir().unwrap();
    let learn = |more: &[&str]| command(folder.path(), &serve(""), more);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (old, svg) = (path("old.json"), path("old.svg"));
    let (json_report, svg_report) = (format!("json={old}"), format!("svg={svg}"));
    let ran = learn(&["--report", &json_report, "--report", &svg_report]);
    ran.expect_status(&[0]).expect_text("no difference from the reference");
    assert_eq!(File::read(&support::read(&old)).unwrap().machine, reference_machine());
    assert!(support::read(&svg).starts_with("<svg"));
    // A report in which there is nothing to show, and files that are not machines.
    learn(&["--against", &old, "--report", "text=-"]).expect_status(&[0]).expect_text("no difference from");
    learn(&["--against", &svg]).expect_status(&[2]).expect_text("has no machine");
    learn(&["--report", "png=x"]).expect_status(&[2]).expect_text("text, json, markdown");
}

#[test]
fn command_exits_as_run_does() {
    let folder = tempfile::tempdir().unwrap();
    let learn =
        |fault: &str, more: &[&str]| command(folder.path(), &serve(&format!("--fault {fault}")), more);
    // A difference that gates, and one that is only observed.
    learn("ignores-cull", &[]).expect_status(&[1]).expect_text("breaks cull/deletes (should)");
    let observed = "answers-unknown-ids";
    learn(observed, &[]).expect_status(&[0]).expect_text("breaks callback/unknown-id (observed)");
    learn(observed, &["--level", "observed"]).expect_status(&[1]);
}

#[test]
fn command_says_why_there_is_no_machine() {
    let folder = tempfile::tempdir().unwrap();
    command(folder.path(), &serve("--fault callable-once"), &["--states", "30"])
        .expect_status(&[1, 2])
        .expect_text("there is no machine: it has more than 30 states");
}

#[test]
fn other_learners_can_ask_words() {
    use std::io::Write;
    let mut asked = std::process::Command::new(PROGRAM)
        .args(["learn", "--ask", "--exec", &serve("")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    asked.stdin.take().unwrap().write_all(b"call-by-id malformed call-by-id\n\ncall-culled\n").unwrap();
    let output = support::ran(&asked.wait_with_output().unwrap());
    output.expect_status(&[0]);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let expected = [
        r#"[{"acts":[{"calls":{"function":"cb","arguments":"[1]"}}]},{"then":"closed"}]"#,
        "[]",
        r#"[{"then":"impossible"}]"#,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn other_learners_have_the_time_that_was_given() {
    let mut asked = std::process::Command::new(PROGRAM)
        .args(["learn", "--ask", "--time", "300ms", "--exec", &serve("")])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // No word comes, and the input stays open.
    let _input = asked.stdin.take();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut asked.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(said, "note: --time elapsed, so no more words are answered\n");
    assert_eq!(asked.wait().unwrap().code(), Some(0));
}

/// The known implementations whose packages the tests install.
const INSTALLED: &[(&str, &str)] = &[
    ("npm-dnode-1.2.2", "exec node fixtures/peers/npm-dnode/server.js {port}"),
    ("python-example", "exec python3 fixtures/peers/python-start/server.py {port}"),
];

#[test]
fn known_machines_are_learned_again() {
    for (name, exec) in INSTALLED {
        let folder = tempfile::tempdir().unwrap();
        let (json, answers) = (folder.path().join("machine.json"), folder.path().join("answers.jsonl"));
        let report = format!("json={}", json.display());
        let arguments = ["learn", "--words", "0", "--report", &report, "--exec", exec, "--answers"];
        support::run(&[&arguments, &[answers.to_str().unwrap()][..]].concat()).expect_status(&[0, 1]);
        let known = support::read(known_machines().join(format!("{name}.machine.json")));
        assert_eq!(support::read(&json), known, "{name}");
    }
}

fn known_machines() -> std::path::PathBuf {
    support::root().join("reports/known/machines")
}

#[test]
fn each_known_machine_has_a_drawing_and_its_differences() {
    let readme = support::read(known_machines().join("README.md"));
    let mut count = 0;
    for entry in std::fs::read_dir(known_machines()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".machine.json") else { continue };
        count += 1;
        let machine = File::read(&support::read(&path)).unwrap().machine;
        assert!(support::read(known_machines().join(format!("{name}.svg"))).starts_with("<svg"), "{name}");
        let page = support::read(known_machines().join(format!("{name}.md")));
        let reference = reference_machine().restricted(|input| machine.inputs().iter().any(|it| it == input));
        let differences = dnode_spec::machine::differences(&reference, &machine).len();
        assert!(page.matches("\n### ").count() >= differences, "{name}: {differences}");
        assert!(readme.contains(&format!("[{name}]({name}.md)")), "{name} is not in the table");
    }
    assert!(count >= 12, "{count}");
}
