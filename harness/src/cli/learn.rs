//! `dnode-conform learn [TARGET]`

use super::failure::{COULD_NOT_RUN, Failure};
use super::output;
use super::reach::ServerArgs;
use super::report::{STANDARD_OUTPUT, on_stdout, open_outputs, report_path, unwritable};
use super::screen;
use super::signal::on_signal_or_end;
use super::values::{GateLevel, duration, limit, machine_file};
use crate::files::{self, NewFile};
use crate::learn::{LearnOptions, Notice, Progress, ask, learn as learn_machine};
use clap::Args;
use dnode_reports::count;
use dnode_reports::escape::terminal;
use dnode_reports::machine::{Learned, MachineFormat, Unrendered, Verdict};
use dnode_reports::text::Options;
use dnode_spec::machine::File;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long to learn and to test by default.
const TIME: Duration = Duration::from_secs(300);

/// The arguments of `learn`.
#[derive(Debug, Args)]
pub(super) struct LearnArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// How long to wait for an answer
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    deadline: Duration,
    /// How many connections to use at once, each to a peer process of its own with --exec
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Find every wrong machine that has up to N states more than the learned one
    ///
    /// The number of test words grows with the number of inputs to the power of N.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4), help_heading = "Test of the machine")]
    depth: u8,
    /// How many random words test the machine
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Test of the machine")]
    words: u32,
    /// How long to learn and to test, for example 30s or 1h; without it, 5m, and any time with --ask
    #[arg(long, value_name = "DUR", value_parser = limit, help_heading = "Test of the machine")]
    time: Option<Duration>,
    /// The most states; a peer that has more is compared without a machine
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Test of the machine")]
    states: u16,
    /// The seed of the random words
    #[arg(long, value_name = "S", default_value_t = 1, help_heading = "Test of the machine")]
    seed: u64,
    /// Continue an interrupted run with the answers in --answers
    #[arg(long)]
    resume: bool,
    /// The file that keeps the answers until the machine is learned
    #[arg(long, value_name = "FILE", default_value = ".dnode-conform/answers.jsonl")]
    answers: PathBuf,
    /// Compare with the machine in this file, which --report json=FILE wrote, or with the reference
    #[arg(long, value_name = "FILE", default_value = "reference")]
    against: PathBuf,
    /// Answer words from standard input instead, for other learners
    ///
    /// A line is a word: inputs with spaces between them. Each answer is a line of JSON, a list of
    /// outputs up to the end of the connection.
    #[arg(long, conflicts_with_all = ["resume", "report"])]
    ask: bool,
    /// Write a report, for example svg=machine.svg; repeatable
    ///
    /// FORMAT is text, json, markdown, dot, mermaid, svg or html. PATH - is standard output. Text goes
    /// to standard output by default.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = report, help_heading = "Reports")]
    report: Vec<MachineReport>,
    /// The weakest level whose violations fail the command; crashes and hangs always fail it
    #[arg(long, value_enum, default_value = "robust")]
    level: GateLevel,
}

/// Learns the machine of a peer.
pub(super) async fn learn(args: LearnArgs) -> Result<u8, Failure> {
    let outputs = open_outputs(args.report.iter().map(|report| &report.path))?;
    let target = args.server.target()?;
    let interrupted = CancellationToken::new();
    let options = LearnOptions {
        ping: args.server.ping()?,
        patience: args.deadline,
        jobs: args.jobs.into(),
        depth: args.depth.into(),
        words: args.words as usize,
        states: args.states.into(),
        time: args.time.unwrap_or(TIME),
        seed: args.seed,
        gate: args.level.into(),
        store: args.answers.clone(),
        resume: args.resume,
        against: against(&args.against)?,
        command: args.server.command(&target),
        interrupted: interrupted.clone(),
        target,
    };
    if args.ask {
        return answer(&options, args.time).await.map(|()| 0);
    }
    let bar = ProgressBar::with_draw_target(None, screen::of_stderr());
    let style = ProgressStyle::with_template("{spinner} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message("starting the peer");
    let shown = bar.clone();
    on_signal_or_end(move || interrupted.cancel(), move || shown.finish_and_clear());
    let learned = learn_machine(&options, &mut |notice| notify(&bar, notice)).await;
    bar.finish_and_clear();
    let mut learned = learned?;
    keep(&mut learned, &options);
    write(&args.report, outputs, &learned)?;
    let is_unclear = learned.differences.iter().any(|it| matches!(it.verdict, Verdict::Unclear { .. }));
    Ok(match learned.machine {
        _ if learned.fails() => 1,
        Some(_) if !is_unclear => 0,
        _ => COULD_NOT_RUN,
    })
}

/// Answers the words on standard input until its end, or until the time is over.
async fn answer(options: &LearnOptions, time: Option<Duration>) -> Result<(), Failure> {
    let (sender, words) = mpsc::channel(1);
    // Reading cannot be cancelled. This thread ends with us.
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.map_while(|word| sender.blocking_send(word).ok()).for_each(drop);
    });
    let answers = ask(options, words, |outputs| {
        let line = serde_json::to_string(&outputs).map_err(Failure::harness)?;
        output::say(line)
    });
    let Some(time) = time else { return answers.await };
    tokio::time::timeout(time, answers).await.unwrap_or_else(|_| {
        output::warn("note: --time elapsed, so no more words are answered");
        Ok(())
    })
}

/// A report to write.
#[derive(Debug, Clone)]
struct MachineReport {
    format: MachineFormat,
    /// `None` is standard output.
    path: Option<PathBuf>,
}

/// Reads `FORMAT=PATH`.
fn report(text: &str) -> Result<MachineReport, String> {
    let (word, path) = text.split_once('=').unwrap_or((text, ""));
    let format: MachineFormat =
        word.parse().map_err(|error| format!("write FORMAT=PATH, for example svg=machine.svg; {error}"))?;
    Ok(MachineReport { format, path: report_path(word, path)? })
}

/// Writes the transcript of each difference to a file beside the answers, so that one command
/// repeats it. If that fails, the transcripts are still in the reports.
fn keep(learned: &mut Learned, options: &LearnOptions) {
    let folder = options.store.parent().unwrap_or(Path::new("")).join("differences");
    // Those of an earlier run have other numbers.
    let _ = std::fs::remove_dir_all(&folder);
    if learned.differences.is_empty() {
        return;
    }
    let created = std::fs::create_dir_all(&folder);
    for (number, difference) in (1..).zip(&mut learned.differences) {
        let path = folder.join(format!("{number}.jsonl"));
        let written = created.is_ok() && files::replace(&path, &difference.transcript).is_ok();
        difference.repeat = written.then(|| options.command.replay(&path.display().to_string()));
    }
}

/// Writes the reports. Standard output gets the text first, unless another format is written there.
fn write(reports: &[MachineReport], outputs: Vec<Option<NewFile>>, learned: &Learned) -> Result<(), Failure> {
    let mut failures = Vec::new();
    if reports.iter().all(|report| report.path.is_some()) {
        let text = MachineFormat::Text.render(learned, on_stdout(false, false));
        failures.extend(output::print(STANDARD_OUTPUT, text.unwrap_or_else(|error| error.to_string())).err());
    }
    for (MachineReport { format, path }, output) in reports.iter().zip(outputs) {
        let name =
            path.as_ref().map_or_else(|| STANDARD_OUTPUT.to_owned(), |path| path.display().to_string());
        let written = match format.render(learned, Options::default()) {
            Ok(text) => match output {
                Some(output) => output.write(text).map_err(|error| unwritable(&name, &error)),
                None => output::print(&name, text),
            },
            Err(error @ Unrendered::NoMachine(_)) => {
                output::warn(format_args!("note: {name} is not written: {error}"));
                continue;
            }
            Err(error) => Err(unwritable(&name, &error)),
        };
        failures.extend(written.err());
    }
    failures.into_iter().reduce(Failure::and).map_or(Ok(()), Err)
}

/// Reads the machine to compare with; `None` for that of the reference peer.
fn against(path: &Path) -> Result<Option<File>, Failure> {
    match path.as_os_str() == "reference" {
        true => Ok(None),
        false => machine_file(path).map(Some),
    }
}

fn notify(bar: &ProgressBar, notice: Notice) {
    match notice {
        Notice::Started { notes, resumed, .. } => {
            notes
                .iter()
                .for_each(|note| bar.suspend(|| output::warn(format_args!("note: {}", terminal(note)))));
            if resumed > 0 {
                bar.suspend(|| {
                    output::warn(format_args!("note: continues with {}", count(resumed, "answer")))
                });
            }
        }
        Notice::Tick(Progress { states, queries, tests }) => {
            let doing = if tests { "testing" } else { "learning" };
            let states = count(states, "state");
            bar.set_message(format!("{doing}: {states}, {} asked", count(queries as usize, "word")));
            bar.tick();
        }
    }
}
