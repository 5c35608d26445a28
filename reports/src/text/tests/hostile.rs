//! Text of a peer reaches the terminal only in visible characters.

use super::*;
use crate::escape;
use crate::event::{Act, Status};

#[test]
fn hostile_name() {
    let run = Run { peer: Some(HOSTILE.to_owned()), ..sample::run(1) };
    insta::assert_snapshot!(report(PLAIN, run, &[sample::outcome("a/case", Verdict::Pass)], FINE), @r"
    dnode-conform 0.1.0:
    \x1b[2J\x1b]0;owned\x07\x0d\u{202e}evil\u{202c}\u{200b}\u{9b}31m\u{e0041}\u{2028}, 1 case
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    1 planned: 1 pass
    exit 0: nothing that gates failed
    ");
}

/// An outcome with hostile text in every field.
fn all_hostile(verdict: Verdict) -> Outcome {
    let text = || HOSTILE.repeat(9);
    let mut outcome = Outcome {
        id: text(),
        about: text(),
        clauses: vec![text()],
        reason: Some(text()),
        verdict,
        ..sample::crashing("a/case")
    };
    outcome.divergence = Some(Divergence {
        step: text(),
        clause: text(),
        kind: Kind::Differs,
        path: text(),
        expected: text(),
        actual: text(),
        fingerprint: text(),
    });
    outcome.evidence.wire =
        vec![sample::came(text()), sample::came(b"\xff\n\n"), sample::peer_does(Act::Closes)];
    outcome.evidence.transcript = text();
    outcome.evidence.repeat = text();
    if let Some(death) = &mut outcome.evidence.death {
        death.status = Status::Signal { number: 1, name: Some(text()) };
    }
    outcome
}

fn all_hostile_report(options: Options) -> String {
    let mut cases = Verdict::ALL.map(all_hostile).to_vec();
    cases.push(Outcome { level: Level::Observed, ..all_hostile(Verdict::Fail) });
    let run = Run {
        suite: HOSTILE.to_owned(),
        peer: Some(HOSTILE.to_owned()),
        target: HOSTILE.to_owned(),
        notes: vec![HOSTILE.to_owned()],
        ..sample::run(8)
    };
    report(options, run, &cases, FINE)
}

#[test]
fn no_text_reaches_the_terminal_raw() {
    for verbose in [false, true] {
        let text = all_hostile_report(Options { details: verbose, verbose, ..Options::default() });
        assert!(!text.contains(|c| c != '\n' && escape::is_hidden(c)));
    }
}

#[test]
fn styles_only_add_escape_sequences_for_styles() {
    for verbose in [false, true] {
        let styled =
            all_hostile_report(Options { styles: true, details: verbose, verbose, ..Options::default() });
        let mut parts = styled.split("\u{1b}[");
        let mut bare = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, rest) = part.split_once('m').unwrap();
            assert!(code.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{code}");
            bare.push_str(rest);
        }
        assert!(styled.len() > bare.len());
        assert_eq!(bare, all_hostile_report(Options { details: verbose, verbose, ..Options::default() }));
    }
}

#[test]
fn no_line_starts_with_a_command_for_the_ci_job() {
    let mut outcome = sample::crashing("a/case");
    if let Some(death) = &mut outcome.evidence.death {
        death.stderr = "::error::owned\n  ::stop-commands::x\n##[error]owned\n".to_owned();
    }
    // Wrapped so that the command starts the second line.
    let at = "      ".len() + "came".len();
    if let Some(divergence) = &mut outcome.divergence {
        divergence.actual = format!("{} ::error::owned", "x".repeat(100 - at - 5));
    }
    outcome.evidence.transcript = "::error::owned\n".to_owned();
    let text = report(PLAIN, sample::run(1), &[outcome], FINE);
    assert!(!text.contains("##["));
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert_eq!(text.matches(r"\x3a:").count(), 5, "{text}");
}
