//! One finding: everything that the author of an implementation needs to check and to reproduce it.

use anstyle::AnsiColor;
use dnode_spec::clause;

use crate::cause;
use crate::event::{Death, Divergence, Origin, Outcome, Run, Verdict, Wire};
use crate::page::{Page, style};
use crate::summary;

/// How many steps of a transcript are shown.
const STEPS: usize = 40;

/// How many of the first and of the last lines of standard error are shown.
const STDERR: (usize, usize) = (12, 8);

/// The messages `methods` that were shown, which are mostly the same in each session.
#[derive(Debug, Default)]
pub(super) struct Handshakes(Vec<(Origin, Vec<u8>)>);

/// The most messages that are remembered.
const REMEMBERED: usize = 20;

impl Handshakes {
    /// With how many messages `methods` the log begins, if all of them were shown; they are
    /// remembered if not.
    fn folded(&mut self, log: &[Wire]) -> usize {
        let message = |entry: &Wire| match entry {
            Wire::Bytes { from, bytes, .. } if entry.is_methods() => Some((*from, bytes.clone())),
            _ => None,
        };
        let begin: Vec<_> = log.iter().map_while(message).collect();
        if begin.iter().all(|message| self.0.contains(message)) {
            return begin.len();
        }
        if self.0.len() < REMEMBERED {
            self.0.extend(begin);
        }
        0
    }
}

/// Writes a finding. Messages of a handshake that were shown before are left out.
pub(super) fn write(page: &mut Page, run: &Run, outcome: &Outcome, handshakes: &mut Handshakes) {
    let mark = summary::waiver(run, outcome).map(|why| format!(" ({why})")).unwrap_or_default();
    page.title(outcome.verdict, &mark, &outcome.id);
    page.wrapped("  ", style::PLAIN, &outcome.about);
    page.blank();
    let peer = run.peer.as_deref().map_or_else(
        || run.target.clone(),
        |peer| format!("{}, at {}", crate::escape::cut(peer, 200), run.target),
    );
    page.field("peer", style::PLAIN, &peer);
    if outcome.verdict == Verdict::HarnessError {
        page.field("note", style::PLAIN, "The suite itself failed. This says nothing about the peer.");
    } else {
        clauses(page, outcome);
    }
    if let Some(reason) = summary::reason(outcome) {
        page.field("reason", style::PLAIN, reason);
    }
    if let Some(excuse) = &outcome.excuse {
        page.field("excused", style::PLAIN, excuse);
    }
    if let Some(divergence) = &outcome.divergence {
        difference(page, outcome, divergence);
        let hint = cause::hint(outcome);
        if !hint.is_empty() {
            page.field("hint", style::PLAIN, hint);
        }
    }
    if let Some(activity) = &outcome.evidence.activity {
        page.field("meanwhile", style::PLAIN, &format!("the peer {activity}"));
    }
    wire(page, &outcome.evidence.wire, handshakes);
    transcript(page, outcome);
    if !outcome.evidence.repeat.is_empty() {
        page.block("repeat", "the command that runs this case again");
        page.plain(4, style::BOLD, &outcome.evidence.repeat);
    }
    if let Some(death) = &outcome.evidence.death {
        process(page, death);
    }
    if let Some(written) = &outcome.evidence.stderr {
        let beside = if written.beside { " (other cases ran beside it)" } else { "" };
        page.block("stderr", &format!("the peer's standard error while the case ran{beside}"));
        stderr(page, &written.text);
    }
}

/// The broken clause; if none is broken, the clauses that the case tests.
fn clauses(page: &mut Page, outcome: &Outcome) {
    let broken = outcome.divergence.as_ref().map(|divergence| std::slice::from_ref(&divergence.clause));
    for id in broken.unwrap_or(&outcome.clauses) {
        let Some(clause) = clause::find(id) else {
            page.field("clause", style::BOLD, &format!("{id} ({})", outcome.level));
            continue;
        };
        page.field("clause", style::BOLD, &format!("{id} ({})", clause.level));
        page.field("", style::PLAIN, clause.text);
        page.field("", style::FAINT, &format!("source: {}", clause.source));
    }
}

fn difference(page: &mut Page, outcome: &Outcome, divergence: &Divergence) {
    let (expected, got) = summary::values(outcome, divergence);
    page.field("step", style::PLAIN, &divergence.step);
    if !divergence.path.is_empty() {
        page.field("where", style::PLAIN, &divergence.path);
    }
    page.field("expected", style::GOOD, expected);
    page.field("got", style::BAD, got);
    if let Some((line, missing)) = cause::instead(outcome) {
        page.field("", style::PLAIN, "instead, the peer sent");
        page.wrapped_cut(&format!("  {:10}  ", ""), style::BAD, line, missing);
    }
    page.field("difference", style::PLAIN, &format!("{}: {}", divergence.weight(), divergence.kind));
    page.field("", style::FAINT, &format!("fingerprint: {}", divergence.fingerprint));
}

/// The wire log in two lanes. Bytes have the marks `->` and `<-`, other events `--`.
fn wire(page: &mut Page, log: &[Wire], handshakes: &mut Handshakes) {
    if log.is_empty() {
        return;
    }
    page.block("wire", "the traffic of the connection, in order: suite -> peer, suite <- peer");
    let folded = handshakes.folded(log);
    if folded > 0 {
        page.plain(4, style::FAINT, "(handshake as above)");
    }
    for entry in &log[folded..] {
        match entry {
            Wire::Bytes { from, bytes, cut, .. } => sent(page, *from, bytes, *cut),
            Wire::Event { from, what } => note(page, *from, what.word()),
            Wire::Omitted(1) => page.plain(4, style::FAINT, "(1 entry left out)"),
            Wire::Omitted(count) => page.plain(4, style::FAINT, &format!("({count} entries left out)")),
        }
    }
}

/// Bytes that one end sent. The newline at the end of a line is not shown; a missing one is noted.
fn sent(page: &mut Page, from: Origin, bytes: &[u8], cut: usize) {
    let (body, whole) = match bytes.strip_suffix(b"\n") {
        Some(body) if cut == 0 => (body, true),
        _ => (bytes, false),
    };
    let (gutter, color) = match from {
        Origin::Suite => ("    suite ->       ", AnsiColor::Cyan),
        Origin::Peer => ("          <- peer  ", AnsiColor::Magenta),
    };
    page.wrapped_cut(gutter, color.on_default(), body, cut);
    match (whole, body.is_empty()) {
        (true, true) => note(page, from, summary::EMPTY_LINE),
        (false, _) if cut == 0 => note(page, from, "(no newline)"),
        _ => {}
    }
}

/// An event of one end other than bytes.
fn note(page: &mut Page, from: Origin, what: &str) {
    let gutter = match from {
        Origin::Suite => "    suite --       ",
        Origin::Peer => "          -- peer  ",
    };
    page.wrapped(gutter, style::FAINT, what);
}

/// The steps with their numbers, and the ids of the names in them: the wire log has only the ids.
/// The step that failed has a mark.
fn transcript(page: &mut Page, outcome: &Outcome) {
    let text = &outcome.evidence.transcript;
    let failed = outcome.divergence.as_ref().map(|divergence| &*divergence.step);
    // The header has no number.
    let header = text.lines().take_while(|line| line.starts_with(HEADER)).count();
    let steps: Vec<&str> = text.lines().skip(header).collect();
    if steps.is_empty() {
        return;
    }
    page.block("transcript", "the steps of the session; > marks the one that failed");
    let at =
        failed.and_then(|failed| steps.iter().enumerate().position(|(n, step)| is_step(failed, n + 1, step)));
    let first = at.map_or(0, |at| (at + 1).saturating_sub(STEPS));
    if first > 0 {
        page.plain(4, style::FAINT, &format!("({})", summary::count(first, "earlier step")));
    }
    for (n, step) in steps.iter().enumerate().skip(first).take(STEPS) {
        let (mark, style) = if at == Some(n) { (">", style::BAD) } else { (" ", style::PLAIN) };
        page.wrapped(&format!("  {mark}{:>3}  ", n + 1), style, step);
    }
    if let more @ 1.. = steps.len().saturating_sub(first + STEPS) {
        page.plain(4, style::FAINT, &format!("({})", summary::count(more, "more step")));
    }
    if !outcome.evidence.names.is_empty() {
        page.wrapped("       ", style::FAINT, format!("({})", outcome.evidence.names));
    }
}

/// The start of the first line of a transcript.
const HEADER: &str = "{\"dnode-transcript\":";

/// Whether a divergence names this step: by its label, or by its number.
fn is_step(named: &str, number: usize, step: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Labelled {
        label: String,
    }
    match serde_json::from_str::<Labelled>(step) {
        Ok(labelled) => labelled.label == named,
        // A step of a continuation is named after its line: step 5a2.
        Err(_) => named
            .strip_prefix(&format!("step {number}"))
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())),
    }
}

/// How the peer's process ended, and its standard error.
fn process(page: &mut Page, death: &Death) {
    page.block("process", "how the peer's process ended, and its standard error");
    page.wrapped("    ", style::BAD, death.status.to_string());
    stderr(page, &death.stderr);
}

/// The first and the last lines of standard error. A tab becomes four spaces, because stack traces
/// often have tabs.
fn stderr(page: &mut Page, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = STDERR;
    let omitted = first..lines.len().saturating_sub(last).max(first);
    for (n, line) in lines.iter().enumerate() {
        if !omitted.contains(&n) {
            page.wrapped("    | ", style::PLAIN, line.replace('\t', "    "));
        } else if n == omitted.start {
            page.wrapped(
                "    | ",
                style::FAINT,
                format!("({} left out)", summary::count(omitted.len(), "line")),
            );
        }
    }
}
