//! `dnode-conform fuzz [TARGET]`

use super::GateLevel;
use super::arguments;
use super::failure::Failure;
use super::reach::ReachArgs;
use crate::campaign::{Coverage, Finding, Notice, Options, Status, campaign};
use crate::conversation::ping::Ping;
use crate::program::Target;
use clap::Args;
use dnode_reports::escape::{terminal, terminal_cut};
use dnode_spec::dialect::Dialect;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many characters of a peer's words are shown in a line.
const SHOWN: usize = 160;

/// The arguments of `fuzz`.
#[derive(Debug, Args)]
pub(super) struct FuzzArgs {
    /// The peer's address: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH; without it and without
    /// --exec, the reference peer
    #[arg(value_name = "TARGET", conflicts_with = "exec")]
    target: Option<String>,
    /// Start the peer with this shell command; {port} and the environment variable PORT hold the port it must listen at on
    /// 127.0.0.1. Only a peer that we start can be started again after it died, and only its memory can be watched
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    #[command(flatten)]
    reach: ReachArgs,
    /// How long to look for something new, for example 30s or 2h; what is found is confirmed and shrunk beyond that
    #[arg(long, value_name = "DUR", default_value = "5m", value_parser = time)]
    time: Duration,
    /// The seed of all dice; without it, one is drawn and printed
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many sessions run side by side, each on a peer of its own; against an address there is one
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Read transcripts from this folder and write inputs there that showed something new; a later campaign goes on from it
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Write each finding into a folder of its own here; what lies there is known and is not found again
    #[arg(long, value_name = "DIR", default_value = "findings")]
    findings: PathBuf,
    /// This is the K-th of N campaigns that share the work, for example 2/8
    #[arg(long, value_name = "K/N", default_value = "1/1", value_parser = shard)]
    shard: (u64, u64),
    /// The weakest level whose clauses count
    #[arg(long, value_enum, default_value = "robust")]
    level: GateLevel,
    /// A call that this peer answers, for peers without the probe: METHOD[ARGUMENTS] with the callback as "$cb"
    #[arg(long, value_name = "EXPR")]
    ping: Option<String>,
    /// How long an answer may take before its absence is looked into
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = super::duration)]
    deadline: Duration,
    /// End at the first finding that fails
    #[arg(long)]
    fail_fast: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time >= Duration::from_secs(1) => Ok(time),
        Ok(_) => Err("a campaign takes at least 1s".to_owned()),
        Err(error) => Err(format!("{error}; write for example 30s or 2h")),
    }
}

/// Reads `K/N`; gives K from 0.
fn shard(text: &str) -> Result<(u64, u64), String> {
    let numbers =
        text.split_once('/').and_then(|(k, n)| Some((k.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    match numbers {
        Some((k, n)) if (1..=n).contains(&k) && n <= 10_000 => Ok((k - 1, n)),
        _ => Err("write K/N with K from 1 to N, for example 2/8".to_owned()),
    }
}

/// Fuzzes a peer.
pub(super) async fn fuzz(args: FuzzArgs) -> Result<u8, Failure> {
    if args.reach.listens() {
        return Err(Failure::caller(
            "fuzz needs a peer that accepts connections; `run --generate` takes clients too, with --listen",
        ));
    }
    let target = args.reach.target(args.target.as_deref(), args.exec.as_deref(), Dialect::default())?;
    let ping = args.ping.as_deref().map(Ping::parse).transpose();
    let interrupted = CancellationToken::new();
    let seed = args.seed.unwrap_or_else(super::random_seed);
    let options = Options {
        ping: ping.map_err(|error| Failure::caller(format!("--ping {error}")))?,
        time: args.time,
        seed,
        shard: args.shard,
        jobs: args.jobs.into(),
        corpus: args.corpus.clone(),
        findings: args.findings.clone(),
        gate: args.level.into(),
        patience: args.deadline,
        first: args.fail_fast,
        command: arguments::command(&target, args.ping.as_deref(), Dialect::default()),
        interrupted: interrupted.clone(),
        target,
    };
    super::on_signal(move || interrupted.cancel());
    let mut shown = Shown::new(&options.target, seed, args.time);
    let ended = campaign(options, &mut |notice| shown.notice(notice)).await;
    shown.bar.finish_and_clear();
    let status = ended?;
    shown.print(&summary(&status, &args.findings));
    Ok(u8::from(status.failing > 0))
}

/// What is shown: a line that moves on a terminal; in a pipe a line for each finding, and the summary.
struct Shown {
    bar: ProgressBar,
    seed: u64,
    time: Duration,
    target: String,
    told: HashSet<PathBuf>,
}

impl Shown {
    fn new(target: &Target, seed: u64, time: Duration) -> Shown {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message("starting the peer");
        Shown { bar, seed, time, target: target.to_string(), told: HashSet::new() }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Started { peer, notes, known } => {
                let mut out = format!("dnode-conform {} fuzz\n", env!("CARGO_PKG_VERSION"));
                let name = peer.map_or_else(|| "unnamed".to_owned(), |name| terminal_cut(name, SHOWN, 0));
                let _ = writeln!(out, "  peer        {name}\n  target      {}", terminal(&self.target));
                let _ = writeln!(out, "  seed        {}", self.seed);
                notes.iter().for_each(|note| {
                    let _ = writeln!(out, "  note        {}", terminal(note));
                });
                if known > 0 {
                    let _ = writeln!(out, "  known       {known} findings from before");
                }
                self.print(&out);
            }
            Notice::Found(finding, folder) => {
                if self.told.insert(folder.clone()) {
                    self.print(&found(&finding, &folder));
                }
            }
            Notice::Tick(status) => {
                self.bar.set_message(self.moving(&status));
                self.bar.tick();
            }
        }
    }

    fn moving(&self, status: &Status) -> String {
        let left = self.time.saturating_sub(status.elapsed).as_secs();
        format!("{}, {} findings, {left} s left", seen(status), status.failing + status.warning)
    }

    fn print(&self, text: &str) {
        self.bar.suspend(|| {
            // Whoever reads the first lines only may close the pipe.
            let mut out = io::stdout().lock();
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        });
    }
}

fn found(finding: &Finding, folder: &Path) -> String {
    let identity = &finding.identity;
    let word = if finding.fails() { "FOUND" } else { "warns" };
    let label = finding.label();
    format!(
        "{word}  {} {}: {}{label}, in session {} from {}, after {:.1} s\n       {}\n",
        identity.oracle.word(),
        terminal(&identity.clause),
        terminal_cut(&identity.what, SHOWN, 0),
        finding.sessions,
        finding.source,
        finding.after as f64 / 1000.0,
        terminal(folder.to_string_lossy().as_bytes()),
    )
}

/// How many sessions, and what of the model they saw.
fn seen(status: &Status) -> String {
    let per_second = status.sessions as f64 / status.elapsed.as_secs_f64().max(0.001);
    let Coverage { states, transitions, tuples } = status.coverage;
    format!(
        "{} sessions ({per_second:.0}/s), {} of {} states and {} of {} transitions of the model, {tuples} steps seen, corpus {}",
        status.sessions, states.0, states.1, transitions.0, transitions.1, status.corpus
    )
}

fn summary(status: &Status, findings: &Path) -> String {
    let mut out = format!("\n{}\n", seen(status));
    let _ = match (status.failing, status.warning) {
        (0, 0) => writeln!(out, "exit 0: no finding"),
        (failing, warning) => writeln!(
            out,
            "exit {}: {failing} findings that fail, {warning} that warn, in {}",
            u8::from(failing > 0),
            terminal(findings.to_string_lossy().as_bytes())
        ),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!(shard("2/8"), Ok((1, 8)));
        for bad in ["0/8", "9/8", "1", "x/2", "1/0"] {
            assert!(shard(bad).is_err(), "{bad}");
        }
    }
}
