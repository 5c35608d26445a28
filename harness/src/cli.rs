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

/// Where a run cannot take place, whoever is at fault.
const COULD_NOT_RUN: u8 = 2;

/// Tells whether an implementation of dnode, in any language, speaks the protocol.
///
/// Without a command it runs all cases; without a target, against its own reference peer.
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
    /// Explain a case, a clause or a fault: its text, its source, and what catches it
    Explain(explain::ExplainArgs),
    /// Run transcripts from files against a peer
    Replay(replay::ReplayArgs),
    /// Make a transcript as short as it can be and still show its finding
    Minimize(minimize::MinimizeArgs),
    /// Fuzz a live peer: sessions of the model, with deviations and mutations, until the time is over
    Fuzz(fuzz::FuzzArgs),
    /// Run the same cases against two peers and show where they differ
    Compare(compare::CompareArgs),
    /// Run every client of several implementations against every server, and show the matrix
    Interop(interop::InteropArgs),
    /// Forward between a client and a server, judge both, and write their sessions as transcripts
    Record(record::RecordArgs),
    /// Render the reports of runs that are over in another format, several peers into one
    Report(report::ReportArgs),
    /// Show what two runs tell apart: behaviour gained, lost and changed
    Diff(diff::DiffArgs),
    /// Write or mend the list of known failures of a peer
    Baseline(baseline::BaselineArgs),
    /// Make transcripts of plain line logs of sessions
    Import(import::ImportArgs),
    /// Serve the reference peer
    Serve(serve::ServeArgs),
    /// Print the script that makes a shell complete these words
    Completions(completions::CompletionsArgs),
    /// Print the manual: a page for the program and one for each command
    Man(man::ManArgs),
}

/// Which peer, and how it is judged: what `run` and `replay` share.
#[derive(Debug, Clone, Args)]
struct PeerArgs {
    /// Start the peer with this shell command; {port} and the environment variable PORT hold the port it must listen at
    /// on 127.0.0.1
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    #[command(flatten)]
    reach: reach::ReachArgs,
    /// The weakest level whose failures gate; a crash or a hang always does
    #[arg(long, value_enum, default_value = "robust")]
    level: GateLevel,
    /// The known failures of this peer, in a file that `baseline create` writes: they run, and do not gate
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Freeze the gate at this version of the catalogue: cases that came later run, and do not gate
    #[arg(long, value_name = "VERSION", value_parser = version)]
    catalogue: Option<Version>,
    /// A call that this peer answers, for peers without the probe: METHOD[ARGUMENTS] with the callback as "$cb", for
    /// example 'add[1,2,"$cb"]'
    #[arg(long, value_name = "EXPR")]
    ping: Option<String>,
    /// What the peer speaks: the dialect of dnode-protocol 0.2, or of 0.1 (the owner of a function culls it, and the method error tells of
    /// errors)
    #[arg(long, value_name = "VERSION", default_value_t)]
    dialect: Dialect,
    /// How many cases run side by side
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// How long a case may take, for example 500ms or 5s
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    deadline: Duration,
    /// End the run at the first case whose verdict gates
    #[arg(long)]
    fail_fast: bool,
    /// Write a report: text, json (the canonical one), events (all that happened, for `report`), junit, tap, markdown,
    /// github (annotations) or html; may be given several times. The path - is standard output, where the report for people
    /// then is not written, but for github
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report::report_file)]
    report: Vec<report::ReportFile>,
    /// Show every case, not only the findings
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

    /// Where a client comes to us, if one does; it is told where that is, unless we start it.
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

/// A version that this suite has had.
fn version(text: &str) -> Result<Version, String> {
    let current = env!("CARGO_PKG_VERSION");
    let version =
        Version::parse(text).map_err(|_| format!("a version has three numbers, for example {current}"))?;
    match Version::parse(current).is_ok_and(|current| version <= current) {
        true => Ok(version),
        false => Err(format!("this is dnode-conform {current}: it does not know what came later")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&duration) => {
            Ok(duration)
        }
        Ok(_) => Err("a deadline lies between 100ms and 1h: less says nothing about a peer".to_owned()),
        Err(error) => Err(format!("{error}; write for example 500ms or 5s")),
    }
}

/// Runs the command line and says with which status the program ends.
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

/// Calls `act` at each interruption; the second, a moment after the first, ends the program.
fn on_signal(act: impl Fn() + Send + 'static) {
    // They are heard from now on, not from when the task first runs.
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
            // `timeout` and others signal the process and its group: two at once are one.
            if first.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(500) {
                crate::program::process::kill_all();
                std::process::exit(i32::from(COULD_NOT_RUN));
            }
        }
    });
}

fn fail(failure: &Failure) -> ExitCode {
    // The text may quote the peer.
    let lines: Vec<String> = failure.to_string().lines().map(dnode_reports::escape::terminal).collect();
    warn(format_args!("dnode-conform: {}", lines.join("\n")));
    ExitCode::from(COULD_NOT_RUN)
}

/// Prints a line. Who stopped reading changes nothing about what is done; `println!` would panic.
fn say(line: impl Display) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::caller(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error, if it can be.
fn warn(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
