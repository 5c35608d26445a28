use super::edit::{Change, Words, update};
use super::*;
use dnode_reports::event::{Divergence, Evidence, Kind};
use dnode_spec::clause::Level;

const TODAY: Date = Date { year: 2026, month: 11, day: 23 };

const KNOWN_FAILURE: &str = "\
# The known failures.
[[known]]
case = \"robust/message-null\"  # it crashes
fingerprint = \"1:aaaaaaaaaaaa\"
reason = \"null ends the process\"
issue = \"https://example.org/7\"
expires = 2026-11-23
";

fn read(text: &str) -> Result<Baseline, BaselineError> {
    Baseline::read(text, "known.toml", TODAY)
}

fn outcome(id: &str, verdict: Verdict, fingerprint: &str) -> Outcome {
    let divergence = verdict.is_finding().then(|| Divergence {
        step: "step 2".to_owned(),
        clause: "robust/survives".to_owned(),
        kind: Kind::Died,
        path: String::new(),
        expected: String::new(),
        actual: String::new(),
        fingerprint: fingerprint.to_owned(),
    });
    Outcome {
        id: id.to_owned(),
        about: String::new(),
        level: Level::Robust,
        clauses: vec!["robust/survives".to_owned()],
        verdict,
        reason: None,
        rests_on: None,
        divergence,
        excuse: None,
        evidence: Evidence::default(),
    }
}

fn crash(fingerprint: &str) -> Outcome {
    outcome("robust/message-null", Verdict::Crash, fingerprint)
}

/// The stale entries after a run with only this outcome, and the excuse of the outcome.
fn run(text: &str, outcome: &Outcome) -> (Vec<String>, Option<String>) {
    let baseline = read(text).unwrap();
    let stale = baseline.stale(&BTreeMap::from([(outcome.id.clone(), outcome.clone())]));
    let line = |stale: Stale| format!("{}: {}; {}", stale.id, stale.problem, stale.remedy);
    (stale.into_iter().map(line).collect(), baseline.excuse(outcome))
}

#[test]
fn a_known_failure_is_excused_with_its_reason() {
    let excuse = Some("known: null ends the process (https://example.org/7)".to_owned());
    assert_eq!(run(KNOWN_FAILURE, &crash("1:aaaaaaaaaaaa")), (vec![], excuse));
    assert_eq!(read("").unwrap().excuse(&crash("1:aaaaaaaaaaaa")), None);
}

#[test]
fn a_case_that_rests_on_a_known_failure_is_excused() {
    let text = "[[known]]\ncase = \"methods/by-id\"\nfingerprint = \"1:a\"\nreason = \"names only\"\n";
    let mut outcome = outcome("value/nest", Verdict::Inconclusive, "");
    outcome.rests_on = Some("methods/by-id".to_owned());
    assert_eq!(
        run(text, &outcome),
        (vec![], Some("rests on methods/by-id, whose failure is known".to_owned()))
    );
    assert_eq!(run(KNOWN_FAILURE, &outcome), (vec![], None));
}

#[test]
fn an_entry_whose_case_passes_is_stale() {
    let passes = outcome("robust/message-null", Verdict::Pass, "");
    insta::assert_snapshot!(run(KNOWN_FAILURE, &passes).0.join("\n"), @"robust/message-null: the case passes, but the entry says that it fails; run `dnode-conform baseline update known.toml RUN`");
    let absent = outcome("robust/message-null", Verdict::NotApplicable, "");
    insta::assert_snapshot!(run(KNOWN_FAILURE, &absent).0.join("\n"), @"robust/message-null: the case is not applicable, but the entry says that it fails; run `dnode-conform baseline update known.toml RUN`");
}

#[test]
fn an_entry_with_another_fingerprint_is_stale() {
    let (stale, excuse) = run(KNOWN_FAILURE, &crash("1:bbbbbbbbbbbb"));
    assert_eq!(excuse, None);
    insta::assert_snapshot!(stale.join("\n"), @"robust/message-null: the case fails differently now: its fingerprint is 1:bbbbbbbbbbbb, but the entry has 1:aaaaaaaaaaaa; check the finding; if you accept it as well, run `dnode-conform baseline update known.toml RUN`");
}

#[test]
fn an_expired_entry_is_stale() {
    let text = KNOWN_FAILURE.replace("2026-11-23", "2026-11-22");
    let (stale, excuse) = run(&text, &crash("1:aaaaaaaaaaaa"));
    assert_eq!(excuse, None);
    insta::assert_snapshot!(stale.join("\n"), @"robust/message-null: the entry expired on 2026-11-22; fix the failure, or give the entry a later date and say why");
}

#[test]
fn an_entry_without_a_case_is_stale_but_one_whose_case_did_not_run_is_not() {
    let text = KNOWN_FAILURE.replace("robust/message-null", "robust/no-such");
    insta::assert_snapshot!(run(&text, &outcome("a/case", Verdict::Pass, "")).0.join("\n"), @"robust/no-such: no case has this id; correct the id, or remove the entry");
    for id in ["robust/message-null", "always/framing-json", "probe/complete", "generated/1-17"] {
        let text = KNOWN_FAILURE.replace("robust/message-null", id);
        assert_eq!(run(&text, &outcome("a/case", Verdict::Pass, "")).0, [""; 0], "{id}");
    }
}

#[test]
fn an_inconclusive_case_makes_no_entry_stale() {
    let inconclusive = outcome("robust/message-null", Verdict::Inconclusive, "");
    assert_eq!(run(KNOWN_FAILURE, &inconclusive), (vec![], None));
}

#[test]
fn errors_name_the_line_and_the_fix() {
    let twice = [KNOWN_FAILURE, KNOWN_FAILURE].concat();
    let problem = |text: &str| read(text).unwrap_err();
    let problems = [
        problem("[[known]\n"),
        problem("\n[[unknown]]\n"),
        problem("known = 1\n"),
        problem("[[known]]\ncase = \"a/b\"\nfingerprint = \"1:a\"\n"),
        problem("[[known]]\ncase = \"a/b\"\nfingerprint = \"1:a\"\nreason = \" \"\n"),
        problem("[[known]]\ncase = 1\n"),
        problem("[[known]]\nfingerprint = \"1:a\"\n"),
        problem("[[known]]\ncase = \"a/b\"\n"),
        problem(&KNOWN_FAILURE.replace("issue", "isue")),
        problem(&KNOWN_FAILURE.replace("2026-11-23", "\"2026-11-23\"")),
        problem(&KNOWN_FAILURE.replace("2026-11-23", "2026-11-23T00:00:00Z")),
        problem(&twice),
        problem(&KNOWN_FAILURE.replace("message-null", "*")),
        problem("[[known]]\ncase = \"a/[\"\n"),
    ];
    insta::assert_snapshot!(problems.map(|it| it.to_string()).join("\n"), @r#"
    known.toml, line 1: invalid TOML: unclosed array table, expected `]`
    known.toml, line 2: expected [[known]], got "unknown": a baseline contains nothing else
    known.toml, line 1: each known failure must begin with a line [[known]]
    known.toml, line 1: reason is missing: say why this failure is accepted
    known.toml, line 1: reason must be a text that is not empty
    known.toml, line 1: case must be a text that is not empty
    known.toml, line 1: case is missing: the id at the beginning of the finding
    known.toml, line 1: fingerprint is missing: the text report shows it below the finding's difference
    known.toml, line 2: unknown key "isue"; expected one of case, fingerprint, reason, issue, expires
    known.toml, line 2: expires must be a date without quotes, such as 2027-03-01
    known.toml, line 2: expires must be a date without quotes, such as 2027-03-01
    known.toml, line 9: robust/message-null has two entries; remove one of them
    known.toml, line 2: robust/* is a glob, so it cannot have a fingerprint: remove the fingerprint
    known.toml, line 1: case is not a valid glob: error parsing glob 'a/[': unclosed character class; missing ']'
    "#);
}

fn updated(
    text: &str,
    outcomes: &[Outcome],
    reason: Option<&str>,
) -> Result<(String, Vec<Change>), BaselineError> {
    let words = Words { reason: reason.map(str::to_owned), ..Words::default() };
    update(text, "known.toml", outcomes, Level::Robust, &words, TODAY)
}

#[test]
fn a_new_baseline_has_the_gating_failures() {
    let observed = Outcome { level: Level::Observed, ..outcome("a/observed", Verdict::Fail, "1:c") };
    let outcomes = [crash("1:aaaaaaaaaaaa"), outcome("a/pass", Verdict::Pass, ""), observed];
    let words = Words {
        reason: Some("old \"faults\"\nof ours".to_owned()),
        issue: Some("https://example.org/1".to_owned()),
        expires: Some(TODAY),
    };
    let (text, changes) = update("", "known.toml", &outcomes, Level::Robust, &words, TODAY).unwrap();
    assert_eq!(changes, [Change::Added("robust/message-null".to_owned())]);
    insta::assert_snapshot!(text, @r#"

    [[known]]
    case = "robust/message-null"
    fingerprint = "1:aaaaaaaaaaaa"
    reason = """
    old "faults"
    of ours"""
    issue = "https://example.org/1"
    expires = 2026-11-23
    "#);
    assert!(run(&text, &crash("1:aaaaaaaaaaaa")).1.is_some());
    assert_eq!(updated(&text, &outcomes, None).unwrap(), (text, vec![]));
}

#[test]
fn a_new_failure_needs_a_reason() {
    let problem = updated("", &[crash("1:a")], None).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "robust/message-null is not in the baseline: give the reason why its failure is accepted with --reason"
    );
}

#[test]
fn an_update_keeps_comments_and_layout() {
    let text = format!(
        "{KNOWN_FAILURE}\n# This one is old.\n[[known]]\ncase = 'a/gone'\nfingerprint = '1:d'\nreason = 'old'\n\n\
         # Not run.\n[[known]]\ncase   = \"framing/half-close\"\nfingerprint='1:e' # so\nreason = 'new'\n"
    );
    let outcomes = [crash("1:bbbbbbbbbbbb"), outcome("framing/split", Verdict::Fail, "1:f")];
    let (new, changes) = updated(&text, &outcomes, Some("new")).unwrap();
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    changed  robust/message-null: it fails differently now
    removed  a/gone: no case has this id
    added    framing/split
    ");
    insta::assert_snapshot!(new, @r#"
    # The known failures.
    [[known]]
    case = "robust/message-null"  # it crashes
    fingerprint = "1:bbbbbbbbbbbb"
    reason = "null ends the process"
    issue = "https://example.org/7"
    expires = 2026-11-23

    # Not run.
    [[known]]
    case   = "framing/half-close"
    fingerprint='1:e' # so
    reason = 'new'

    [[known]]
    case = "framing/split"
    fingerprint = "1:f"
    reason = "new"
    "#);
}

#[test]
fn line_endings_are_kept() {
    let text = KNOWN_FAILURE.replace('\n', "\r\n");
    let (new, _) = updated(&text, &[crash("1:bbbbbbbbbbbb")], None).unwrap();
    assert_eq!(new, text.replace("1:aaaaaaaaaaaa", "1:bbbbbbbbbbbb"));
}

#[test]
fn comments_at_the_top_outlive_the_entries() {
    let passes = [outcome("robust/message-null", Verdict::Pass, "")];
    let alone = format!("# The baseline of our port.\n\n{KNOWN_FAILURE}");
    assert_eq!(updated(&alone, &passes, None).unwrap().0, "# The baseline of our port.\n");
    let next =
        "\n# Another.\n[[known]]\ncase = \"framing/half-close\"\nfingerprint = \"1:a\"\nreason = \"b\"\n";
    let (new, _) = updated(&format!("{alone}{next}"), &passes, None).unwrap();
    assert_eq!(new, format!("# The baseline of our port.\n{next}"));
}

#[test]
fn an_update_removes_the_entries_of_passing_cases() {
    let (new, _) =
        updated(KNOWN_FAILURE, &[outcome("robust/message-null", Verdict::Pass, "")], None).unwrap();
    assert!(read(&new).unwrap().entries.is_empty() && !new.contains("[[known]]"), "{new}");
}

#[test]
fn an_expired_entry_is_left_to_a_person() {
    let text = KNOWN_FAILURE.replace("2026-11-23", "2026-11-22");
    let (new, changes) = updated(&text, &[crash("1:bbbbbbbbbbbb")], None).unwrap();
    assert_eq!((new, changes.len()), (text, 1));
    assert_eq!(changes[0].to_string(), "left     robust/message-null: the entry expired on 2026-11-22");
}

#[test]
fn pass_over_the_whole_run_counts_only_if_all_cases_ran() {
    let id = "always/framing-json";
    let text = KNOWN_FAILURE.replace("robust/message-null", id);
    let pass = outcome(id, Verdict::Pass, "");
    assert_eq!(run(&text, &pass).0, [""; 0]);
    let words = Words::default();
    let changes =
        |outcomes: &[Outcome]| update(&text, "known.toml", outcomes, Level::Robust, &words, TODAY).unwrap().1;
    assert_eq!(changes(std::slice::from_ref(&pass)), []);
    let whole = all().unwrap().into_iter().map(|case| outcome(case.id(), Verdict::Pass, ""));
    let whole: Vec<Outcome> = whole.chain([pass]).collect();
    assert_eq!(changes(&whole), [Change::Removed(id.to_owned(), "it passes")]);
}

const GLOB: &str = "[[known]]\ncase = \"robust/link-*\"\nreason = \"links\"\nexpires = 2026-11-23\n";

/// The outcomes of all cases that the glob covers: the first has this verdict, the others pass.
fn of_glob(first: Verdict) -> Vec<Outcome> {
    let cases = all().unwrap();
    let mut ids = cases.iter().map(crate::cases::Case::id).filter(|id| id.starts_with("robust/link-"));
    let first = outcome(ids.next().unwrap(), first, "1:a");
    let others: Vec<Outcome> = ids.map(|id| outcome(id, Verdict::Pass, "")).collect();
    assert!(others.len() > 1);
    std::iter::once(first).chain(others).collect()
}

/// The stale entries after a run with these outcomes.
fn stale(text: &str, outcomes: &[Outcome]) -> Vec<String> {
    let outcomes = outcomes.iter().map(|outcome| (outcome.id.clone(), outcome.clone())).collect();
    let line = |stale: Stale| format!("{}: {}; {}", stale.id, stale.problem, stale.remedy);
    read(text).unwrap().stale(&outcomes).into_iter().map(line).collect()
}

#[test]
fn a_glob_excuses_each_failure_of_its_cases() {
    let baseline = read(GLOB).unwrap();
    for verdict in [Verdict::Fail, Verdict::Crash, Verdict::Hang] {
        let outcomes = of_glob(verdict);
        assert_eq!(baseline.excuse(&outcomes[0]).as_deref(), Some("known: links"));
        assert_eq!(stale(GLOB, &outcomes), [""; 0]);
    }
    assert_eq!(baseline.excuse(&crash("1:a")), None);
    insta::assert_snapshot!(baseline.describe(), @"baseline known.toml: 0 known failures, 1 glob");
    // A case that rests on a clause of a known failure is excused, too.
    let clauses = &all().unwrap().into_iter().find(|it| it.id().starts_with("robust/link-")).unwrap();
    let clause = clauses.transcript.header.clauses[0].clone();
    let resting = Outcome { rests_on: Some(clause), ..outcome("value/nest", Verdict::Inconclusive, "") };
    assert!(baseline.excuse(&resting).is_some());
}

#[test]
fn a_glob_that_excuses_nothing_is_stale_once_all_its_cases_ran() {
    let pass = of_glob(Verdict::Pass);
    insta::assert_snapshot!(stale(GLOB, &pass).join("\n"), @"robust/link-*: none of its cases fails without an entry of its own; run `dnode-conform baseline update known.toml RUN`");
    assert_eq!(stale(GLOB, &pass[1..]), [""; 0], "a case that did not run may fail");
    assert_eq!(stale(GLOB, &of_glob(Verdict::Inconclusive)), [""; 0]);
    assert_eq!(stale(GLOB, &[]), [""; 0]);
    let text = GLOB.replace("robust/link-*", "robst/*");
    insta::assert_snapshot!(stale(&text, &[]).join("\n"), @"robst/*: no case matches; correct the pattern, or remove the entry");
}

#[test]
fn the_entry_of_a_case_comes_before_globs() {
    let outcomes = of_glob(Verdict::Crash);
    let own = KNOWN_FAILURE.replace("robust/message-null", &outcomes[0].id);
    let text = [GLOB, &own].concat();
    let excuse = read(&text).unwrap().excuse(&outcomes[0]);
    assert_eq!(excuse, None, "its fingerprint differs from that of its own entry");
    assert!(stale(&text, &outcomes).iter().any(|line| line.starts_with("robust/link-*: none of its cases")));
}

#[test]
fn an_expired_glob_excuses_nothing() {
    let text = GLOB.replace("2026-11-23", "2026-11-22");
    let outcomes = of_glob(Verdict::Crash);
    assert_eq!(read(&text).unwrap().excuse(&outcomes[0]), None);
    insta::assert_snapshot!(stale(&text, &outcomes).join("\n"), @"robust/link-*: the entry expired on 2026-11-22; fix the failures, or give the entry a later date and say why");
    let (new, changes) = updated(&text, &outcomes, None).unwrap();
    assert_eq!((new, changes.len()), (text, 1), "it is left to a person");
}

#[test]
fn an_update_adds_no_failure_that_a_glob_covers_and_removes_a_glob_that_excuses_nothing() {
    assert_eq!(updated(GLOB, &of_glob(Verdict::Crash), None).unwrap(), (GLOB.to_owned(), vec![]));
    let (new, changes) = updated(GLOB, &of_glob(Verdict::Pass), None).unwrap();
    assert_eq!(new, "");
    let why = "none of its cases fails without an entry of its own";
    assert_eq!(changes, [Change::Removed("robust/link-*".to_owned(), why)]);
}
