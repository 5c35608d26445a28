//! `run --failed[=RUN]`: what failed in an earlier run.

use super::failure::Failure;
use super::last_run;
use super::output;
use super::report::read_run;
use super::values::GateLevel;
use crate::cases::{Case, PROBE_COMPLETE, Selection};
use clap::Args;
use dnode_reports::event::{Event, Outcome, Verdict, outcomes};
use dnode_spec::clause::Level;
use dnode_spec::generate::Seed;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The argument `--failed`.
#[derive(Debug, Clone, Args)]
pub(super) struct FailedArgs {
    /// Run only what failed in the last run here, or in the report RUN
    ///
    /// RUN is a report in the format json or events. Without it, this is the last `run` in the same
    /// folder that was not of a single case; .dnode-conform/last-run.jsonl is the last one of all
    /// cases. Failures below --level and known ones do not count.
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = last_run::FOLDER,
        conflicts_with_all = ["cases", "generate", "pull", "update"],
        help_heading = "Selection"
    )]
    failed: Option<PathBuf>,
}

/// What to run again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// No case failed.
    Nothing,
    /// These cases.
    Cases(Vec<String>),
    /// These generated sessions.
    Sessions(Vec<Seed>),
    /// All cases, because this one failed, which is judged over all of them.
    All(String),
}

impl FailedArgs {
    /// The cases that failed, and the name of the run in which they did, if `--failed` is given.
    pub(super) fn again(&self, level: GateLevel, cases: &[Case]) -> Result<Option<(Again, String)>, Failure> {
        let Some(path) = &self.failed else { return Ok(None) };
        let (path, name) = match path.as_path() == Path::new(last_run::FOLDER) {
            true => {
                let last = last_run::last("name a report with --failed=RUN")?;
                (last.file(), last.name().to_owned())
            }
            false => (path.clone(), path.display().to_string()),
        };
        let events = read_run(&path, None)?;
        let failed = failed(&events, level.into());
        let ids: BTreeSet<&str> = cases.iter().map(Case::id).collect();
        let (again, gone) = again(&failed, &ids);
        for id in gone {
            output::warn(format_args!("note: {id} failed in {name}, but there is no such case now"));
        }
        match again {
            Again::Cases(cases) if cases.is_empty() => {
                Err(Failure::caller(format!("no case that failed in {name} can be run now")))
            }
            again => Ok(Some((again, name))),
        }
    }
}

impl Again {
    /// The line that says what is run, because it failed in the run of this name.
    pub(super) fn describe(&self, name: &str) -> String {
        let counted = |count| dnode_reports::count(count, "case");
        match self {
            Again::Nothing => format!("nothing failed in {name}, so there is nothing to run"),
            Again::Cases(cases) => format!("failed in {name}: {}", counted(cases.len())),
            Again::Sessions(seeds) => format!("failed in {name}: {}", counted(seeds.len())),
            Again::All(id) => {
                format!("failed in {name}: {id}, which is judged over all cases, so all are run")
            }
        }
    }
}

/// The selection of these cases, without those that the user skips.
pub(super) fn selection(cases: &[String], skip: &[String]) -> Result<Selection, Failure> {
    let escaped: Vec<String> = cases.iter().map(|id| globset::escape(id)).collect();
    Ok(Selection::new(&escaped)?.without(skip)?)
}

/// The outcomes that make a run fail at this level, and those of cases that the suite itself failed.
fn failed(events: &[Event], level: Level) -> Vec<&Outcome> {
    outcomes(events).filter(|it| fails(it, level)).collect()
}

fn fails(outcome: &Outcome, level: Level) -> bool {
    outcome.gates(level) || outcome.verdict == Verdict::HarnessError
}

/// What to run again after these outcomes.
pub(super) fn again_of(outcomes: &[Outcome], level: Level, known: &BTreeSet<&str>) -> Again {
    again(&outcomes.iter().filter(|it| fails(it, level)).collect::<Vec<_>>(), known).0
}

/// What to run again, and the cases that are gone.
fn again(failed: &[&Outcome], known: &BTreeSet<&str>) -> (Again, Vec<String>) {
    let sessions: Vec<Seed> = failed.iter().filter_map(|outcome| outcome.id.parse().ok()).collect();
    if !sessions.is_empty() {
        // What fails beside them rests on the preflight, which runs too.
        return (Again::Sessions(sessions), Vec::new());
    }
    let (mut cases, mut gone) = (BTreeSet::new(), Vec::new());
    for outcome in failed {
        let id = outcome.id.as_str();
        if known.contains(id) || id == PROBE_COMPLETE {
            cases.insert(id.to_owned());
        } else if !id.starts_with("always/") {
            gone.push(id.to_owned());
        } else if let Some(shown) = shown_by(outcome).filter(|case| known.contains(case.as_str())) {
            cases.insert(shown);
        } else {
            return (Again::All(id.to_owned()), gone);
        }
    }
    match failed.is_empty() {
        true => (Again::Nothing, gone),
        false => (Again::Cases(cases.into_iter().collect()), gone),
    }
}

/// The case whose lines showed this finding of the monitor, if the report has it.
fn shown_by(outcome: &Outcome) -> Option<String> {
    Case::read(&outcome.evidence.transcript).ok().map(|case| case.id().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::catalogue;
    use crate::verdict::outcome::without_run;
    use dnode_spec::dialect::Dialect;

    fn of(verdict: Verdict, id: &str) -> Outcome {
        let case = catalogue(Dialect::default()).unwrap().swap_remove(0);
        Outcome { id: id.to_owned(), level: Level::Should, ..without_run(&case, verdict, None) }
    }

    fn rerun(outcomes: &[Outcome], level: Level) -> (Again, Vec<String>) {
        let events: Vec<Event> = outcomes.iter().cloned().map(|it| Event::Judged(Box::new(it))).collect();
        again(&failed(&events, level), &BTreeSet::from(["a/fails", "a/hangs", "a/other", "a/passes"]))
    }

    #[test]
    fn the_cases_that_failed_run_again() {
        let outcomes = [
            of(Verdict::Fail, "a/fails"),
            of(Verdict::Hang, "a/hangs"),
            of(Verdict::Pass, "a/passes"),
            of(Verdict::Inconclusive, "a/other"),
            of(Verdict::Fail, "a/gone"),
            Outcome { excuse: Some("known".to_owned()), ..of(Verdict::Crash, "a/other") },
        ];
        let ids = |ids: &[&str]| Again::Cases(ids.iter().map(|id| (*id).to_owned()).collect());
        let gone = vec!["a/gone".to_owned()];
        assert_eq!(rerun(&outcomes, Level::Robust), (ids(&["a/fails", "a/hangs"]), gone));
        assert_eq!(rerun(&outcomes, Level::Must), (ids(&["a/hangs"]), vec![]), "below the level");
        assert_eq!(rerun(&outcomes[2..4], Level::Robust), (Again::Nothing, vec![]));
        let sessions = [of(Verdict::Fail, "generated/1-17"), of(Verdict::Fail, "a/fails")];
        let seed = "generated/1-17".parse().unwrap();
        assert_eq!(rerun(&sessions, Level::Robust).0, Again::Sessions(vec![seed]));
    }

    #[test]
    fn a_finding_over_the_run_brings_back_its_case_or_all_cases() {
        let known = catalogue(Dialect::default()).unwrap();
        let ids: BTreeSet<&str> = known.iter().map(Case::id).collect();
        let mut finding = of(Verdict::Fail, "always/framing-json");
        assert_eq!(again(&[&finding], &ids).0, Again::All("always/framing-json".to_owned()));
        finding.evidence.transcript.clone_from(&known[0].text);
        assert_eq!(again(&[&finding], &ids).0, Again::Cases(vec![known[0].id().to_owned()]));
    }
}
