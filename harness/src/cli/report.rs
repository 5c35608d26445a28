//! `dnode-conform report RUN.json… --format FORMAT`, and the reports of a run: where each is written.

use super::GateLevel;
use super::failure::Failure;
use super::place::Place;
use crate::cases::{Case, all};
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
    /// Reports of runs, written by --report json=PATH or --report events=PATH: one peer each, shown in this order. Only
    /// events have the wire log, the command that repeats a case, and how the peer ended
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// text, json, events, junit, tap, markdown, github or html
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub(super) format: Format,
    /// Where to write it; without it, or with -, to standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// The weakest level whose failures gate; without it, that of the run, where the file says it, else robust
    #[arg(long, value_enum)]
    level: Option<GateLevel>,
    /// Show every case in text, not only the findings
    #[arg(long, short)]
    verbose: bool,
}

/// A report to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportFile {
    pub(super) format: Format,
    /// Where; `None` is standard output.
    path: Option<PathBuf>,
}

/// Reads `FORMAT=PATH`.
pub(super) fn report_file(text: &str) -> Result<ReportFile, String> {
    let (word, path) = text.split_once('=').unwrap_or((text, ""));
    let format = format(word)?;
    if path.is_empty() {
        return Err(format!("{word} needs a path: {word}=PATH, or {word}=- for standard output"));
    }
    Ok(ReportFile { format, path: (path != "-").then(|| path.into()) })
}

fn format(word: &str) -> Result<Format, String> {
    Format::from_word(word).ok_or_else(|| format!("write FORMAT=PATH with one of {}", Format::words()))
}

/// The name of standard output as a place.
pub(super) const STANDARD_OUTPUT: &str = "standard output";

/// A report with the name of its place, for an error.
pub(super) type Named = (String, Box<dyn Report + Send>);

/// Whether standard output belongs to a report for programs, so that nothing else may be printed there.
pub(super) fn stdout_is_taken(files: &[ReportFile]) -> bool {
    files.iter().any(|file| file.path.is_none() && !matches!(file.format, Format::Text | Format::Github))
}

/// Opens the reports of a run. Standard output has the text, unless another format is written there; the annotations of
/// GitHub are made to stand between its lines.
pub(super) fn open(files: &[ReportFile], verbose: bool) -> Result<Vec<Named>, Failure> {
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
    let mut reports: Vec<Named> =
        files.iter().zip(places).map(|(file, place)| file.report(place, verbose)).collect();
    let text = ReportFile { format: Format::Text, path: None };
    if !stdout_is_taken(files) && !files.contains(&text) {
        // Last, so that its summary is not printed where a report could not be written.
        reports.push(text.report(None, verbose));
    }
    Ok(reports)
}

impl ReportFile {
    /// Opens its file; `None` for standard output.
    fn place(&self) -> Result<Option<Place>, Failure> {
        let place = self.path.as_ref().map(|path| {
            Place::open(path).map_err(|error| {
                Failure::caller(format!("the report {} cannot be written: {error}", path.display()))
            })
        });
        place.transpose()
    }

    /// The report that is written there.
    fn report(&self, place: Option<Place>, verbose: bool) -> Named {
        match (&self.path, place) {
            (Some(path), Some(place)) => {
                let report = self.format.report(BufWriter::new(place), Options { styles: false, verbose });
                (path.display().to_string(), report)
            }
            _ => {
                let terminal = io::stdout().is_terminal();
                let styles = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
                let report = self.format.report(io::stdout(), Options { styles, verbose });
                (STANDARD_OUTPUT.to_owned(), report)
            }
        }
    }
}

/// Renders reports of runs that are over.
pub(super) fn report(args: &ReportArgs) -> Result<u8, Failure> {
    if args.runs.len() > 1 && !args.format.takes_several() {
        return Err(Failure::caller(format!(
            "{} is about one run; html, markdown, junit, text, github and events take several",
            args.format.word()
        )));
    }
    let runs = args.runs.iter().map(|path| read_run(path, args.level)).collect::<Result<Vec<_>, _>>()?;
    let path = args.out.clone().filter(|path| path.as_os_str() != "-");
    let file = ReportFile { format: args.format, path };
    let (name, mut report) = file.report(file.place()?, args.verbose);
    let written =
        runs.iter().flatten().try_for_each(|event| report.event(event)).and_then(|()| report.finish());
    match written {
        // Who reads text may stop; a program that stops has not got its report.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe || args.format != Format::Text => {
            Err(Failure::caller(format!("the report to {name} cannot be written: {error}")))
        }
        _ => Ok(0),
    }
}

/// The events of a file, whichever of the two forms it has; held against this level, where one is given.
pub(super) fn read_run(path: &Path, level: Option<GateLevel>) -> Result<Vec<Event>, Failure> {
    let name = path.display().to_string();
    let problem = |error: ReadError| {
        Failure::caller(format!("{name} is no report of a run: {error}; {}", error.help()))
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::caller(format!("{name} cannot be read: {error}")))?;
    // The events are one object a line; a canonical report begins with a line of a single brace.
    let mut told = if text.starts_with("{\"") {
        events::read(&text).map_err(problem)?
    } else {
        let mut told = json::read(&text, &name, dnode_spec::clause::Level::Robust).map_err(problem)?;
        let cases = all().map_err(|error| Failure::harness(format!("{error}")))?;
        told.iter_mut().for_each(|event| complete(event, &cases));
        told
    };
    if let ([Event::Started(run), ..], Some(level)) = (told.as_mut_slice(), level) {
        run.gate = level.into();
    }
    match (told.first(), told.last()) {
        (Some(Event::Started(_)), Some(Event::Ended(_))) => Ok(told),
        _ => Err(problem(ReadError::Incomplete)),
    }
}

/// Adds what a canonical report leaves out and the catalogue knows.
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
