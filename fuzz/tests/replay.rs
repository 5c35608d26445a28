//! Replays the committed inputs through the oracles, without libFuzzer and on stable Rust.

use dnode_fuzz::{Oracle, TARGETS, files};
use std::path::Path;

const FUZZ: &str = env!("CARGO_MANIFEST_DIR");

/// Runs an oracle on all files of a folder. Panics if there is none: such a replay proves nothing.
fn replay(folder: &Path, oracle: Oracle) {
    let inputs = files(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    assert!(!inputs.is_empty(), "{} holds no input: add one or delete the folder", folder.display());
    for path in inputs {
        // The test runner shows this line if the oracle fails.
        println!("replaying {}", path.display());
        oracle(&std::fs::read(&path).unwrap());
    }
}

/// Replays the folders of targets in `folder`. Panics if there is none.
fn replay_targets(folder: &Path) {
    let mut targets = TARGETS.iter().filter(|(target, _)| folder.join(target).is_dir()).peekable();
    assert!(targets.peek().is_some(), "{} holds no folder of a target", folder.display());
    targets.for_each(|(target, oracle)| replay(&folder.join(target), *oracle));
}

#[test]
fn every_oracle_holds_for_its_seeds() {
    let seeds = Path::new(FUZZ).join("seeds");
    TARGETS.iter().for_each(|(target, oracle)| replay(&seeds.join(target), *oracle));
}

#[test]
fn every_oracle_holds_for_its_regressions() {
    replay_targets(&Path::new(FUZZ).join("regressions"));
}

/// `CORPUS` names a folder that holds a folder for each target, for example `fuzz/corpus`.
#[test]
fn every_oracle_holds_for_the_corpus() {
    if let Some(corpus) = std::env::var_os("CORPUS") {
        replay_targets(Path::new(&corpus));
    }
}

/// Creates an empty folder `NAME/decode`; returns its parent.
fn folder_without_inputs(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(folder.join("decode")).unwrap();
    folder
}

#[test]
#[should_panic = "decode holds no input: add one or delete the folder"]
fn an_empty_folder_of_inputs_is_an_error() {
    replay_targets(&folder_without_inputs("empty"));
}

#[test]
#[should_panic = "decode holds no folder of a target"]
fn a_folder_without_targets_is_an_error() {
    replay_targets(&folder_without_inputs("without-targets").join("decode"));
}

#[test]
#[should_panic = "cannot read"]
fn a_missing_folder_of_seeds_is_an_error() {
    replay(&folder_without_inputs("missing").join("lines"), |_| {});
}

#[test]
fn every_target_has_a_program_and_every_folder_a_target() {
    let is_target = |name: &str| TARGETS.iter().any(|(target, _)| *target == name);
    for (target, _) in TARGETS {
        let program = std::fs::read_to_string(format!("{FUZZ}/fuzz_targets/{target}.rs")).unwrap();
        assert!(program.contains(&format!("oracles::{target}(data)")), "{target}");
    }
    for folder in ["seeds", "regressions"] {
        for entry in std::fs::read_dir(format!("{FUZZ}/{folder}")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(is_target(&name) || name == "stream", "{folder}/{name} belongs to no target");
        }
    }
}

/// Lines with extreme depth and length.
fn extreme_lines() -> Vec<Vec<u8>> {
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
fn extreme_lines_do_not_overflow_the_stack() {
    for (target, oracle) in TARGETS {
        let run = move || extreme_lines().iter().for_each(|input| oracle(input));
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap();
        assert!(thread.join().is_ok(), "{target}");
    }
}
