//! A badge for each report: `dnode 0.2 | 332 of 404`.

use super::content::{Report, Version};
use super::{File, address, part};

/// How wide two characters are, and the space at each end of a text.
const WIDTH: usize = 13;
const SPACE: usize = 6;

/// The badges of a version.
pub(super) fn files(version: &Version) -> Vec<File> {
    version.reports.iter().map(|it| File { path: address::badge(&it.slug), text: svg(it) }).collect()
}

/// `dnode 0.2: 332 of 404`.
pub(super) fn text(report: &Report) -> String {
    let (label, value) = parts(report);
    format!("{label}: {value}")
}

fn parts(report: &Report) -> (String, String) {
    let (passed, judged) = part::sum(report);
    let role = match report.record.run.role {
        crate::event::Role::Server => "",
        crate::event::Role::Client => " client",
    };
    (format!("dnode {}{role}", report.record.run.dialect), format!("{passed} of {judged}"))
}

fn svg(report: &Report) -> String {
    let (label, value) = parts(report);
    let colour = match report.record.exit().status {
        0 => "#2e7d52",
        1 => "#b84a00",
        _ => "#575757",
    };
    let [left, right] = [&label, &value].map(|text| text.chars().count() * WIDTH / 2 + 2 * SPACE);
    let width = left + right;
    let place = |start: usize, room: usize| start + room / 2;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" aria-label=\"{label}: {value}\">\
         <title>{label}: {value}</title>\
         <rect width=\"{width}\" height=\"20\" rx=\"3\" fill=\"#3b3f45\"/>\
         <path d=\"M{left} 0h{inner}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{inner}z\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
         <text x=\"{}\" y=\"14\" textLength=\"{}\">{label}</text><text x=\"{}\" y=\"14\" textLength=\"{}\">{value}</text></g></svg>\n",
        place(0, left),
        left - 2 * SPACE,
        place(left, right),
        right - 2 * SPACE,
        inner = right - 3,
    )
}
