//! The life of an id as a drawing: the states and transitions of [`dnode_spec::state`], with how
//! often the run used each.

use dnode_spec::state::{Event, State, TABLE, Transition};
use maud::{Markup, html};

use crate::record::Record;

/// The size of the drawing, and of a box of a state.
const SIZE: (i32, i32) = (860, 310);
const BOX: (i32, i32) = (104, 36);

/// How far apart the lines of a label are.
const LINE: i32 = 15;

/// How far from a vertical arrow a label begins.
const BESIDE: i32 = 8;

/// Whether a run has counts.
pub(super) fn is_known(records: &[Record]) -> bool {
    records.iter().any(|record| record.ended.life.iter().any(|count| *count > 0))
}

/// The drawing; nothing if no run has counts.
pub(super) fn life(records: &[Record]) -> Markup {
    let counts = |row: usize| -> u64 {
        let of = |record: &Record| record.ended.life.get(row).copied().unwrap_or_default();
        records.iter().map(of).fold(0, u64::saturating_add)
    };
    let rows: Vec<(&Transition, u64)> = TABLE.iter().enumerate().map(|(row, it)| (it, counts(row))).collect();
    let used = rows.iter().filter(|(_, count)| *count > 0).count();
    html! {
        @if is_known(records) {
            h2 id="life" { "Life of an id" }
            p.note { "How far the run exercised the rules for ids: each end declares functions, the other end calls and culls them. "
                (used) " of " (rows.len()) " transitions were used; a dashed one was not. A red label names the clause that such a message breaks. The suite breaks some on purpose, in hostile cases." }
            div.drawing { (drawing(&rows)) }
            details { summary { "as a table" } (table(&rows)) }
        }
    }
}

fn drawing(rows: &[(&Transition, u64)]) -> Markup {
    html! {
        svg.life viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-label="The states of an id and their transitions" {
            defs { marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                path d="M0 0 L8 4 L0 8 z" {}
            } }
            @for (from, to) in edges() {
                @let of: Vec<&(&Transition, u64)> = rows.iter().filter(|((a, _, b, _), _)| (*a, *b) == (from, to)).collect();
                (edge(from, to, &of))
            }
            @for state in STATES {
                @let (x, y) = place(state);
                rect x=(x - BOX.0 / 2) y=(y - BOX.1 / 2) width=(BOX.0) height=(BOX.1) rx="8" {}
                text.state x=(x) y=(y + 5) { (word(state)) }
            }
        }
    }
}

const STATES: [State; 5] = [State::Unknown, State::Live, State::Culling, State::Gone, State::Ambiguous];

/// The pairs of states that a transition connects, each once.
fn edges() -> Vec<(State, State)> {
    let mut edges: Vec<(State, State)> = Vec::new();
    for (from, _, to, _) in TABLE {
        if !edges.contains(&(*from, *to)) {
            edges.push((*from, *to));
        }
    }
    edges
}

/// An arrow from one state to another, with its transitions as labels.
fn edge(from: State, to: State, of: &[&(&Transition, u64)]) -> Markup {
    let (path, (x, y)) = route(from, to);
    // A label beside the vertical arrow begins or ends there.
    let beside = x - place(State::Culling).0;
    let unused = of.iter().all(|(_, count)| *count == 0);
    html! {
        path.unused[unused] d=(path) marker-end="url(#head)" {}
        @for (line, ((_, event, _, breaks), count)) in (0i32..).zip(of) {
            text.bad[breaks.is_some() && *count > 0].none[*count == 0].right[beside == BESIDE].left[beside == -BESIDE] x=(x) y=(y + line * LINE) {
                (action(*event)) " ×" (count) @if let Some(clause) = breaks { ", " (clause) }
            }
        }
    }
}

/// The centre of a state.
fn place(state: State) -> (i32, i32) {
    match state {
        State::Unknown => (90, 92),
        State::Live => (315, 92),
        State::Culling => (540, 92),
        State::Gone => (765, 92),
        State::Ambiguous => (540, 285),
    }
}

/// The way of an arrow, and the place of its first label. A state's arrow to itself is a loop above
/// it. An arrow to an earlier state bends below.
fn route(from: State, to: State) -> (String, (i32, i32)) {
    let ((ax, ay), (bx, by)) = (place(from), place(to));
    let (half_x, half_y) = (BOX.0 / 2, BOX.1 / 2);
    if from == to {
        let top = ay - half_y;
        let path = format!(
            "M{} {top} C{} {} {} {} {} {top}",
            ax - 20,
            ax - 34,
            top - 40,
            ax + 34,
            top - 40,
            ax + 20
        );
        // The labels end above the loop.
        let lines =
            i32::try_from(TABLE.iter().filter(|(a, _, b, _)| a == b && *a == from).count()).unwrap_or(0);
        return (path, (ax, top - 38 - (lines - 1) * LINE));
    }
    let middle = ((ax + bx) / 2, (ay + by) / 2);
    if to == State::Ambiguous {
        let (start, end) = match from {
            State::Live => (format!("{} {}", ax + 20, ay + half_y), format!("{} {}", bx - half_x, by)),
            State::Gone => (format!("{} {}", ax - 20, ay + half_y), format!("{} {}", bx + half_x, by)),
            _ => (format!("{ax} {}", ay + half_y), format!("{bx} {}", by - half_y)),
        };
        let label = match from {
            State::Live => (middle.0 - 60, middle.1 + 50),
            State::Gone => (middle.0 + 70, middle.1 + 50),
            _ => (middle.0 - BESIDE, middle.1 + 12),
        };
        return (format!("M{start} L{end}"), label);
    }
    if ax < bx {
        return (format!("M{} {ay} L{} {by}", ax + half_x, bx - half_x), (middle.0, ay - 8));
    }
    let depth = if ax - bx > 300 { 130 } else { 60 };
    let bottom = ay + half_y;
    let path = format!("M{} {bottom} Q{} {} {} {bottom}", ax - 34, middle.0, bottom + depth, bx + 34);
    let shift = if middle.0 == place(State::Culling).0 { BESIDE } else { 0 };
    (path, (middle.0 + shift, bottom + depth / 2 - 8))
}

fn table(rows: &[(&Transition, u64)]) -> Markup {
    html! {
        table {
            thead { tr { @for head in ["state", "event", "next state", "breaks", "count"] { th scope="col" { (head) } } } }
            tbody { @for ((from, event, to, breaks), count) in rows {
                tr { td { (word(*from)) } td { (action(*event)) } td { (word(*to)) } td { (breaks.unwrap_or_default()) } td { (count) } }
            } }
        }
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::Live => "live",
        State::Culling => "culling",
        State::Gone => "gone",
        State::Ambiguous => "ambiguous",
    }
}

fn action(event: Event) -> &'static str {
    match event {
        Event::Declared => "declared",
        Event::Called => "called",
        Event::Culled => "culled",
        Event::Answered => "answered",
        Event::CulledByEither => "culled by either",
    }
}
