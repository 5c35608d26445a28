//! `dnode-conform fuzz [TARGET]`

use super::failure::{COULD_NOT_RUN, Failure};
use super::output;
use super::reach::ServerArgs;
use super::report::STANDARD_OUTPUT;
use super::screen;
use super::signal::on_signal_or_end;
use super::values::{GateLevel, duration, machine_file, random_seed};
use crate::campaign::{CampaignOptions, Coverage, Finding, Identity, Notice, Status, campaign};
use crate::program::Target;
use clap::Args;
use dnode_reports::count;
use dnode_reports::escape::{self, terminal, terminal_cut};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How many characters of the peer's texts are shown.
const SHOWN_CHARS: usize = 160;
/// How many characters of the transcript of a finding are shown that could not be written.
const TRANSCRIPT_CHARS: usize = 64 << 10;

/// The arguments of `fuzz`.
#[derive(Debug, Args)]
pub(super) struct FuzzArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// How long to fuzz, for example 30s or 2h; this includes confirming and shrinking the findings
    ///
    /// What is unfinished then is announced. The next campaign in the same folder continues there.
    #[arg(long, value_name = "DUR", default_value = "5m", value_parser = time)]
    time: Duration,
    /// Random seed; without it, the program chooses one and prints it
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many sessions run in parallel, each with its own peer process
    ///
    /// With an address, it is always one.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Do the K-th of N shares of the work, for example 2/8
    #[arg(long, value_name = "K/N", default_value = "1/1", value_parser = shard)]
    shard: (u64, u64),
    /// How long to wait for an answer before its absence is investigated
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    deadline: Duration,
    /// The weakest level whose violations are findings
    #[arg(long, value_enum, default_value = "robust", help_heading = "Findings")]
    level: GateLevel,
    /// Stop at the first finding that fails the campaign
    #[arg(long, help_heading = "Findings")]
    fail_fast: bool,
    /// Start sessions from the states of this machine, which learn --report json=FILE wrote
    ///
    /// Without it, from the states of the reference peer.
    #[arg(long, value_name = "FILE")]
    machine: Option<PathBuf>,
    /// Write each finding to its own folder in here
    ///
    /// Findings that are already in here are not reported again.
    #[arg(long, value_name = "DIR", default_value = "findings", help_heading = "Findings")]
    findings: PathBuf,
    /// Read transcripts from this folder, and write interesting inputs to it
    ///
    /// A later campaign continues from there.
    #[arg(long, value_name = "DIR", help_heading = "Findings")]
    corpus: Option<PathBuf>,
}

fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time >= Duration::from_secs(1) => Ok(time),
        Ok(_) => Err("the time must be at least 1s".to_owned()),
        Err(_) => Err("write a number and its unit, for example 30s or 2h".to_owned()),
    }
}

/// Reads `K/N`; returns `(K - 1, N)`.
fn shard(text: &str) -> Result<(u64, u64), String> {
    let numbers =
        text.split_once('/').and_then(|(k, n)| Some((k.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    match numbers {
        Some((k, n)) if (1..=n).contains(&k) && n <= 10_000 => Ok((k - 1, n)),
        _ => Err("write K/N with K from 1 to N, for example 2/8".to_owned()),
    }
}

/// Fuzzes a peer.
pub(super) async fn fuzz(args: FuzzArgs) -> Result<u8, Failure> {
    let target = args.server.target()?;
    let interrupted = CancellationToken::new();
    let seed = args.seed.unwrap_or_else(random_seed);
    let options = CampaignOptions {
        ping: args.server.ping()?,
        time: args.time,
        seed,
        shard: args.shard,
        jobs: args.jobs.into(),
        machine: args.machine.as_deref().map(machine_file).transpose()?.map(|file| file.machine),
        corpus: args.corpus.clone(),
        findings: args.findings.clone(),
        gate: args.level.into(),
        patience: args.deadline,
        fail_fast: args.fail_fast,
        command: args.server.command(&target),
        interrupted: interrupted.clone(),
        target,
    };
    let mut display = Display::new(&options.target, seed, args.time);
    let bar = display.bar.clone();
    on_signal_or_end(move || interrupted.cancel(), move || bar.finish_and_clear());
    let ended = campaign(options, &mut |notice| display.notice(notice)).await;
    display.bar.finish_and_clear();
    let status = ended?;
    display.print(&summary(&status, &args.findings, &display.elusive));
    display.printed.map(|()| exit_status(&status))
}

/// A campaign whose results are not complete has no verdict.
fn exit_status(status: &Status) -> u8 {
    if status.unwritten { COULD_NOT_RUN } else { u8::from(status.failing > 0) }
}

/// Shows the findings and the summary, and a line of progress on a terminal.
struct Display {
    bar: ProgressBar,
    seed: u64,
    time: Duration,
    target: String,
    /// What was seen once and not reproduced.
    elusive: BTreeMap<Identity, String>,
    /// The first problem with the standard output. It does not end the campaign.
    printed: Result<(), Failure>,
}

impl Display {
    fn new(target: &Target, seed: u64, time: Duration) -> Display {
        let bar = ProgressBar::with_draw_target(None, screen::of_stderr());
        let style = ProgressStyle::with_template("{spinner} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message("starting the peer");
        Display { bar, seed, time, target: target.to_string(), elusive: BTreeMap::new(), printed: Ok(()) }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Started { peer, notes, known, unfinished } => {
                let mut out = format!("dnode-conform {} fuzz\n", env!("CARGO_PKG_VERSION"));
                let name =
                    peer.map_or_else(|| "unnamed".to_owned(), |name| terminal_cut(name, SHOWN_CHARS, 0));
                let _ = writeln!(out, "  peer        {name}\n  target      {}", terminal(&self.target));
                let _ = writeln!(out, "  seed        {}", self.seed);
                let time = humantime::format_duration(self.time);
                let _ = writeln!(out, "  time        {time}");
                notes.iter().for_each(|note| {
                    let _ = writeln!(out, "  note        {}", terminal(note));
                });
                if known > 0 {
                    let _ = writeln!(out, "  known       {} of earlier campaigns", count(known, "finding"));
                }
                if unfinished > 0 {
                    let these = count(unfinished, "session");
                    let _ =
                        writeln!(out, "  continues   {these} of earlier campaigns, to confirm and shrink");
                }
                self.print(&out);
            }
            Notice::Found(finding, folder) => {
                let word = match (finding.is_reproduced(), finding.fails()) {
                    (false, _) => "once ",
                    (true, true) => "FOUND",
                    (true, false) => "warns",
                };
                let text = found(word, &finding, folder.as_deref());
                if finding.is_reproduced() {
                    self.elusive.remove(&finding.identity);
                    self.print(&text);
                } else {
                    self.elusive.insert(finding.identity, text);
                }
            }
            Notice::Shrunk(finding, folder) => self.print(&found("shrunk", &finding, folder.as_deref())),
            Notice::Unwritten(error) => self.bar.suspend(|| output::warn_of(&error.into())),
            Notice::Tick(status) => {
                self.bar.set_message(self.progress(&status));
                self.bar.tick();
            }
        }
    }

    fn progress(&self, status: &Status) -> String {
        let left = self.time.saturating_sub(status.elapsed).as_secs();
        let findings = count(status.failing + status.warning, "finding");
        format!("{}, {findings}, {left} s left", coverage(status))
    }

    fn print(&mut self, text: &str) {
        let printed = self.bar.suspend(|| output::print(STANDARD_OUTPUT, text));
        if self.printed.is_ok() {
            self.printed = printed;
        }
    }
}

/// A finding, and its folder. Without one, its transcript, which would be lost.
fn found(word: &str, finding: &Finding, folder: Option<&Path>) -> String {
    let identity = &finding.identity;
    let label = if finding.is_reproduced() { finding.label() } else { String::new() };
    let place = match folder {
        Some(folder) => terminal(folder.to_string_lossy().as_bytes()),
        None => {
            let transcript = escape::json(finding.transcript.trim_end());
            format!("not written; its transcript:\n{}", escape::cut(&transcript, TRANSCRIPT_CHARS))
        }
    };
    format!(
        "{word}  {} {}: {}{label}, in session {} from {}, after {:.1} s\n       {place}\n",
        identity.oracle.word(),
        terminal(&identity.clause),
        terminal_cut(&identity.what, SHOWN_CHARS, 0),
        finding.sessions,
        finding.source,
        finding.after as f64 / 1000.0,
    )
}

/// The number of sessions, and how much of the model they covered.
fn coverage(status: &Status) -> String {
    let per_second = status.sessions as f64 / status.elapsed.as_secs_f64().max(0.001);
    let Coverage { states, transitions, tuples } = status.coverage;
    format!(
        "{} sessions ({per_second:.0}/s), {} of {} states and {} of {} transitions of the model, {tuples} steps seen, corpus {}",
        status.sessions, states.0, states.1, transitions.0, transitions.1, status.corpus
    )
}

fn summary(status: &Status, findings: &Path, elusive: &BTreeMap<Identity, String>) -> String {
    let mut out = String::new();
    if !elusive.is_empty() {
        let _ = writeln!(out, "\nseen once, not reproduced (this does not fail the campaign):");
        elusive.values().for_each(|text| out.push_str(text));
    }
    let _ = writeln!(out, "\n{}", coverage(status));
    status.unreached.iter().for_each(|row| {
        let _ = writeln!(out, "not reached: {row}");
    });
    if status.interrupted {
        let _ = writeln!(out, "interrupted after {:.0} s", status.elapsed.as_secs_f64());
    }
    let left = [(status.unexamined, "suspicion", "examined"), (status.unshrunk, "finding", "shrunk")];
    // What could not be written is not there for the next command.
    let goes_on = if status.unwritten { "" } else { "; the same command continues" };
    for (number, word, done) in left.into_iter().filter(|(number, ..)| *number > 0) {
        let are = if number == 1 { "is" } else { "are" };
        let _ = writeln!(out, "{} {are} not {done} yet{goes_on}", count(number, word));
    }
    let exit = exit_status(status);
    let incomplete = if status.unwritten { "; not everything could be written" } else { "" };
    let _ = match (status.failing, status.warning) {
        (0, 0) => writeln!(out, "exit {exit}: no finding{incomplete}"),
        (failing, warning) => writeln!(
            out,
            "exit {exit}: {} that {}, {warning} that {}, in {}{incomplete}",
            count(failing, "finding"),
            if failing == 1 { "fails" } else { "fail" },
            if warning == 1 { "warns" } else { "warn" },
            terminal(findings.to_string_lossy().as_bytes())
        ),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_has_plurals_and_says_what_is_left() {
        let (unexamined, unshrunk) = (1, 2);
        let status =
            Status { failing: 1, warning: 2, unexamined, unshrunk, interrupted: true, ..Status::default() };
        let text =
            summary(&status, Path::new("f"), &[(Identity::sample(), "once  died\n".to_owned())].into());
        for line in [
            "seen once, not reproduced (this does not fail the campaign):\nonce  died\n",
            "interrupted after 0 s\n",
            "1 suspicion is not examined yet; the same command continues\n",
            "2 findings are not shrunk yet; the same command continues\n",
            "exit 1: 1 finding that fails, 2 that warn, in f\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let unwritten = Status { unshrunk, unwritten: true, ..Status::default() };
        let text = summary(&unwritten, Path::new("f"), &BTreeMap::new());
        assert!(text.contains("2 findings are not shrunk yet\n"), "{text}");
    }

    #[test]
    fn a_time_without_a_unit_gets_one_example() {
        assert_eq!(time("5").unwrap_err(), "write a number and its unit, for example 30s or 2h");
        assert_eq!(time("5s"), Ok(Duration::from_secs(5)));
    }

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!(shard("2/8"), Ok((1, 8)));
        for bad in ["0/8", "9/8", "1", "x/2", "1/0"] {
            assert!(shard(bad).is_err(), "{bad}");
        }
    }
}
