//! `dnode-conform show [CAUSE|CASE]`: findings of the last run, without another run.

use super::failure::Failure;
use super::last_run::{self, Extent};
use super::output;
use super::report::{on_stdout, read_run};
use crate::nearest::did_you_mean;
use clap::Args;
use dnode_reports::cause::{Cause, Finding};
use dnode_reports::count;
use dnode_reports::event::{Event, Outcome, Run, outcomes};
use dnode_reports::text;
use std::path::PathBuf;

/// The arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The number of a cause, or the id of a case. Without it, this prints the report again
    #[arg(value_name = "CAUSE|CASE")]
    what: Option<String>,
    /// A report in the format events or json; without it, the last `run` in this folder
    ///
    /// A run of a single case does not replace a longer one: only its id shows it.
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
}

/// Shows findings of a run in full.
pub(super) fn show(args: &ShowArgs) -> Result<u8, Failure> {
    let (events, name) = match &args.run {
        Some(path) => (read_run(path, None)?, "the run"),
        None => kept(args.what.as_deref())?,
    };
    let options = on_stdout(true, false);
    let text = match &args.what {
        None => text::report(&events, text::Options { details: false, ..options }),
        Some(what) => find(&events, name, what, options)?,
    };
    output::print("the report", text)?;
    Ok(0)
}

/// The newest run that is kept here and has this case, or else the last run, and its name.
fn kept(what: Option<&str>) -> Result<(Vec<Event>, &'static str), Failure> {
    let last = last_run::last("name a report with --run RUN")?;
    let has = |events: &[Event]| outcomes(events).any(|outcome| Some(&*outcome.id) == what);
    for extent in last_run::kept().filter(|_| what.is_some()) {
        let events = read_run(&extent.file(), None)?;
        if has(&events) {
            note(extent);
            return Ok((events, extent.name()));
        }
    }
    note(last);
    Ok((read_run(&last.file(), None)?, last.name()))
}

/// Says how to see the run of all cases, if this is another one.
fn note(shown: Extent) {
    let all = Extent::All.file();
    if shown != Extent::All && all.exists() {
        let (name, all) = (shown.name(), all.display());
        output::warn(format_args!("note: this is {name}; --run {all} is that of all cases"));
    }
}

/// The outcomes of this case, each with its run.
fn in_each_run<'a>(events: &'a [Event], id: &str) -> Vec<(&'a Run, &'a Outcome)> {
    let mut now = None;
    let mut found = Vec::new();
    for event in events {
        match (event, now) {
            (Event::Started(run), _) => now = Some(run),
            (Event::Judged(outcome), Some(run)) if outcome.id == id => found.push((run, &**outcome)),
            _ => {}
        }
    }
    found
}

/// The finding that stands for this cause, or the outcome of this case, in full.
fn find(events: &[Event], name: &str, what: &str, options: text::Options) -> Result<String, Failure> {
    let Some(Event::Started(run)) = events.first() else {
        return Err(Failure::caller("the report has no run"));
    };
    if let found @ [_, ..] = in_each_run(events, what).as_slice() {
        let texts = found.iter().map(|(run, outcome)| text::with_others(run, outcome, &[], options));
        return Ok(texts.collect());
    }
    if let Ok(number) = what.parse::<usize>() {
        let runs = events.iter().filter(|event| matches!(event, Event::Started(_))).count();
        if runs > 1 {
            return Err(Failure::caller(format!(
                "the file has {runs} runs, and each numbers its causes from 1; name a case"
            )));
        }
        let causes = Cause::of(outcomes(events), run.gate);
        let several = count(causes.len(), "cause");
        let cause = causes.into_iter().find(|cause| cause.number == number);
        let cause = cause
            .ok_or_else(|| Failure::caller(format!("{name} has no cause {number}; it has {several}")))?;
        let others: Vec<Finding> = cause.others().cloned().collect();
        return Ok(text::with_others(run, &cause.shown, &others, options));
    }
    let hint = did_you_mean(what, outcomes(events).map(|outcome| &*outcome.id));
    Err(Failure::caller(format!("{what:?} is neither a case of {name} nor the number of a cause{hint}")))
}
