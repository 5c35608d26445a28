//! Campaigns: they find the faults of the reference peer.
//!
//! `reports/evidence/campaign.json` says for each fault which oracle finds it, after how many
//! sessions and after how long. To measure the table, a campaign runs against every fault, which
//! takes minutes. The plain test runs a campaign against a few faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::campaign::{CampaignOptions, Finding, Notice, campaign};
use dnode_conform::cases::level;
use dnode_conform::program::Target;
use dnode_conform::reference::fault::{self, Fault};
use dnode_conform::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use support::PROGRAM;
use support::evidence::{self, Row, Search};
use support::library::on_threads;
use tokio_util::sync::CancellationToken;

/// The time after which a campaign ends.
const TIME: Duration = Duration::from_secs(60);

/// The faults of the plain test. Each is found in another way.
const QUICK: [&str; 6] = [
    "dies-of-bad-lines",
    "deaf-after-bad-messages",
    "counts-to-the-index",
    "swaps-arguments",
    "dies-when-a-method-throws",
    "single-quotes",
];

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Campaign {
    fault: String,
    /// The clause that the fault breaks.
    breaks: String,
    #[serde(flatten)]
    search: Search<Found>,
}

/// The first finding of a campaign that fails it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    oracle: String,
    clause: String,
    /// The number of sessions until the finding.
    sessions: u64,
    /// The time until the finding, rounded to 0.1 s.
    seconds: f64,
    /// The origin of the session that shows it.
    source: String,
}

impl Row for Campaign {
    const TABLE: &'static str = "campaign";

    const HEAD: &'static str = "# Faults that campaigns find\n\n\
        For each fault of the reference peer, this table shows the first finding that fails a campaign with seed 1 and two lanes: the\n\
        oracle and the clause, after how many sessions and after how long (on two busy cores), and the origin of the session.\n\
        The origin is a seed (the campaign plays the transcripts of the catalogue first), the model, a walk with one deviation, or a\n\
        mutation.\n\
        A campaign ends after 60 s. It runs with `--level observed` if the clause of the fault is only observed.\n\
        Generated from `campaign.json`; `UPDATE=1 cargo test --release -p dnode-conform --test campaign` measures again and writes both\n\
        files. `FAULTS=a,b` measures only these rows.\n\n\
        | fault | breaks | found by | clause | sessions | seconds | from |\n|---|---|---|---|---|---|---|\n";

    fn name(&self) -> &str {
        &self.fault
    }

    fn line(&self) -> String {
        let Campaign { fault, breaks, search } = self;
        match search {
            Search::Found(Found { oracle, clause, sessions, seconds, source }) => {
                format!(
                    "| `{fault}` | {breaks} | {oracle} | {clause} | {sessions} | {seconds:.1} | {source} |"
                )
            }
            Search::NotFound { not_found } => {
                format!("| `{fault}` | {breaks} | not found: {not_found} | | | | |")
            }
        }
    }

    fn problem(&self) -> Option<String> {
        let clause = fault::find(&self.fault)?.clause;
        if self.breaks != clause {
            return Some(format!("it breaks {clause}"));
        }
        self.search.problem()
    }
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Found {
        Found {
            oracle: finding.identity.oracle.word().to_owned(),
            clause: finding.identity.clause.clone(),
            sessions: finding.sessions,
            seconds: (finding.after as f64 / 100.0).round() / 10.0,
            source: finding.source.to_string(),
        }
    }
}

/// The first finding that fails a campaign against this fault.
fn first(fault: &Fault) -> Option<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let interrupted = CancellationToken::new();
    let exec = format!("exec '{PROGRAM}' serve --fault {} --listen 127.0.0.1:{{port}}", fault.name);
    let options = CampaignOptions {
        target: Target::exec(&exec),
        ping: None,
        time: TIME,
        seed: 1,
        shard: (0, 1),
        jobs: 2,
        machine: None,
        corpus: None,
        findings: folder.path().to_owned(),
        // A fault of an observed clause fails a campaign only at that level.
        gate: level(fault.clause).max(Level::Robust),
        patience: Duration::from_secs(1),
        fail_fast: true,
        command: Command::default(),
        interrupted: interrupted.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut first = None;
    let mut tell = |notice| {
        if let Notice::Found(finding, _) = notice
            && finding.fails()
            && first.is_none()
        {
            first = Some(*finding);
            // The finding does not need to be shrunk.
            interrupted.cancel();
        }
    };
    let ran = runtime.block_on(campaign(options, &mut tell));
    runtime.shutdown_background();
    if let Err(error) = ran {
        println!("{}: {error}", fault.name);
    }
    first
}

#[test]
fn evidence_is_fresh() {
    evidence::assert_fresh::<Campaign>(fault::of(Dialect::default()).map(|fault| fault.name));
}

#[test]
fn faults_are_found_as_committed() {
    // One at a time, because the table has times.
    let rows =
        evidence::measured(1, fault::of(Dialect::default()).collect(), |fault, before: Option<&Campaign>| {
            let search = Search::new(first(fault).map(Found::from), before.map(|row| &row.search));
            Campaign { fault: fault.name.to_owned(), breaks: fault.clause.to_owned(), search }
        });
    for name in QUICK {
        assert!(rows.iter().any(|row| row.fault == name && row.search.found().is_some()), "{name}");
    }
    // At the same time, because a campaign that waits for a peer needs no core.
    let found =
        on_threads(QUICK.len(), QUICK.to_vec(), |name| first(fault::find(name).unwrap()).map(|_| name));
    assert_eq!(found, QUICK.map(Some), "these are no longer found");
}
