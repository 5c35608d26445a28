//! `dnode-conform explain ID`

use super::failure::Failure;
use super::list::{Row, rows};
use super::output;
use crate::cases::all;
use crate::nearest::did_you_mean;
use crate::reference::fault;
use clap::Args;
use dnode_reports::evidence::{self, Caught};
use dnode_spec::clause::{self, Clause, Judge};
use dnode_spec::generate::session;
use std::fmt::Write as _;

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The id of a case, a clause, or a fault of the reference peer. For a generated session, for
    /// example generated/1-17, this prints its transcript
    #[arg(value_name = "ID")]
    id: String,
}

/// Explains a case, a clause or a fault.
pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let rows = rows()?;
    let mut out = String::new();
    if let Some(clause) = clause::find(&args.id) {
        explain_clause(&mut out, clause, &rows);
    }
    if let Some(row) = rows.iter().find(|row| row.id == args.id) {
        if !out.is_empty() {
            out.push('\n');
        }
        explain_case(&mut out, row)?;
    }
    if let Some(fault) = fault::find(&args.id) {
        explain_fault(&mut out, fault)?;
    }
    if let Ok(seed) = args.id.parse() {
        out = session(seed);
    }
    if out.is_empty() {
        let cases = rows.iter().map(|row| row.id.as_str());
        let clauses = clause::CLAUSES.iter().map(|clause| clause.id);
        let names = cases.chain(clauses).chain(fault::all().map(|fault| fault.name));
        let near = did_you_mean(&args.id, names);
        return Err(Failure::caller(format!(
            "{:?} is neither a case (see `dnode-conform list`), nor a clause (see spec/CLAUSES.md), nor a fault \
                         (see `dnode-conform serve --list-faults`){near}",
            args.id
        )));
    }
    output::print("the explanation", out)?;
    Ok(0)
}

fn explain_clause(out: &mut String, clause: &Clause, rows: &[Row]) {
    let _ = writeln!(out, "clause {} ({})\n  {}\n", clause.id, clause.level, clause.text);
    let judge = match clause.judge {
        Judge::Monitor => "the monitor, on every line of the run".to_owned(),
        Judge::Case => "cases".to_owned(),
        Judge::Interop => "sessions of two implementations: dnode-conform interop".to_owned(),
        Judge::NotTestable(reason) => format!("nothing: {reason}"),
    };
    let _ = writeln!(out, "  source    {}\n  judged by {judge}", clause.source);
    if let Some(dialect) = clause.dialect {
        let _ = writeln!(out, "  dialect   {dialect} only");
    }
    if !clause.hint.is_empty() {
        let _ = writeln!(out, "  hint      {}", clause.hint);
    }
    let tests = |row: &&Row| row.clauses.iter().any(|tested| tested == clause.id);
    list(out, "cases", rows.iter().filter(tests).map(|row| format!("{}  {}", row.id, row.about)));
    let breaks = fault::all().filter(|fault| fault.clause == clause.id);
    list(out, "faults that break it", breaks.map(|fault| format!("{}  {}", fault.name, fault.about)));
}

fn explain_case(out: &mut String, row: &Row) -> Result<(), Failure> {
    let _ = writeln!(out, "case {} ({}, since {})\n  {}", row.id, row.level, row.since, row.about);
    let clauses = row.clauses.iter().filter_map(|id| clause::find(id));
    list(
        out,
        "clauses",
        clauses.map(|it| format!("{} ({})  {} Source: {}.", it.id, it.level, it.text, it.source)),
    );
    list(out, "probe methods that it needs", row.needs.iter().cloned());
    let matrix = matrix()?;
    let caught = matrix.iter().filter(|caught| caught.caught_by.contains(&row.id));
    let caught = caught.filter_map(|caught| fault::find(&caught.fault));
    list(out, "faults that it catches", caught.map(|it| format!("{}  {}", it.name, it.about)));
    let cases = all()?;
    let case = cases.iter().find(|case| case.id() == row.id);
    list(out, "transcript", case.into_iter().flat_map(|case| case.text.lines().map(str::to_owned)));
    let target = if case.is_some_and(|case| case.transcript.header.server) {
        "--pull --listen ADDR"
    } else {
        "TARGET"
    };
    let _ = writeln!(out, "\n  run it\n    dnode-conform run {target} --case {}", row.id);
    Ok(())
}

fn explain_fault(out: &mut String, fault: &fault::Fault) -> Result<(), Failure> {
    let _ = writeln!(out, "fault {} of the reference peer\n  {}", fault.name, fault.about);
    let _ = writeln!(out, "\n  breaks    {}", fault.clause);
    let row = matrix()?.into_iter().find(|row| row.fault == fault.name);
    list(out, "caught by", row.into_iter().flat_map(|row| row.caught_by));
    let _ = writeln!(out, "\n  serve it\n    dnode-conform serve --fault {}", fault.name);
    Ok(())
}

fn matrix() -> Result<Vec<Caught>, Failure> {
    evidence::matrix().map_err(|error| Failure::harness(format!("reports/evidence/matrix.json: {error}")))
}

/// Writes a heading and its lines; nothing if there are no lines.
fn list(out: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        let _ = writeln!(out, "\n  {heading}");
    }
    lines.for_each(|line| {
        let _ = writeln!(out, "    {line}");
    });
}
