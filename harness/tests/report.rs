//! Reports of a run, and reports made later from its files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{PROGRAM, run};

const FORMATS: [&str; 8] = ["text", "json", "events", "junit", "tap", "markdown", "github", "html"];

/// A peer with a fault, so that there is something to report.
fn faulty() -> String {
    format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}")
}

#[test]
fn a_report_made_later_is_the_same_as_that_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let exec = faulty();
    let files = FORMATS.map(|format| format!("{format}={}", path(format)));
    let mut arguments = vec!["--exec", exec.as_str(), "--case", "probe/*"];
    files.iter().for_each(|file| arguments.extend(["--report", file]));
    run(&arguments).expect_status(&[1]).expect_text("FAIL      probe/echo");
    for format in FORMATS {
        let later = run(&["report", &path("events"), "--format", format]);
        later.expect_status(&[0]);
        let written = std::fs::read_to_string(path(format)).unwrap();
        assert!(later.stdout == written, "{format}:\n{written}\n\nlater:\n{}", later.stdout);
        run(&["report", &path("events"), "--format", format, "--out", &path("later")]).expect_status(&[0]);
        assert_eq!(std::fs::read_to_string(path("later")).unwrap(), written);
    }
    let junit = std::fs::read_to_string(path("junit")).unwrap();
    let cases = junit.lines().filter(|line| line.contains("classname=\"dnode.probe\""));
    let (timed, others): (Vec<_>, Vec<_>) = cases.partition(|line| line.contains(" time=\"0."));
    assert!(timed.len() > 5 && others.len() <= 1, "only probe/complete is no session: {junit}");
}

#[test]
fn a_cycle_is_a_reference_for_people_and_unrolled_in_the_canonical_report() {
    let exec = format!("exec '{PROGRAM}' serve --fault ignores-links --listen 127.0.0.1:{{port}}");
    let judge = |report: &[&str]| run(&[&["--exec", &exec, "--case", "link/cycle"], report].concat());
    judge(&[]).expect_status(&[1]).expect_text(r#"expected    {"name":"x","self":↑ arguments[0].self}"#);
    judge(&["--report", "json=-"]).expect_status(&[1]).expect_text(r#"{\"name\":\"x\",\"self\":{\"name\""#);
}

#[test]
fn standard_output_has_one_report_and_nothing_else() {
    let exec = faulty();
    let arguments = |report| ["--exec", &exec, "--case", "probe/add", "--report", report].map(str::to_owned);
    let stdout = |report| {
        let arguments = arguments(report);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = run(&arguments);
        ran.expect_status(&[1]);
        ran.stdout
    };
    let tap = stdout("tap=-");
    assert!(tap.starts_with("TAP version 13\n1..") && !tap.contains("\nFAIL"), "{tap}");
    assert!(serde_json::from_str::<serde_json::Value>(&stdout("json=-")).is_ok());
    // A job gets the annotations and the report for people, whose summary comes last.
    let job = stdout("github=-");
    assert!(job.contains("\n::error title=fail probe/add::") && job.contains("FAIL      probe/add"), "{job}");
    assert!(job.lines().last().unwrap().starts_with("exit 1: "), "{job}");
    let generated = run(&["--generate", "1", "--seed", "7", "--report", "tap=-"]);
    generated.expect_status(&[0]);
    assert!(generated.stdout.starts_with("TAP version 13\n") && generated.stderr.contains("seed 7"));
}

#[test]
fn canonical_reports_of_several_peers_make_one_page() {
    let known = ["reports/known/npm-dnode-0.9.12.json", "reports/known/npm-dnode-1.2.2.json"];
    let page = run(&["report", known[0], known[1], "--format", "html"]);
    page.expect_status(&[0])
        .expect_text("npm dnode 0.9.12")
        // The catalogue adds the sentences that a canonical report leaves out.
        .expect_text("A line is the JSON text null.")
        .expect_text("dnode-conform run TARGET --case robust/message-null");
    run(&["report", known[0], known[1], "--format", "markdown"])
        .expect_status(&[0])
        .expect_text("| case | level | `npm dnode 0.9.12` | `npm dnode 1.2.2` |")
        .expect_text("| `framing/split-character` | must | pass | FAIL |");
    run(&["report", known[0], known[1], "--format", "tap"])
        .expect_status(&[2])
        .expect_text("is about one run");
    // Another gate gives another exit for the same verdicts.
    let text = |level: &str| run(&["report", known[0], "--format", "text", "--level", level]).stdout;
    assert!(
        text("robust").contains("exit 1: 5 gating failures") && text("observed").contains("exit 1: 9 gating")
    );
}

#[test]
fn a_canonical_report_is_read_in_any_layout() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (pretty, line, sorted) = (path("pretty"), path("line"), path("sorted"));
    let to = format!("json={pretty}");
    run(&["--exec", &faulty(), "--case", "value/numbers", "--report", &to]).expect_status(&[1]);
    let report: serde_json::Value = serde_json::from_str(&support::read(&pretty)).unwrap();
    std::fs::write(&line, report.to_string()).unwrap();
    let keys: std::collections::BTreeMap<_, _> = report.as_object().unwrap().iter().collect();
    std::fs::write(&sorted, serde_json::to_string(&keys).unwrap()).unwrap();
    for other in [&line, &sorted] {
        let ran = run(&["report", other, "--format", "json"]);
        assert_eq!(ran.expect_status(&[0]).stdout, support::read(&pretty));
        run(&["diff", &pretty, other]).expect_status(&[0]);
        // The error is about its own format.
        std::fs::write(other, &support::read(other)[..40]).unwrap();
        run(&["report", other, "--format", "tap"])
            .expect_status(&[2])
            .expect_text("not a canonical report: the JSON is cut off");
    }
}

#[test]
fn endless_files_are_an_error_that_names_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let commands: [&[&str]; 7] = [
        &["report", "/dev/zero", "--format", "html"],
        &["diff", "/dev/zero", "/dev/zero"],
        &["replay", "/dev/zero"],
        &["--baseline", "/dev/zero"],
        &["--snapshot", "/dev/zero"],
        &["learn", "--against", "/dev/zero"],
        &["fuzz", "--machine", "/dev/zero", "--findings", &out],
    ];
    for arguments in commands {
        let ran = run(arguments);
        ran.expect_status(&[2]).expect_text("/dev/zero");
        ran.expect_text("it has more than 256 MiB, which is the limit");
    }
    // Its first bytes show that it is nothing to import.
    let import = run(&["import", "/dev/zero", "--out", &out]);
    import.expect_status(&[2]).expect_text("/dev/zero: it is neither a packet capture");
}

#[test]
fn a_file_that_is_no_report_says_what_it_is_instead() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |text: &str| {
        let path = folder.path().join("run.json");
        std::fs::write(&path, text).unwrap();
        let ran = run(&["report", path.to_str().unwrap()]);
        ran.expect_status(&[2]);
        ran.stderr.split_once("is no report of a run: ").unwrap().1.to_owned()
    };
    assert!(shown("").starts_with("the file is empty. pass a file that --report json=PATH"), "{}", shown(""));
    assert!(shown("[]\n").starts_with("it is not a JSON object. pass a file"), "{}", shown("[]\n"));
    assert!(shown("{}\n").starts_with("not a canonical report: missing field `format`"), "{}", shown("{}\n"));
}

#[test]
fn a_report_may_come_from_standard_input_or_begin_with_the_mark_of_an_editor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let path = path.to_str().unwrap();
    run(&["--case", "framing/segments", "--report", &format!("json={path}")]).expect_status(&[0]);
    let report = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, format!("\u{feff}{report}")).unwrap();
    let of_file = run(&["report", path]);
    let of_stdin = format!("'{PROGRAM}' report - < '{path}'");
    let of_stdin = std::process::Command::new("sh").args(["-c", &of_stdin]).output().unwrap();
    of_file.expect_status(&[0]).expect_text("exit 0");
    assert_eq!(String::from_utf8_lossy(&of_stdin.stdout).replace("standard input", path), of_file.stdout);
}
