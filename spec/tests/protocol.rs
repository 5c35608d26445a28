//! `PROTOCOL.md` agrees with the clauses, the tables of states, and the decoder of messages.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads the tree it runs in, and fails by panicking"
)]

#[path = "support/document.rs"]
mod document;
#[path = "support/grammar.rs"]
mod grammar;

use dnode_spec::clause::{CLAUSES, Clause, find};
use dnode_spec::message::decode;
use dnode_spec::state::diagram::{Role, of_connection, of_id};
use dnode_spec::value::Value;
use document::{EXEMPT, all, blocks, problems, replaced, sentences};
use grammar::Grammar;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/recordings");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/PROTOCOL.md");

/// The document. With `UPDATE=1`, its diagrams are written before any test reads it.
static PROTOCOL: LazyLock<String> = LazyLock::new(|| {
    let found = std::fs::read_to_string(PATH).unwrap();
    if std::env::var("UPDATE").is_err() {
        return found;
    }
    let fresh = with_diagrams(&found);
    std::fs::write(PATH, &fresh).unwrap();
    fresh
});

/// The document with the diagrams of the tables.
fn with_diagrams(text: &str) -> String {
    let diagrams =
        [("owner", of_id(Role::Owner)), ("holder", of_id(Role::Holder)), ("connection", of_connection())];
    diagrams.iter().fold(text.to_owned(), |text, (name, diagram)| {
        replaced(&text, name, diagram).unwrap_or_else(|| panic!("PROTOCOL.md has no place for {name}"))
    })
}

/// The text of the grammar in the document.
fn abnf() -> String {
    let blocks = blocks(&PROTOCOL);
    blocks.iter().find(|block| block.info == "abnf").unwrap().lines.join("\n")
}

#[test]
fn each_sentence_has_its_clause_and_each_clause_a_sentence() {
    let problems = problems(&PROTOCOL, all());
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn each_exempt_group_exists_and_has_no_sentence() {
    let linked: BTreeSet<String> =
        sentences(&PROTOCOL).into_iter().filter_map(|sentence| sentence.link).map(|link| link.0).collect();
    for (group, why) in EXEMPT {
        let of_group = |id: &str| id.starts_with(&format!("{group}/"));
        assert!(CLAUSES.iter().any(|clause| of_group(clause.id)), "no clause is in {group}");
        assert!(!linked.iter().any(|id| of_group(id)), "{group} is exempt, because {why}");
    }
}

#[test]
fn diagrams_are_those_of_the_tables() {
    let is_fresh = *PROTOCOL == with_diagrams(&PROTOCOL);
    assert!(is_fresh, "PROTOCOL.md is stale: run `UPDATE=1 cargo test -p dnode-spec --test protocol`");
}

#[test]
fn a_stale_diagram_is_found() {
    let stale = PROTOCOL.replace("Live --> Gone", "Live --> Unknown");
    assert_ne!(stale, *PROTOCOL);
    assert_eq!(with_diagrams(&stale), *PROTOCOL);
}

#[test]
fn grammar_matches_the_examples() {
    let grammar = Grammar::read(&abnf()).unwrap();
    let blocks = blocks(&PROTOCOL);
    let lines: Vec<&String> =
        blocks.iter().filter(|block| block.info == "json").flat_map(|block| &block.lines).collect();
    for line in &lines {
        assert!(grammar.matches("message", line), "{line}");
        assert!(grammar.matches("stream", &format!("{line}\n{line}\nrest")), "{line}");
    }
    assert!(lines.len() >= 4, "only {} examples were found", lines.len());
}

#[test]
fn grammar_tells_malformed_parts() {
    let grammar = Grammar::read(&abnf()).unwrap();
    for (rule, text, expected) in [
        ("path", r#"["0",1,"é\u0041"]"#, true),
        ("path", "[]", false),
        ("path", "[-1]", false),
        ("path", "[1.5]", false),
        ("link", r#"{"to":[0],"from":[]}"#, true),
        ("link", r#"{"from":[0],"to":[]}"#, false),
        ("link", r#"{"from":[0]}"#, false),
        ("callbacks", r#""callbacks":{}"#, true),
        ("callbacks", r#""callbacks": { "0" : [0] , "-7" : ["x"] }"#, true),
        ("callbacks", r#""callbacks":{"01":[0]}"#, false),
        ("callbacks", r#""callbacks":{"1.0":[0]}"#, false),
        ("callbacks", r#""callbacks":{"+1":[0]}"#, false),
        ("callbacks", r#""callbacks":[]"#, false),
        ("method", r#""method":"0""#, true),
        ("method", r#""method":0"#, true),
        ("method", r#""method":null"#, false),
        ("line", "{\"method\":\"x\",\r\"arguments\":[[{}]]}\r\n", true),
        ("line", "{\"method\":\"x\"\n}\n", false),
        ("line", "{\"method\":\"x\"}", false),
        ("stream", "", true),
    ] {
        assert_eq!(grammar.matches(rule, text), expected, "{rule}: {text}");
    }
}

/// The clauses about the shape of a message, which a grammar can state.
const SHAPE: &[&str] = &[
    "message/object",
    "message/method",
    "message/arguments",
    "message/callbacks",
    "message/links",
    "callback/id-integral",
    "callback/path",
    "link/shape",
    "link/path",
];

/// Whether the decoder finds the shape of the message right.
fn is_decoded(line: &str) -> bool {
    Value::parse(line.as_bytes())
        .is_ok_and(|value| decode(&value).problems.iter().all(|problem| !SHAPE.contains(&problem.clause)))
}

#[test]
fn grammar_and_decoder_agree() {
    // With unknown fields, ABNF cannot say that a known field has its own rule.
    let strict = abnf();
    assert!(strict.contains(" / unknown\n"));
    let grammar = Grammar::read(&strict.replace(" / unknown\n", "\n")).unwrap();
    let mut lines: Vec<String> = [
        r#"{"method":"x"}"#,
        r#"{"links":[{"to":["a"],"from":[0]}],"callbacks":{"-1":["0",1]},"arguments":[[]],"method":-7}"#,
        r#"{"method":true}"#,
        r#"{"method":0.5}"#,
        r#"{"method":"x","arguments":{}}"#,
        r#"{"method":"x","callbacks":{"01":[0]}}"#,
        r#"{"method":"x","callbacks":{"0":[]}}"#,
        r#"{"method":"x","callbacks":{"0":[[]]}}"#,
        r#"{"method":"x","links":{}}"#,
        r#"{"method":"x","links":[{"from":[0]}]}"#,
        r#"{"method":"x","links":[{"from":[0],"to":0}]}"#,
        "[]",
    ]
    .map(str::to_owned)
    .into();
    for entry in std::fs::read_dir(RECORDINGS).unwrap() {
        let path = entry.unwrap().path();
        for row in
            std::fs::read_to_string(&path).unwrap().lines().filter(|_| path.extension().unwrap() == "jsonl")
        {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            lines.extend(row["line"].as_str().map(str::to_owned));
        }
    }
    let mut matched = [0, 0];
    for line in lines {
        let expected = is_decoded(&line);
        assert_eq!(grammar.matches("message", &line), expected, "{line}");
        matched[usize::from(expected)] += 1;
    }
    assert!(matched[0] > 50 && matched[1] > 900, "{matched:?}");
}

#[test]
fn grammar_must_be_complete() {
    let problem = |text| Grammar::read(text).err();
    assert_eq!(problem("a = b").as_deref(), Some("b is not defined"));
    assert_eq!(problem("a = LF\na = DIGIT").as_deref(), Some("a is defined twice"));
    assert!(problem("a == b").is_some());
}

const NEWLINE: &str = "[framing/newline](CLAUSES.md#framingnewline)";
const WHITE: &str = "[framing/white-space](CLAUSES.md#framingwhite-space)";
const STRICT: &str = "[framing/strict](CLAUSES.md#framingstrict)";

/// The problems of a small text, if only the clause of [`NEWLINE`] needs a sentence.
fn faults(text: &str) -> Vec<String> {
    let newline: [&Clause; 1] = [find("framing/newline").unwrap()];
    problems(text, newline)
}

#[test]
fn a_sound_text_has_no_problem() {
    let text = format!(
        "# T\n\nIt explains `MUST`. A line MUST end\nwith one of: a, b. {NEWLINE} It explains.\n\n\
         - A peer SHOULD NOT stop. {WHITE}\n- The reference stops, others MAY go on. {STRICT}\n\n\
         ```json\nMUST\n```\n\n> **Note.** One does not.\n\n| MUST |\n"
    );
    assert_eq!(faults(&text), Vec::<String>::new());
}

#[test]
fn a_clause_without_a_sentence_is_a_problem() {
    assert_eq!(
        faults("Nothing."),
        [
            "no sentence states framing/newline: Every message ends with a newline, the last one before the end of the \
          connection too."
        ]
    );
}

#[test]
fn a_sentence_without_its_clause_is_a_problem() {
    for (wrong, why) in [
        ("Others MUST too.", "it says MUST and has no clause"),
        ("> **Note.** Others MAY too.", "it says MAY and has no clause"),
        ("Others SHALL too.", "it says SHALL and has no clause"),
        (&format!("See {WHITE} and more."), "a link to a clause follows a full stop"),
    ] {
        let found = faults(&format!("A line MUST end. {NEWLINE}\n\n{wrong}"));
        assert!(found.len() == 1 && found[0].ends_with(why), "{wrong}: {found:?}");
    }
}

#[test]
fn a_sentence_with_the_wrong_clause_or_word_is_a_problem() {
    for (wrong, why) in [
        (format!("A line SHOULD end. {NEWLINE}"), "not the words of framing/newline, which is must"),
        (format!("A line ends. {NEWLINE}"), "not the words of framing/newline, which is must"),
        (
            format!("A line MUST end, or MAY not. {NEWLINE}"),
            "not the words of framing/newline, which is must",
        ),
        (
            format!("White space MUST be taken. {WHITE}"),
            "not the words of framing/white-space, which is should",
        ),
        (format!("Peers are strict. {STRICT}"), "not the words of framing/strict, which is observed"),
        (
            format!("The reference MUST be strict. {STRICT}"),
            "not the words of framing/strict, which is observed",
        ),
        ("It MUST. [framing/none](CLAUSES.md#framingnone)".to_owned(), "there is no clause framing/none"),
        (
            "A line MUST end. [framing/newline](CLAUSES.md#framing-newline)".to_owned(),
            "the link to framing/newline should lead to CLAUSES.md#framingnewline",
        ),
        (format!("> A line MUST end. {NEWLINE}"), "a note states no clause"),
        (format!("A line MUST end with: {NEWLINE}"), "the link to framing/newline is within a sentence"),
        (
            "It SHOULD go on. [error/not-answered](CLAUSES.md#errornot-answered)".to_owned(),
            "error/not-answered belongs to the chapters of the other dialect",
        ),
        (
            format!("## 14. Dialect 0.1\nIt SHOULD be taken. {WHITE}"),
            "framing/white-space belongs to the chapters of the other dialect",
        ),
    ] {
        let found = faults(&format!("A line MUST end. {NEWLINE}\n\n{wrong}"));
        assert!(found.len() == 1 && found[0].ends_with(why), "{wrong}: {found:?}");
    }
}

#[test]
fn a_place_is_replaced_between_its_markers() {
    let text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
    assert_eq!(replaced(text, "x", "new\n").unwrap(), "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n");
    assert_eq!(replaced(text, "y", "new\n"), None);
}
