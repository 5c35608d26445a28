//! The target that drives a live peer: the seeds blame no peer that is right, and find faults of the reference peer.
#![cfg(feature = "peer")]

use dnode_conform::program::Target;
use dnode_conform::reference::{self, MakeConduct, Manner, fault, variant};
use dnode_fuzz::live::Live;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Sends every so many of the seeds, or those up to the first finding; gives that, and which transitions were seen.
fn hear(manner: Manner, every: usize) -> (Result<(), String>, BTreeSet<usize>) {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    runtime.spawn(serve::serve(listener, manner));
    let mut live = Live::start(&Target::parse(&address).unwrap(), None).unwrap();
    let mut seen = BTreeSet::new();
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/stream/made");
    let mut seeds: Vec<_> = std::fs::read_dir(made).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let found = seeds.iter().step_by(every).try_for_each(|path| {
        let input = std::fs::read(path).unwrap();
        let heard = live.hear(&input, &mut |transition| {
            seen.insert(transition.number());
        });
        heard.map_err(|finding| format!("{}: {finding}", path.display()))
    });
    (found, seen)
}

#[test]
fn the_seeds_find_nothing_at_the_reference_peer_and_tell_many_transitions_apart() {
    let (found, seen) = hear(serve::plain(), 1);
    assert_eq!(found, Ok(()));
    assert!(seen.len() > 20, "{} transitions", seen.len());
}

#[test]
fn the_seeds_find_nothing_at_a_legal_variant() {
    for variant in variant::VARIANTS {
        let make: MakeConduct = Arc::new(|number| variant::combined(&[variant], number));
        let (found, _) = hear(make.into(), 5);
        assert_eq!(found, Ok(()), "{}", variant.name);
    }
}

#[test]
fn the_seeds_find_faults() {
    for name in ["deaf-after-bad-lines", "deaf-after-bad-messages", "deaf-when-a-method-throws"] {
        let fault = fault::find(name).unwrap();
        let make: MakeConduct = Arc::new(|_| (fault.make)());
        let (found, _) = hear(make.into(), 1);
        let finding = found.expect_err(name);
        // The input says which line came last, not what it stood for: a peer that went deaf is told by that alone.
        assert!(finding.contains("robust/not-deaf"), "{name}: {finding}");
    }
}
