//! Freedoms: what the protocol leaves open is never a finding. Each legal variant of the reference
//! peer, and combinations of four, run against everything that the suite can do.
//!
//! `reports/evidence/freedoms.json` has the results. Measuring the table takes half an hour. The
//! plain test measures some of the rows, with fewer sessions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::campaign::{CampaignOptions, campaign};
use dnode_conform::program::Target;
use dnode_conform::reference::variant::VARIANTS;
use dnode_conform::verdict::Command;
use dnode_reports::event::{Event, Verdict};
use dnode_reports::json;
use dnode_spec::clause::Level;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use support::evidence::{self, Row, Subject};
use support::{PROGRAM, read, run};
use tokio_util::sync::CancellationToken;

/// The number of combinations of four variants.
const COMBINATIONS: usize = 12;

/// How much of everything a row takes.
#[derive(Clone, Copy)]
struct Amount {
    generated: &'static str,
    crossing: &'static str,
    illegal: &'static str,
    fuzz: Duration,
}

/// The amount of the committed table.
const ALL: Amount =
    Amount { generated: "1000", crossing: "400", illegal: "400", fuzz: Duration::from_secs(30) };

/// The amount of the plain test.
const SAMPLE: Amount =
    Amount { generated: "50", crossing: "20", illegal: "20", fuzz: Duration::from_secs(1) };

/// Variants that one peer has at once.
struct Variants(Vec<&'static str>);

impl Subject for Variants {
    fn name(&self) -> String {
        self.0.join(" + ")
    }
}

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Freedom {
    variants: String,
    catalogue: Cell,
    generated: Cell,
    crossing: Cell,
    illegal: Cell,
    recorded: Cell,
    client: Cell,
    fuzzed: Cell,
}

/// What one run found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cell {
    /// The number of cases or sessions.
    sessions: u64,
    /// The cases that fail the run, or the number of findings of a campaign.
    failing: Vec<String>,
    /// The cases that fail, but only at the level observed.
    observed: Vec<String>,
}

impl Freedom {
    fn cells(&self) -> [&Cell; 7] {
        let Freedom { variants: _, catalogue, generated, crossing, illegal, recorded, client, fuzzed } = self;
        [catalogue, generated, crossing, illegal, recorded, client, fuzzed]
    }
}

impl Row for Freedom {
    const TABLE: &'static str = "freedoms";

    const HEAD: &'static str = "# Freedoms\n\n\
        What the protocol leaves open must never be a finding. Each row is the reference peer with a legal difference, or with several\n\
        (`dnode-conform serve --list-variants` explains them; the combinations are random). The columns are the numbers of cases and\n\
        sessions that it went through: the catalogue, generated sessions with seed 1 (valid ones, ones in which messages cross, and ones with\n\
        an illegal step), the recorded sessions, the catalogue with the peer as the client, and 30 s of fuzzing.\n\
        Each run ended with exit status 0. A name in a cell is a case that differs at the level observed, which is free.\n\
        Generated from `freedoms.json`; `UPDATE=1 cargo test -p dnode-conform --test freedoms` measures again and writes both files.\n\n\
        | variants | catalogue | valid | crossing | illegal | recorded | client | fuzzed |\n|---|---|---|---|---|---|---|---|\n";

    fn name(&self) -> &str {
        &self.variants
    }

    fn line(&self) -> String {
        let cell = |cell: &Cell| {
            let names = cell.failing.iter().map(|name| format!(" **{name}**"));
            let observed = cell.observed.iter().map(|name| format!(" {name}"));
            format!("{}{}", cell.sessions, names.chain(observed).collect::<String>())
        };
        let cells: Vec<String> = self.cells().into_iter().map(cell).collect();
        format!("| {} | {} |", self.variants, cells.join(" | "))
    }

    fn problem(&self) -> Option<String> {
        let failing: Vec<String> = self.cells().into_iter().flat_map(|cell| cell.failing.clone()).collect();
        (!failing.is_empty()).then(|| failing.join(", "))
    }
}

/// Each variant, and the combinations.
fn variants() -> Vec<Variants> {
    let mut random = fastrand::Rng::with_seed(7);
    let single = VARIANTS.iter().map(|variant| Variants(vec![variant.name]));
    let combinations = (0..COMBINATIONS).map(|_| {
        let names: BTreeSet<&str> =
            random.choose_multiple(VARIANTS, 4).into_iter().map(|it| it.name).collect();
        Variants(names.into_iter().collect())
    });
    single.chain(combinations).collect()
}

fn measure(variants: &Variants, amount: Amount) -> Freedom {
    let words: String = variants.0.iter().map(|name| format!(" --variant {name}")).collect();
    let server = format!("exec '{PROGRAM}' serve{words} --listen 127.0.0.1:{{port}}");
    let client = format!("exec '{PROGRAM}' serve{words} --connect {{host}}:{{port}}");
    let as_server = |arguments: &[&str]| judged(&[arguments, &["--exec", &server]].concat());
    Freedom {
        variants: variants.name(),
        catalogue: as_server(&["run"]),
        generated: as_server(&["run", "--generate", amount.generated, "--seed", "1"]),
        crossing: as_server(&["run", "--generate", amount.crossing, "--seed", "1", "--crossing"]),
        illegal: as_server(&["run", "--generate", amount.illegal, "--seed", "1", "--illegal"]),
        recorded: as_server(&["replay", "fixtures/transcripts/recorded"]),
        client: judged(&["run", "--listen", "127.0.0.1:0", "--exec", &client]),
        fuzzed: fuzzed(&server, amount.fuzz),
    }
}

/// Runs the program and reads its report.
fn judged(arguments: &[&str]) -> Cell {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let report = format!("json={}", file.display());
    let ran = run(&[arguments, &["--report", &report]].concat());
    let mut cell = Cell::default();
    if ran.status != 0 {
        cell.failing.push(format!("exit status {}", ran.status));
    }
    for event in json::read(&read(&file), "", Level::Robust).unwrap() {
        let Event::Judged(case) = event else { continue };
        cell.sessions += 1;
        let fails = matches!(case.verdict, Verdict::Fail | Verdict::Crash | Verdict::Hang);
        match case.level {
            Level::Observed if case.verdict == Verdict::Fail => cell.observed.push(case.id),
            _ if fails => cell.failing.push(case.id),
            _ => {}
        }
    }
    cell
}

/// Fuzzes the server that this command starts.
fn fuzzed(server: &str, time: Duration) -> Cell {
    let folder = tempfile::tempdir().unwrap();
    let options = CampaignOptions {
        target: Target::exec(server),
        ping: None,
        time,
        seed: 1,
        shard: (0, 1),
        jobs: 2,
        machine: None,
        corpus: None,
        findings: folder.path().to_owned(),
        gate: Level::Robust,
        patience: Duration::from_secs(2),
        fail_fast: false,
        command: Command::default(),
        interrupted: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let status = runtime.block_on(campaign(options, &mut |_| {})).unwrap();
    let failing = (status.failing > 0).then(|| format!("{} findings", status.failing));
    Cell { sessions: status.sessions, failing: failing.into_iter().collect(), observed: Vec::new() }
}

#[test]
fn evidence_is_fresh() {
    let names: Vec<String> = variants().iter().map(Subject::name).collect();
    evidence::assert_fresh::<Freedom>(names.iter().map(String::as_str));
}

#[test]
fn what_the_protocol_leaves_open_is_no_finding() {
    // Two at a time, because each fuzzes with two peers.
    let rows = evidence::measured(2, variants(), |variants, _: Option<&Freedom>| measure(&variants, ALL));
    assert!(!rows.is_empty());
    for variants in variants().iter().step_by(9) {
        let row = measure(variants, SAMPLE);
        assert_eq!(row.problem(), None, "{}", row.name());
    }
}
