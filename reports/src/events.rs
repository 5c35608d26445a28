//! The events of a run as JSON, one object per line.
//!
//! Every other format can be written later from this one. It also has the parts that the canonical
//! report leaves out because they differ from run to run: the target, the wire log, standard error.
//! `events.schema.json` in this crate's folder describes a line. Bytes that are not UTF-8 are
//! written as `{"base64": …}`.
//!
//! Two runs with the same behaviour give different files. Long texts of the peer are cut, and cases
//! that pass have no evidence but the time that they took.

use std::io::{self, Write};

use crate::error::ReadError;
use crate::escape;
use crate::event::{
    Cycles, Divergence, Ended, Event, Evidence, Outcome, Run, Stale, Status, Verdict, Wire, Written,
};
use crate::report::Report;

/// How many characters of one text are kept: more than any format shows.
const LONGEST: usize = 4000;

/// How many of the first and of the last lines of standard error are kept, and how many characters of
/// each.
const LINES: usize = 30;
const LINE: usize = 1000;

/// Writes each event at once.
#[derive(Debug)]
pub struct Events<W> {
    out: W,
}

impl<W: Write> Events<W> {
    /// A report to `out`, written during the run.
    #[must_use]
    pub fn new(out: W) -> Self {
        Events { out }
    }
}

impl<W: Write> Report for Events<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let bounded = match event {
            Event::Started(run) => Event::Started(Run {
                peer: run.peer.as_deref().map(short),
                notes: run.notes.iter().map(|note| short(note)).collect(),
                ..run.clone()
            }),
            Event::Judged(outcome) => Event::Judged(Box::new(bounded(outcome))),
            Event::Ended(ended) => Event::Ended(Ended {
                stale: ended
                    .stale
                    .iter()
                    .map(|stale| Stale {
                        problem: short(&stale.problem),
                        remedy: short(&stale.remedy),
                        ..stale.clone()
                    })
                    .collect(),
                life: ended.life.clone(),
                ..*ended
            }),
        };
        let line = escape::json(&serde_json::to_string(&bounded)?);
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

/// Whether a text begins with an event: its first line is a whole JSON object with the name of an
/// event.
#[must_use]
pub fn begin(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct First {
        started: Option<serde::de::IgnoredAny>,
        judged: Option<serde::de::IgnoredAny>,
        ended: Option<serde::de::IgnoredAny>,
    }
    let first = text.trim_start().lines().next().unwrap_or_default();
    serde_json::from_str::<First>(first)
        .is_ok_and(|first| first.started.or(first.judged).or(first.ended).is_some())
}

/// Reads a file that [`Events`] wrote.
///
/// # Errors
/// [`ReadError::Event`]: a line is not an event. The caller is at fault.
pub fn read(text: &str) -> Result<Vec<Event>, ReadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|source| ReadError::Event { line: number + 1, source })
        })
        .collect()
}

fn bounded(outcome: &Outcome) -> Outcome {
    let Evidence { wire, transcript, names, repeat, called, cycles, death, activity, stderr, took } =
        &outcome.evidence;
    let evidence = match outcome.verdict {
        Verdict::Pass => Evidence { took: *took, ..Evidence::default() },
        _ => Evidence {
            wire: wire.iter().map(entry).collect(),
            // A session may be long. The other formats cut each step.
            transcript: escape::cut(transcript, LONGEST * 4).into_owned(),
            names: short(names),
            repeat: short(repeat),
            called: *called,
            cycles: cycles.as_ref().map(|cycles| Cycles {
                expected: cycles.expected.as_deref().map(short),
                actual: cycles.actual.as_deref().map(short),
            }),
            death: death.clone().map(|mut death| {
                if let Status::Signal { name: Some(name), .. } = &mut death.status {
                    *name = short(name);
                }
                death.stderr = ends(&death.stderr);
                death
            }),
            activity: *activity,
            stderr: stderr.as_ref().map(|it| Written { text: ends(&it.text), ..*it }),
            took: *took,
        },
    };
    let divergence = outcome.divergence.as_ref().map(|divergence| Divergence {
        path: short(&divergence.path),
        expected: short(&divergence.expected),
        actual: short(&divergence.actual),
        ..divergence.clone()
    });
    let [reason, excuse] = [&outcome.reason, &outcome.excuse].map(|text| text.as_deref().map(short));
    Outcome { reason, excuse, divergence, evidence, ..outcome.clone() }
}

fn entry(entry: &Wire) -> Wire {
    match entry {
        Wire::Bytes { from, bytes, cut, step } => {
            let kept = bytes.get(..LONGEST).unwrap_or(bytes);
            Wire::Bytes {
                from: *from,
                bytes: kept.to_vec(),
                cut: cut.saturating_add(bytes.len() - kept.len()),
                step: short(step),
            }
        }
        Wire::Event { from, what } => Wire::Event { from: *from, what: *what },
        Wire::Omitted(count) => Wire::Omitted(*count),
    }
}

/// The first and the last lines of standard error: at least as many as any format shows. The first
/// ones have the error that names the cause.
fn ends(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (first, rest) = lines.split_at(lines.len().min(LINES));
    let omitted = rest.len().saturating_sub(LINES);
    let note = (omitted > 0).then(|| format!("… {} are left out\n", crate::summary::count(omitted, "line")));
    let cut = |line: &&str| escape::cut(line, LINE).into_owned() + "\n";
    first.iter().map(cut).chain(note).chain(rest[omitted..].iter().map(cut)).collect()
}

fn short(text: &str) -> String {
    escape::cut(text, LONGEST).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::trace;

    #[test]
    fn events_begin_with_a_whole_object_that_has_no_format() {
        let mut report = Events::new(Vec::new());
        for event in sample::events(sample::run(1), &[sample::failing("a/case")], Ended::default()) {
            report.event(&event).unwrap();
        }
        assert!(begin(std::str::from_utf8(&report.out).unwrap()));
        for canonical in
            ["{\n  \"format\": 1\n}", "{\"cases\":[],\"format\":1}", "{\"format\": 1, \"cases\": [{", ""]
        {
            assert!(!begin(canonical), "{canonical}");
        }
    }

    #[test]
    fn a_long_standard_error_keeps_the_error_that_names_the_cause() {
        let frames: String = (0..200).map(|n| format!("    at f{n} (/srv/peer.js:{n}:1)\n")).collect();
        let mut outcome = sample::crashing("a/case");
        outcome.evidence.death.as_mut().unwrap().stderr = format!("TypeError: no\n{frames}the end\n");
        let stderr = bounded(&outcome).evidence.death.unwrap().stderr;
        assert_eq!(trace::read(&stderr).unwrap().cause(), "TypeError: no at peer.js:0:1");
        assert!(
            stderr.ends_with("\nthe end\n") && stderr.contains("\n… 142 lines are left out\n"),
            "{stderr}"
        );
    }
}
