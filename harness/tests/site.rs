//! The static site: complete, deterministic, built again without leftovers, and read in a browser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::{install_in, output, read, root, run};

/// The most bytes that a page may have.
const LARGEST: usize = 300_000;

/// A text that is markup, a link, a command of a terminal, or hidden.
const HOSTILE: &str = concat!(
    "</code></pre></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&-->",
    "\u{1b}[2J\u{202e}evil\u{202c}\u{200b}\u{9b}31m\u{2028} [a](javascript:alert(3)) <svg onload=alert(4)>",
);

/// Builds a site, and gives the output.
fn build(reports: &Path, out: &Path) -> String {
    let ran = run(&["site", &reports.display().to_string(), "--out", &out.display().to_string()]);
    ran.expect_status(&[0]);
    ran.stdout
}

/// All files of a folder by their paths.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut left) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder_inside) = left.pop() {
        for entry in fs::read_dir(folder_inside).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.insert(name, fs::read(path).unwrap());
                }
            }
        }
    }
    found
}

/// A folder of reports with the hostile text in every field that a peer or a person can fill.
fn hostile_reports() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for name in ["php-dnode-0.2.0", "php-dnode-0.2.0-client", "ruby-dnode-0.0.2"] {
        let mut report: Json =
            serde_json::from_str(&read(root().join(format!("reports/known/{name}.json")))).unwrap();
        report["peer"] = json!(HOSTILE);
        let cases = report["cases"].as_array_mut().unwrap();
        for case in cases.iter_mut().filter(|case| case["verdict"] != "pass") {
            case["reason"] = json!(HOSTILE);
            for field in ["step", "path", "expected", "actual"] {
                if case["divergence"].is_object() {
                    case["divergence"][field] = json!(HOSTILE);
                }
            }
        }
        cases[0]["id"] = json!(HOSTILE);
        cases[1]["clauses"] = json!([HOSTILE]);
        write(&format!("{name}.json"), &report.to_string());
        let raw = format!(
            "# {HOSTILE}\n\n{HOSTILE}\n\n`{HOSTILE}`\n\n<b>bold</b>\n\n| a |\n|---|\n| {HOSTILE} |\n"
        );
        write(&format!("{name}.md"), &raw);
        write(&format!("{name}-loose.md"), &raw);
        write(&format!("machines/{name}.md"), &raw);
        write(
            &format!("machines/{name}.svg"),
            "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(5)'><script>alert(6)</script></svg>",
        );
    }
    let version = |report: &str| json!({ "version": HOSTILE, "report": report, "released": HOSTILE, "reported": HOSTILE });
    let entry = json!({
        "name": HOSTILE, "language": HOSTILE, "homepage": "javascript:alert(7)", "advice": HOSTILE,
        "versions": [version("php-dnode-0.2.0"), version("ruby-dnode-0.0.2")],
    });
    write(
        "site/implementations.json",
        &json!({ "source": "javascript:alert(8)", "implementations": [entry] }).to_string(),
    );
    let session = json!({ "client": HOSTILE, "server": HOSTILE, "met": "fail", "note": HOSTILE });
    let grid = json!({ "format": 1, "suite": HOSTILE, "clients": [HOSTILE], "servers": [HOSTILE], "sessions": [session] });
    write("site/interop.json", &grid.to_string());
    folder
}

#[test]
fn sites_work_in_a_browser() {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    assert!(
        Path::new(&chromium).exists(),
        "{chromium} is missing: install it with `apt-get install chromium`, or set CHROMIUM to its path"
    );
    let readers = root().join("reports/tests/readers");
    install_in(&readers);
    let (reports, sites) = (hostile_reports(), tempfile::tempdir().unwrap());
    let [known, hostile] = ["known", "hostile"].map(|name| sites.path().join(name));
    build(&root().join("reports/known"), &known);
    build(reports.path(), &hostile);
    let mut node = Command::new("node");
    node.arg(readers.join("site.mjs")).arg(chromium).arg(&known).arg(&hostile);
    let ran = output(&mut node);
    assert!(ran.status == 0, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn the_same_reports_give_the_same_small_pages() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let printed = build(&root().join("reports/known"), &one);
    build(&root().join("reports/known"), &two);
    let files = files(&one);
    assert!(files == self::files(&two), "two builds differ");
    // The list of the files is no page.
    assert!(printed.starts_with(&format!("{} files, ", files.len() - 1)), "{printed}");
    for (name, text) in &files {
        assert!(text.len() <= LARGEST, "{name} has {} bytes", text.len());
        let text = String::from_utf8(text.clone()).unwrap();
        let here = root().canonicalize().unwrap().display().to_string();
        assert!(!text.contains(&here), "{name} has a path of this machine");
    }
    for page in
        ["implementations/npm-dnode-1.2.2.html", "clauses/framing/utf8.html", "history/npm-dnode.html"]
    {
        assert!(files.contains_key(page), "no {page}");
    }
    let badge = String::from_utf8(files["badges/npm-dnode-1.2.2.svg"].clone()).unwrap();
    assert!(badge.contains(">dnode 0.2</text>") && badge.contains(">332 of 404</text>"), "{badge}");
}

#[test]
fn a_site_is_built_again_without_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    let [reports, out] = ["reports", "site"].map(|name| folder.path().join(name));
    fs::create_dir(&reports).unwrap();
    let add =
        |name: &str, to: &str| fs::copy(root().join("reports/known").join(name), reports.join(to)).unwrap();
    add("php-sync-client-3f6b5f8.json", "one.json");
    build(&reports, &out);
    let before = files(&out);
    assert!(before.contains_key("implementations/one.html"));
    add("php-sync-client-3f6b5f8.json", "two.json");
    build(&reports, &out);
    assert!(files(&out).contains_key("badges/two.svg"));
    // A file of the user stays.
    fs::write(out.join("CNAME"), "example.org").unwrap();
    fs::remove_file(reports.join("two.json")).unwrap();
    build(&reports, &out);
    fs::remove_file(out.join("CNAME")).unwrap();
    assert!(files(&out) == before, "the site has leftovers");
}

/// Fails with these words, and writes nothing.
fn expect_error(arguments: &[&str], words: &[&str]) {
    let ran = run(&[&["site"], arguments].concat());
    ran.expect_status(&[2]).expect_text("error: ");
    for word in words {
        ran.expect_text(word);
    }
}

#[test]
fn wrong_folders_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let out = path("site");
    expect_error(&[&path("none"), "--out", &out], &["cannot be read", "dnode-conform site FOLDER --out DIR"]);
    let reports = path("reports");
    fs::create_dir(&reports).unwrap();
    expect_error(&[&reports, "--out", &out], &["no report of a run", "--report json=FOLDER/NAME.json"]);
    let report = root().join("reports/known/php-sync-client-3f6b5f8.json");
    fs::copy(&report, Path::new(&reports).join("one.json")).unwrap();
    fs::write(Path::new(&reports).join("two.json"), "{").unwrap();
    expect_error(&[&reports, "--out", &out], &["two.json is no report of a run", "the JSON is cut off"]);
    fs::remove_file(Path::new(&reports).join("two.json")).unwrap();
    fs::create_dir(Path::new(&reports).join("site")).unwrap();
    let manifest =
        |text: &str| fs::write(Path::new(&reports).join("site/implementations.json"), text).unwrap();
    manifest("{\"implementations\": 1}");
    expect_error(&[&reports, "--out", &out], &["site/implementations.json: invalid type"]);
    let version = |report: &str| format!("{{\"version\": \"1\", \"report\": \"{report}\"}}");
    let entry = |versions: &str| {
        format!("{{\"implementations\": [{{\"name\": \"x\", \"versions\": [{versions}]}}]}}")
    };
    manifest(&entry(&version("three")));
    expect_error(&[&reports, "--out", &out], &["names the report three", "three-client.json"]);
    manifest(&entry(&[version("one"), version("one")].join(",")));
    expect_error(&[&reports, "--out", &out], &["names the report one twice"]);
    manifest(&entry(&version("one")));
    fs::write(Path::new(&reports).join("site/interop.json"), "[]").unwrap();
    expect_error(&[&reports, "--out", &out], &["interop.json is no grid"]);
    assert!(!Path::new(&out).exists(), "a broken file leaves nothing behind");
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let out = folder.path().display().to_string();
    expect_error(&["--out", &out], &["choose an empty folder for --out"]);
    assert_eq!(files(folder.path()).len(), 1);
    expect_error(&["--out", &format!("{out}/thesis.txt")], &["cannot be used"]);
}
