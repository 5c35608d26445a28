//! The difference as Markdown: a table with the lost cases first.

use std::fmt::Write as _;

use super::compare::{Clauses, Diff};
use crate::event::Outcome;
use crate::markdown::{cell, code};
use crate::summary::brief;

pub(super) fn write(diff: &Diff) -> String {
    let [old, new] = &diff.records;
    let mut out = format!("# From {} to {}\n\n{}\n", code(old.name()), code(new.name()), diff.counts());
    let clauses = diff.clauses();
    if clauses.is_empty() {
        return out;
    }
    out.push_str("\n| | case | old | new |\n|---|---|---|---|\n");
    // Writing to a string cannot fail.
    for Clauses { id, clause, cases } in clauses {
        let level = clause.map(|clause| format!(" ({})", clause.level)).unwrap_or_default();
        let _ = writeln!(out, "| | **{}**{level} | | |", cell(&id));
        for case in cases {
            let said = |outcome: Option<&Outcome>| match outcome {
                None => "absent".to_owned(),
                Some(outcome) => {
                    let why = cell(&brief(outcome));
                    format!("{}{}{why}", outcome.verdict, if why.is_empty() { "" } else { "<br>" })
                }
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                case.change.word(),
                cell(case.id),
                said(case.old),
                said(case.new)
            );
        }
    }
    out
}
