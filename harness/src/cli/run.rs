//! `dnode-conform [run]`

use super::arguments;
use super::failed::{self, Again, FailedArgs};
use super::failure::Failure;
use super::last_run::{Extent, LastRun};
use super::output;
use super::peer::PeerArgs;
use super::progress::Progress;
use super::report::Reports;
use super::selection::SelectionArgs;
use super::signal::on_signal_or_end;
use super::snapshot::{SnapshotArgs, SnapshotFile};
use super::values::{ping, random_seed};
use super::watch::{WatchArgs, watch};
use crate::cases::{Case, Selection, SelectionError, all, catalogue, over_the_run, pull};
use crate::conversation::ping::Ping;
use crate::gate::Gate;
use crate::gate::baseline::Baseline;
use crate::program::Target;
use crate::run::server_seat;
use crate::run::{Cases, Options, Running, Shard, run as run_cases};
use crate::verdict::Command;
use clap::Args;
use dnode_reports::account::Account;
use dnode_reports::event::{Event, Run};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed};
use std::io::{self, Write};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The most sessions that one run may generate: each has a verdict in the reports. Use another seed
/// for others.
const MOST: u64 = 1_000_000;

/// The arguments of `run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// The peer's address; without it, --exec and --listen, the reference peer is tested
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH.
    #[arg(value_name = "TARGET", conflicts_with = "exec")]
    target: Option<String>,
    #[command(flatten)]
    peer: PeerArgs,
    #[command(flatten)]
    selected: SelectionArgs,
    #[command(flatten)]
    failed: FailedArgs,
    #[command(flatten)]
    watched: WatchArgs,
    /// Run only the K-th of every N cases, to split a run over N machines
    ///
    /// With --generate, also give --seed.
    #[arg(long, value_name = "K/N", help_heading = "Selection", hide_short_help = true)]
    shard: Option<Shard>,
    /// For a client that can only call and read one answer: run the cases pull/*
    ///
    /// The client gets its tasks from our object, does them and reports (fixtures/PULL.md).
    #[arg(long, requires = "listen", conflicts_with_all = ["generate", "shard", "snapshot"], help_heading = "Selection", hide_short_help = true)]
    pull: bool,
    #[command(flatten)]
    generated: GeneratedArgs,
    #[command(flatten)]
    snapshot: SnapshotArgs,
}

/// The generated sessions of `run`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Generated sessions")]
struct GeneratedArgs {
    /// Run N sessions generated from the model instead of the catalogue
    ///
    /// To repeat a session, give its id, for example --case generated/1-17, illegal/1-17 or
    /// crossing/1-17.
    #[arg(long, value_name = "N", conflicts_with_all = ["cases", "skip"], value_parser = clap::value_parser!(u64).range(1..=MOST))]
    generate: Option<u64>,
    /// Random seed; without it, the program chooses one and prints it
    #[arg(long, value_name = "S", requires = "generate", conflicts_with = "cases")]
    seed: Option<u64>,
    /// End each session with one illegal step
    #[arg(long, requires = "generate", conflicts_with = "cases", hide_short_help = true)]
    illegal: bool,
    /// Let culls and calls cross messages of the peer
    ///
    /// Only the rules for single lines apply then.
    #[arg(long, requires = "generate", conflicts_with_all = ["cases", "illegal"], hide_short_help = true)]
    crossing: bool,
}

/// Runs the catalogue.
pub(super) async fn run(mut args: RunArgs) -> Result<u8, Failure> {
    args.peer.text.details |= args.selected.is_one_case();
    if args.pull {
        let selection = args.selected.selection()?;
        let mut cases = pull()?;
        selection.check(cases.iter().map(Case::id))?;
        cases.retain(|case| selection.takes(case.id()));
        let notes = selection.note().into_iter().collect();
        return seat(&args.peer, args.target.as_deref(), cases, notes, Some("--pull")).await;
    }
    let target = args.peer.target(args.target.as_deref()).await?;
    if args.shard.is_some() && args.generated.generate.is_some() && args.generated.seed.is_none() {
        return Err(Failure::caller(
            "--shard with --generate needs --seed, so that all shards generate the same sessions",
        ));
    }
    let Some((selection, cases)) = choose(&args)? else { return Ok(0) };
    let extent = extent(&args, &selection, &cases);
    if let (Some(folder), Cases::Listed(cases)) = (&args.watched.watch, &cases) {
        let options = options(&args.peer, target, ping(args.peer.ping.as_deref())?)?;
        let options = Options { selection, ..options };
        return watch(folder, &args.peer, options, cases.clone(), &args.selected, extent).await;
    }
    let snapshot = if matches!(cases, Cases::Listed(_)) { args.snapshot.open()? } else { None };
    let plan = Plan { selection, shard: args.shard, cases, snapshot, last: LastRun::begin(extent) };
    judge(&args.peer, target, plan).await
}

/// Which cases the run has.
fn extent(args: &RunArgs, selection: &Selection, cases: &Cases) -> Extent {
    match cases {
        _ if args.selected.is_one_case() => Extent::One,
        Cases::Listed(_) if selection.is_all() && args.shard.is_none() => Extent::All,
        _ => Extent::Selected,
    }
}

/// What a run runs, and what becomes of it.
pub(super) struct Plan {
    pub(super) selection: Selection,
    pub(super) shard: Option<Shard>,
    pub(super) cases: Cases,
    pub(super) snapshot: Option<SnapshotFile>,
    pub(super) last: LastRun,
}

/// The cases that the arguments ask for; `None` if there is nothing to run.
fn choose(args: &RunArgs) -> Result<Option<(Selection, Cases)>, Failure> {
    let cases = catalogue(args.peer.dialect)?;
    let again = args.failed.again(args.peer.level, &cases)?;
    if let Some((again, name)) = &again {
        say_or_warn(&args.peer, again.describe(name));
    }
    let (selection, seeds) = match again.map(|(again, _)| again) {
        Some(Again::Nothing) => return Ok(None),
        Some(Again::Cases(ids)) => (failed::selection(&ids, &args.selected.skip)?, Vec::new()),
        Some(Again::Sessions(seeds)) => (Selection::all(), seeds),
        Some(Again::All(_)) | None => (args.selected.selection()?, seeds(args)?),
    };
    if !seeds.is_empty() {
        return Ok(Some((Selection::all(), Cases::Generated(seeds))));
    }
    check(&selection, &cases, args.peer.dialect)?;
    Ok(Some((selection, cases.into())))
}

/// Prints a line to standard output, unless a report for programs is written there.
fn say_or_warn(peer: &PeerArgs, line: String) {
    match super::report::stdout_is_taken(&peer.report) {
        true => output::warn(line),
        false => drop(output::say(line)),
    }
}

/// Checks the selection before anything is started. A pattern that matches only cases for other
/// peers gets an error that says so.
fn check(selection: &Selection, cases: &[Case], dialect: Dialect) -> Result<(), Failure> {
    let others: Vec<String> = over_the_run().map(|case| case.id).collect();
    let error = match selection.check(cases.iter().map(Case::id).chain(others.iter().map(String::as_str))) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let SelectionError::NoMatch(no_match) = &error else { return Err(error.into()) };
    let unmatched = Selection::new(&no_match.patterns())?;
    let Some(case) = all()?.into_iter().find(|case| unmatched.takes(case.id())) else {
        return Err(error.into());
    };
    Err(match case.transcript.header.dialect.filter(|only| *only != dialect) {
        Some(only) => {
            Failure::caller(format!("{} is a case of dialect {only}: add --dialect {only}", case.id()))
        }
        None => Failure::caller(format!(
            "{} is for a client that pulls its tasks: add --listen ADDR --pull",
            case.id()
        )),
    })
}

/// The generated sessions that the arguments ask for, by count or by id.
fn seeds(args: &RunArgs) -> Result<Vec<Seed>, Failure> {
    let Some(count) = args.generated.generate else {
        let SelectionArgs { cases, skip } = &args.selected;
        let seeds: Vec<Seed> = cases.iter().filter_map(|case| case.parse().ok()).collect();
        let others = seeds.len() < cases.len() || !skip.is_empty();
        return match seeds.is_empty() || !others {
            true => Ok(seeds),
            false => Err(Failure::caller(
                "generated sessions run without other cases: give no other --case and no --skip",
            )),
        };
    };
    let seed = args.generated.seed.unwrap_or_else(random_seed);
    say_or_warn(&args.peer, format!("seed {seed}"));
    let kind = match (args.generated.illegal, args.generated.crossing) {
        (true, _) => Kind::Illegal,
        (_, true) => Kind::Crossing,
        _ => Kind::Legal,
    };
    Ok((0..count).map(|number| Seed { seed, number, kind }).collect())
}

/// Runs the selected cases, writes the reports, and returns the exit status.
pub(super) async fn judge(args: &PeerArgs, target: Target, plan: Plan) -> Result<u8, Failure> {
    let Plan { selection, shard, cases, snapshot, last } = plan;
    let ping = ping(args.ping.as_deref())?;
    let mut options = Options { selection, shard, ..options(args, target, ping)? };
    options.gate.snapshot = snapshot.as_ref().map(|it| it.snapshot.clone());
    // Opening a named pipe waits for its reader. The signal handler comes later, so Ctrl-C ends
    // that wait.
    let mut sink = EventSink { last, ..EventSink::new(args, options.running.clone())? };
    let interrupted = options.interrupted.clone();
    // The first signal ends the run after the current cases, and the reports are written.
    stop_on_signal(&sink, interrupted);
    if let Some(report) = snapshot.as_ref().map(SnapshotFile::report).transpose()?.flatten() {
        sink.reports.push(report);
    }
    let outcome = run_cases(&options, cases, &mut |event| sink.event(&event)).await;
    sink.progress.finish();
    match outcome {
        Err(error) => Err(error.into()),
        Ok(()) => {
            let status = sink.status()?;
            snapshot.map_or(Ok(()), |snapshot| snapshot.keep(status))?;
            Ok(status)
        }
    }
}

/// Ends the run at the next signal, and says so once.
fn stop_on_signal(sink: &EventSink, interrupted: CancellationToken) {
    let progress = sink.progress.clone();
    let shown = progress.clone();
    let act = move || {
        if !interrupted.is_cancelled() {
            // A preflight that is cancelled reports its cases as not run, and then they have begun.
            let in_cases = progress.has_begun();
            interrupted.cancel();
            progress.interrupted(in_cases);
        }
    };
    on_signal_or_end(act, move || shown.finish());
}

/// Runs cases in which the suite is the server: a client connects for each case. `word` is an
/// argument that the command to repeat a case also needs.
pub(super) async fn seat(
    peer: &PeerArgs,
    address: Option<&str>,
    cases: Vec<Case>,
    notes: Vec<String>,
    word: Option<&str>,
) -> Result<u8, Failure> {
    if peer.dialect != Dialect::default() {
        return Err(Failure::caller(
            "--dialect is only for cases in which the peer is the server; these use dialect 0.2",
        ));
    }
    if peer.ping.is_some() {
        return Err(Failure::caller("--ping is not for clients: the client decides what it calls"));
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
        notes,
        may_exit: word.is_some(),
        fail_fast: peer.fail_fast,
        max_time: peer.max_time(),
        interrupted: interrupted.clone(),
        running: Running::default(),
    };
    let mut sink = EventSink::new(peer, options.running.clone())?;
    stop_on_signal(&sink, interrupted);
    server_seat::accept(&host, &options, cases, &mut |event| sink.event(&event)).await;
    sink.progress.finish();
    sink.status()
}

/// The options of a run, from the arguments.
pub(super) fn options(args: &PeerArgs, target: Target, ping: Option<Ping>) -> Result<Options, Failure> {
    Ok(Options {
        command: command(args, &target),
        gate: gate(args)?,
        dialect: args.dialect,
        ping,
        jobs: args.jobs.into(),
        patience: args.deadline,
        fail_fast: args.fail_fast,
        max_time: args.max_time(),
        ..Options::new(target)
    })
}

/// What fails the run, from the arguments.
pub(super) fn gate(args: &PeerArgs) -> Result<Gate, Failure> {
    Ok(Gate {
        catalogue: args.catalogue.clone(),
        baseline: args.baseline.as_deref().map(Baseline::open).transpose()?,
        ..Gate::from(Level::from(args.level))
    })
}

/// The command that repeats a case of this run.
pub(super) fn command(args: &PeerArgs, target: &Target) -> Command {
    arguments::command(target, args.ping.as_deref(), args.dialect)
}

/// Writes the events of one run to its reports, shows the progress, and decides the exit status.
pub(super) struct EventSink {
    reports: Reports,
    last: LastRun,
    pub(super) progress: Progress,
    account: Account,
    run: Option<Run>,
    status: Option<u8>,
    begun: Instant,
    /// A finding is not excused, so `show` has a cause to show.
    has_cause: bool,
    /// Says where the run is when its time is over. Dropping it ends it.
    _timer: JoinSet<()>,
}

impl EventSink {
    /// `running`: the cases of the run.
    pub(super) fn new(args: &PeerArgs, running: Running) -> Result<EventSink, Failure> {
        let progress = Progress::new(running);
        let (shown, max_time) = (progress.clone(), args.max_time());
        let mut timer = JoinSet::new();
        timer.spawn(async move {
            let Some(time) = max_time else { return };
            tokio::time::sleep(time).await;
            shown.out_of_time();
        });
        Ok(EventSink {
            reports: Reports::open(&args.report, args.text)?,
            last: LastRun::none(),
            progress,
            account: Account::default(),
            run: None,
            status: None,
            begun: Instant::now(),
            has_cause: false,
            _timer: timer,
        })
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => self.run = Some(run.clone()),
            Event::Judged(outcome) => {
                self.account.add(outcome);
                self.has_cause |= outcome.verdict.is_finding() && outcome.excuse.is_none();
            }
            Event::Ended(ended) => {
                self.status = self.run.as_ref().map(|run| self.account.exit_status(run, ended));
            }
        }
        self.progress.event(event);
        self.last.event(event);
        let reports = &mut self.reports;
        self.progress.suspend(|| {
            match event {
                Event::Ended(ended) => reports.end(ended),
                _ => reports.event(event),
            }
            let _ = io::stdout().flush();
        });
    }

    pub(super) fn status(self) -> Result<u8, Failure> {
        let mut last = format!("{:.1} s", self.begun.elapsed().as_secs_f64());
        for path in self.reports.files() {
            last.push_str(&format!("; wrote {path}"));
        }
        if self.last.has_numbers() && self.has_cause {
            last.push_str(&format!("; start with cause 1: {} show 1", arguments::program()));
        }
        self.reports.result()?;
        output::warn(last);
        self.status.ok_or_else(|| Failure::harness("the run ended without a verdict"))
    }
}
