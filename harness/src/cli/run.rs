//! `dnode-conform [run]`

use super::PeerArgs;
use super::arguments;
use super::failure::Failure;
use super::progress::Progress;
use super::report::STANDARD_OUTPUT;
use super::snapshot::{SnapshotArgs, SnapshotFile};
use crate::cases::{Case, Selection, all, catalogue, pull};
use crate::conversation::ping::Ping;
use crate::gate::Gate;
use crate::gate::baseline::Baseline;
use crate::program::Target;
use crate::run::server_seat;
use crate::run::{Cases, Options, Shard, run as run_cases};
use crate::verdict::Command;
use clap::Args;
use dnode_reports::account::Account;
use dnode_reports::event::{Event, Run};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed};
use std::io::{self, Write};
use tokio_util::sync::CancellationToken;

/// How many sessions one run may generate: each has its verdict in the reports. Another seed has others.
const MOST: u64 = 1_000_000;

/// The arguments of `run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// The peer's address: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH; without it and without
    /// --exec, the reference peer
    #[arg(value_name = "TARGET", conflicts_with = "exec")]
    target: Option<String>,
    /// Run only the cases whose id matches, for example 'callback/*'; may be given several times
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,
    /// Run this many sessions generated from the model instead of the catalogue; a session is run again by its id, for
    /// example --case generated/1-17, illegal/1-17 or crossing/1-17
    #[arg(long, value_name = "N", conflicts_with = "cases", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    generate: Option<u64>,
    /// The seed of the generated sessions; without it, one is drawn and printed
    #[arg(long, value_name = "S", requires = "generate", conflicts_with = "cases")]
    seed: Option<u64>,
    /// End each generated session with one illegal step
    #[arg(long, requires = "generate", conflicts_with = "cases")]
    illegal: bool,
    /// Generate sessions in which culls and calls cross what the peer says: only what every line must be is judged
    #[arg(long, requires = "generate", conflicts_with_all = ["cases", "illegal"])]
    crossing: bool,
    /// Run only every N-th of the cases, beginning with the K-th: N machines with the same arguments and K from 1 to N
    /// run each case once; generated sessions need a --seed then
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// The client that comes to us can only call and read one answer: it asks our object for its tasks, does them and reports
    /// (fixtures/PULL.md); the cases are those of `list --case 'pull/*'`
    #[arg(long, requires = "listen", conflicts_with_all = ["generate", "shard", "snapshot"])]
    pull: bool,
    #[command(flatten)]
    snapshot: SnapshotArgs,
    #[command(flatten)]
    peer: PeerArgs,
}

/// Runs the catalogue.
pub(super) async fn run(args: RunArgs) -> Result<u8, Failure> {
    if args.pull {
        let selection = Selection::new(&args.cases).map_err(|error| Failure::caller(format!("{error}")))?;
        let mut cases = pull().map_err(|error| Failure::harness(format!("{error}")))?;
        cases.retain(|case| selection.takes(case.id()));
        if cases.is_empty() {
            return Err(Failure::caller(
                "no case for --pull has such an id; `dnode-conform list --case 'pull/*'` shows them",
            ));
        }
        return seat(&args.peer, args.target.as_deref(), cases, Some("--pull")).await;
    }
    let target = args.peer.target(args.target.as_deref()).await?;
    if args.shard.is_some() && args.generate.is_some() && args.seed.is_none() {
        return Err(Failure::caller(
            "--shard with --generate needs --seed: all shards must draw the same sessions",
        ));
    }
    let seeds = seeds(&args);
    if !seeds.is_empty() {
        return judge(&args.peer, target, (Selection::all(), args.shard), Cases::Generated(seeds), None)
            .await;
    }
    let cases = catalogue(args.peer.dialect).map_err(|error| Failure::harness(format!("{error}")))?;
    let selection = Selection::new(&args.cases).map_err(|error| Failure::caller(format!("{error}")))?;
    if !cases.iter().any(|case| selection.takes(case.id()))
        && let Some(case) = all().unwrap_or_default().into_iter().find(|case| selection.takes(case.id()))
    {
        return Err(match case.transcript.header.dialect.filter(|only| *only != args.peer.dialect) {
            Some(only) => {
                Failure::caller(format!("{} is a case of dialect {only}: give --dialect {only}", case.id()))
            }
            None => Failure::caller(format!(
                "{} is for a client that pulls its tasks: give --listen ADDR --pull",
                case.id()
            )),
        });
    }
    judge(&args.peer, target, (selection, args.shard), cases.into(), args.snapshot.open()?).await
}

/// The generated sessions that the arguments ask for: so many, or those of the ids.
fn seeds(args: &RunArgs) -> Vec<Seed> {
    let Some(count) = args.generate else {
        return args.cases.iter().filter_map(|case| case.parse().ok()).collect();
    };
    let seed = args.seed.unwrap_or_else(super::random_seed);
    match super::report::stdout_is_taken(&args.peer.report) {
        true => super::warn(format_args!("seed {seed}")),
        false => drop(super::say(format_args!("seed {seed}"))),
    }
    let kind = match (args.illegal, args.crossing) {
        (true, _) => Kind::Illegal,
        (_, true) => Kind::Crossing,
        _ => Kind::Legal,
    };
    (0..count).map(|number| Seed { seed, number, kind }).collect()
}

/// Runs these cases, as far as they are selected, reports, and says with which status to end.
pub(super) async fn judge(
    args: &PeerArgs,
    target: Target,
    (selection, shard): (Selection, Option<Shard>),
    cases: Cases,
    snapshot: Option<SnapshotFile>,
) -> Result<u8, Failure> {
    let ping = args.ping.as_deref().map(Ping::parse).transpose();
    let ping = ping.map_err(|error| Failure::caller(format!("--ping {error}")))?;
    let mut options = Options { selection, shard, ..options(args, target, ping)? };
    options.gate.snapshot = snapshot.as_ref().map(|it| it.snapshot.clone());
    // Before signals are heard: a pipe is opened when somebody reads it, and who does not want to wait ends that.
    let mut told = Told::new(args)?;
    let interrupted = options.interrupted.clone();
    // The first signal ends the run after the cases at hand, with its reports.
    super::on_signal(move || interrupted.cancel());
    if let Some(report) = snapshot.as_ref().map(SnapshotFile::report).transpose()?.flatten() {
        told.reports.push(report);
    }
    let outcome = run_cases(&options, cases, &mut |event| told.tell(&event)).await;
    told.progress.finish();
    match outcome {
        Err(error) => Err(error.into()),
        Ok(()) => {
            let status = told.status()?;
            snapshot.map_or(Ok(()), |snapshot| snapshot.keep(status))?;
            Ok(status)
        }
    }
}

/// Runs cases that speak for the server: a client comes for each. `word`: what else names them on the command line.
pub(super) async fn seat(
    peer: &PeerArgs,
    address: Option<&str>,
    cases: Vec<Case>,
    word: Option<&str>,
) -> Result<u8, Failure> {
    if peer.dialect != Dialect::default() {
        return Err(Failure::caller(
            "these transcripts speak dialect 0.2: --dialect is for cases that speak for a client",
        ));
    }
    if peer.ping.is_some() {
        return Err(Failure::caller("--ping is no help here: the client calls by itself"));
    }
    let interrupted = CancellationToken::new();
    let Some(host) = peer.host(address).await? else { return Err(Failure::caller("--listen is missing")) };
    let arguments = std::iter::once(arguments::of_listen(host.listen())).chain(word.map(str::to_owned));
    let options = server_seat::Options {
        gate: gate(peer)?,
        patience: peer.deadline,
        command: Command {
            program: arguments::program(),
            arguments: arguments.collect::<Vec<_>>().join(" "),
        },
        may_exit: word.is_some(),
        fail_fast: peer.fail_fast,
        interrupted: interrupted.clone(),
    };
    let mut told = Told::new(peer)?;
    super::on_signal(move || interrupted.cancel());
    server_seat::accept(&host, &options, cases, &mut |event| told.tell(&event)).await;
    told.progress.finish();
    told.status()
}

/// What the arguments say of how to run.
pub(super) fn options(args: &PeerArgs, target: Target, ping: Option<Ping>) -> Result<Options, Failure> {
    Ok(Options {
        command: command(args, &target),
        gate: gate(args)?,
        dialect: args.dialect,
        ping,
        jobs: args.jobs.into(),
        patience: args.deadline,
        fail_fast: args.fail_fast,
        ..Options::new(target)
    })
}

/// What the arguments say makes the run red.
pub(super) fn gate(args: &PeerArgs) -> Result<Gate, Failure> {
    let baseline = args.baseline.as_deref().map(Baseline::open).transpose();
    Ok(Gate {
        catalogue: args.catalogue.clone(),
        baseline: baseline.map_err(|error| Failure::caller(format!("{error}")))?,
        ..Gate::from(Level::from(args.level))
    })
}

/// The command that repeats a case of this run.
pub(super) fn command(args: &PeerArgs, target: &Target) -> Command {
    arguments::command(target, args.ping.as_deref(), args.dialect)
}

/// All that is told of a run.
pub(super) struct Told {
    reports: Vec<super::report::Named>,
    pub(super) progress: Progress,
    account: Account,
    run: Option<Run>,
    status: Option<u8>,
    problem: Option<Failure>,
    /// Standard output is for people, who may stop reading: the verdict counts all the same. A report that a program was to read there
    /// and that it did not get is an error.
    may_close: bool,
}

impl Told {
    pub(super) fn new(args: &PeerArgs) -> Result<Told, Failure> {
        let reports = super::report::open(&args.report, args.verbose)?;
        let progress = Progress::new();
        Ok(Told {
            reports,
            progress,
            account: Account::default(),
            run: None,
            status: None,
            problem: None,
            may_close: !super::report::stdout_is_taken(&args.report),
        })
    }

    pub(super) fn tell(&mut self, event: &Event) {
        match event {
            Event::Started(run) => self.run = Some(run.clone()),
            Event::Judged(outcome) => self.account.add(outcome),
            Event::Ended(ended) => {
                self.status = self.run.as_ref().map(|run| self.account.exit_status(run, ended));
            }
        }
        self.progress.event(event);
        let reports = &mut self.reports;
        let problem = &mut self.problem;
        self.progress.suspend(|| {
            for (name, report) in reports {
                // A run is all that these reports are about.
                let last = matches!(event, Event::Ended(_));
                // The error is what is said last, not a summary.
                if last && problem.is_some() && name == STANDARD_OUTPUT {
                    continue;
                }
                let told = report.event(event);
                if let Err(error) = told.and_then(|()| if last { report.finish() } else { Ok(()) })
                    && !(self.may_close && error.kind() == io::ErrorKind::BrokenPipe)
                {
                    problem.get_or_insert(Failure::caller(format!(
                        "the report to {name} cannot be written: {error}"
                    )));
                }
            }
            let _ = io::stdout().flush();
        });
    }

    pub(super) fn status(self) -> Result<u8, Failure> {
        match (self.problem, self.status) {
            (Some(problem), _) => Err(problem),
            (None, Some(status)) => Ok(status),
            (None, None) => Err(Failure::harness("the run ended without a verdict")),
        }
    }
}
