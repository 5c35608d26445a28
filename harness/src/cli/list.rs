//! `dnode-conform list`

use super::failure::Failure;
use crate::cases::{Case, OverTheRun, Selection, all, over_the_run};
use clap::{Args, ValueEnum};
use dnode_spec::dialect::Dialect;
use std::io::{self, Write};

/// The arguments of `list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only the cases whose id matches, for example 'callback/*'; may be given several times
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,
    /// How to write it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// A case as it is listed.
#[derive(serde::Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) level: &'static str,
    pub(super) since: String,
    pub(super) clauses: Vec<String>,
    pub(super) needs: Vec<String>,
    pub(super) hostile: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dialect: Option<&'static str>,
    pub(super) about: String,
}

/// Lists the cases.
pub(super) fn list(args: &ListArgs) -> Result<u8, Failure> {
    let selection = Selection::new(&args.cases).map_err(|error| Failure::caller(format!("{error}")))?;
    let mut rows = rows()?;
    rows.retain(|row| selection.takes(&row.id));
    if rows.is_empty() {
        return Err(Failure::caller("no case has such an id"));
    }
    match write(&rows, args.format) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::caller(format!("the list cannot be written: {error}")))
        }
        _ => Ok(0),
    }
}

/// All cases by id: those of the transcripts, for `--pull` too, of the monitor and of the probe.
pub(super) fn rows() -> Result<Vec<Row>, Failure> {
    let cases = all().map_err(|error| Failure::harness(format!("{error}")))?;
    let mut rows: Vec<Row> = cases.iter().map(row).collect();
    rows.extend(over_the_run().map(without_transcript));
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(rows)
}

/// A case without a transcript.
fn without_transcript(case: OverTheRun) -> Row {
    let OverTheRun { id, clause, about, since } = case;
    Row {
        id,
        level: clause.level.word(),
        since: since.to_owned(),
        clauses: vec![clause.id.to_owned()],
        needs: Vec::new(),
        hostile: false,
        dialect: clause.dialect.map(Dialect::word),
        about,
    }
}

fn row(case: &Case) -> Row {
    let header = &case.transcript.header;
    Row {
        id: header.id.clone(),
        level: case.level().word(),
        since: header.since.clone(),
        clauses: header.clauses.clone(),
        needs: header.needs.clone(),
        hostile: header.hostile,
        dialect: header.dialect.map(Dialect::word),
        about: header.about.clone(),
    }
}

fn write(rows: &[Row], format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, rows)?;
            writeln!(out)
        }
        Format::Text => {
            let width = rows.iter().map(|row| row.id.len()).max().unwrap_or_default();
            rows.iter().try_for_each(|row| writeln!(out, "{:width$}  {:8}  {}", row.id, row.level, row.about))
        }
    }
}
