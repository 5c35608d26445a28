//! `dnode-conform baseline create` and `dnode-conform baseline update`

use super::failure::Failure;
use super::output;
use super::report::read_run;
use super::values::GateLevel;
use crate::files;
use crate::gate::baseline::edit::{Words, update};
use crate::gate::baseline::{Date, today};
use clap::{Args, Subcommand};
use dnode_reports::count;
use dnode_reports::escape::terminal;
use dnode_reports::event::Event;
use std::path::PathBuf;

/// The arguments of `baseline`.
#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a baseline with all failures of a run that fail it
    Create(EditArgs),
    /// Update a baseline from a run
    ///
    /// Removes cases that pass, updates cases that fail differently now, and adds new failures.
    Update(EditArgs),
}

#[derive(Debug, Args)]
struct EditArgs {
    /// The baseline file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A report of a run, written by --report json=PATH or --report events=PATH
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Why the added failures are accepted; needed if failures are added
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,
    /// The issue that tracks the added failures
    #[arg(long, value_name = "URL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    issue: Option<String>,
    /// The last day on which the added failures are accepted, for example 2027-03-01
    #[arg(long, value_name = "DATE", value_parser = date)]
    expires: Option<Date>,
    /// The weakest level whose failures are added; without it, the level in the report, or robust
    #[arg(long, value_enum)]
    level: Option<GateLevel>,
}

fn date(text: &str) -> Result<Date, String> {
    let parsed: Option<toml_edit::Datetime> = text.parse().ok();
    let date = parsed.filter(|it| it.time.is_none()).and_then(|it| it.date);
    date.ok_or_else(|| "write a date like 2027-03-01".to_owned())
}

/// Creates or updates a baseline, and prints the changes.
pub(super) fn baseline(args: &BaselineArgs) -> Result<u8, Failure> {
    let (args, creates) = match &args.action {
        Action::Create(args) => (args, true),
        Action::Update(args) => (args, false),
    };
    let name = args.file.display().to_string();
    if creates && args.file.exists() {
        return Err(Failure::caller(format!(
            "{name} exists already; use `dnode-conform baseline update` to change it"
        )));
    }
    let text = match creates {
        true => String::new(),
        false => files::read(&args.file).map_err(|error| {
            Failure::caller(format!("{name} cannot be read: {error}; use `baseline create` to create it"))
        })?,
    };
    let events = read_run(&args.run, args.level)?;
    let (mut level, mut outcomes) = (None, Vec::new());
    for event in events {
        match event {
            Event::Started(run) => level = Some(run.gate),
            // A failure that an earlier baseline excused is still a failure.
            Event::Judged(outcome) => {
                outcomes.push(dnode_reports::event::Outcome { excuse: None, ..*outcome })
            }
            Event::Ended(ended) if ended.interrupted => {
                return Err(Failure::caller(format!(
                    "{} is the report of an interrupted run",
                    args.run.display()
                )));
            }
            Event::Ended(_) => {}
        }
    }
    let level = level.ok_or_else(|| Failure::caller("the report has no start of a run"))?;
    let words = Words { reason: args.reason.clone(), issue: args.issue.clone(), expires: args.expires };
    let updated = update(&text, &name, &outcomes, level, &words, today());
    let (new, changes) = updated?;
    if new != text || creates {
        files::replace(&args.file, &new).map_err(|error| {
            Failure::caller(format!("{name} cannot be written and is unchanged: {error}"))
        })?;
    }
    for change in &changes {
        output::say(terminal(change.to_string()))?;
    }
    output::say(format_args!("{}: {}", terminal(name), count(changes.len(), "change")))?;
    Ok(0)
}
