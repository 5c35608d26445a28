//! The page in a real browser: headless Chromium, driven by `tests/readers/browser.mjs`.

use super::*;

/// Fails with instructions if there is no browser, because the page is untested without one.
#[test]
fn page_opens_filters_and_links_to_cases() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    assert!(
        Path::new(&chromium).exists(),
        "{chromium} is missing: install it with `apt-get install chromium`, or set CHROMIUM to its path"
    );
    let files = Files::new("html");
    let one = files.write("one.html", &render(Format::Html, &sample_run()));
    let several = files.write("several.html", &render(Format::Html, &known_events()));
    let hostile = files.write("hostile.html", &render(Format::Html, &hostile::hostile_run()));
    node("browser.mjs", &[Path::new(&chromium), &one, &several, &hostile]);
}
