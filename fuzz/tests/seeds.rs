//! The seeds that are made of the fixtures are what the fixtures say; `UPDATE=1 cargo test -p dnode-fuzz --test seeds` makes them anew.
//!
//! A stream is what one end of a session says, in the form of the wire: of each hand-written transcript what it sends, and of the
//! recordings what each implementation said as client and as server. Long ones are left out: an engine does better without.

use dnode_spec::monitor::End;
use dnode_spec::transcript::rows::{self, Row};
use dnode_spec::transcript::{Action, Called, Names, Split, Step, Transcript};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/stream/made");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");

/// The longest seed, in bytes.
const LONGEST: usize = 2048;

/// A name of a file and its bytes.
type Seeds = BTreeMap<String, Vec<u8>>;

/// The names of the entries of a folder, in order.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What each transcript sends.
fn transcripts(seeds: &mut Seeds) {
    let folder = Path::new(FIXTURES).join("transcripts");
    for group in names(&folder).into_iter().filter(|name| name != "recorded" && !name.contains('.')) {
        for file in names(&folder.join(&group)) {
            let path = folder.join(&group).join(&file);
            let transcript = Transcript::read(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let mut names = Names::new(transcript.first_free_number);
            let methods = transcript.header.object.encode(b"\"methods\"", &mut names);
            let mut stream = if transcript.header.manual_handshake { Vec::new() } else { methods };
            transcript.steps.iter().for_each(|step| send(step, &mut names, &mut stream));
            seeds.insert(format!("{group}-{}", file.trim_end_matches(".jsonl")), stream);
        }
    }
}

/// Appends what a step sends; a function of the other end has the number 0, whichever it is.
fn send(step: &Step, names: &mut Names, stream: &mut Vec<u8>) {
    let number = |called: &Called| match called {
        Called::Member(name) => serde_json::json!(name.to_string()).to_string().into_bytes(),
        Called::Verbatim(text) => text.clone(),
        Called::Function(_) => b"0".to_vec(),
    };
    match &step.action {
        Action::Call(called, pattern, _) => stream.extend(pattern.encode(&number(called), names)),
        Action::Send(pattern, _) => stream.extend(pattern.encode(&number(&pattern.called), names)),
        Action::Bytes(bytes, newline, Split::Whole | Split::Each | Split::At(_)) => {
            stream.extend(bytes.expand(&mut |called| Some(number(called))).unwrap());
            stream.extend(newline.then_some(b'\n'));
        }
        _ => {}
    }
}

/// What each implementation said in its first recording as client, and as server.
fn recordings(seeds: &mut Seeds) {
    let folder = Path::new(FIXTURES).join("recordings");
    for file in names(&folder).into_iter().filter(|name| name.ends_with(".jsonl")) {
        let (_, rows) = rows::read(&std::fs::read_to_string(folder.join(&file)).unwrap()).unwrap();
        let (client, server) = file.trim_end_matches(".jsonl").split_once("--").unwrap();
        for (from, name) in
            [(End::A, format!("recorded-{client}-client")), (End::B, format!("recorded-{server}-server"))]
        {
            let said = rows.iter().filter(|(end, ..)| *end == from).map(|(_, row, _)| match row {
                Row::Line(line) => format!("{line}\n"),
                Row::End(rest) => rest.clone(),
            });
            let said: String = said.collect();
            seeds.entry(name).or_insert_with(|| said.into_bytes());
        }
    }
}

#[test]
fn the_seeds_are_what_the_fixtures_say() {
    let mut seeds = Seeds::new();
    transcripts(&mut seeds);
    recordings(&mut seeds);
    let mut seen = BTreeSet::new();
    seeds.retain(|_, bytes| !bytes.is_empty() && bytes.len() <= LONGEST && seen.insert(bytes.clone()));
    if std::env::var("UPDATE").is_ok() {
        let _ = std::fs::remove_dir_all(MADE);
        std::fs::create_dir_all(MADE).unwrap();
        for (name, bytes) in &seeds {
            std::fs::write(Path::new(MADE).join(name), bytes).unwrap();
        }
    }
    let stale = "stale: run it with UPDATE=1 and look at what changed";
    assert!(names(Path::new(MADE)).iter().eq(seeds.keys()), "{stale}");
    for (name, bytes) in &seeds {
        assert!(std::fs::read(Path::new(MADE).join(name)).unwrap() == *bytes, "{name} is {stale}");
    }
}
