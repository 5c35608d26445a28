//! `dnode-conform compare TARGET_A TARGET_B [FILE|DIR…]`

use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::selection::SelectionArgs;
use super::signal::on_signal;
use super::transcripts;
use super::values::{duration, ping};
use crate::cases::{Case, Selection, catalogue, level};
use crate::commands::compare::{Comparison, Difference, Standing, compare as compare_outcomes};
use crate::program::Target;
use crate::run::{Options, run};
use clap::Args;
use dnode_reports::diff::key;
use dnode_reports::escape::{terminal, terminal_cut};
use dnode_reports::event::{Event, Outcome, Run};
use dnode_spec::clause::{self, Level};
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed, session};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most differing cases that are run a second time.
const AGAIN: usize = 24;

/// How many characters of one value are shown.
const SHOWN_CHARS: usize = 400;

/// The arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub(super) struct CompareArgs {
    /// The first peer: an address as for `run`, exec:CMD, or the word reference
    ///
    /// exec:CMD starts the peer with a shell command, as `run --exec` does.
    #[arg(value_name = "TARGET_A")]
    a: String,
    /// The second peer, in the same form
    #[arg(value_name = "TARGET_B")]
    b: String,
    /// Transcripts, or folders of transcripts; without any, the catalogue
    #[arg(value_name = "FILE|DIR")]
    files: Vec<String>,
    #[command(flatten)]
    selected: SelectionArgs,
    /// Run N sessions generated from the model instead of the catalogue
    #[arg(long, value_name = "N", conflicts_with_all = ["cases", "skip", "files"], value_parser = clap::value_parser!(u64).range(1..=10_000))]
    generate: Option<u64>,
    /// Random seed of the generated sessions
    #[arg(long, value_name = "S", requires = "generate", default_value_t = 1)]
    seed: u64,
    /// A call that peers without the probe answer, for example 'add[1,2,"$cb"]'
    ///
    /// The form is METHOD[ARGUMENTS] with "$cb" as the callback.
    #[arg(long, value_name = "EXPR")]
    ping: Option<String>,
    /// How many cases run in parallel
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// How long a case may take, for example 500ms or 5s
    #[arg(long, value_name = "DUR", default_value = "2s", value_parser = duration)]
    deadline: Duration,
}

/// Runs the same cases against both peers and shows where they differ.
pub(super) async fn compare(args: CompareArgs) -> Result<u8, Failure> {
    let targets = [target(&args.a)?, target(&args.b)?];
    let cases = cases(&args)?;
    let interrupted = CancellationToken::new();
    let stop = interrupted.clone();
    on_signal(move || stop.cancel());
    let [a, b] = targets;
    let (options_a, options_b) = (options(&args, a, &interrupted)?, options(&args, b, &interrupted)?);
    let mut a = Side::run("A", options_a.clone(), cases.clone()).await?;
    let mut b = Side::run("B", options_b.clone(), cases.clone()).await?;
    // Run the differing cases again, with fewer in parallel. A difference that does not appear again
    // was chance. If many cases differ, it is not chance.
    let unequal = differing(&a, &b, cases)?;
    if !unequal.is_empty() && unequal.len() <= AGAIN {
        let ids: BTreeSet<String> = unequal.iter().map(|case| case.id().to_owned()).collect();
        let gently =
            |options: Options| Options { jobs: options.jobs.min(2), selection: Selection::all(), ..options };
        let again_a = Side::run("A", gently(options_a), unequal.clone()).await?;
        let again_b = Side::run("B", gently(options_b), unequal).await?;
        a.agree(&mut b, &again_a, &again_b, &ids);
    }
    let comparison = compare_outcomes(&a.outcomes, &b.outcomes)?;
    if !comparison.judges_something() {
        return Err(Failure::peer(format!("no case could judge either peer:\n{}{}", a.header(), b.header())));
    }
    output::print("the comparison", a.header() + &b.header() + &text(&comparison))?;
    Ok(u8::from(!comparison.differences.is_empty()))
}

/// Reads a target.
fn target(text: &str) -> Result<Target, Failure> {
    match text.strip_prefix("exec:") {
        Some(command) if command.trim().is_empty() => {
            Err(Failure::caller("exec: needs a command, for example 'exec:node server.js {port}'"))
        }
        Some(command) => Ok(Target::exec(command)),
        None if text == "reference" => Ok(Target::Reference(Dialect::default())),
        None => Target::parse(text)
            .map_err(|error| Failure::caller(format!("{error}; or write exec:CMD, or the word reference"))),
    }
}

fn cases(args: &CompareArgs) -> Result<Vec<Case>, Failure> {
    let named = args.selected.cases.iter().filter_map(|case| case.parse::<Seed>().ok());
    let numbered =
        (0..args.generate.unwrap_or(0)).map(|number| Seed { seed: args.seed, number, kind: Kind::Legal });
    let generated: Vec<Seed> = named.chain(numbered).collect();
    if !generated.is_empty() {
        let cases = generated.into_iter().map(|seed| Case::read(&session(seed)));
        return cases.collect::<Result<_, _>>().map_err(Failure::harness);
    }
    if args.files.is_empty() {
        return Ok(catalogue(Dialect::default())?);
    }
    let cases = transcripts::read(&args.files)?;
    match transcripts::speaking_for(true, &cases) {
        None => Ok(cases),
        Some(case) => Err(Failure::caller(format!(
            "{} is for a client peer (role server), but compare calls servers; run it with `replay --listen`",
            case.id()
        ))),
    }
}

/// The cases with different results.
fn differing(a: &Side, b: &Side, cases: Vec<Case>) -> Result<Vec<Case>, Failure> {
    let comparison = compare_outcomes(&a.outcomes, &b.outcomes)?;
    let ids: BTreeSet<&str> = comparison.differences.iter().map(|it| it.a.id.as_str()).collect();
    Ok(cases.into_iter().filter(|case| ids.contains(case.id())).collect())
}

fn options(args: &CompareArgs, target: Target, interrupted: &CancellationToken) -> Result<Options, Failure> {
    Ok(Options {
        selection: args.selected.selection()?,
        gate: Level::Observed.into(),
        ping: ping(args.ping.as_deref())?,
        jobs: args.jobs.into(),
        patience: args.deadline,
        shrink: false,
        interrupted: interrupted.clone(),
        ..Options::new(target)
    })
}

/// One of the two peers, and its outcomes.
struct Side {
    word: &'static str,
    run: Option<Run>,
    outcomes: Vec<Outcome>,
}

impl Side {
    async fn run(word: &'static str, options: Options, cases: Vec<Case>) -> Result<Side, Failure> {
        let mut side = Side { word, run: None, outcomes: Vec::new() };
        let mut progress = Progress::new(options.running.clone());
        let mut emit = |event| {
            progress.event(&event);
            match event {
                Event::Started(run) => side.run = Some(run),
                Event::Judged(outcome) => side.outcomes.push(*outcome),
                Event::Ended(_) => {}
            }
        };
        let ran = run(&options, cases, &mut emit).await;
        progress.finish();
        ran.map_err(|error| Failure::from(error).within(format_args!("{word}, {}: ", options.target)))?;
        if options.interrupted.is_cancelled() {
            return Err(Failure::caller(format!(
                "interrupted during the run of {word}, so there is nothing to compare"
            )));
        }
        Ok(side)
    }

    /// Replaces the outcomes of these cases by those of the second run, if the second run shows no
    /// difference.
    fn agree(&mut self, other: &mut Side, again: &Side, again_other: &Side, ids: &BTreeSet<String>) {
        let find = |side: &Side, id: &str| side.outcomes.iter().find(|it| it.id == id).cloned();
        let both = self.outcomes.iter_mut().zip(&mut other.outcomes);
        for (own, others) in both.filter(|(own, _)| ids.contains(&own.id)) {
            let (Some(a), Some(b)) = (find(again, &own.id), find(again_other, &own.id)) else { continue };
            if key(own) != key(others) && key(&a) == key(&b) {
                (*own, *others) = (a, b);
            }
        }
    }

    /// The name and the target of the peer, and the notes about it.
    fn header(&self) -> String {
        let Some(run) = &self.run else { return String::new() };
        let name = run.peer.as_deref().unwrap_or("unnamed");
        let mut out =
            format!("{}  {}, at {}\n", self.word, terminal_cut(name, SHOWN_CHARS, 0), terminal(&run.target));
        for note in &run.notes {
            let _ = writeln!(out, "   note: {}", terminal(note));
        }
        out
    }
}

/// The differences and the summary.
fn text(comparison: &Comparison<'_>) -> String {
    let mut out = String::new();
    for Difference { a, b } in &comparison.differences {
        let _ = writeln!(out, "\n{}", terminal(&a.id));
        for (word, outcome) in [("A", a), ("B", b)] {
            write_outcome(&mut out, word, outcome);
        }
    }
    let _ = writeln!(out, "\n{comparison}");
    out
}

/// Writes the outcome of one peer, and its standing.
fn write_outcome(out: &mut String, word: &str, outcome: &Outcome) {
    let _ = match Standing::of(outcome) {
        Standing::Conforms => writeln!(out, "  {word}  {}: conforms", outcome.verdict),
        Standing::Unjudged(reason) => writeln!(out, "  {word}  {}: {}", outcome.verdict, terminal(reason)),
        Standing::Breaks(id) => {
            let sentence = clause::find(id).map_or("", |clause| clause.text);
            writeln!(out, "  {word}  {}: breaks {} ({})", outcome.verdict, terminal(id), level(id))
                .and_then(|()| writeln!(out, "       {sentence}"))
        }
    };
    let Some(divergence) = &outcome.divergence else { return };
    let place = [&divergence.step, &divergence.path].map(terminal);
    let place = place.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "       at        {place}");
    for (what, value) in [("expected", &divergence.expected), ("got", &divergence.actual)] {
        let _ = writeln!(out, "       {what:9} {}", terminal_cut(value, SHOWN_CHARS, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_a_command_or_the_reference_peer() {
        assert_eq!(target("exec:node x.js {port}").unwrap().to_string(), "node x.js {port}");
        assert!(matches!(target("localhost:5050"), Ok(Target::Address(..))));
        assert!(matches!(target("reference"), Ok(Target::Reference(_))));
        for bad in ["exec:", "exec: ", "localhost", ""] {
            assert!(target(bad).unwrap_err().to_string().starts_with("error: "), "{bad}");
        }
    }
}
