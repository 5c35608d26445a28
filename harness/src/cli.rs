//! The command line.

mod arguments;
mod baseline;
mod compare;
mod completions;
mod diff;
#[cfg(test)]
mod examples;
mod explain;
mod failure;
mod fuzz;
mod import;
mod interop;
mod list;
mod man;
mod minimize;
mod place;
mod progress;
mod reach;
mod record;
mod replay;
mod report;
mod run;
mod serve;
mod snapshot;
mod transcripts;

use crate::program::Host;
use crate::program::Target;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use failure::Failure;
use semver::Version;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// The exit status of a command that could not do its work, whoever is at fault.
const COULD_NOT_RUN: u8 = 2;

/// Tests whether an implementation of dnode, in any language, speaks the protocol.
///
/// Without a command, it runs all cases. Without a target, it tests its own reference peer.
#[derive(Debug, Parser)]
#[command(name = "dnode-conform", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the cases against a peer (the default)
    Run(run::RunArgs),
    /// List the cases of the catalogue
    List(list::ListArgs),
    /// Explain a case, a clause or a fault
    Explain(explain::ExplainArgs),
    /// Run transcripts from files
    Replay(replay::ReplayArgs),
    /// Shrink a transcript that reproduces a finding
    Minimize(minimize::MinimizeArgs),
    /// Fuzz a running peer with generated and mutated sessions until `--time` elapses
    Fuzz(fuzz::FuzzArgs),
    /// Run the same cases against two peers and show the differences
    Compare(compare::CompareArgs),
    /// Run every client against every server of several implementations
    Interop(interop::InteropArgs),
    /// Forward between a client and a server, judge both, and record transcripts
    Record(record::RecordArgs),
    /// Convert or merge reports of finished runs
    Report(report::ReportArgs),
    /// Compare two runs
    Diff(diff::DiffArgs),
    /// Create or update the baseline
    Baseline(baseline::BaselineArgs),
    /// Convert line logs of sessions to transcripts
    Import(import::ImportArgs),
    /// Serve the reference peer
    Serve(serve::ServeArgs),
    /// Print a shell completion script
    Completions(completions::CompletionsArgs),
    /// Print the manual pages
    Man(man::ManArgs),
}

/// The arguments that `run`, `replay` and `minimize` share: the peer, and how to judge it.
#[derive(Debug, Clone, Args)]
struct PeerArgs {
    /// Start the peer with this shell command; it must listen on 127.0.0.1 at the port in {port}
    /// and in the environment variable PORT
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    #[command(flatten)]
    reach: reach::ReachArgs,
    /// The weakest level that fails the run; crashes and hangs always fail it
    #[arg(long, value_enum, default_value = "robust")]
    level: GateLevel,
    /// Do not fail the run on the known failures in this file, which `baseline create` writes
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Do not fail the run on cases that are newer than this version
    #[arg(long, value_name = "VERSION", value_parser = version)]
    catalogue: Option<Version>,
    /// For peers without the probe, a call that the peer answers: METHOD[ARGUMENTS] with "$cb" as
    /// the callback, for example 'add[1,2,"$cb"]'
    #[arg(long, value_name = "EXPR")]
    ping: Option<String>,
    /// The dialect of the peer: that of dnode-protocol 0.2, or of 0.1 (the owner of a function
    /// culls it, and errors call the method "error")
    #[arg(long, value_name = "VERSION", default_value_t)]
    dialect: Dialect,
    /// How many cases run in parallel
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// How long a case may take, for example 500ms or 5s
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    deadline: Duration,
    /// Stop at the first case that fails the run
    #[arg(long)]
    fail_fast: bool,
    /// Write a report; can be repeated. Formats: text, json (canonical), events (complete, for
    /// `report`), junit, tap, markdown, github (annotations) and html. The path - is standard
    /// output, and replaces the text report there (github is added to it)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report::report_file)]
    report: Vec<report::ReportFile>,
    /// Show all cases, not only the findings
    #[arg(long, short)]
    verbose: bool,
}

impl PeerArgs {
    /// The target that the arguments name.
    async fn target(&self, address: Option<&str>) -> Result<Target, Failure> {
        match self.host(address).await? {
            Some(host) => Ok(Target::Client(Arc::new(host))),
            None => self.reach.target(address, self.exec.as_deref(), self.dialect),
        }
    }

    /// The listener for a peer that is a client, if `--listen` is given. Prints its address, unless
    /// we start the client.
    async fn host(&self, address: Option<&str>) -> Result<Option<Host>, Failure> {
        let host = self.reach.host(address, self.exec.as_deref()).await?;
        if let Some(host) = host.as_ref().filter(|host| !host.starts_clients()) {
            match report::stdout_is_taken(&self.report) {
                true => warn(format_args!("listening at {}", host.address())),
                false => say(format_args!("listening at {}", host.address()))?,
            }
        }
        Ok(host)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GateLevel {
    Must,
    Should,
    Robust,
    Observed,
}

impl From<GateLevel> for Level {
    fn from(level: GateLevel) -> Level {
        match level {
            GateLevel::Must => Level::Must,
            GateLevel::Should => Level::Should,
            GateLevel::Robust => Level::Robust,
            GateLevel::Observed => Level::Observed,
        }
    }
}

/// Reads a released version of this suite.
fn version(text: &str) -> Result<Version, String> {
    let current = env!("CARGO_PKG_VERSION");
    let version =
        Version::parse(text).map_err(|_| format!("a version has three numbers, for example {current}"))?;
    match Version::parse(current).is_ok_and(|current| version <= current) {
        true => Ok(version),
        false => Err(format!("this is dnode-conform {current}, which knows no later version")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&duration) => {
            Ok(duration)
        }
        Ok(_) => {
            Err("a deadline must be from 100ms to 1h; a shorter one says nothing about a peer".to_owned())
        }
        Err(error) => Err(format!("{error}; write for example 500ms or 5s")),
    }
}

/// Runs the command line and returns the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::harness(format!("the runtime cannot start: {error}"))),
    };
    let status = runtime.block_on(async {
        match cli.command {
            None => run::run(cli.run).await,
            Some(Command::Run(args)) => run::run(args).await,
            Some(Command::List(args)) => list::list(&args),
            Some(Command::Explain(args)) => explain::explain(&args),
            Some(Command::Replay(args)) => replay::replay(args).await,
            Some(Command::Minimize(args)) => minimize::minimize(args).await,
            Some(Command::Fuzz(args)) => fuzz::fuzz(args).await,
            Some(Command::Compare(args)) => compare::compare(args).await,
            Some(Command::Interop(args)) => interop::run(args).await,
            Some(Command::Record(args)) => record::record(args).await,
            Some(Command::Report(args)) => report::report(&args),
            Some(Command::Diff(args)) => diff::diff(&args),
            Some(Command::Baseline(args)) => baseline::baseline(&args),
            Some(Command::Import(args)) => import::run(&args),
            Some(Command::Serve(args)) => serve::serve(&args).await,
            Some(Command::Completions(args)) => completions::completions(&args),
            Some(Command::Man(args)) => man::man(&args),
        }
    });
    runtime.shutdown_background();
    match status {
        Ok(status) => ExitCode::from(status),
        Err(problem) => fail(&problem),
    }
}

/// A random seed, short enough to type.
fn random_seed() -> u64 {
    RandomState::new().hash_one(0_u8) % 1_000_000
}

/// Calls `act` on each SIGINT and SIGTERM. A second one after half a second ends the program.
fn on_signal(act: impl Fn() + Send + 'static) {
    // Install the handlers now, not when the task first runs.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::spawn(async move {
        let mut first: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            act();
            // `timeout` and others signal both the process and its group. Two at once count as one.
            if first.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(500) {
                crate::program::process::kill_all();
                std::process::exit(i32::from(COULD_NOT_RUN));
            }
        }
    });
}

fn fail(failure: &Failure) -> ExitCode {
    // The text may quote the peer, so it is escaped.
    let lines: Vec<String> = failure.to_string().lines().map(dnode_reports::escape::terminal).collect();
    warn(format_args!("dnode-conform: {}", lines.join("\n")));
    ExitCode::from(COULD_NOT_RUN)
}

/// Prints a line to standard output.
fn say(line: impl Display) -> Result<(), Failure> {
    print("standard output", format!("{line}\n"))
}

/// Writes `text` to standard output; `what` names it in errors. A closed pipe is no error: whoever reads
/// the output may stop early. (`println!` would panic.)
fn print(what: &str, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_ref()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::caller(format!("{what} cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error, and ignores errors.
fn warn(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
