//! The page in a real browser: headless Chromium, driven by `tests/readers/browser.mjs`.

use super::*;
use crate::diff::Diff;
use crate::machine::sample::faulty;
use crate::machine::{Learned, MachineFormat};

/// Fails with instructions if there is no browser, because the page is untested without one.
#[test]
fn pages_work_in_a_browser() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    assert!(
        Path::new(&chromium).exists(),
        "{chromium} is missing: install it with `apt-get install chromium`, or set CHROMIUM to its path"
    );
    let files = Files::new("html");
    let one = files.write("one.html", &render(Format::Html, &sample_run()));
    let several = files.write("several.html", &render(Format::Html, &some_known_events()));
    let hostile = files.write("hostile.html", &render(Format::Html, &hostile::hostile_run()));
    let grid = files.write("grid.html", &render(Format::Html, &interop_run()));
    let many = files.write("many.html", &render(Format::Html, &run_with_many_causes()));
    let diff = Diff::new(&sample_run(), &hostile::hostile_run()).unwrap().html();
    let diff = files.write("diff.html", &diff);
    let machine = |learned: &Learned| MachineFormat::Html.render(learned, Options::default()).unwrap();
    let peer = files.write("machine.html", &machine(&faulty()));
    let evil = files.write("hostile-machine.html", &machine(&machine::hostile_machine()));
    let chromium = Path::new(&chromium);
    node("browser.mjs", &[chromium, &one, &several, &hostile, &grid, &many, &diff, &peer, &evil]);
}

/// A few peers, some of them as clients and in both dialects.
fn some_known_events() -> Vec<Event> {
    let files =
        known().into_iter().filter(|(name, _)| name.contains("davedoesdev") || name.contains("0.5.9"));
    files.flat_map(|(name, text)| crate::json::read(&text, &name, Level::Robust).unwrap()).collect()
}

/// Two servers, each with three clients.
fn interop_run() -> Vec<Event> {
    let cases = [
        sample::outcome("client a", Verdict::Pass),
        sample::failing("client b"),
        sample::crashing("client c"),
    ];
    let server = |name: &str| {
        let run = Run { peer: Some(name.to_owned()), interop: true, ..sample::run(cases.len()) };
        sample::events(run, &cases, FINE)
    };
    [server("server x"), server("server y")].concat()
}

/// As many causes as npm dnode has: crashes at different places. The page must be short on paper.
fn run_with_many_causes() -> Vec<Event> {
    let crash =
        |number: usize| sample::crashing_at(&format!("robust/{number}"), "message/argument-order", number);
    let passing = |number: usize| sample::outcome(&format!("value/{number}"), Verdict::Pass);
    let cases: Vec<Outcome> = (0..24).map(crash).chain((0..300).map(passing)).collect();
    let life = (0..16).map(|row| row * 100).collect();
    sample::events(sample::run(cases.len()), &cases, Ended { life, ..FINE })
}
