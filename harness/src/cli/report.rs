//! `dnode-conform report RUN.json… --format FORMAT`, and the reports that a run writes.

use super::failure::Failure;
use super::place::Place;
use super::values::GateLevel;
use crate::cases::{Case, all};
use crate::nearest::did_you_mean;
use clap::Args;
use dnode_reports::event::{Event, Outcome, Verdict};
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use dnode_reports::{ReadError, Report, events, json};
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};

/// The arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Reports of runs, written by --report json=PATH or --report events=PATH. Only events have the
    /// wire log, the command that repeats a case, and how the peer ended
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The format: text, json, events, junit, tap, markdown, github or html
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub(super) format: Format,
    /// Write to this file; without it, or with -, to standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// The weakest level that fails the run; without it, the level in the file, or robust
    #[arg(long, value_enum)]
    level: Option<GateLevel>,
    #[command(flatten)]
    text: TextArgs,
}

/// How much the text report shows.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct TextArgs {
    /// Show each finding in full: the traffic, the transcript and the clause
    #[arg(long, help_heading = "Reports")]
    pub(super) details: bool,
    /// List all cases, not only the findings
    #[arg(long, short, help_heading = "Reports")]
    verbose: bool,
}

impl TextArgs {
    fn options(self) -> Options {
        Options { details: self.details, verbose: self.verbose, ..Options::default() }
    }
}

/// The style of text on standard output.
pub(super) fn on_stdout(details: bool, verbose: bool) -> Options {
    let terminal = io::stdout().is_terminal();
    let styles = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| width.0.into());
    Options { styles, details, verbose, width: width.unwrap_or(Options::default().width) }
}

/// A report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportFile {
    pub(super) format: Format,
    /// `None` is standard output.
    path: Option<PathBuf>,
}

/// Reads `FORMAT=PATH`.
pub(super) fn report_file(text: &str) -> Result<ReportFile, String> {
    let (word, path) = text.split_once('=').unwrap_or((text, ""));
    let format =
        format(word).map_err(|error| format!("write FORMAT=PATH, for example json=run.json; {error}"))?;
    if path.is_empty() {
        return Err(format!("{word} needs a path: {word}=PATH, or {word}=- for standard output"));
    }
    Ok(ReportFile { format, path: (path != "-").then(|| path.into()) })
}

fn format(word: &str) -> Result<Format, String> {
    let near = || did_you_mean(word, Format::ALL.map(Format::word));
    Format::from_word(word).ok_or_else(|| format!("the formats are {}{}", Format::words(), near()))
}

/// The name of standard output in errors.
pub(super) const STANDARD_OUTPUT: &str = "standard output";

/// A report, with the name of its file for errors.
pub(super) type Named = (String, Box<dyn Report + Send>);

/// Whether a report for programs goes to standard output, so that nothing else may be printed
/// there.
pub(super) fn stdout_is_taken(files: &[ReportFile]) -> bool {
    files.iter().any(|file| file.path.is_none() && !matches!(file.format, Format::Text | Format::Github))
}

/// The reports of a command, and the first problem with writing one of them.
pub(super) struct Reports {
    reports: Vec<Named>,
    problem: Option<Failure>,
    /// A person who reads standard output may close the pipe, which does not change the verdict. If
    /// a program reads a report there, a closed pipe is an error.
    may_close: bool,
}

impl Reports {
    /// Opens the reports. Standard output gets the text report, unless another format is written
    /// there. The annotations of GitHub go between the lines of the text report.
    pub(super) fn open(files: &[ReportFile], text: TextArgs) -> Result<Reports, Failure> {
        let places = open_places(files)?;
        let mut reports: Vec<Named> =
            files.iter().zip(places).map(|(file, place)| file.report(place, text)).collect();
        let on_stdout = ReportFile { format: Format::Text, path: None };
        let taken = stdout_is_taken(files);
        if !taken && !files.contains(&on_stdout) {
            reports.push(on_stdout.report(None, text));
        }
        Ok(Reports { reports, problem: None, may_close: !taken })
    }

    /// Adds a report.
    pub(super) fn push(&mut self, report: Named) {
        self.reports.push(report);
    }

    /// Writes an event to all reports.
    pub(super) fn event(&mut self, event: &Event) {
        for named in &mut self.reports {
            let written = named.1.event(event);
            keep_problem(&mut self.problem, self.may_close, &named.0, written);
        }
    }

    /// Writes the last event, if there is one left, and finishes the reports.
    pub(super) fn finish(&mut self, last: Option<&Event>) {
        for (name, report) in &mut self.reports {
            let written = last.map_or(Ok(()), |event| report.event(event)).and_then(|()| report.finish());
            keep_problem(&mut self.problem, self.may_close, name, written);
        }
    }

    /// The files of the reports.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.reports.iter().map(|(name, _)| &**name).filter(|name| *name != STANDARD_OUTPUT)
    }

    /// The first problem, if there was one.
    pub(super) fn result(self) -> Result<(), Failure> {
        self.problem.map_or(Ok(()), Err)
    }
}

/// Keeps the first error of a report.
fn keep_problem(problem: &mut Option<Failure>, may_close: bool, name: &str, written: io::Result<()>) {
    if let Err(error) = written
        && !(may_close && error.kind() == io::ErrorKind::BrokenPipe)
    {
        problem.get_or_insert(unwritable(name, &error));
    }
}

fn unwritable(name: &str, error: &io::Error) -> Failure {
    Failure::caller(format!("the report to {name} cannot be written: {error}"))
}

/// Opens the files of the reports; `None` stands for standard output. Two reports cannot share a
/// file.
fn open_places(files: &[ReportFile]) -> Result<Vec<Option<Place>>, Failure> {
    let on_stdout = files.iter().filter(|file| file.path.is_none() && file.format != Format::Github);
    if on_stdout.count() > 1 {
        return Err(Failure::caller("only one report can be written to standard output"));
    }
    let places = files.iter().map(ReportFile::place).collect::<Result<Vec<_>, _>>()?;
    let mut taken = Vec::new();
    for (file, identity) in files.iter().zip(places.iter().map(|place| place.as_ref()?.identity())) {
        if let (Some(path), Some(_)) = (&file.path, identity)
            && taken.contains(&identity)
        {
            return Err(Failure::caller(format!(
                "two reports cannot be written to one file, {}",
                path.display()
            )));
        }
        taken.push(identity);
    }
    Ok(places)
}

impl ReportFile {
    /// Opens the file; `None` for standard output.
    fn place(&self) -> Result<Option<Place>, Failure> {
        let place = self.path.as_ref().map(|path| {
            Place::open(path).map_err(|error| {
                Failure::caller(format!("the report {} cannot be written: {error}", path.display()))
            })
        });
        place.transpose()
    }

    /// Creates the report, with the name of its file.
    fn report(&self, place: Option<Place>, text: TextArgs) -> Named {
        match (&self.path, place) {
            (Some(path), Some(place)) => {
                let report = self.format.report(BufWriter::new(place), text.options());
                (path.display().to_string(), report)
            }
            _ => {
                let options = on_stdout(text.details, text.verbose);
                let report = self.format.report(io::stdout(), options);
                (STANDARD_OUTPUT.to_owned(), report)
            }
        }
    }
}

/// Converts reports of finished runs.
pub(super) fn report(args: &ReportArgs) -> Result<u8, Failure> {
    if args.runs.len() > 1 && !args.format.takes_several() {
        return Err(Failure::caller(format!(
            "{} is about one run; html, markdown, junit, text, github and events can hold several",
            args.format.word()
        )));
    }
    let runs = args.runs.iter().map(|path| read_run(path, args.level)).collect::<Result<Vec<_>, _>>()?;
    let path = args.out.clone().filter(|path| path.as_os_str() != "-");
    let identity = |path: &PathBuf| path.canonicalize().ok();
    if let Some(out) = path.as_ref().and_then(identity)
        && args.runs.iter().any(|run| identity(run).as_ref() == Some(&out))
    {
        return Err(Failure::caller(format!(
            "--out {} is one of the runs to read; choose another file",
            out.display()
        )));
    }
    let file = ReportFile { format: args.format, path };
    let (name, mut report) = file.report(file.place()?, args.text);
    let written =
        runs.iter().flatten().try_for_each(|event| report.event(event)).and_then(|()| report.finish());
    match written {
        // A person who reads text may close the pipe. A program that closes it has not got its
        // report.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe || args.format != Format::Text => {
            Err(unwritable(&name, &error))
        }
        _ => Ok(0),
    }
}

/// Reads the events of a run from a report of either format. `level` replaces the level of the run.
pub(super) fn read_run(path: &Path, level: Option<GateLevel>) -> Result<Vec<Event>, Failure> {
    let name = path.display().to_string();
    let problem =
        |error: ReadError| Failure::from(error).within(format_args!("{name} is no report of a run: "));
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::caller(format!("{name} cannot be read: {error}")))?;
    // Events are one object a line. The first line of a canonical report is a single brace.
    let mut events = if text.starts_with("{\"") {
        events::read(&text).map_err(problem)?
    } else {
        let mut events = json::read(&text, &name, dnode_spec::clause::Level::Robust).map_err(problem)?;
        let cases = all()?;
        events.iter_mut().for_each(|event| complete(event, &cases));
        events
    };
    if let ([Event::Started(run), ..], Some(level)) = (events.as_mut_slice(), level) {
        run.gate = level.into();
    }
    match (events.first(), events.last()) {
        (Some(Event::Started(_)), Some(Event::Ended(_))) => Ok(events),
        _ => Err(problem(ReadError::Incomplete)),
    }
}

/// Adds the fields that a canonical report leaves out, from the catalogue.
fn complete(event: &mut Event, cases: &[Case]) {
    let Event::Judged(outcome) = event else { return };
    let Outcome { id, about, evidence, verdict, .. } = &mut **outcome;
    let Some(case) = cases.iter().find(|case| case.id() == *id) else { return };
    about.clone_from(&case.transcript.header.about);
    if *verdict != Verdict::Pass {
        evidence.transcript.clone_from(&case.text);
        evidence.repeat = format!("dnode-conform run TARGET --case {id}");
    }
}
