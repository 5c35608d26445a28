//! `run --watch[=FOLDER]`: runs the cases again when a file of the port changes.

mod changes;

use super::failed::{Again, again_of, selection};
use super::failure::Failure;
use super::last_run::{Extent, LastRun};
use super::output;
use super::peer::PeerArgs;
use super::progress::Progress;
use super::report::on_stdout;
use super::selection::SelectionArgs;
use super::signal::on_signal_or_end;
use crate::cases::{Case, PROBE_COMPLETE};
use crate::run::{Options, RunError, run as run_cases};
use changes::Changes;
use clap::Args;
use dnode_reports::account::Account;
use dnode_reports::event::{Ended, Event, Outcome, Run, Verdict};
use dnode_reports::{count, text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// A file that interrupts so many rounds in a row is taken for one that the port itself writes.
const NOISE: usize = 3;

/// The argument `--watch`.
#[derive(Debug, Clone, Args)]
pub(super) struct WatchArgs {
    /// Run again when a file in FOLDER changes: first what failed, then the rest
    ///
    /// Without FOLDER, this is the current folder. Files that its .gitignore names do not count, nor
    /// do hidden ones, logs, node_modules, target and __pycache__. Ctrl-C ends it. It needs --exec
    /// and takes no --report: `show` shows the findings of the last round.
    #[arg(
        long,
        value_name = "FOLDER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ".",
        requires = "exec",
        conflicts_with_all = ["failed", "shard", "generate", "pull", "listen", "snapshot", "report", "max_time", "fail_fast"],
        help_heading = "Selection"
    )]
    pub(super) watch: Option<PathBuf>,
}

/// Runs those of these cases that are selected, and again after each change, until a signal. The exit
/// status is that of the last complete round.
pub(super) async fn watch(
    folder: &Path,
    args: &PeerArgs,
    options: Options,
    cases: Vec<Case>,
    selected: &SelectionArgs,
    extent: Extent,
) -> Result<u8, Failure> {
    let changes = Changes::of(folder)?;
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    on_signal_or_end(move || signalled.cancel(), || {});
    let skip = selected.skip.clone();
    let (known, noisy) = (None, BTreeSet::new());
    let mut watch = Watch { args, options, cases, skip, extent, changes, stop, known, noisy };
    watch.rounds(folder).await?;
    let status = watch.status();
    match watch.known {
        Some(_) => output::warn(format_args!("stopped: exit {status}, as in the last complete round")),
        None => output::warn(format_args!("stopped before the end of a round: exit {status}")),
    }
    Ok(status)
}

/// The outcomes of a complete round.
struct Known {
    run: Run,
    ended: Ended,
    outcomes: Vec<Outcome>,
}

struct Watch<'a> {
    args: &'a PeerArgs,
    /// Their selection is that of all parts of a round.
    options: Options,
    cases: Vec<Case>,
    /// The patterns of `--skip`.
    skip: Vec<String>,
    extent: Extent,
    changes: Changes,
    stop: CancellationToken,
    known: Option<Known>,
    /// The files that the port itself writes.
    noisy: BTreeSet<PathBuf>,
}

/// How a round, or a part of it, ended.
enum Round<T> {
    Complete(T),
    /// These files changed.
    Changed(BTreeSet<PathBuf>),
    Stopped,
    /// There was no peer to judge.
    NoPeer(RunError),
}

impl Watch<'_> {
    /// Runs rounds until a signal.
    async fn rounds(&mut self, folder: &Path) -> Result<(), Failure> {
        let mut interruptions = BTreeMap::new();
        loop {
            let changed = match self.settled_round().await? {
                Round::Stopped => return Ok(()),
                Round::Changed(paths) => {
                    interruptions.retain(|path, _| paths.contains(path));
                    paths.iter().for_each(|path| *interruptions.entry(path.clone()).or_insert(0) += 1);
                    let often = interruptions.iter().filter(|(_, times)| **times >= NOISE);
                    self.ignore(often.map(|(path, _)| path));
                    paths
                }
                round => {
                    if let Round::NoPeer(error) = round {
                        output::fail(&error.into());
                    }
                    interruptions.clear();
                    output::say(format_args!("watching {}; Ctrl-C ends", folder.display()))?;
                    match self.change().await {
                        Some(paths) => paths,
                        None => return Ok(()),
                    }
                }
            };
            if changed.contains(Path::new("")) {
                let folder = folder.display();
                return Err(Failure::caller(format!(
                    "{folder} was removed, so it is no longer watched: start again"
                )));
            }
            let in_folder =
                |path: &PathBuf| if folder == Path::new(".") { path.clone() } else { folder.join(path) };
            let (changed, removed): (Vec<PathBuf>, Vec<PathBuf>) =
                changed.iter().map(in_folder).partition(|path| path.exists());
            output::say("")?;
            for (what, paths) in [("changed", changed), ("removed", removed)] {
                if !paths.is_empty() {
                    output::say(format_args!("{what}: {}", shown(&paths)))?;
                }
            }
        }
    }

    /// A round, and the changes directly after it: a port may write files when it ends.
    async fn settled_round(&mut self) -> Result<Round<()>, Failure> {
        let round = self.round().await?;
        if matches!(round, Round::Complete(()) | Round::NoPeer(_)) {
            let late = self.changes.settle().await;
            if late.iter().any(|path| !self.noisy.contains(path)) {
                return Ok(Round::Changed(late));
            }
        }
        Ok(round)
    }

    /// The next change; `None` after a signal.
    async fn change(&mut self) -> Option<BTreeSet<PathBuf>> {
        tokio::select! {
            paths = self.changes.next() => Some(paths),
            () = self.stop.cancelled() => None,
        }
    }

    /// Changes of these files no longer interrupt a round.
    fn ignore<'p>(&mut self, paths: impl Iterator<Item = &'p PathBuf>) {
        for path in paths {
            if self.noisy.insert(path.clone()) {
                output::warn(format_args!(
                    "note: {} changed in {NOISE} rounds in a row, so it counts only between rounds; name it in .gitignore",
                    shown(std::slice::from_ref(path))
                ));
            }
        }
    }

    /// Runs what failed, and then the rest.
    async fn round(&mut self) -> Result<Round<()>, Failure> {
        // The other cases over the run are judged on the lines of each part.
        let ids = self.cases.iter().map(Case::id).chain([PROBE_COMPLETE]);
        let ids: BTreeSet<&str> = ids.filter(|id| self.options.selection.takes(id)).collect();
        let level = self.args.level.into();
        let failed = match &self.known {
            Some(known) => match again_of(&known.outcomes, level, &ids) {
                Again::Cases(failed) => failed.into_iter().collect(),
                _ => BTreeSet::new(),
            },
            None => BTreeSet::new(),
        };
        let rest: BTreeSet<String> =
            ids.iter().filter(|id| !failed.contains(**id)).map(|id| (*id).to_owned()).collect();
        let mut parts = Vec::new();
        for part in [&failed, &rest].into_iter().filter(|part| !part.is_empty()) {
            let done = match self.part(part).await? {
                Round::Complete(done) => done,
                Round::Changed(paths) => return Ok(Round::Changed(paths)),
                Round::Stopped => return Ok(Round::Stopped),
                Round::NoPeer(error) => return Ok(Round::NoPeer(error)),
            };
            if let Some(known) = &self.known {
                self.say_new(known, &done, part)?;
            }
            parts.push(done);
        }
        self.end_round(joined(parts, &self.cases))?;
        Ok(Round::Complete(()))
    }

    /// Runs these cases.
    async fn part(&mut self, ids: &BTreeSet<String>) -> Result<Round<Known>, Failure> {
        let ids_of_part: Vec<String> = ids.iter().cloned().collect();
        let interrupted = CancellationToken::new();
        let options = Options {
            selection: selection(&ids_of_part, &self.skip)?,
            interrupted: interrupted.clone(),
            ..self.options.clone()
        };
        let mut progress = Progress::new(options.running.clone());
        let mut events = Vec::new();
        let mut emit = |event: Event| {
            progress.event(&event);
            events.push(event);
        };
        let mut run = Box::pin(run_cases(&options, self.cases.clone(), &mut emit));
        let mut why = None;
        let outcome = loop {
            tokio::select! {
                outcome = &mut run => break outcome,
                paths = self.changes.next(), if why.is_none() => {
                    if paths.iter().any(|path| !self.noisy.contains(path)) {
                        why = Some(Round::Changed(paths));
                        interrupted.cancel();
                    }
                }
                () = self.stop.cancelled(), if !matches!(why, Some(Round::Stopped)) => {
                    why = Some(Round::Stopped);
                    interrupted.cancel();
                }
            }
        };
        drop(run);
        progress.finish();
        Ok(match (why, outcome) {
            (Some(why), _) => why,
            (None, Err(error)) => Round::NoPeer(error),
            (None, Ok(())) => match Known::of(events) {
                Some(known) => Round::Complete(known),
                None => return Err(Failure::harness("the run ended without a verdict")),
            },
        })
    }

    /// Says which of these cases fail now and did not before, and the other way round.
    fn say_new(&self, before: &Known, now: &Known, ids: &BTreeSet<String>) -> Result<(), Failure> {
        let level = self.args.level.into();
        let fails: BTreeMap<&str, bool> =
            before.outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.gates(level))).collect();
        for outcome in now.outcomes.iter().filter(|outcome| ids.contains(&outcome.id)) {
            match (fails.get(outcome.id.as_str()), outcome.gates(level)) {
                (Some(true), false) if outcome.verdict == Verdict::Pass => {
                    output::say(format_args!("  green  {}", outcome.id))?;
                }
                (Some(false), true) => output::say(format_args!("  red    {}", outcome.id))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Prints the report if it differs from that of the last round, and keeps the outcomes.
    fn end_round(&mut self, now: Option<Known>) -> Result<(), Failure> {
        let Some(now) = now else { return Ok(()) };
        let findings = |known: &Known| -> Vec<(String, Verdict)> {
            let of_run = known.outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass);
            of_run.map(|outcome| (outcome.id.clone(), outcome.verdict)).collect()
        };
        let events = now.events();
        match self.known.as_ref().map(findings) {
            Some(before) if before == findings(&now) => {
                let level = self.args.level.into();
                let failing = now.outcomes.iter().filter(|outcome| outcome.gates(level)).count();
                let all = count(now.outcomes.len(), "case");
                match failing {
                    0 => output::say(format_args!("still green: none of {all} fails"))?,
                    _ => output::say(format_args!("the same cases fail: {failing} of {all}"))?,
                }
            }
            _ => {
                output::print("the report", text::report(&events, on_stdout(self.args.text.details, false)))?
            }
        }
        let mut last = LastRun::begin(self.extent);
        events.iter().for_each(|event| last.event(event));
        self.known = Some(now);
        Ok(())
    }

    /// The exit status of the last complete round.
    fn status(&self) -> u8 {
        self.known.as_ref().map_or(super::failure::COULD_NOT_RUN, |known| {
            let mut account = Account::default();
            known.outcomes.iter().for_each(|outcome| account.add(outcome));
            account.exit_status(&known.run, &known.ended)
        })
    }
}

impl Known {
    fn of(events: Vec<Event>) -> Option<Known> {
        let (mut run, mut ended, mut outcomes) = (None, None, Vec::new());
        for event in events {
            match event {
                Event::Started(it) => run = Some(it),
                Event::Judged(outcome) => outcomes.push(*outcome),
                Event::Ended(it) => ended = Some(it),
            }
        }
        Some(Known { run: run?, ended: ended?, outcomes })
    }

    fn events(&self) -> Vec<Event> {
        let judged = self.outcomes.iter().cloned().map(|outcome| Event::Judged(Box::new(outcome)));
        std::iter::once(Event::Started(self.run.clone()))
            .chain(judged)
            .chain([Event::Ended(self.ended.clone())])
            .collect()
    }
}

/// The parts of a round as one, in the order of the cases. A case over the run is judged in each part:
/// a finding counts.
fn joined(parts: Vec<Known>, cases: &[Case]) -> Option<Known> {
    let place =
        |outcome: &Outcome| cases.iter().position(|case| case.id() == outcome.id).unwrap_or(cases.len());
    let mut parts = parts.into_iter();
    let mut whole = parts.next()?;
    for part in parts {
        let mut before: BTreeMap<String, Outcome> =
            whole.outcomes.into_iter().map(|outcome| (outcome.id.clone(), outcome)).collect();
        whole.outcomes = Vec::new();
        for outcome in part.outcomes {
            let earlier = before.remove(&outcome.id).filter(|earlier| earlier.verdict.is_finding());
            whole.outcomes.push(earlier.unwrap_or(outcome));
        }
        whole.outcomes.extend(before.into_values());
        whole.outcomes.sort_by_key(place);
        whole.run.planned = whole.outcomes.len();
        whole.ended.answered |= part.ended.answered;
    }
    Some(whole)
}

/// The first of these paths, and how many more there are.
fn shown(paths: &[PathBuf]) -> String {
    const FEW: usize = 3;
    let few = paths.iter().take(FEW).map(|path| dnode_reports::escape::terminal(path.display().to_string()));
    let few: Vec<String> = few.collect();
    match paths.len().saturating_sub(FEW) {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}
