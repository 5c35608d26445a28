//! Campaigns from the user's view: findings and their folders, resumption, and no findings about a
//! correct peer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::library::on_threads;
use support::{PROGRAM, run};

fn served(arguments: &str) -> String {
    format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}")
}

fn folders(findings: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(findings).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| !folder.file_name().unwrap().to_string_lossy().starts_with('.'));
    folders.sort();
    folders
}

/// Runs a campaign that ends at its first finding, and returns the folder of that finding.
fn only(arguments: &str, oracle: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings");
    let peer = served(arguments);
    let arguments = [
        "fuzz",
        "--exec",
        &peer,
        "--seed",
        "1",
        "--time",
        "2m",
        "--fail-fast",
        "--jobs",
        "1",
        "--deadline",
        "500ms",
    ];
    run(&[&arguments[..], &["--findings", findings.to_str().unwrap()]].concat())
        .expect_status(&[1])
        .expect_text(&format!("FOUND  {oracle} "));
    let found = folders(&findings)
        .into_iter()
        .find(|it| it.file_name().unwrap().to_string_lossy().starts_with(oracle));
    (folder, found.unwrap())
}

/// The exit status of a finding's script against a reference peer with these arguments.
fn script(finding: &Path, arguments: &str) -> i32 {
    let peer = format!("serve {arguments} --listen 127.0.0.1:0");
    let mut peer =
        Command::new(PROGRAM).args(peer.split_whitespace()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(peer.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap();
    let output =
        Command::new("python3").arg(finding.join("repeat.py")).args(["127.0.0.1", port]).output().unwrap();
    peer.kill().unwrap();
    peer.wait().unwrap();
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status.code().unwrap()
}

#[test]
fn a_finding_is_shrunk_and_its_folder_reproduces_it() {
    let faults = vec![
        ("dies-of-bad-lines", "died"),
        ("deaf-after-bad-lines", "deaf"),
        ("counts-to-the-index", "not-served"),
    ];
    on_threads(faults.len(), faults, |(fault, oracle)| {
        let (_keep, finding) = only(&format!("--fault {fault}"), oracle);
        let transcript = std::fs::read_to_string(finding.join("transcript.jsonl")).unwrap();
        assert!(transcript.lines().count() <= 4, "{transcript}");
        let text = std::fs::read_to_string(finding.join("finding.md")).unwrap();
        assert!(text.contains("**confirmed**: 3 of 3") && text.contains("replay"), "{text}");
        let file = finding.join("transcript.jsonl");
        let peer = served(&format!("--fault {fault}"));
        run(&["replay", file.to_str().unwrap(), "--exec", &peer]).expect_status(&[1]);
        run(&["replay", file.to_str().unwrap()]).expect_status(&[0]);
        assert_eq!(script(&finding, &format!("--fault {fault}")), 1, "{fault}");
        assert_eq!(script(&finding, ""), 0, "{fault}");
    });
}

#[test]
fn a_broken_clause_is_found() {
    let (_keep, finding) = only("--fault swaps-arguments", "clause");
    assert_eq!(script(&finding, "--fault swaps-arguments"), 1);
}

#[test]
fn a_script_reproduces_a_finding_about_a_peer_that_numbers_at_random() {
    let faults = vec!["callable-once", "culls-unknown", "answers-twice", "one-based-paths", "ignores-cull"];
    on_threads(faults.len(), faults, |fault| {
        let arguments = format!("--fault {fault} --variant random-ids");
        let (_keep, finding) = only(&arguments, "clause");
        let text = std::fs::read_to_string(finding.join("repeat.py")).unwrap();
        assert!(!text.contains("SENT = [\n]") && !text.contains("RECEIVED = [\n]"), "{text}");
        assert_eq!(script(&finding, &arguments), 1, "{fault}\n{text}");
        assert_eq!(script(&finding, "--variant random-ids"), 0, "{fault}\n{text}");
    });
}

#[test]
fn a_campaign_against_a_correct_peer_finds_nothing_and_continues_its_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (findings, corpus) = (path("findings"), path("corpus"));
    let arguments = ["fuzz", "--seed", "1", "--time", "5s", "--findings", &findings, "--corpus", &corpus];
    run(&arguments).expect_status(&[0]).expect_text("seed        1").expect_text("exit 0: no finding");
    let state = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(Path::new(&corpus).join("state.json")).unwrap())
            .unwrap()
    };
    let (before, tuples) =
        (state()["sessions"].as_u64().unwrap(), state()["tuples"].as_array().unwrap().len());
    run(&arguments).expect_status(&[0]);
    assert!(
        state()["sessions"].as_u64().unwrap() > before
            && state()["tuples"].as_array().unwrap().len() >= tuples
    );
}

#[test]
fn a_finding_outlives_a_killed_campaign_and_is_not_reported_twice() {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings");
    // A killed campaign cannot end its peers, so each peer writes down its process id.
    let pids = folder.path().join("pids");
    let peer = format!("echo $$ >> '{}'; {}", pids.display(), served("--fault dies-of-bad-lines"));
    let arguments =
        ["fuzz", "--exec", &peer, "--seed", "1", "--jobs", "1", "--findings", findings.to_str().unwrap()];
    let mut child =
        Command::new(PROGRAM).args(arguments).args(["--time", "5m"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map(Result::unwrap).find(|line| line.contains("FOUND")).unwrap();
    assert!(told.contains("died"), "{told}");
    // This sends SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    for pid in std::fs::read_to_string(&pids).unwrap().lines() {
        let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status().unwrap();
    }
    let before = folders(&findings);
    assert!(
        !before.is_empty() && before.iter().all(|finding| finding.join("repeat.py").exists()),
        "{before:?}"
    );
    let again = run(&[&arguments[..], &["--time", "3s"]].concat());
    again.expect_status(&[1]).expect_text("of earlier campaigns");
    // Another operation may show the same fault in a new folder, but no old folder is found again. A
    // finding that was not shrunk yet may be shrunk.
    let known = folders(&findings);
    assert!(!known.is_empty());
    let third = run(&[&arguments[..], &["--time", "3s"]].concat());
    let lines: Vec<&str> = third.stdout.lines().collect();
    for found in lines.windows(2).filter(|pair| pair[0].starts_with("FOUND")) {
        let is_old = |folder: &PathBuf| found[1].contains(&*folder.to_string_lossy());
        assert!(!known.iter().any(is_old), "{}", third.stdout);
    }
}

#[test]
fn time_ends_a_campaign_and_the_next_one_continues_its_suspicions() {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings");
    let left = findings.join("unfinished");
    std::fs::create_dir_all(&left).unwrap();
    // A session that ends the peer, as a campaign without time leaves it.
    let session = r#"{"dnode-transcript":1,"id":"campaign/input","since":"0.1.0","clauses":["robust/survives"],"hostile":true,"about":"A."}
{"line":"{\"method\":\"echo\"}"}
{"line":"nonsense"}
{"survive":true}
"#;
    std::fs::write(left.join("0.jsonl"), session).unwrap();
    let peer = served("--fault dies-of-bad-lines");
    let ran = run(&[
        "fuzz",
        "--exec",
        &peer,
        "--seed",
        "1",
        "--jobs",
        "1",
        "--time",
        "2m",
        "--fail-fast",
        "--findings",
        findings.to_str().unwrap(),
    ]);
    ran.expect_status(&[1]).expect_text("continues   1 session of").expect_text("from an earlier campaign");
    let found = folders(&findings).into_iter().find(|it| it.join("repeat.py").exists()).unwrap();
    let transcript = std::fs::read_to_string(found.join("transcript.jsonl")).unwrap();
    assert_eq!(transcript.lines().count(), 3, "{transcript}");
    assert_eq!(printed(&ran.stdout), written(&findings), "{}", ran.stdout);
}

#[test]
fn an_interrupted_campaign_says_so_and_keeps_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings");
    let peer = served("--fault dies-of-bad-lines");
    let mut child = Command::new(PROGRAM)
        .args(["fuzz", "--exec", &peer, "--seed", "1", "--jobs", "1", "--time", "5m"])
        .args(["--findings", findings.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut out: Vec<String> = lines.by_ref().take_while(|line| !line.contains("FOUND")).collect();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    out.extend(lines);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let out = out.join("\n");
    assert!(out.contains("interrupted after") && out.contains("exit 1: "), "{out}");
    assert!(written(&findings) > 0);
}

/// The number of findings in a folder.
fn written(findings: &Path) -> usize {
    folders(findings).iter().filter(|folder| folder.join("repeat.py").exists()).count()
}

/// The number of findings that a campaign printed.
fn printed(stdout: &str) -> usize {
    stdout.lines().filter(|line| line.starts_with("FOUND  ") || line.starts_with("warns  ")).count()
}

#[test]
fn minimize_shrinks_a_finding_of_the_monitor() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.jsonl");
    let mut text = r#"{"dnode-transcript":1,"id":"a/b","since":"0.1.0","clauses":["callback/answer-once"],"about":"A.","needs":["add"]}"#.to_owned();
    for n in 0..9 {
        text += &format!("\n{{\"call\":\"add\",\"arguments\":[{n},1,\"$cb{n}\"]}}");
        text += &format!("\n{{\"expect\":{{\"method\":\"$cb{n}\",\"arguments\":[{}]}}}}", n + 1);
    }
    std::fs::write(&file, text).unwrap();
    let peer = served("--fault culls-unknown");
    let ran = run(&["minimize", file.to_str().unwrap(), "--exec", &peer]);
    ran.expect_status(&[0]);
    assert!(ran.stdout.lines().count() <= 3, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("shrunk from 18 steps") && ran.stderr.contains("cull/declared"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_campaign_that_cannot_run_is_an_error() {
    run(&["fuzz", "127.0.0.1:1", "--time", "1s"])
        .expect_status(&[2])
        .expect_text("nothing accepts connections");
    run(&["fuzz", "--shard", "3/2"]).expect_status(&[2]).expect_text("write K/N");
}
