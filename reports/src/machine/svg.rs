//! The machine as a drawing: one file without scripts, for a browser or a document.
//!
//! Each part is a graph. A box is a state, with the inputs that do not leave it. An arrow has a
//! label with one line for each input. A black box is the end of the connection. A line with an
//! unexpected answer has a sign and the number of the difference, and the expected answer below it.
//! So no mark needs colour.
//!
//! Rules: hidden characters are escaped, answers are cut, and then maud escapes every text. Letters
//! have one width, because the drawing is made without fonts; a wide letter counts as two.

use dnode_spec::machine::Then;
use maud::{Markup, PreEscaped, html};

use super::layout::{Curve, Layout, Link, Size, layout};
use super::part::{self, Arrow, Kind, Line, Part, Place, Target, answer};
use super::{Learned, sentence};
use crate::escape::{cut, terminal_cut};
use crate::page::wrap;
use crate::summary::count;

/// The width of a letter, the height of a line, and the space around text in a box.
const LETTER: f64 = 7.3;
const LINE: f64 = 17.0;
const PAD: f64 = 9.0;

/// How many letters a line of a state and of a label has.
const STATE: usize = 46;
const LABEL: usize = 34;

/// How many characters of an answer are shown.
const LONGEST: usize = 120;

/// How many characters of any other text are shown.
const TEXT: usize = 400;

/// How many letters a line above or below the parts has.
const WIDE: usize = 140;

/// How many differences are listed below the parts.
const LISTED: usize = 40;

/// A part with more states or arrows is not drawn: the picture would not help.
const STATES: usize = 16;
const ARROWS: usize = 48;

/// The width of a drawing with several parts, if no part is wider.
const WIDTH: f64 = 1150.0;

/// The space between parts.
const GAP: f64 = 28.0;

/// The height of the heading of a part.
const HEADING: f64 = 30.0;

/// The length and half the width of the head of an arrow.
const HEAD: (f64, f64) = (9.0, 5.0);

/// The style sheet of drawings.
pub(super) const STYLE: &str = include_str!("drawing.css");

/// The colours that the style sheet uses. The HTML report has the same ones.
const COLORS: &str = "\
.machine { --back: #fff; --text: #1b1b1b; --soft: #575757; --line: #d4d4d0; --panel: #f6f6f4 }
@media screen and (prefers-color-scheme: dark) {
  .machine { --back: #15171a; --text: #e6e6e6; --soft: #a8a8a8; --line: #3b3f45; --panel: #1e2126 }
}
";

/// A part as a drawing.
pub(super) struct Picture {
    pub(super) size: Size,
    pub(super) content: Markup,
}

/// The space around a label. Lines end there, so it is small.
const LABEL_PAD: f64 = 4.0;

/// One line of a box.
struct Row {
    /// Spaces at the start are its indent.
    text: String,
    class: &'static str,
    /// The number of the difference that it links to.
    link: Option<usize>,
}

pub(super) fn write(learned: &Learned) -> String {
    let parts = part::parts(learned);
    let mut rows =
        vec![Row { text: terminal_cut(sentence::peer(learned), 80, 0), class: "heading", link: None }];
    let class = if learned.fails() { "breaks" } else { "name" };
    push(&mut rows, &terminal_cut(sentence::headline(learned), TEXT, 0), class, None, WIDE);
    for text in sentence::limits(learned) {
        push(&mut rows, &terminal_cut(text, TEXT, 0), "", None, WIDE);
    }
    for it in &learned.broken {
        push(&mut rows, &terminal_cut(sentence::broken(it), TEXT, 0), "breaks", None, WIDE);
    }
    legend(&mut rows, &parts);
    let top = height(&rows, PAD) + GAP;
    let pictures: Vec<(&Part<'_>, Picture)> = parts.iter().map(|of| (of, picture(of, false))).collect();
    let (places, size) = shelves(&pictures, top);
    let list = below(learned, &parts);
    let bottom = size.height + GAP;
    let size = Size {
        width: size.width.max(width(&rows, PAD)).max(width(&list, PAD)),
        height: if list.is_empty() { size.height } else { bottom + height(&list, 0.0) },
    };
    let title = format!("State machine of {}", terminal_cut(sentence::peer(learned), 80, 0));
    let markup = html! {
        svg.machine xmlns="http://www.w3.org/2000/svg" viewBox=(view(size)) width=(number(size.width))
            height=(number(size.height)) role="img" aria-labelledby="title desc" {
            title id="title" { (title) }
            desc id="desc" { (description(learned)) }
            style { (PreEscaped(COLORS)) (PreEscaped(STYLE)) }
            rect width="100%" height="100%" fill="var(--back)" {}
            (texts(&rows, PAD, PAD))
            @for ((of, picture), (x, y)) in pictures.iter().zip(places) {
                text.heading x=(number(x + PAD)) y=(number(y + 16.0)) { (heading(of)) }
                g transform={ "translate(" (number(x)) " " (number(y + HEADING)) ")" } { (picture.content) }
            }
            (texts(&list, PAD, bottom))
        }
    };
    format!("{}\n", markup.into_string())
}

/// `theirs: the functions that the peer gave us`.
pub(super) fn heading(of: &Part<'_>) -> String {
    format!("{}: {}", terminal_cut(of.name, 40, 0), terminal_cut(of.title(), 60, 0))
}

/// The list of differences below the parts: the word, the answers, the verdict, and the meaning of
/// the last input. Differences that no part shows come last.
fn below(learned: &Learned, parts: &[Part<'_>]) -> Vec<Row> {
    let mut rows = Vec::new();
    if learned.differences.is_empty() {
        return rows;
    }
    rows.push(Row { text: "differences".to_owned(), class: "heading", link: None });
    let hidden = part::hidden(learned, parts);
    let (out, shown): (Vec<usize>, Vec<usize>) =
        (0..learned.differences.len()).partition(|index| hidden.contains(index));
    for index in shown.into_iter().take(LISTED) {
        difference(&mut rows, learned, index);
    }
    if !out.is_empty() {
        push(&mut rows, sentence::HIDDEN, "name", None, WIDE);
    }
    for index in out.into_iter().take(LISTED) {
        difference(&mut rows, learned, index);
    }
    rows
}

fn difference(rows: &mut Vec<Row>, learned: &Learned, index: usize) {
    let it = &learned.differences[index];
    let text = terminal_cut(sentence::one(learned, index), TEXT, 0);
    push(rows, &text, Kind::of(&it.verdict).class(), None, WIDE);
    let about = sentence::about(learned, it).map(|about| format!(" {about}")).unwrap_or_default();
    let text = terminal_cut(format!("{}.{about}", sentence::verdict(&it.verdict)), TEXT, 0);
    let from = rows.len();
    push(rows, &text, "soft", None, WIDE - 4);
    rows.iter_mut().skip(from).for_each(|row| row.text.insert_str(0, "    "));
}

/// The differences in words, for people who do not see the drawing.
pub(super) fn description(learned: &Learned) -> String {
    let mut out = sentence::headline(learned);
    for (index, it) in learned.differences.iter().enumerate() {
        out.push_str(&format!(
            ". {} after {}: expected {}, got {}, {}",
            sentence::sign(index, it),
            sentence::word(&it.word),
            cut(&answer(&it.expected), LONGEST),
            cut(&answer(&it.found), LONGEST),
            sentence::verdict(&it.verdict)
        ));
    }
    terminal_cut(out, 4000, 0)
}

fn legend(rows: &mut Vec<Row>, parts: &[Part<'_>]) {
    for text in sentence::LEGEND {
        push(rows, text, "soft", None, WIDE);
    }
    for kind in part::kinds(parts) {
        push(rows, &kind.legend(), kind.class(), None, WIDE);
    }
}

/// The places of the parts, side by side if there is room, and the size of all.
fn shelves(pictures: &[(&Part<'_>, Picture)], top: f64) -> (Vec<(f64, f64)>, Size) {
    let sizes = pictures.iter().map(|(of, picture)| {
        let words = (letters(&heading(of)) * LETTER * 16.0 / 12.0) + 2.0 * PAD;
        Size { width: picture.size.width.max(words), height: picture.size.height + HEADING }
    });
    let (mut x, mut y, mut shelf, mut widest) = (0.0_f64, top, 0.0_f64, 0.0_f64);
    let mut places = Vec::new();
    for size in sizes {
        if x > 0.0 && x + size.width > WIDTH {
            (x, y, shelf) = (0.0, y + shelf + GAP, 0.0);
        }
        places.push((x, y));
        x += size.width + GAP;
        shelf = shelf.max(size.height);
        widest = widest.max(x - GAP);
    }
    (places, Size { width: widest, height: y + shelf + PAD })
}

/// The drawing of a part. With `links`, a line with a difference links to it.
pub(super) fn picture(of: &Part<'_>, links: bool) -> Picture {
    if of.states.len() > STATES || of.arrows.len() > ARROWS {
        let about = [count(of.states.len(), "state"), count(of.arrows.len(), "arrow")].join(" and ");
        let mut rows = Vec::new();
        push(
            &mut rows,
            &format!("{about} are too many for a picture: see the text report"),
            "soft",
            None,
            STATE,
        );
        let size = Size { width: width(&rows, PAD), height: height(&rows, PAD) };
        return Picture { size, content: texts(&rows, PAD, PAD) };
    }
    let ends: Vec<Then> = of.ends().into_iter().collect();
    let mut boxes: Vec<Vec<Row>> = of.states.iter().map(|place| state(place, links)).collect();
    boxes.extend(
        ends.iter().map(|then| vec![Row { text: Target::end(*then), class: "end-name", link: None }]),
    );
    let labels: Vec<Vec<Row>> = of.arrows.iter().map(|arrow| label(arrow, links)).collect();
    let size = |rows: &Vec<Row>, pad: f64| Size { width: width(rows, pad), height: height(rows, pad) };
    let sizes: Vec<Size> = boxes.iter().map(|rows| size(rows, PAD)).collect();
    let arrows: Vec<Link> = of
        .arrows
        .iter()
        .zip(&labels)
        .map(|(arrow, rows)| {
            let to = match arrow.to {
                Target::State(to) => to,
                Target::End(then) => of.states.len() + ends.iter().position(|it| *it == then).unwrap_or(0),
            };
            Link { from: arrow.from, to, label: size(rows, LABEL_PAD) }
        })
        .collect();
    let places = layout(&sizes, &arrows);
    let content = html! {
        @for (arrow, lines) in of.arrows.iter().zip(&places.lines) { (line(arrow, lines)) }
        @for (rows, (x, y)) in labels.iter().zip(&places.labels) { (texts(rows, x + LABEL_PAD, y + LABEL_PAD)) }
        (states(&boxes, &sizes, &places, of.states.len()))
    };
    Picture { size: places.size, content }
}

fn states(boxes: &[Vec<Row>], sizes: &[Size], places: &Layout, states: usize) -> Markup {
    html! {
        @for (number, ((rows, size), (x, y))) in boxes.iter().zip(sizes).zip(&places.boxes).enumerate() {
            @let class = if number < states { "state" } else { "end" };
            rect class=(class) x=(self::number(*x)) y=(self::number(*y)) width=(self::number(size.width))
                height=(self::number(size.height)) rx="6" stroke-width=(if number == 0 { "3" } else { "1" }) {}
            @if number < states && rows.len() > 1 {
                path.rule d={ "M" (self::number(*x)) " " (self::number(y + PAD + LINE + 2.0)) "h" (self::number(size.width)) } {}
            }
            (texts(rows, x + PAD, y + PAD))
        }
    }
}

/// The rows of a state: its name, the lines that do not leave it, and the inputs without an answer.
fn state(place: &Place<'_>, links: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    push(&mut rows, &terminal_cut(&place.name, STATE, 0), "name", None, STATE);
    for line in &place.stays {
        rows.extend(lines(line, links, STATE));
    }
    for (about, inputs) in [("ignores", &place.ignores), ("not possible", &place.impossible)] {
        if !inputs.is_empty() {
            let text = terminal_cut(format!("{about}: {}", inputs.join(", ")), TEXT, 0);
            push(&mut rows, &text, "soft", None, STATE);
        }
    }
    rows
}

fn label(arrow: &Arrow<'_>, links: bool) -> Vec<Row> {
    arrow.lines.iter().flat_map(|line| lines(line, links, LABEL)).collect()
}

/// A line, and its marks below it.
fn lines(line: &Line<'_>, links: bool, letters: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let class = line.kind().map_or("", Kind::class);
    let link = |number: Option<usize>| number.filter(|_| links);
    push(&mut rows, &terminal_cut(line.text(), LONGEST, 0), class, None, letters);
    for mark in &line.marks {
        let from = rows.len();
        let class = mark.kind.note();
        push(&mut rows, &terminal_cut(mark.text(), LONGEST, 0), class, link(mark.number), letters - 2);
        rows.iter_mut().skip(from).for_each(|row| row.text.insert_str(0, "  "));
    }
    rows
}

/// Adds an escaped text, wrapped. All lines but the first are indented.
fn push(rows: &mut Vec<Row>, escaped: &str, class: &'static str, link: Option<usize>, letters: usize) {
    for (number, text) in wrap(escaped, letters - 2).into_iter().enumerate() {
        let indent = if number == 0 { "" } else { "  " };
        rows.push(Row { text: format!("{indent}{text}"), class, link });
    }
}

fn texts(rows: &[Row], x: f64, y: f64) -> Markup {
    html! {
        @for (at, row) in rows.iter().enumerate() {
            @let y = y + LINE * at_f64(at) + 12.0 + if at > 0 && rows[0].class == "name" { 5.0 } else { 0.0 };
            // Spaces at the start of a text are lost in some programs.
            @let text = row.text.trim_start();
            @let x = x + LETTER * at_f64(row.text.len() - text.len());
            @let text = html! { text class=[Some(row.class).filter(|it| !it.is_empty())] x=(number(x)) y=(number(y)) { (text) } };
            @match row.link {
                Some(link) => a href={ "#difference/" (link) } { (text) },
                None => (text),
            }
        }
    }
}

/// An arrow from a state to its label, and from there to the next state.
fn line(arrow: &Arrow<'_>, [first, second]: &[Curve; 2]) -> Markup {
    let class = arrow.kind().map_or("", Kind::class);
    let mut second = second.clone();
    let head = shorten(&mut second);
    html! {
        @for curve in [first, &second] { path class=[Some(class).filter(|it| !it.is_empty())] d=(path(curve)) {} }
        path class={ "head " (class) } d=(head) {}
    }
}

/// Makes room for the head at the end of a curve, and gives the head.
fn shorten(curve: &mut Curve) -> String {
    let [.., before, end] = curve.as_mut_slice() else { return String::new() };
    let (dx, dy) = (end.0 - before.0, end.1 - before.1);
    let length = dx.hypot(dy).max(0.001);
    let (dx, dy) = (dx / length, dy / length);
    let tip = *end;
    let base = (tip.0 - dx * HEAD.0, tip.1 - dy * HEAD.0);
    *end = base;
    let corner = |side: f64| format!("{} {}", number(base.0 - dy * side), number(base.1 + dx * side));
    format!("M{} {} L{} L{} z", number(tip.0), number(tip.1), corner(HEAD.1), corner(-HEAD.1))
}

fn path(curve: &Curve) -> String {
    let mut out = String::new();
    for (at, (x, y)) in curve.iter().enumerate() {
        let command = match at {
            0 => "M",
            1 => " C",
            _ => " ",
        };
        out.push_str(&format!("{command}{} {}", number(*x), number(*y)));
    }
    out
}

/// The space that the rows take in a box.
fn width(rows: &[Row], pad: f64) -> f64 {
    let letters = |row: &Row| letters(&row.text) * if row.class == "heading" { 16.0 / 12.0 } else { 1.0 };
    rows.iter().map(letters).fold(0.0, f64::max) * LETTER + 2.0 * pad
}

fn height(rows: &[Row], pad: f64) -> f64 {
    let rule = if rows.len() > 1 && rows[0].class == "name" { 5.0 } else { 0.0 };
    LINE * at_f64(rows.len()) + 2.0 * pad + rule
}

/// The width of a text in letters. Most characters of Asia and most symbols are two wide.
fn letters(text: &str) -> f64 {
    at_f64(text.chars().map(|c| if c < '\u{1100}' || c == '→' || c == '…' { 1 } else { 2 }).sum())
}

pub(super) fn view(size: Size) -> String {
    format!("0 0 {} {}", number(size.width), number(size.height))
}

/// A coordinate, rounded, so that the file is small and the same everywhere.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[allow(clippy::cast_precision_loss, reason = "a drawing has few lines")]
fn at_f64(number: usize) -> f64 {
    number as f64
}
