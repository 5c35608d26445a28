//! `dnode-conform interop --peers DIR`

use super::arguments;
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::report::{self, ReportFile, Reports};
use super::signal::on_signal;
use super::values::{GateLevel, duration};
use crate::cases::Selection;
use crate::commands::interop::{Implementation, InteropOptions, interop};
use crate::files::NewFile;
use crate::nearest::did_you_mean;
use crate::run::Running;
use crate::shell::quote;
use clap::Args;
use dnode_reports::account::Account;
use dnode_reports::event::{Event, Run};
use dnode_reports::grid::Grid;
use dnode_spec::clause::Level;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The arguments of `interop`.
#[derive(Debug, Args)]
pub(super) struct InteropArgs {
    /// A folder with one folder for each implementation; its peer.json holds the commands that
    /// start it
    #[arg(long, value_name = "DIR")]
    peers: PathBuf,
    /// Use only the clients whose folder name matches; can be repeated
    #[arg(long = "client", value_name = "GLOB")]
    clients: Vec<String>,
    /// Use only the servers whose folder name matches; can be repeated
    #[arg(long = "server", value_name = "GLOB")]
    servers: Vec<String>,
    /// The weakest level that fails the run; crashes and hangs always fail it
    #[arg(long, value_enum, default_value = "robust")]
    level: GateLevel,
    /// How long a session may take, for example 5s
    #[arg(long, value_name = "DUR", default_value = "30s", value_parser = duration)]
    deadline: Duration,
    /// Write a report, for example --report html=run.html; it has one run for each server
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report::report_file)]
    report: Vec<ReportFile>,
    /// Write the grid of clients and servers to this file, which `site` shows
    #[arg(long, value_name = "FILE")]
    grid: Option<PathBuf>,
    #[command(flatten)]
    text: report::TextArgs,
}

fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    report::unwritable(&path.display().to_string(), error)
}

/// Runs every client against every server.
pub(super) async fn run(args: InteropArgs) -> Result<u8, Failure> {
    if let Some(file) = args.report.iter().find(|file| !file.format.takes_several()) {
        return Err(Failure::caller(format!(
            "{} is about one run, but interop does one for each server; html, markdown, junit, text, github and \
                         events can hold several",
            file.format.word()
        )));
    }
    let all = Implementation::all(&args.peers)?;
    let servers = select(&all, &args.servers, "server", |it| it.server.is_some())?;
    let clients = select(&all, &args.clients, "client", |it| it.caller.is_some())?;
    let mut reports = Reports::open(&args.report, args.text)?;
    let open = |path: &PathBuf| NewFile::open(path).map_err(|error| unwritable(path, &error));
    let output = args.grid.as_ref().map(open).transpose()?;
    let interrupted = CancellationToken::new();
    let stop = interrupted.clone();
    on_signal(move || stop.cancel());
    let program = arguments::program();
    let options = InteropOptions {
        patience: args.deadline,
        gate: Level::from(args.level),
        command: format!("{} interop --peers {}", quote(&program), quote(&args.peers.to_string_lossy())),
        interrupted,
    };
    let names = clients.iter().map(|client| (client.case(), client.name.clone())).collect();
    let (mut grid, mut exits) = (Grid::new(names), Exits::default());
    let mut progress = Progress::new(Running::default());
    let ran = interop(&servers, &clients, &options, &mut |event| {
        grid.event(&event);
        exits.event(&event);
        progress.event(&event);
        progress.suspend(|| reports.event(&event));
    })
    .await;
    progress.finish();
    ran.map_err(Failure::harness)?;
    reports.finish();
    if !report::stdout_is_taken(&args.report) {
        output::say(grid.text())?;
    }
    reports.result()?;
    if let Some((path, output)) = args.grid.as_ref().zip(output) {
        let json = grid.json().map_err(|error| unwritable(path, &error))?;
        output.write(json).map_err(|error| unwritable(path, &error))?;
    }
    Ok(exits.status)
}

/// The implementations that have this role and match one of the globs. Without globs, all that have
/// the role.
fn select(
    all: &[Implementation],
    globs: &[String],
    role: &str,
    can: impl Fn(&Implementation) -> bool,
) -> Result<Vec<Implementation>, Failure> {
    let selection = Selection::new(globs)?;
    let chosen: Vec<_> = all.iter().filter(|it| can(it) && selection.takes(&it.id())).cloned().collect();
    match chosen.is_empty() {
        true => {
            let names: Vec<String> = all.iter().filter(|it| can(it)).map(Implementation::id).collect();
            let near = globs.first().map(|glob| did_you_mean(glob, names.iter().map(String::as_str)));
            if names.is_empty() {
                return Err(Failure::caller(format!("no folder in --peers has a {role}")));
            }
            Err(Failure::caller(format!(
                "no {role} matches; the {role}s in --peers are {}{}",
                names.join(", "),
                near.unwrap_or_default()
            )))
        }
        false => Ok(chosen),
    }
}

/// The exit status of all servers.
#[derive(Default)]
struct Exits {
    account: Account,
    run: Option<Run>,
    /// The worst status so far. A failure is worse than a session that could not run.
    status: u8,
}

impl Exits {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.account = Account::default();
                self.run = Some(run.clone());
            }
            Event::Judged(outcome) => self.account.add(outcome),
            Event::Ended(ended) => {
                let status = self.run.as_ref().map_or(2, |run| self.account.exit_status(run, ended));
                self.status = match (self.status, status) {
                    (1, _) | (_, 1) => 1,
                    (a, b) => a.max(b),
                };
            }
        }
    }
}
