//! `dnode-conform report RUN.json… --format FORMAT`, and the reports that a run writes.

use super::failure::Failure;
use super::output;
use super::values::GateLevel;
use crate::cases::{Case, all};
use crate::files::{self, NewFile};
use crate::nearest::did_you_mean;
use clap::Args;
use dnode_reports::event::{self, Ended, Event, Verdict};
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use dnode_reports::{ReadError, Report, events, json};
use std::io::{self, BufWriter, IsTerminal};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Reports of runs, written by --report json=PATH or --report events=PATH; - is standard input.
    /// Only events have the wire log, the command that repeats a case, and how the peer ended
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The format: text, json, events, junit, tap, markdown, github or html
    #[arg(long, value_name = "FORMAT", value_parser = format, default_value = "text")]
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
    Ok(ReportFile { format, path: report_path(word, path)? })
}

/// Reads the path of a report in the format with this word; `None` is standard output. Its text
/// report goes there too, so its other names would mix both.
pub(super) fn report_path(word: &str, path: &str) -> Result<Option<PathBuf>, String> {
    match path {
        "" => Err(format!("{word} needs a path: {word}=PATH, or {word}=- for standard output")),
        "-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Ok(None),
        _ => Ok(Some(path.into())),
    }
}

fn format(word: &str) -> Result<Format, String> {
    let near = || did_you_mean(word, Format::ALL.map(Format::word));
    Format::from_word(word).ok_or_else(|| format!("the formats are {}{}", Format::words(), near()))
}

/// The path that stands for standard input.
pub(super) const STDIN: &str = "-";

/// From this time on, a wait for the reader of a named pipe needs a word.
const SLOW: Duration = Duration::from_secs(1);

/// The name of standard output in errors.
pub(super) const STANDARD_OUTPUT: &str = "standard output";

/// Whether a report for programs goes to standard output, so that nothing else may be printed
/// there.
pub(super) fn stdout_is_taken(files: &[ReportFile]) -> bool {
    files.iter().any(|file| file.path.is_none() && !matches!(file.format, Format::Text | Format::Github))
}

/// A report that is being written.
pub(super) struct OpenReport {
    /// The name of its file, for errors.
    name: String,
    /// Writes it; `None` if it cannot be written.
    report: Option<Box<dyn Report + Send>>,
    /// The file that is kept if the report is complete.
    output: Option<NewFile>,
    /// Why it cannot be written.
    problem: Option<io::Error>,
}

impl OpenReport {
    /// A report to the standard output.
    fn on_stdout(format: Format, text: TextArgs) -> OpenReport {
        let report = format.report(io::stdout(), on_stdout(text.details, text.verbose));
        OpenReport { name: STANDARD_OUTPUT.to_owned(), report: Some(report), output: None, problem: None }
    }

    /// A report to this file, which the caller keeps.
    pub(super) fn to(
        path: &Path,
        format: Format,
        output: &NewFile,
        options: Options,
    ) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let writer = output.writer().map_err(|error| unwritable(&name, &error))?;
        let report = format.report(BufWriter::new(writer), options);
        Ok(OpenReport { name, report: Some(report), output: None, problem: None })
    }

    fn event(&mut self, event: &Event) {
        self.attempt(|report| report.event(event));
    }

    /// Finishes the report, and puts its file in its place.
    fn finish(&mut self) {
        self.attempt(|report| report.finish());
        self.report = None;
        if self.problem.is_none() {
            self.problem = self.output.take().and_then(|output| output.keep().err());
        }
    }

    /// Writes to the report. If that fails, its file goes at once, so that the other reports get the
    /// space.
    fn attempt(&mut self, act: impl FnOnce(&mut dyn Report) -> io::Result<()>) {
        self.problem = match &mut self.report {
            Some(report) => act(&mut **report).err(),
            None => return,
        };
        if self.problem.is_some() {
            (self.report, self.output) = (None, None);
        }
    }
}

/// The reports of a command.
pub(super) struct Reports {
    reports: Vec<OpenReport>,
    /// A person who reads standard output may close the pipe, which does not change the verdict. If
    /// a program reads a report there, a closed pipe is an error.
    may_close: bool,
}

impl Reports {
    /// Opens the reports. Standard output gets the text report, unless another format is written
    /// there. The annotations of GitHub go between the lines of the text report.
    pub(super) fn open(files: &[ReportFile], text: TextArgs) -> Result<Reports, Failure> {
        let outputs = open_outputs(files.iter().map(|file| &file.path))?;
        let on_stdout = files.iter().filter(|file| file.path.is_none() && file.format != Format::Github);
        if on_stdout.count() > 1 {
            return Err(Failure::caller("only one report can be written to standard output"));
        }
        let reports = files.iter().zip(outputs).map(|(file, output)| file.report(output, text));
        let mut reports = reports.collect::<Result<Vec<_>, _>>()?;
        let taken = stdout_is_taken(files);
        if !taken && !files.contains(&ReportFile { format: Format::Text, path: None }) {
            reports.push(OpenReport::on_stdout(Format::Text, text));
        }
        Ok(Reports { reports, may_close: !taken })
    }

    /// Adds a report.
    pub(super) fn push(&mut self, report: OpenReport) {
        self.reports.push(report);
    }

    /// Writes an event to all reports.
    pub(super) fn event(&mut self, event: &Event) {
        self.reports.iter_mut().for_each(|report| report.event(event));
    }

    /// Finishes all reports with the last event of the run. Standard output comes last, because it says
    /// how the run ends.
    pub(super) fn end(&mut self, ended: &Ended) {
        let (last, files): (Vec<_>, Vec<_>) =
            self.reports.iter_mut().partition(|it| it.name == STANDARD_OUTPUT);
        let mut unwritten = 0;
        for report in files {
            report.event(&Event::Ended(ended.clone()));
            report.finish();
            unwritten += usize::from(report.problem.is_some());
        }
        for report in last {
            report.event(&Event::Ended(Ended { unwritten, ..ended.clone() }));
            report.finish();
        }
    }

    /// Finishes all reports.
    pub(super) fn finish(&mut self) {
        self.reports.iter_mut().for_each(OpenReport::finish);
    }

    /// The files of the reports.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.reports.iter().map(|report| &*report.name).filter(|name| *name != STANDARD_OUTPUT)
    }

    /// All problems, if there was one.
    pub(super) fn result(self) -> Result<(), Failure> {
        let is_harmless = |error: &io::Error| self.may_close && error.kind() == io::ErrorKind::BrokenPipe;
        let problems =
            self.reports.iter().filter_map(|report| Some((&report.name, report.problem.as_ref()?)));
        let problems = problems.filter(|(_, error)| !is_harmless(error));
        problems.map(|(name, error)| unwritable(name, error)).reduce(Failure::and).map_or(Ok(()), Err)
    }
}

/// The failure of writing a report to the file with this name.
pub(super) fn unwritable(name: &str, problem: &dyn std::fmt::Display) -> Failure {
    Failure::caller(format!("the report to {name} cannot be written: {problem}"))
}

/// Opens the files of reports, so that a bad path is an error at once. `None` stands for standard
/// output. Two reports cannot share a file.
pub(super) fn open_outputs<'f>(
    paths: impl Iterator<Item = &'f Option<PathBuf>>,
) -> Result<Vec<Option<NewFile>>, Failure> {
    let mut outputs: Vec<Option<NewFile>> = Vec::new();
    for path in paths {
        let Some(path) = path else {
            outputs.push(None);
            continue;
        };
        let _noted = is_fifo(path).then(|| note_if_slow(path));
        let output = NewFile::open(path).map_err(|error| unwritable(&path.display().to_string(), &error))?;
        if outputs.iter().flatten().any(|other| output.is_same(other)) {
            let file = path.display();
            return Err(Failure::caller(format!("two reports cannot be written to one file, {file}")));
        }
        outputs.push(Some(output));
    }
    Ok(outputs)
}

fn is_fifo(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.file_type().is_fifo())
}

/// Says that no program reads the named pipe, unless the result is dropped soon.
fn note_if_slow(path: &Path) -> mpsc::Sender<()> {
    let (opened, is_opened) = mpsc::channel();
    let name = path.display().to_string();
    thread::spawn(move || {
        if is_opened.recv_timeout(SLOW) == Err(mpsc::RecvTimeoutError::Timeout) {
            output::warn(format_args!("waiting for a program that reads {name}; the run begins after that"));
        }
    });
    opened
}

impl ReportFile {
    /// Creates the report.
    fn report(&self, output: Option<NewFile>, text: TextArgs) -> Result<OpenReport, Failure> {
        match (&self.path, output) {
            (Some(path), Some(output)) => {
                let open = OpenReport::to(path, self.format, &output, text.options())?;
                Ok(OpenReport { output: Some(output), ..open })
            }
            _ => Ok(OpenReport::on_stdout(self.format, text)),
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
    let output = open_outputs(std::iter::once(&file.path))?.pop().flatten();
    // A person who reads text may close the pipe. A program that closes it has not got its report.
    let mut reports =
        Reports { reports: vec![file.report(output, args.text)?], may_close: args.format == Format::Text };
    runs.iter().flatten().for_each(|event| reports.event(event));
    reports.finish();
    reports.result().map(|()| 0)
}

/// Reads the events of a run from a report of either format. `level` replaces the level of the run.
pub(super) fn read_run(path: &Path, level: Option<GateLevel>) -> Result<Vec<Event>, Failure> {
    let name =
        if path == Path::new(STDIN) { "standard input".to_owned() } else { path.display().to_string() };
    let problem =
        |error: ReadError| Failure::from(error).within(format_args!("{name} is no report of a run: "));
    let read = if path == Path::new(STDIN) { files::read_stdin() } else { files::read(path) };
    let text = read.map_err(|error| Failure::caller(format!("{name} cannot be read: {error}")))?;
    // Some editors write this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut events = if events::begin(text) {
        events::read(text).map_err(problem)?
    } else {
        let mut events = json::read(text, &name, dnode_spec::clause::Level::Robust).map_err(problem)?;
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
    let event::Outcome { id, about, evidence, verdict, .. } = &mut **outcome;
    let Some(case) = cases.iter().find(|case| case.id() == *id) else { return };
    about.clone_from(&case.transcript.header.about);
    if *verdict != Verdict::Pass {
        evidence.transcript.clone_from(&case.text);
        evidence.repeat = format!("dnode-conform run TARGET --case {id}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnode_reports::event::Ended;
    use std::sync::Arc;

    /// A report on a full disk. It holds the file that it writes to.
    struct Unwritable(#[expect(dead_code, reason = "the test counts who holds it")] Arc<()>);

    impl Report for Unwritable {
        fn event(&mut self, _: &Event) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn finish(&mut self) -> io::Result<()> {
            panic!("nothing is written after an error")
        }
    }

    #[test]
    fn a_report_that_cannot_be_written_leaves_its_space_to_the_others_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let held = Arc::new(());
        let mut open = OpenReport {
            name: "r".to_owned(),
            report: Some(Box::new(Unwritable(Arc::clone(&held)))),
            output: Some(NewFile::open(&folder.path().join("r")).unwrap()),
            problem: None,
        };
        open.event(&Event::Ended(Ended::default()));
        assert_eq!((Arc::strong_count(&held), folder.path().read_dir().unwrap().count()), (1, 0));
        open.finish();
        assert_eq!(open.problem.map(|problem| problem.kind()), Some(io::ErrorKind::StorageFull));
    }
}
