//! Replays the committed inputs through the oracles: no engine, no nightly.

use dnode_fuzz::{Oracle, TARGETS};
use std::path::{Path, PathBuf};

const FUZZ: &str = env!("CARGO_MANIFEST_DIR");

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Runs the oracle on the files of each target below `folder`; gives how many there were of each.
fn replay(folder: &str) -> Vec<(&'static str, usize)> {
    let replayed = |&(target, oracle): &(&'static str, Oracle)| {
        let found = files(&Path::new(FUZZ).join(folder).join(target));
        for path in &found {
            // Shown where the oracle fails.
            println!("replaying {}", path.display());
            oracle(&std::fs::read(path).unwrap());
        }
        (target, found.len())
    };
    TARGETS.iter().map(replayed).collect()
}

#[test]
fn every_oracle_holds_for_its_seeds() {
    let without: Vec<_> = replay("seeds").into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(without.is_empty(), "no seeds: {without:?}");
}

#[test]
fn every_oracle_holds_for_its_regressions() {
    replay("regressions");
}

/// `CORPUS` is a folder with a folder for each target, such as the one in which campaigns leave what they found new.
#[test]
fn every_oracle_holds_for_the_corpus_that_is_named() {
    if let Ok(corpus) = std::env::var("CORPUS") {
        replay(&corpus);
    }
}

#[test]
fn every_oracle_has_its_glue_and_every_folder_its_oracle() {
    let is_target = |name: &str| TARGETS.iter().any(|(target, _)| *target == name);
    for (target, _) in TARGETS {
        let glue = std::fs::read_to_string(format!("{FUZZ}/fuzz_targets/{target}.rs")).unwrap();
        assert!(glue.contains(&format!("oracles::{target}(data)")), "{target}");
    }
    for folder in ["seeds", "regressions"] {
        for entry in std::fs::read_dir(format!("{FUZZ}/{folder}")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                is_target(&name) || name == "stream" || name == "peer",
                "{folder}/{name} belongs to no target"
            );
        }
    }
}

/// Lines as deep and as long as nobody writes them.
fn extreme() -> Vec<Vec<u8>> {
    let nest = |open: &str, core: &str, close: &str| {
        [open.repeat(20_000), core.to_owned(), close.repeat(20_000)].concat()
    };
    let message = |arguments: String| {
        format!("{{\"method\":\"echo\",\"arguments\":[{arguments},0],\"callbacks\":{{\"0\":[1]}}}}\n")
    };
    let path = nest("", "", "0,");
    vec![
        nest("[", "", "]").into_bytes(),
        nest("[", "", "").into_bytes(),
        nest("{\"a\":", "1", "}").into_bytes(),
        message(nest("[", "", "]")).into_bytes(),
        message(nest("{\"a\":", "1", "}")).into_bytes(),
        format!("{{\"method\":0,\"callbacks\":{{\"0\":[{path}0]}}}}\n").into_bytes(),
    ]
}

#[test]
fn no_oracle_recurses_over_its_input() {
    for (target, oracle) in TARGETS {
        let run = move || extreme().iter().for_each(|input| oracle(input));
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap();
        assert!(thread.join().is_ok(), "{target}");
    }
}
