//! `dnode-conform list`

use super::failure::Failure;
use super::output;
use super::selection::SelectionArgs;
use crate::cases::{Case, OverTheRun, all, over_the_run};
use clap::{Args, ValueEnum};
use dnode_spec::dialect::Dialect;

/// The arguments of `list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    selected: SelectionArgs,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// One row of the list.
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
    let selection = args.selected.selection()?;
    let mut rows = rows()?;
    selection.check(rows.iter().map(|row| row.id.as_str()))?;
    rows.retain(|row| selection.takes(&row.id));
    output::print("the list", text(&rows, args.format)?)?;
    Ok(0)
}

/// All cases, sorted by id: those with a transcript (also for `--pull`), and those of the monitor
/// and of the probe.
pub(super) fn rows() -> Result<Vec<Row>, Failure> {
    let cases = all()?;
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

fn text(rows: &[Row], format: Format) -> Result<String, Failure> {
    match format {
        Format::Json => {
            let json = serde_json::to_string_pretty(rows);
            json.map(|json| json + "\n").map_err(Failure::harness)
        }
        Format::Text => {
            let width = rows.iter().map(|row| row.id.len()).max().unwrap_or_default();
            let line = |row: &Row| format!("{:width$}  {:8}  {}\n", row.id, row.level, row.about);
            Ok(rows.iter().map(line).collect())
        }
    }
}
