//! The grid of clients and servers.

use maud::{Markup, html};

use super::address;
use super::content::Content;
use super::{File, shell};
use crate::grid::{Grid, Met, Session};
use crate::html::shown;

const AT: &str = address::INTEROP;

pub(super) fn page(content: &Content) -> File {
    let body = html! {
        h1.headline { "Clients and servers" }
        @match &content.grid {
            Some(grid) => (sessions(grid)),
            None => {
                p { "This site has no grid. " code { "dnode-conform interop --peers DIR --grid FOLDER/site/interop.json" } " makes one." }
            }
        }
    };
    shell::page(AT, "Clients and servers", &body)
}

fn sessions(grid: &Grid) -> Markup {
    let pairs = (0..grid.clients().count())
        .flat_map(|client| (0..grid.servers().count()).map(move |server| (client, server)));
    let bad: Vec<((usize, usize), &Session)> = pairs
        .filter_map(|at| Some((at, grid.session(at.0, at.1)?)))
        .filter(|(_, session)| session.met != Met::Pass)
        .collect();
    html! {
        p.lead { "Each client did one session with each server: a few calls, with functions as arguments and as answers. "
            "The suite judged every line of both ends." }
        (table(grid, AT))
        @if !bad.is_empty() {
            h2 id="sessions" { "Sessions that did not pass" }
            div.scroll tabindex="0" role="group" aria-label="Sessions that did not pass" {
                table.list {
                    thead { tr { @for head in ["client", "server", "result", "what went wrong first"] { th scope="col" { (head) } } } }
                    tbody { @for ((client, server), session) in bad {
                        tr id={ "session/" (client) "/" (server) } {
                            th scope="row" { (shown(&session.client)) }
                            td { (shown(&session.server)) }
                            td { span class={ "v " (class(session.met)) } { (session.met) } }
                            td { (shown(&session.note)) }
                        }
                    } }
                }
            }
        }
        p.note { "Made by dnode-conform " (shown(grid.suite())) "." }
    }
}

/// The results as a table. A result that is no pass links to its session.
pub(super) fn table(grid: &Grid, at: &str) -> Markup {
    html! {
        (legend())
        div.scroll tabindex="0" role="group" aria-label="Clients and servers" {
            table.meet {
                caption { "Rows are clients, columns are servers." }
                thead { tr { td {} @for server in grid.servers() { th scope="col" { span { (shown(server)) } } } } }
                tbody { @for (row, client) in grid.clients().enumerate() {
                    tr { th scope="row" { (shown(client)) }
                        @for column in 0..grid.servers().count() { (cell(at, (row, column), grid.session(row, column))) }
                    }
                } }
            }
        }
    }
}

/// The meaning of each result, in one line.
fn legend() -> Markup {
    let words = [
        (Met::Pass, "all answers were right"),
        (Met::Broken, "the same, but a line broke a clause"),
        (Met::Fail, "an answer was wrong or missing"),
        (Met::Crash, "the server's process ended"),
        (Met::Hang, "the client did not end"),
    ];
    html! {
        p.legend { @for (met, meaning) in words { span { span class={ "v " (class(met)) } { (met) } " " (meaning) } } }
    }
}

fn cell(at: &str, (client, server): (usize, usize), session: Option<&Session>) -> Markup {
    html! {
        @match session {
            None => td {},
            Some(session) if session.met == Met::Pass => td.p { "pass" },
            Some(session) => td class=(class(session.met)) {
                a href={ (super::address::href(at, AT)) "#session/" (client) "/" (server) } { (session.met) }
            },
        }
    }
}

/// The CSS class of a result: that of the verdict.
fn class(met: Met) -> &'static str {
    match met {
        Met::Pass => "p",
        Met::Broken | Met::Inconclusive => "i",
        Met::Fail => "f",
        Met::Crash => "c",
        Met::Hang => "h",
    }
}
