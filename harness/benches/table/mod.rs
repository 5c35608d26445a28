//! The tables of `harness/benches/README.md`. Each bench prints its table and its goals. With
//! `UPDATE=1` it also replaces them in the document. The text of the document is written by hand.
#![allow(
    dead_code,
    clippy::panic,
    reason = "each bench uses a part of this, and panics if the document has no place for its table"
)]

use std::path::{Path, PathBuf};

/// The goal for a figure.
pub(crate) enum Goal {
    /// It should be at least this.
    AtLeast(f64),
    /// It should be at most this.
    AtMost(f64),
    /// The figure has no goal.
    None,
}

impl Goal {
    /// The goal and whether this figure reaches it, as two cells.
    fn cells(&self, figure: f64) -> [String; 2] {
        let verdict = |reached| if reached { "reached" } else { "**missed**" };
        match *self {
            Goal::AtLeast(least) => [format!("at least {least}"), verdict(figure >= least).to_owned()],
            Goal::AtMost(most) => [format!("at most {most}"), verdict(figure <= most).to_owned()],
            Goal::None => [String::new(), String::new()],
        }
    }
}

/// One table of one bench.
pub(crate) struct Table {
    bench: &'static str,
    rows: Vec<Vec<String>>,
    goals: Vec<Vec<String>>,
}

impl Table {
    /// An empty table of this bench, with these headings. All columns but the first contain
    /// figures.
    pub(crate) fn new<const N: usize>(bench: &'static str, heads: [&str; N]) -> Table {
        Table { bench, rows: vec![heads.map(str::to_owned).to_vec()], goals: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// Adds a figure and its goal. The figure is a ratio of two measurements of this run.
    pub(crate) fn goal(&mut self, what: &str, goal: &Goal, figure: f64) {
        self.goal_with_text(what, goal, figure, &format!("{figure:.2}"));
    }

    /// Adds a figure and its goal, with another text for the figure.
    pub(crate) fn goal_with_text(&mut self, what: &str, goal: &Goal, figure: f64, text: &str) {
        let [goal, verdict] = goal.cells(figure);
        let bench = format!("[{0}](#{0})", self.bench);
        self.goals.push(vec![bench, what.to_owned(), goal, text.to_owned(), verdict]);
    }

    /// Prints the table and the goals. With `UPDATE`, writes them to the document.
    pub(crate) fn finish(self) {
        let (table, goals) =
            (aligned(&self.rows), self.goals.iter().map(|row| line(row)).collect::<String>());
        print!("{table}\n{goals}");
        if std::env::var_os("UPDATE").is_none() {
            return;
        }
        let path = document();
        let old = std::fs::read_to_string(&path).unwrap();
        let new = with_goals(&with_table(&old, self.bench, &table), self.bench, &goals);
        std::fs::write(path, new).unwrap();
    }
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md")
}

/// The document with this table between the marks of the bench.
fn with_table(document: &str, bench: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {bench} -->\n"), format!("<!-- end of {bench} -->"));
    let place =
        document.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) =
        place.unwrap_or_else(|| panic!("harness/benches/README.md has no place for the table of {bench}"));
    format!("{before}{begin}\n{table}\n{end}{after}")
}

/// The document with these rows instead of the rows of the bench in the first table.
fn with_goals(document: &str, bench: &str, goals: &str) -> String {
    let of_bench = format!("| [{bench}](");
    let (mut out, mut goals) = (String::new(), Some(goals));
    for row in document.split_inclusive('\n') {
        if row.starts_with(&of_bench) {
            out.push_str(goals.take().unwrap_or_default());
        } else {
            out.push_str(row);
        }
    }
    assert!(
        goals.is_none_or(str::is_empty),
        "harness/benches/README.md has no row of {bench} among the goals"
    );
    out
}

/// The rows as a Markdown table that is also readable on a terminal.
fn aligned(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default().max(3))
        .collect();
    let padded = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        line(&cells.collect::<Vec<_>>())
    };
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, &width)| match column {
            0 => "-".repeat(width),
            _ => format!("{}:", "-".repeat(width - 1)),
        })
        .collect();
    let mut out = padded(&rows[0]);
    out.push_str(&line(&rule));
    rows[1..].iter().for_each(|row| out.push_str(&padded(row)));
    out
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
