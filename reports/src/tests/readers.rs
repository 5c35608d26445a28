//! The usual programs read the formats: libxml2 with the schema of Jenkins, ajv, `prove` and
//! tap-parser.
//!
//! They are npm packages, and `prove` comes with Perl. Rust has a validator of JSON Schema that
//! takes minutes to compile, and none of XML Schema. Other tests need node and npm anyway.

use super::*;
use crate::event::{Act, Kind};

/// Runs whose reports must be readable: every verdict, hostile text, and no case.
fn runs() -> [(&'static str, Vec<Event>); 3] {
    let nothing = sample::events(sample::run(0), &[], FINE);
    [("sample", sample_run()), ("hostile", hostile::hostile_run()), ("nothing", nothing)]
}

#[test]
fn junit_is_valid_for_jenkins() {
    let files = Files::new("junit");
    let mut written: Vec<PathBuf> = runs()
        .iter()
        .map(|(name, events)| files.write(&format!("{name}.xml"), &render(Format::Junit, events)))
        .collect();
    written.push(files.write("known.xml", &render(Format::Junit, &known_events())));
    let arguments: Vec<&Path> = written.iter().map(PathBuf::as_path).collect();
    assert_eq!(node("junit.mjs", &arguments).matches(": valid").count(), written.len());
}

#[test]
fn json_and_events_match_their_schemas() {
    let files = Files::new("schema");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut canonical: Vec<PathBuf> = runs()
        .iter()
        .map(|(name, events)| files.write(&format!("{name}.json"), &render(Format::Json, events)))
        .collect();
    canonical.extend(known().iter().map(|(name, _)| PathBuf::from(name)));
    let lines =
        runs().map(|(name, events)| files.write(&format!("{name}.jsonl"), &render(Format::Events, &events)));
    for (schema, written) in [("report.schema.json", canonical), ("events.schema.json", lines.to_vec())] {
        let schema = folder.join(schema);
        let arguments: Vec<&Path> =
            std::iter::once(schema.as_path()).chain(written.iter().map(PathBuf::as_path)).collect();
        assert_eq!(node("schema.mjs", &arguments).matches(": valid").count(), written.len());
    }
}

#[test]
fn transcripts_match_their_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/transcripts");
    let transcripts = transcripts_in(&folder);
    let schema = folder.join("schema.json");
    let arguments: Vec<&Path> =
        std::iter::once(schema.as_path()).chain(transcripts.iter().map(PathBuf::as_path)).collect();
    assert!(transcripts.len() > 400);
    assert_eq!(node("schema.mjs", &arguments).matches(": valid").count(), transcripts.len());
}

/// All transcripts in a folder and the folders in it.
fn transcripts_in(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => transcripts_in(&path),
            false => vec![path]
                .into_iter()
                .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
                .collect(),
        })
        .collect()
}

#[test]
fn prove_and_tap_parser_read_tap() {
    let files = Files::new("tap");
    let green = sample::events(
        sample::run(3),
        &[
            sample::outcome("message/plain", Verdict::Pass),
            sample::because("value/cycle", Verdict::NotApplicable, "the probe declares #cycle absent"),
            Outcome { level: Level::Observed, ..sample::failing("methods/again") },
        ],
        FINE,
    );
    let green = files.write("green.tap", &render(Format::Tap, &green));
    let text = succeed(Command::new("prove").arg(&green));
    assert!(text.contains("Result: PASS") && text.contains("Tests=3,"), "{text}");
    for (name, events) in runs() {
        let red = files.write(&format!("{name}.tap"), &render(Format::Tap, &events));
        let output = Command::new("prove").arg(&red).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{name}: {text}");
        assert!(!text.contains("Parse errors"), "{name}: {text}");
    }
    let sample = files.write("sample.tap", &render(Format::Tap, &sample_run()));
    insta::assert_snapshot!(node("tap.mjs", &[&green, &sample]), @r#"
    {"ok":true,"count":3,"pass":2,"fail":1,"skip":1,"todo":1}
    {"ok":false,"count":11,"pass":2,"fail":9,"skip":1,"todo":3}
    1 value/bytes fail "12"
    3 message/argument-order fail "12"
    5 robust/deep crash the process ended with exit status 1
    6 robust/long hang "12"
    8 value/shared inconclusive methods/by-id failed
    9 value/nest harness-error no port was free
    "#);
}

#[test]
fn schemas_list_the_words_of_the_enums() {
    fn words(schema: &str, pointer: &str) -> Vec<String> {
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        serde_json::from_value(schema.pointer(pointer).unwrap().clone()).unwrap()
    }
    let events = include_str!("../../events.schema.json");
    let report = include_str!("../../report.schema.json");
    let kinds = Kind::ALL.map(Kind::word);
    assert_eq!(words(events, "/$defs/divergence/properties/kind/enum"), kinds);
    assert_eq!(words(events, "/$defs/run/properties/time/enum"), TimeBase::ALL.map(TimeBase::word));
    assert_eq!(words(report, "/$defs/divergence/properties/kind/enum"), kinds);
    assert_eq!(words(events, "/$defs/act/enum"), Act::ALL.map(Act::word));
    assert_eq!(words(report, "/$defs/verdict/enum"), Verdict::ALL.map(Verdict::word));
}
