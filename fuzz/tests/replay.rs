//! Replays the committed inputs through the oracles: no engine, no nightly.

use std::path::Path;

/// Runs `oracle` on each file of `folder`; gives how many there were.
fn replay(folder: &str, oracle: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        // Shown where the oracle fails.
        println!("replaying {}", path.display());
        oracle(&std::fs::read(&path).unwrap());
        count += 1;
    }
    count
}

#[test]
fn decode_holds_for_its_seeds() {
    assert!(replay("seeds/decode", dnode_fuzz::oracles::decode) > 0, "no seeds");
}

#[test]
fn decode_holds_for_its_regressions() {
    replay("regressions/decode", dnode_fuzz::oracles::decode);
}
