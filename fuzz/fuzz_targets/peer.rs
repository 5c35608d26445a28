//! Any bytes as one end of a connection to a live peer; the model's transitions are coverage.
//!
//! The peer: `DNODE_PEER=HOST:PORT`, or `DNODE_PEER_EXEC=COMMAND` with `{port}`, which is started once; `DNODE_PEER_PING=EXPR` where it has no
//! probe. `DNODE_PEER_BLIND=1` counts the transitions without showing them to the engine, for comparison.
#![no_main]

use dnode_conform::{ping::Ping, process, target::Target};
use dnode_fuzz::live::Live;
use dnode_fuzz::live::transition::{TRANSITIONS, Transition};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{LazyLock, Mutex};

/// libFuzzer finds these by their section, takes each for a counter of its own, and clears them before each input.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
pub static DNODE_TRANSITIONS: [AtomicU8; TRANSITIONS] = [const { AtomicU8::new(0) }; TRANSITIONS];

static LIVE: LazyLock<Mutex<Live>> = LazyLock::new(|| match start() {
    Ok(live) => Mutex::new(live),
    Err(problem) => {
        eprintln!("{problem}");
        std::process::exit(2);
    }
});
static SEEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
static BLIND: LazyLock<bool> = LazyLock::new(|| variable("DNODE_PEER_BLIND").is_some());

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn start() -> Result<Live, String> {
    let target = match (variable("DNODE_PEER"), variable("DNODE_PEER_EXEC")) {
        (Some(address), None) => Target::parse(&address).map_err(|error| format!("DNODE_PEER: {error}"))?,
        (None, Some(command)) => Target::Exec(command),
        _ => {
            return Err("caller: this target needs a peer: set DNODE_PEER to HOST:PORT, or DNODE_PEER_EXEC to a command \
                        with {port}"
                .to_owned());
        }
    };
    let ping = variable("DNODE_PEER_PING").map(|expression| Ping::parse(&expression)).transpose();
    let live =
        Live::start(&target, ping.map_err(|error| format!("caller: DNODE_PEER_PING: {error}"))?.as_ref())?;
    // The engine ends by `exit`, which drops nothing.
    unsafe extern "C" {
        fn atexit(act: extern "C" fn()) -> i32;
    }
    extern "C" fn end() {
        process::kill_all();
    }
    // SAFETY: `atexit` of the C library, with a function that neither unwinds nor needs what ends before it.
    unsafe { atexit(end) };
    Ok(live)
}

fn seen(transition: Transition) {
    let number = transition.number();
    if !*BLIND {
        let counter = &DNODE_TRANSITIONS[number];
        counter.store(counter.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }
    let mut all = SEEN.lock().unwrap();
    if all.insert(number) {
        eprintln!("transitions: {} ({transition:?})", all.len());
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let heard = LIVE.lock().unwrap().hear(data, &mut seen);
    if let Err(finding) = heard {
        panic!("{finding}");
    }
});
