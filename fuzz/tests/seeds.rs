//! Compares the committed seeds with the fixtures from which they are generated.
//! `UPDATE=1 cargo test -p dnode-fuzz --test seeds` writes them.
//!
//! A seed is the stream of one end: the bytes that a transcript sends, or that an implementation sent
//! in a recording. Seeds longer than [`LONGEST`] are left out because short inputs make fuzzing faster.

#[path = "../../harness/capture/tests/support/packets.rs"]
mod packets;

use dnode_fuzz::files;
use dnode_fuzz::generators::sent;
use dnode_spec::monitor::End;
use dnode_spec::transcript::rows::{self, Row};
use dnode_spec::transcript::{Action, Names, Step, Transcript};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const GENERATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/stream/made");
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/capture");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");

/// The maximum length of a seed, in bytes.
const LONGEST: usize = 2048;

/// File names and contents.
type Seeds = BTreeMap<String, Vec<u8>>;

/// The path and the text of each `.jsonl` file in a folder of the fixtures. The path is relative to
/// that folder and without the extension.
fn fixtures(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(FIXTURES).join(folder);
    let paths =
        files(&folder).unwrap().into_iter().filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let read = paths.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(&folder).unwrap().with_extension("").to_str().unwrap().to_owned(), text)
    });
    read.collect()
}

/// Adds the bytes that each hand-written transcript sends.
fn add_transcripts(seeds: &mut Seeds) {
    for (id, text) in fixtures("transcripts") {
        if id.starts_with("recorded/") {
            continue;
        }
        let transcript = Transcript::read(&text).unwrap();
        let mut names = Names::new(transcript.first_free_number);
        let methods = transcript.header.object.encode(b"\"methods\"", &mut names);
        let mut stream = if transcript.header.manual_handshake { Vec::new() } else { methods };
        transcript.steps.iter().for_each(|step| send(step, &mut names, &mut stream));
        seeds.insert(id.replace('/', "-"), stream);
    }
}

/// Appends the bytes that a step sends.
fn send(step: &Step, names: &mut Names, stream: &mut Vec<u8>) {
    match &step.action {
        Action::Bytes(bytes, newline, _) => {
            // An id that is not known here cannot be changed.
            let bytes = bytes.expand(&mut |blank| Some(sent::blank(blank)));
            stream.extend(bytes.unwrap_or_default());
            stream.extend(newline.then_some(b'\n'));
        }
        action => stream.extend(sent::message(action, names).unwrap_or_default()),
    }
}

/// Adds the bytes that each implementation sent in its first recording as client and as server.
fn add_recordings(seeds: &mut Seeds) {
    for (name, text) in fixtures("recordings") {
        let (_, rows) = rows::read(&text).unwrap();
        let (client, server) = name.split_once("--").unwrap();
        for (from, name) in
            [(End::A, format!("recorded-{client}-client")), (End::B, format!("recorded-{server}-server"))]
        {
            let sent = rows.iter().filter(|(end, ..)| *end == from).map(|(_, row, _)| match row {
                Row::Line(line) => format!("{line}\n"),
                Row::End(rest) => rest.clone(),
            });
            let sent: String = sent.collect();
            seeds.entry(name).or_insert_with(|| sent.into_bytes());
        }
    }
}

/// Captures of one recorded session: each link type, in both formats.
fn captures() -> Seeds {
    let recordings = fixtures("recordings");
    let (_, text) = recordings.iter().min_by_key(|(_, text)| text.len()).unwrap();
    let mut talk = packets::Talk::usual();
    for (end, row, _) in rows::read(text).unwrap().1 {
        match row {
            Row::Line(line) => drop(talk.say(end as usize, format!("{line}\n"))),
            Row::End(rest) => drop(talk.say(end as usize, rest).end(end as usize)),
        }
    }
    let mut seeds = Seeds::new();
    for link in packets::LINKS {
        let frames = packets::frames(link, &talk.segments);
        seeds.insert(format!("{link:?}.pcap").to_lowercase(), packets::pcap(link.number(), &frames));
        seeds.insert(format!("{link:?}.pcapng").to_lowercase(), packets::pcapng(link.number(), &frames));
    }
    seeds
}

#[test]
fn seeds_of_captures_match_the_fixtures() {
    compare(CAPTURES, &captures());
}

#[test]
fn seeds_match_the_fixtures() {
    let mut seeds = Seeds::new();
    add_transcripts(&mut seeds);
    add_recordings(&mut seeds);
    let mut seen = BTreeSet::new();
    seeds.retain(|_, bytes| !bytes.is_empty() && bytes.len() <= LONGEST && seen.insert(bytes.clone()));
    compare(GENERATED, &seeds);
}

/// Compares the seeds with the files in a folder, or writes them if `UPDATE` is set.
fn compare(folder: &str, seeds: &Seeds) {
    if std::env::var("UPDATE").is_ok() {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).unwrap();
        for (name, bytes) in seeds {
            std::fs::write(Path::new(folder).join(name), bytes).unwrap();
        }
    }
    let committed = files(Path::new(folder)).unwrap().into_iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    });
    let committed: Seeds = committed.collect();
    let rewrite = "run this test with UPDATE=1 and review the difference";
    assert!(committed.keys().eq(seeds.keys()), "seeds are missing or superfluous: {rewrite}");
    for (name, bytes) in seeds {
        assert!(committed[name] == *bytes, "the seed {name} is stale: {rewrite}");
    }
}
