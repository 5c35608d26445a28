//! The command line.

mod arguments;
mod baseline;
mod compare;
mod completions;
mod diff;
#[cfg(test)]
mod examples;
mod explain;
mod failed;
mod failure;
mod fuzz;
mod import;
mod interop;
mod last_run;
mod learn;
mod list;
mod man;
mod minimize;
mod notices;
mod output;
mod peer;
mod progress;
mod reach;
mod record;
mod replay;
mod report;
mod run;
mod screen;
mod selection;
mod serve;
mod show;
mod signal;
mod site;
mod snapshot;
mod transcripts;
mod values;
mod version;
mod watch;

use crate::nearest::nearest;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::{COULD_NOT_RUN, Failure};
use std::io::Write;
use std::process::ExitCode;

/// Tests whether an implementation of dnode, in any language, speaks the protocol.
///
/// Without a command, it runs all cases. Without a target, it tests its own reference peer.
#[derive(Debug, Parser)]
#[command(name = "dnode-conform", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
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
    /// Learn the state machine that a peer implements, and compare it with the reference
    Learn(learn::LearnArgs),
    /// Run the same cases against two peers and show the differences
    Compare(compare::CompareArgs),
    /// Run every client against every server of several implementations
    Interop(interop::InteropArgs),
    /// Forward between a client and a server, judge both, and record transcripts
    Record(record::RecordArgs),
    /// Convert or merge reports of finished runs
    Report(report::ReportArgs),
    /// Build a static site from a folder of reports
    Site(site::SiteArgs),
    /// Show a finding of the last run in full
    Show(show::ShowArgs),
    /// Compare two runs
    Diff(diff::DiffArgs),
    /// Create or update the baseline
    Baseline(baseline::BaselineArgs),
    /// Judge the sessions in a packet capture, or convert them and line logs to transcripts
    Import(import::ImportArgs),
    /// Serve the reference peer
    Serve(serve::ServeArgs),
    /// Print a shell completion script
    Completions(completions::CompletionsArgs),
    /// Print the manual pages
    Man(man::ManArgs),
}

/// Reads the command line. The short help of the program itself shows the commands, and that of
/// `run` shows its options.
///
/// # Errors
/// The exit status, after the help or the error was printed.
fn parse() -> Result<Cli, ExitCode> {
    let command = Cli::command().mut_args(|arg| {
        let is_option = !arg.is_positional();
        arg.hide_short_help(is_option)
    });
    let parsed = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // Clap would print the version alone, and needs its text even if no one asks for it.
        if error.kind() == ErrorKind::DisplayVersion {
            return version::version().map_or_else(|failure| output::fail(&failure), ExitCode::from);
        }
        let printed = error.print().and_then(|()| std::io::stdout().flush());
        match printed.map_err(|problem| output::unwritten("standard output", &problem)) {
            Err(Some(failure)) if !error.use_stderr() => output::fail(&failure),
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(COULD_NOT_RUN)),
        }
    })
}

/// The error for a mistyped command, which clap would take for the target of `run`. An address has
/// a colon, so it is never mistaken for a command.
fn mistyped_command(word: &str) -> Option<Failure> {
    let mut command = Cli::command();
    command.build();
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    if word.starts_with('-') || word.contains(':') || names.contains(&word) {
        return None;
    }
    let name = *nearest(word, names).first()?;
    Some(Failure::caller(format!("{word:?} is neither a command nor an address; did you mean {name}?")))
}

/// Runs the command line and returns the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let first = std::env::args_os().nth(1).and_then(|word| word.into_string().ok());
    if let Some(failure) = first.and_then(|word| mistyped_command(&word)) {
        return output::fail(&failure);
    }
    let cli = match parse() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&Failure::harness(format!("the runtime cannot start: {error}"))),
    };
    let status = runtime.block_on(async {
        signal::report_full_files();
        match cli.command {
            None => run::run(cli.run).await,
            Some(Command::Run(args)) => run::run(args).await,
            Some(Command::List(args)) => list::list(&args),
            Some(Command::Explain(args)) => explain::explain(&args),
            Some(Command::Replay(args)) => replay::replay(args).await,
            Some(Command::Minimize(args)) => minimize::minimize(args).await,
            Some(Command::Fuzz(args)) => fuzz::fuzz(args).await,
            Some(Command::Learn(args)) => learn::learn(args).await,
            Some(Command::Compare(args)) => compare::compare(args).await,
            Some(Command::Interop(args)) => interop::run(args).await,
            Some(Command::Record(args)) => record::record(args).await,
            Some(Command::Report(args)) => report::report(&args),
            Some(Command::Site(args)) => site::site(&args),
            Some(Command::Show(args)) => show::show(&args),
            Some(Command::Diff(args)) => diff::diff(&args),
            Some(Command::Baseline(args)) => baseline::baseline(&args),
            Some(Command::Import(args)) => import::run(&args),
            Some(Command::Serve(args)) => serve::serve(&args).await,
            Some(Command::Completions(args)) => completions::completions(&args, &mut Cli::command()),
            Some(Command::Man(args)) => man::man(&args, Cli::command()),
        }
    });
    runtime.shutdown_background();
    match status {
        Ok(status) => ExitCode::from(status),
        Err(problem) => output::fail(&problem),
    }
}
