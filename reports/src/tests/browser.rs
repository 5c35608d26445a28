//! The page in a real browser: Debian's chromium without a window, driven by `tests/readers/browser.mjs`.

use super::*;

/// Fails with what to do where there is no browser: a page that nobody opened is not tested.
#[test]
fn the_page_opens_filters_and_leads_to_a_case() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    assert!(
        Path::new(&chromium).exists(),
        "{chromium} is missing: install it with `apt-get install chromium`, or say in CHROMIUM where it is"
    );
    let files = Files::new("html");
    let one = files.write("one.html", &render(Format::Html, &sample_run()));
    let several = files.write("several.html", &render(Format::Html, &known_events()));
    let hostile = files.write("hostile.html", &render(Format::Html, &hostile::hostile_run()));
    node("browser.mjs", &[Path::new(&chromium), &one, &several, &hostile]);
}
